package ledger

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// crowd records events of a stream about people in turn, until they are
// witnessed, and returns the indices of each one's.
func (a *archive) crowd(stream string, count int, people ...string) map[string][]uint64 {
	a.t.Helper()
	all := make(map[string][]uint64)
	for count > 0 {
		var events []client.Event
		for i := range min(count, 3000) {
			events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":%q,"n":%d}`, people[i%len(people)], i)})
		}
		got, err := a.as("app").Append(a.t.Context(), stream, events, client.Integrated)
		if err != nil {
			a.t.Fatal(err)
		}
		for i, g := range got {
			if g.Err != nil {
				a.t.Fatal(g.Err)
			}
			all[people[i%len(people)]] = append(all[people[i%len(people)]], g.Index)
		}
		count -= len(events)
	}
	a.record(DefaultStream, "")
	return all
}

// proven returns what a proof shows of a query.
func (a *archive) proven(q client.CompleteQuery) proofs.SearchVerdict {
	a.t.Helper()
	b, err := a.as("reader").ProveComplete(a.t.Context(), q)
	if err != nil {
		a.t.Fatal(err)
	}
	p, err := proofs.ParseSearchProof(b)
	if err != nil {
		a.t.Fatal(err)
	}
	v, err := p.Check(a.policy)
	if err != nil {
		a.t.Fatal(err)
	}
	return v
}

func (a *archive) wantHits(q client.CompleteQuery, want []uint64) proofs.SearchVerdict {
	a.t.Helper()
	v := a.proven(q)
	want = slices.DeleteFunc(slices.Clone(want), func(i uint64) bool { return i >= v.Stop })
	if !slices.Equal(v.Hits, want) {
		a.t.Errorf("%+v: got %d hits, want %d", q, len(v.Hits), len(want))
	}
	if q.Now && !v.Complete {
		a.t.Errorf("%+v: it stops at %d", q, v.Stop)
	}
	return v
}

func by(name string) []client.FieldValue { return []client.FieldValue{{Name: "actor", Value: name}} }

func TestSearchesAreProvenToBeComplete(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := newArchive(t)
	a.short("people", 0)
	people := a.crowd("people", 50, "alice", "bob")
	// Before there is any directory everything is looked through.
	a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("alice"), Now: true}, people["alice"])
	if v := a.proven(client.CompleteQuery{Stream: "people", Fields: by("alice")}); v.Stop != 0 || v.Complete {
		t.Errorf("without directories it got to %d", v.Stop)
	}
	for name, more := range a.crowd("people", 3*proofs.SegmentSize, "alice", "bob", "carol", "dave") {
		people[name] = append(people[name], more...)
	}
	hold := func() {
		t.Helper()
		for _, now := range []bool{false, true} {
			for _, name := range []string{"bob", "carol", "dave"} {
				v := a.wantHits(client.CompleteQuery{Stream: "people", Fields: by(name), Now: now}, people[name])
				if v.Directory == 0 || len(v.Directories) < 2 {
					t.Errorf("it rests on the directories %v", v.Directories)
				}
			}
		}
		a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("nobody"), Now: true}, nil)
		two := append(by("bob"), client.FieldValue{Name: "n", Value: "1"})
		if v := a.proven(client.CompleteQuery{Stream: "people", Fields: two, Now: true}); len(v.Hits) < 2 {
			t.Errorf("got %d hits of two values", len(v.Hits))
		}
		either := [][]client.FieldValue{append(by("bob"), by("carol")...)}
		both := slices.Sorted(slices.Values(slices.Concat(people["bob"], people["carol"])))
		a.wantHits(client.CompleteQuery{Stream: "people", Any: either, Now: true}, both)
		first, end := people["bob"][100], people["bob"][200]
		a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("bob"), First: first, End: end}, people["bob"][100:200])
	}
	hold()
	a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("alice"), Now: true}, people["alice"])

	erasure, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"})
	if err != nil {
		t.Fatal(err)
	}
	a.gone(people["alice"][0])
	a.record(DefaultStream, "") // published, with the directories that were made anew
	for range 2 {
		hold()
		v := a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("alice"), Now: true}, nil)
		if !slices.Contains(v.Erased, erasure.Announced) {
			t.Errorf("the erasure of entry %d is not said: %v", erasure.Announced, v.Erased)
		}
		a.noRowLeadsTo(people["alice"])
		a.restart()
		a.record(DefaultStream, "")
	}
	for name, more := range a.crowd("people", proofs.SegmentSize, "bob", "carol") {
		people[name] = append(people[name], more...)
	}
	hold()
	a.judged(audit.Retained{GoneErased: uint64(len(people["alice"]))})
}

// TestWhatIsHeldIsNotInDirectoriesOnceErased: the keys that made its tags are
// gone, also where all that was erased in a segment is held.
func TestWhatIsHeldIsNotInDirectoriesOnceErased(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := newArchive(t)
	a.short("people", 0)
	people := a.crowd("people", 3*proofs.SegmentSize, "alice", "bob")
	hold, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{run(0, proofs.SegmentSize-1)}, Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people["alice"][len(people["alice"])-1])
	a.readable(people["alice"][0])
	check := func() {
		t.Helper()
		a.record(DefaultStream, "")
		a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("bob")}, people["bob"])
		a.wantHits(client.CompleteQuery{Stream: "people", Fields: by("alice")}, nil)
		a.noRowLeadsTo(people["alice"])
	}
	check()
	if _, err := a.as("custodian").Release(t.Context(), Release{Hold: hold.Hold, Reason: "it is settled"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people["alice"][0])
	check()
	a.restart()
	check()
}

// noRowLeadsTo demands that no row of any directory has an entry.
func (a *archive) noRowLeadsTo(entries []uint64) {
	a.t.Helper()
	d := a.l.directories
	for n := range d.committed().small {
		id := proofs.SegmentID{Number: uint64(n)}
		s, err := d.rows(a.t.Context(), id, nil)
		if err != nil {
			a.t.Fatal(err)
		}
		for _, r := range s.rows {
			for i := range r.Len() {
				for _, p := range r.Positions(i) {
					if _, erased := slices.BinarySearch(entries, id.First()+uint64(p)); erased {
						a.t.Fatalf("row %d of %s leads to entry %d", i, id, id.First()+uint64(p))
					}
				}
			}
		}
	}
}

func TestDirectoriesStandAtTheirPlaces(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := newArchive(t)
	a.short("people", 0)
	a.crowd("people", 4*proofs.SegmentSize+500, "alice", "bob")
	size := a.l.Status().Sizes.Sequenced
	places := make(map[uint64]bool)
	for n := range proofs.DirectoriesAt(size) {
		places[proofs.DirectoryPlace(n)] = true
	}
	if len(places) < 3 {
		t.Fatalf("a log of %d entries has %d places", size, len(places))
	}
	leaves, err := a.l.leaves(t.Context(), 0, size)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range leaves {
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			t.Fatal(err)
		}
		if (leaf.Kind == proofs.Directory) != places[uint64(i)] {
			t.Errorf("entry %d is of kind %v", i, leaf.Kind)
		}
	}
}

func TestAnExpiredBucketIsSaidNotToBeLookedThrough(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := newArchive(t)
	a.short("week", 7)
	old := a.crowd("week", 3*proofs.SegmentSize, "alice", "bob")
	a.later(9)
	a.later(9)
	a.gone(old["alice"][0])
	fresh := a.record("week", "bob")
	v := a.wantHits(client.CompleteQuery{Stream: "week", Fields: by("bob"), Now: true}, fresh)
	if len(v.Expired) != 1 {
		t.Errorf("got the expiries %v, want one", v.Expired)
	}
	a.crowd("week", 2*proofs.SegmentSize, "carol") // and the directories after it
	a.wantHits(client.CompleteQuery{Stream: "week", Fields: by("bob")}, fresh)
}

func TestWhatCannotBeProvenIsRefused(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	a.record("people", "alice")
	for _, c := range []struct {
		what string
		q    client.CompleteQuery
		code client.ProblemCode
	}{
		{"no stream", client.CompleteQuery{Stream: "places", Fields: by("alice")}, client.NoSuchStream},
		{"no field", client.CompleteQuery{Stream: "people"}, client.BadRequest},
		{"a field that is not declared", client.CompleteQuery{Stream: "people", Fields: []client.FieldValue{{Name: "m"}}}, client.BadRequest},
		{"a value twice", client.CompleteQuery{Stream: "people", Fields: append(by("alice"), by("alice")...)}, client.BadRequest},
		{"one of no values", client.CompleteQuery{Stream: "people", Any: [][]client.FieldValue{{}}}, client.BadRequest},
		{"one of a value twice", client.CompleteQuery{Stream: "people", Any: [][]client.FieldValue{append(by("alice"), by("alice")...)}}, client.BadRequest},
		{"17 conditions", client.CompleteQuery{Stream: "people", Any: slices.Repeat([][]client.FieldValue{by("alice")}, 17)}, client.BadRequest},
		{"65 values", client.CompleteQuery{Stream: "people", Any: [][]client.FieldValue{slices.Repeat(by("alice"), 65)}}, client.BadRequest},
		{"a range that ends before it begins", client.CompleteQuery{Stream: "people", Fields: by("alice"), First: 5, End: 4}, client.BadRequest},
	} {
		var p *client.Problem
		if _, err := a.as("reader").ProveComplete(t.Context(), c.q); !errors.As(err, &p) || p.Code() != c.code {
			t.Errorf("%s: got %v, want %v", c.what, err, c.code)
		}
	}
	stranger := a.l.As(Caller{Name: "stranger", May: func(_ proofs.Kind, stream string) bool { return stream != "people" }})
	var p *client.Problem
	if _, err := stranger.ProveComplete(t.Context(), client.CompleteQuery{Stream: "people", Fields: by("alice")}); !errors.As(err, &p) || p.Code() != client.Forbidden {
		t.Errorf("who may not read got %v", err)
	}
	acts := history(t, a.l, client.HistoryQuery{What: proofs.ActSearch})
	if last := acts[len(acts)-1].Act; last.Outcome != proofs.OutcomeRefused {
		t.Errorf("the history has %+v", last)
	}
	a.proven(client.CompleteQuery{Stream: "people", Any: [][]client.FieldValue{{{Name: "n", Value: "0"}, {Name: "n", Value: "1"}}, by("alice")}, Now: true})
	acts = history(t, a.l, client.HistoryQuery{What: proofs.ActSearch})
	if last := acts[len(acts)-1].Act; last.Results != 1 || last.Query != `(n="0" or n="1") actor` {
		t.Errorf("the history has %+v", last)
	}
	a.proven(client.CompleteQuery{Stream: "people", Fields: []client.FieldValue{{Name: "n", Value: "0"}}, Now: true})
	acts = history(t, a.l, client.HistoryQuery{What: proofs.ActSearch})
	if last := acts[len(acts)-1].Act; last.Results != 1 || last.Query != fmt.Sprintf("n=%q", "0") {
		t.Errorf("the history has %+v", last)
	}
}
