package proofs_test

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

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
		{"entries behind", proofs.ExpiredBody{Bucket: 3, First: 9000, Last: 12_000}},
		{"entries right behind the segment", proofs.ExpiredBody{Bucket: 3, First: 2 * proofs.SegmentSize, Last: 2 * proofs.SegmentSize}},
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
