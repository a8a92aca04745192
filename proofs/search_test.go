package proofs_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func jsonOf(v any) ([]byte, error) { return json.Marshal(v) }

func term(value string, numbers ...uint16) proofs.SearchTerm {
	return proofs.SearchTerm{Values: []proofs.SearchValue{{Numbers: numbers, Value: []byte(value)}}}
}

// either is the values of some terms: one of them is enough.
func either(terms ...proofs.SearchTerm) (t proofs.SearchTerm) {
	for _, o := range terms {
		t.Values = append(t.Values, o.Values...)
	}
	return t
}

func searchQueries(w *searchWorld) map[string]proofs.SearchQuery {
	all := func(terms ...proofs.SearchTerm) proofs.SearchQuery {
		return proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: terms}
	}
	between := func(q proofs.SearchQuery, first, end uint64) proofs.SearchQuery {
		q.First, q.End = first, end
		return q
	}
	within := func(q proofs.SearchQuery, first, end uint64) proofs.SearchQuery {
		q.From, q.Until = w.leaf(first).Time, w.leaf(end).Time
		return q
	}
	n := w.size()
	return map[string]proofs.SearchQuery{
		"one value":                        all(term("user7", 1)),
		"two values":                       all(term("user7", 1), term("act2", 2)),
		"two values of one field":          all(term("user7", 1), term("also", 1)),
		"a value nobody has":               all(term("nobody", 1)),
		"a value of a field of one bucket": all(term("four", 4)),
		"a value of either field":          all(term("user7", 1, 4)),
		"either of two values":             all(either(term("user7", 1), term("user8", 1))),
		"values of two fields":             all(either(term("user7", 1), term("act2", 2))),
		"either of two, and another":       all(either(term("user7", 1), term("nobody", 1), term("user9", 1)), term("act2", 2)),
		"either of two, twice":             all(either(term("user7", 1), term("user8", 1)), either(term("act1", 2), term("act2", 2))),
		"one value twice":                  all(either(term("user7", 1), term("user7", 1, 4))),
		"none of two values":               all(either(term("nobody", 1), term("x", 9))),
		"a field nobody has":               all(term("x", 9)),
		"a value that one entry has":       all(term("4500", 3)),
		"another stream":                   {Stream: 2, End: math.MaxUint64, Terms: []proofs.SearchTerm{term("user7", 1)}},
		"a stream that there is not":       {Stream: 9, End: math.MaxUint64, Terms: []proofs.SearchTerm{term("user7", 1)}},
		"a range of indices":               between(all(term("act1", 2)), 3000, 5000),
		"a range in one segment":           between(all(term("act1", 2)), 4100, 4200),
		"a range behind the log":           between(all(term("act1", 2)), n+5, n+9),
		"an empty range":                   between(all(term("act1", 2)), 50, 50),
		"a range of time":                  within(all(term("act1", 2)), 3000, 5000),
		"a range of time and indices":      between(within(all(term("act1", 2)), 3000, 5000), 3500, 4700),
		"time until the last entry":        within(all(term("user7", 1)), n-4000, n-1),
		"a time to come":                   {Stream: 1, End: math.MaxUint64, From: math.MaxUint64, Terms: []proofs.SearchTerm{term("user7", 1)}},
	}
}

func TestSearchProofsShowTheAnswer(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]*searchWorld{"with a large segment": bigSearchWorld(), "with small segments": smallSearchWorld()} {
		for what, q := range searchQueries(w) {
			for _, now := range []bool{false, true} {
				if now && len(w.large) > 0 {
					continue // it is the same as with small ones
				}
				t.Run(fmt.Sprintf("%s: %s, now %v", name, what, now), func(t *testing.T) {
					v := w.mustHold(t, q, now)
					if len(v.Expired)+len(v.Erased) > 0 {
						t.Errorf("something is closed: %v, %v", v.Expired, v.Erased)
					}
				})
			}
		}
	}
}

// mustHold proves a query, and holds what the proof shows to the answer.
func (w *searchWorld) mustHold(t *testing.T, q proofs.SearchQuery, now bool) proofs.SearchVerdict {
	t.Helper()
	v, err := w.prove(t, q, now).Check(searchPolicy())
	if err != nil {
		t.Fatal(err)
	}
	if want := w.answer(q, v.Start, v.Stop); !slices.Equal(v.Hits, want) {
		t.Errorf("got %d hits %v, want %d", len(v.Hits), v.Hits[:min(5, len(v.Hits))], len(want))
	}
	if now && v.More {
		t.Errorf("it stops at %d of %d, and there may be more", v.Stop, w.size())
	}
	if want := w.notRead(q, v.Start, v.Stop); !slices.Equal(v.Unread, want) || v.Complete != (!v.More && len(want) == 0) {
		t.Errorf("complete %v, and %d runs are unread, want %d", v.Complete, len(v.Unread), len(want))
	}
	if !now && v.Tail > 0 {
		t.Errorf("it looks through %d entries behind the directories", v.Tail)
	}
	return v
}

func TestErasedEntriesAreInNoDirectory(t *testing.T) {
	t.Parallel()
	w := smallSearchWorld()
	q := proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: []proofs.SearchTerm{term("user7", 1)}}
	before := w.mustHold(t, q, true)
	w.erase(0, before.Hits[3], before.Hits[4], before.Hits[len(before.Hits)-1])
	v := w.mustHold(t, q, true)
	if len(v.Hits) != len(before.Hits)-3 || len(v.Erased) != 1 {
		t.Errorf("got %d hits and the erasures %v, want %d and one", len(v.Hits), v.Erased, len(before.Hits)-3)
	}
	for id, rows := range w.rows {
		for _, r := range rows {
			for i := range r.Len() {
				for _, p := range r.Positions(i) {
					index := id.First() + uint64(p)
					if w.erased[index] > 0 && len(w.events[index].lists) == 1 {
						t.Errorf("row %d of %s leads to entry %d, which is erased", i, id, index)
					}
				}
			}
		}
	}
	// Everything that is asked about others is answered as before.
	for what, q := range searchQueries(w) {
		t.Run(what, func(t *testing.T) { w.mustHold(t, q, false) })
	}
}

func TestAnErasureExplainsWhatADirectoryStillHas(t *testing.T) {
	w := smallSearchWorld()
	q := proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: []proofs.SearchTerm{term("user7", 1)}}
	before := w.mustHold(t, q, true)
	w.late = true
	w.erase(0, before.Hits[3])
	v := w.mustHold(t, q, true)
	if len(v.Hits) != len(before.Hits)-1 || len(v.Erased) != 1 || v.Erased[0] != w.erased[before.Hits[3]] {
		t.Errorf("got %d hits and the erasures %v, want one less, by that of entry %d", len(v.Hits), v.Erased, w.erased[before.Hits[3]])
	}
}

func TestWhatExpiredIsSaidToBeNotLookedThrough(t *testing.T) {
	t.Parallel()
	w := smallSearchWorld()
	w.expire(3)
	for what, q := range searchQueries(w) {
		t.Run(what, func(t *testing.T) {
			v := w.mustHold(t, q, true)
			if len(v.Expired) > 1 || len(v.Expired) == 1 && v.Expired[0] != w.expired[3] {
				t.Errorf("got the expiries %v", v.Expired)
			}
		})
	}
	v := w.mustHold(t, proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: []proofs.SearchTerm{term("user7", 1)}}, true)
	if len(v.Expired) != 1 {
		t.Errorf("got the expiries %v, want one", v.Expired)
	}
}

func TestNamesOfFieldsAreShown(t *testing.T) {
	w := smallSearchWorld()
	v := w.mustHold(t, proofs.SearchQuery{Stream: 1, End: 9, Terms: []proofs.SearchTerm{term("user7", 1)}}, true)
	if got := v.Names[0]; got.Name != "people" || len(got.Fields) != 3 || got.Fields[0].Name != "actor" {
		t.Errorf("got %+v", v.Names)
	}
}
