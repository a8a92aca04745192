package proofs_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// The lies of this file take more than a changed proof: the log itself says,
// under its signature, what it should not.

func everything(terms ...proofs.SearchTerm) proofs.SearchQuery {
	return proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: terms}
}

// mustNotBelieve wants a proof to be refused for a reason.
func mustNotBelieve(t *testing.T, p proofs.SearchProof, why string) {
	t.Helper()
	v, err := p.Check(searchPolicy())
	switch {
	case err == nil:
		t.Errorf("it is believed: %d hits, complete %v", len(v.Hits), v.Complete)
	case !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed):
		t.Errorf("got an error of neither kind: %v", err)
	case !strings.Contains(err.Error(), why):
		t.Errorf("got the reason %q, want %q", err, why)
	}
}

// hide takes a hit out of a proof, and names what is said to have closed it.
func (w *searchWorld) hide(t *testing.T, p *proofs.SearchProof, index, announced uint64) {
	p.Hits = slices.DeleteFunc(p.Hits, func(h proofs.SearchHit) bool { return h.Index == index })
	p.Closed = append(p.Closed, proofs.ClosedEntry{Index: index, Announced: announced})
	w.withEntry(t, p, announced)
}

// hideAll takes all hits of a bucket out of a segment, as if another key were
// that of field 1.
func (w *searchWorld) hideAll(t *testing.T, p *proofs.SearchProof, segment int, bucket uint32, key proofs.SearchKey) {
	r := w.rowsOf(uint64(segment), bucket)
	at, _ := r.Find(proofs.MakeTag(1, &key.Key, p.Query.Terms[0].Value))
	p.Segments[segment].Rows[bucket/2] = w.shownRows(t, uint64(segment), bucket, at-1, at) // of buckets 1 and 3
	p.Hits = slices.DeleteFunc(p.Hits, func(h proofs.SearchHit) bool {
		return h.Index/proofs.SegmentSize == uint64(segment) && w.events[h.Index].bucket == bucket
	})
}

func TestAKeyThatComesAfterTheTagsHidesNothing(t *testing.T) {
	w := smallSearchWorld()
	other := proofs.Key256{99}
	body := proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Period: 1, Keys: []proofs.FieldKeyBody{{Field: 1, Hash: proofs.FieldKeyHash(&other)}}}
	late := w.add(proofs.Leaf{Kind: proofs.BucketOpened, T: proofs.EmptyRoot(), Control: must(proofs.FormatBucket(body))})
	key := proofs.SearchKey{Number: 1, Opened: late, Key: other}

	p := w.prove(t, everything(term("user7", 1)), false)
	w.withEntry(t, &p, late)
	p.Keys[0].Keys[0] = key
	for segment := range p.Segments {
		w.hideAll(t, &p, segment, 1, key)
	}
	mustNotBelieve(t, p, "the key of field 1 is not shown, or is newer than the segment")

	q := everything(term("user7", 1))
	q.First = w.size() - 50
	p = w.prove(t, q, true)
	p.Keys[0].Keys[0] = key
	mustNotBelieve(t, p, "is not shown, or is newer")

	p = w.prove(t, everything(term("user7", 1)), false)
	w.withEntry(t, &p, late)
	p.Keys[0].Keys[0] = key
	mustNotBelieve(t, p, "newer")
}

func TestAFieldThatIsDeclaredLaterIsAbsentBefore(t *testing.T) {
	t.Parallel()
	w := newSearchWorld()
	w.fill(newRand(8), 5000)
	key := fieldKey(1, 4)
	body := proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Period: 1, Keys: []proofs.FieldKeyBody{{Field: 4, Hash: proofs.FieldKeyHash(&key)}}}
	w.later = w.add(proofs.Leaf{Kind: proofs.BucketOpened, T: proofs.EmptyRoot(), Control: must(proofs.FormatBucket(body))})
	w.event(1, 1, []searchValue{{4, "four"}, {1, "user7"}})
	w.fill(newRand(9), 3*proofs.SegmentSize+5)
	w.event(1, 1, []searchValue{{4, "four"}})
	v := w.mustHold(t, everything(term("four", 4)), true)
	if !slices.Contains(v.Hits, w.later+1) || !slices.Contains(v.Hits, w.size()-1) {
		t.Error("an event with the new field is not found")
	}
	w.mustHold(t, everything(term("user7", 1, 4)), true)
}

func TestOnlyErasuresThatAreAnnouncedInFullExcuse(t *testing.T) {
	t.Parallel()
	q := everything(term("user7", 1))
	world := func() (*searchWorld, uint64) {
		w := smallSearchWorld()
		return w, w.answer(q, 0, proofs.SegmentSize)[2]
	}
	t.Run("the last part was never announced", func(t *testing.T) {
		w, hit := world()
		part := w.announce(1, 2, hit)
		w.event(1, 1, []searchValue{{1, "x"}})
		p := w.prove(t, q, true)
		w.hide(t, &p, hit, part)
		mustNotBelieve(t, p, "not all of its parts are shown")
	})
	t.Run("the last part is of another announcement", func(t *testing.T) {
		w, hit := world()
		part := w.announce(1, 2, hit)
		w.announce(1, 2, 1, 2)
		w.announce(2, 2, 4000)
		p := w.prove(t, q, true)
		w.hide(t, &p, hit, part)
		mustNotBelieve(t, p, "not all of its parts are shown")
		// It does not help to leave out what shows that.
		q := q
		q.End = 2 * proofs.SegmentSize
		p = w.prove(t, q, true)
		w.hide(t, &p, hit, part)
		w.withEntry(t, &p, part+2)
		mustNotBelieve(t, p, "not all of its parts are shown")
	})
	t.Run("it names another entry", func(t *testing.T) {
		w, hit := world()
		by := w.announce(1, 1, hit+1)
		p := w.prove(t, q, true)
		w.hide(t, &p, hit, by)
		mustNotBelieve(t, p, "does not close it")
	})
	t.Run("it came before the entry", func(t *testing.T) {
		w, _ := world()
		early := w.announce(1, 1, w.size()+1)
		hit := w.event(1, 1, []searchValue{{1, "user7"}})
		p := w.prove(t, q, true)
		p.Tail[len(p.Tail)-1].Lists[0] = proofs.DisclosedTags{Commitments: []proofs.Hash{{}}}
		w.hide(t, &p, hit, early)
		mustNotBelieve(t, p, "does not close it")
	})
	t.Run("it is of another stream", func(t *testing.T) {
		w, hit := world()
		body := proofs.ErasureBody{Erased: &proofs.ErasedBody{Stream: 2, Part: 1, Parts: 1, Closes: proofs.RunsOf([]uint64{hit})}}
		by := w.add(proofs.Leaf{Kind: proofs.Erasure, T: proofs.EmptyRoot(), Control: must(proofs.FormatErasure(body))})
		p := w.prove(t, q, true)
		w.hide(t, &p, hit, by)
		mustNotBelieve(t, p, "does not close it")
	})
	t.Run("it is only done", func(t *testing.T) {
		w, hit := world()
		done := proofs.ErasureBody{Done: &proofs.KeysDestroyed{Announced: 5}}
		by := w.add(proofs.Leaf{Kind: proofs.Erasure, T: proofs.EmptyRoot(), Control: must(proofs.FormatErasure(done))})
		p := w.prove(t, q, true)
		w.hide(t, &p, hit, by)
		mustNotBelieve(t, p, "does not close it")
	})
}

func TestAnErasureInSeveralPartsExcusesWhatEachNames(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	hits := w.answer(q, 0, w.size())
	whole := slices.DeleteFunc(slices.Clone(hits), func(index uint64) bool { return len(w.events[index].lists) > 1 })
	one, two := whole[1], whole[len(whole)-1]
	w.late = true
	first := w.announce(1, 2, one)
	w.event(2, 2, []searchValue{{1, "in between"}})
	second := w.announce(2, 2, two)
	w.close(first, 0, one)
	w.close(second, 0, two)
	v := w.mustHold(t, q, true)
	if !slices.Equal(v.Erased, []uint64{first, second}) || len(v.Hits) != len(hits)-2 {
		t.Errorf("got the erasures %v and %d hits, want %d and %d, and %d hits", v.Erased, len(v.Hits), first, second, len(hits)-2)
	}
}

// TestADirectoryThatHeedsAnErasureIsNotExcusedByIt: of an entry that lost one
// list of its tags the others are still to be shown.
func TestADirectoryThatHeedsAnErasureIsNotExcusedByIt(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("act2", 2))
	index := slices.IndexFunc(w.leaves, func([]byte) bool { return true })
	for w.events[uint64(index)] == nil || len(w.events[uint64(index)].lists) != 2 || !w.events[uint64(index)].has(q.Terms[0]) {
		index++
	}
	w.erase(1, uint64(index)) // not the list with the action
	v := w.mustHold(t, q, true)
	if !slices.Contains(v.Hits, uint64(index)) {
		t.Fatal("what is left of an entry is not found")
	}
	p := w.prove(t, q, true)
	w.hide(t, &p, uint64(index), w.erased[uint64(index)])
	mustNotBelieve(t, p, "was made anew behind the erasure")
}

func TestAnExpiryExcusesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	q := everything(term("user7", 1))
	for _, x := range []struct {
		what    string
		expired proofs.ExpiredBody
	}{
		{"entries before", proofs.ExpiredBody{Bucket: 3, Last: 100}},
		{"another bucket", proofs.ExpiredBody{Bucket: 1, Last: 9000}},
		{"a checkpoint that there was not yet", proofs.ExpiredBody{Bucket: 3, Last: 9000, Now: proofs.CheckpointRef{Size: 1 << 40}}},
	} {
		t.Run(x.what, func(t *testing.T) {
			w := smallSearchWorld()
			w.announceExpiry(x.expired)
			delete(w.expired, x.expired.Bucket) // and it has all
			p := w.prove(t, q, true)
			announced := w.size() - 1
			p.Segments[1].Rows[1] = proofs.SearchRows{Expired: announced}
			mustNotBelieve(t, p, "does not announce that it expires")

			p = w.prove(t, q, true)
			i := slices.IndexFunc(p.Tail, func(x proofs.SearchTags) bool { return w.events[x.Index].bucket == 3 })
			p.Tail[i].Lists = nil
			w.hide(t, &p, p.Tail[i].Index, announced)
			mustNotBelieve(t, p, "does not close it")
		})
	}
}

func TestTimesThatGoBackAreNoticed(t *testing.T) {
	w := newSearchWorld()
	w.fill(newRand(10), 50)
	w.event(1, 1, []searchValue{{1, "late"}})
	w.time -= 30
	w.fill(newRand(10), 100)
	mustNotBelieve(t, w.prove(t, everything(term("late", 1)), true), "is older than entry")
}

func TestHeadsHaveTheTimesOfTheirLeaves(t *testing.T) {
	t.Parallel()
	for what, lie := range map[string]func(*proofs.DirectoryHead){
		"the first is earlier": func(h *proofs.DirectoryHead) { h.FirstTime -= 3 },
		"the last is later":    func(h *proofs.DirectoryHead) { h.LastTime += 10_000_000 },
		"all are at the end":   func(h *proofs.DirectoryHead) { h.FirstTime = h.LastTime },
	} {
		t.Run(what, func(t *testing.T) {
			w := newSearchWorld()
			w.lie = func(h *proofs.DirectoryHead) {
				if h.Segment.Number == 0 {
					lie(h)
				}
			}
			w.fill(newRand(11), proofs.DirectoryPlace(1)+5)
			p := w.prove(t, everything(term("user7", 1)), false)
			if _, err := p.Check(searchPolicy()); err == nil {
				t.Error("it is believed")
			}
		})
	}
}

func TestNothingIsShownThatIsNotNeeded(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	tail := q
	tail.First = w.size() - 20
	for _, x := range []struct {
		what, why string
		q         proofs.SearchQuery
		change    func(p *proofs.SearchProof)
	}{
		{"a directory for no segment", "a directory is shown for no segment", tail, func(p *proofs.SearchProof) { p.Directory = w.made }},
		{"hashes for no segment", "a directory is shown for no segment", tail, func(p *proofs.SearchProof) { p.Large = []proofs.Hash{{}} }},
		{"a closed entry that is no hit", "is not looked for", q, func(p *proofs.SearchProof) { p.Closed = []proofs.ClosedEntry{{Index: 5, Announced: 6}} }},
		{"the key of another field", "is not asked for", q, func(p *proofs.SearchProof) {
			key, _ := w.FieldKey(1, 2)
			p.Keys[0].Keys = append(p.Keys[0].Keys, key)
		}},
		{"names twice", "are shown behind", q, func(p *proofs.SearchProof) { p.Names = append(p.Names, p.Names...) }},
		{"a range that ends before it begins", "are not in a tree", q, func(p *proofs.SearchProof) { p.Stop, p.Start = 5, 6 }},
	} {
		t.Run(x.what, func(t *testing.T) {
			p := w.prove(t, x.q, true)
			x.change(&p)
			mustNotBelieve(t, p, x.why)
		})
	}
}

func TestNamesThatAreNotShownAreMalformed(t *testing.T) {
	w := newSearchWorld()
	p := w.prove(t, everything(term("user7", 1)), true)
	d := must(proofs.ParseDisclosure(p.Names[0].Disclosure))
	d.Parts[0] = proofs.DisclosedPart{SealedHash: d.Parts[0].SealedHash, Binding: d.Parts[0].Binding}
	p.Names[0].Disclosure = must(proofs.FormatDisclosure(d))
	mustNotBelieve(t, p, "is not shown")
}

func TestTermsMayShareAField(t *testing.T) {
	w := smallSearchWorld()
	w.mustHold(t, everything(term("user7", 1), term("user7", 1, 4)), true)
	w.mustHold(t, everything(term("user7", 1), term("user7", 1)), true)
}

func TestARangeOfIndicesBehindThatOfTimeIsEmptyAndComplete(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	q.First, q.Until = 5000, w.leaf(300).Time
	for _, now := range []bool{false, true} {
		if v := w.mustHold(t, q, now); !v.Complete || len(v.Hits) > 0 {
			t.Errorf("now %v: got %d hits, complete %v", now, len(v.Hits), v.Complete)
		}
	}
}

func TestListsOfTagsThatAreEmptyOrNotKnown(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	q.First = w.size()
	empty := w.event(1, 1, nil, []searchValue{{1, "user7"}})
	w.event(1, 1, []searchValue{{1, "user7"}}, []searchValue{{2, "x"}})
	if v := w.mustHold(t, q, true); len(v.Hits) != 2 || v.Hits[0] != empty {
		t.Errorf("got %v, want entry %d first, and two", v.Hits, empty)
	}
	w.close(w.announce(1, 1, empty+1), 1, empty+1)
	w.events[empty+1].lists[1].Commitments = nil // nobody wrote them down
	v := must(w.prove(t, q, true).Check(searchPolicy()))
	if !slices.Equal(v.Hits, []uint64{empty}) || len(v.Erased) != 1 || !v.Complete {
		t.Errorf("got %v and the erasures %v, want entry %d and one", v.Hits, v.Erased, empty)
	}
}
