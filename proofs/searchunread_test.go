package proofs_test

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// damage makes entries unread, and the directories that have them as if that had
// been so when they were made.
func (w *searchWorld) damage(entries ...uint64) {
	for _, index := range entries {
		w.unread[index] = true
	}
	w.remake(entries)
}

// notRead looks for the entries of which a verdict has to say that they are
// unread.
func (w *searchWorld) notRead(q proofs.SearchQuery, start, stop uint64) (runs []proofs.Run) {
	for index := max(start, q.First); index < min(stop, q.End); index++ {
		e := w.events[index]
		if w.unread[index] && e.stream == q.Stream && w.expired[e.bucket] == 0 && inTime(q, w.leaf(index).Time) {
			runs = proofs.AppendIndex(runs, index)
		}
	}
	return runs
}

// damagedWorld is a small world of which something cannot be read: entries of
// both segments, all of bucket 3 in the second, some of the tail, and what was
// erased or has expired.
func damagedWorld() *searchWorld {
	w := smallSearchWorld()
	hits := w.answer(everything(term("user7", 1)), 0, w.size())
	w.erase(0, hits[3], hits[40])
	damaged := []uint64{hits[2], hits[3], hits[4] - 1, hits[4], hits[len(hits)-1]}
	for index, e := range w.events {
		if e.bucket == 3 && index/proofs.SegmentSize == 1 || index%97 == 0 && len(e.lists) > 0 {
			damaged = append(damaged, index)
		}
	}
	damaged = slices.DeleteFunc(damaged, func(index uint64) bool { return w.events[index] == nil })
	w.damage(damaged...)
	return w
}

func TestWhatIsUnreadIsSaidToBeSo(t *testing.T) {
	t.Parallel()
	w := damagedWorld()
	check := func(t *testing.T) {
		queries := searchQueries(w)
		for _, what := range []string{"one value", "a value nobody has", "another stream", "a range of indices", "a range of time"} {
			t.Run(what, func(t *testing.T) { w.mustHold(t, queries[what], true) })
		}
		w.mustHold(t, queries["one value"], false)
	}
	check(t)
	v := w.mustHold(t, everything(term("user7", 1)), true)
	if v.More || len(v.Unread) < 20 || v.Unread[len(v.Unread)-1].Last < proofs.DirectoryPlace(0) {
		t.Errorf("got %v", v.Unread)
	}
	w.expire(3)
	t.Run("expired", check)
}

// TestAnEntryMayBecomeUnread: its directory has it, and it cannot be shown.
func TestAnEntryMayBecomeUnread(t *testing.T) {
	w := smallSearchWorld()
	q := everything(term("user7", 1))
	hits := w.answer(q, 0, w.size())
	lost := []uint64{hits[1], hits[9], hits[len(hits)-1]} // the last one is behind the directories
	for _, index := range lost {
		w.unread[index] = true
	}
	v := must(w.prove(t, q, true).Check(searchPolicy()))
	if !slices.Equal(v.Unread, proofs.RunsOf(lost)) || len(v.Hits) != len(hits)-3 || v.Complete || v.More {
		t.Errorf("got %v and %d hits, complete %v, want %v and %d", v.Unread, len(v.Hits), v.Complete, lost, len(hits)-3)
	}
	q.End = hits[1]
	if v := must(w.prove(t, q, true).Check(searchPolicy())); len(v.Unread) > 0 || !v.Complete {
		t.Errorf("got %v of entries that are not asked for, complete %v", v.Unread, v.Complete)
	}
}

func TestNothingIsHiddenAsUnreadUnsaid(t *testing.T) {
	w := damagedWorld()
	q := everything(term("user7", 1))
	for _, x := range []struct {
		what, why string
		lie       func(p *proofs.SearchProof)
	}{
		{"names less than its head", "do not lead to the root", func(p *proofs.SearchProof) { p.Segments[0].Head.Buckets[0].Unread = nil }},
		{"shows some tags of an unread entry", "some of its tags are shown", func(p *proofs.SearchProof) {
			at := slices.IndexFunc(p.Tail, func(x proofs.SearchTags) bool { return len(x.Lists) == 0 })
			p.Tail[at].Lists = []proofs.DisclosedTags{{Commitments: make([]proofs.Hash, 1)}}
		}},
		{"names an entry that has no row", "is not looked for", func(p *proofs.SearchProof) {
			p.Closed = append([]proofs.ClosedEntry{{Index: 5}}, p.Closed...)
		}},
		{"leaves out the tags of an entry", "nothing is named that closed it", func(p *proofs.SearchProof) {
			at := slices.IndexFunc(p.Tail, func(x proofs.SearchTags) bool { return len(x.Lists) > 0 })
			p.Tail[at].Lists = nil
		}},
	} {
		t.Run(x.what, func(t *testing.T) {
			p := w.prove(t, q, true)
			x.lie(&p)
			mustNotBelieve(t, p, x.why)
		})
	}
	p := w.prove(t, q, true)
	hidden := p.Hits[0].Index
	p.Hits = p.Hits[1:]
	p.Closed = append([]proofs.ClosedEntry{{Index: hidden}}, p.Closed...)
	if v := must(p.Check(searchPolicy())); v.Complete || !proofs.InRuns(v.Unread, hidden) {
		t.Errorf("entry %d is not shown, and not said to be unread: %v", hidden, v.Unread)
	}
}

// TestABuilderTakesOutWhatIsUnread, whether it came before or after.
func TestABuilderTakesOutWhatIsUnread(t *testing.T) {
	tags := []proofs.Tag{{Field: 1}, {Field: 2}}
	build := func(add ...uint64) *proofs.DirectoryBuilder {
		b := proofs.NewDirectoryBuilder(0)
		for _, index := range add {
			if err := b.Add(index, 1, 1, &proofs.Key256{byte(index)}, tags); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	unread := func(b *proofs.DirectoryBuilder, entries ...uint64) proofs.DirectoryRows {
		for _, index := range entries {
			if err := b.Unread(index, 1, 1); err != nil {
				t.Fatal(err)
			}
		}
		r := b.Rows()[0]
		return proofs.DirectoryRows{Stream: r.Stream, Bucket: uint32(r.Len()), Unread: append(r.Unread, uint16(r.Hash()[0])<<8|uint16(r.Hash()[1]))}
	}
	want := unread(build(3, 7), 5, 9)
	all := build(3, 5, 7)
	whole := all.Rows()[0].Hash()
	for what, b := range map[string]*proofs.DirectoryBuilder{"none": build(3, 7), "one": all.Clone(), "both": build(3, 5, 7, 9)} {
		if got := unread(b, 9, 5, 5); !slices.Equal(got.Unread, want.Unread) || got.Bucket != want.Bucket {
			t.Errorf("%s were added: got %v, want %v", what, got.Unread, want.Unread)
		}
	}
	wantEqual(t, "rows of what was cloned", all.Rows()[0].Hash(), whole)
	if err := all.Unread(proofs.SegmentSize, 1, 1); err == nil {
		t.Error("an entry of another segment is unread")
	}
	if err := all.Unread(4, 2, 1); err == nil {
		t.Error("an entry of another stream is unread")
	}
}
