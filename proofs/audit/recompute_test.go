package audit_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// wantFound demands that just these findings were made.
func wantFound(t *testing.T, r *audit.RecomputedDirectory, kind audit.FindingKind, why ...string) {
	t.Helper()
	if len(r.Findings) != len(why) || r.NotJudged != "" && kind == audit.DirectoryWrong {
		t.Fatalf("found %v, want %d: %q; not judged: %q", r.Findings, len(why), why, r.NotJudged)
	}
	for i, f := range r.Findings {
		if f.Kind != kind || !strings.Contains(f.Detail, why[i]) {
			t.Errorf("found %v, want %s: %q", f, kind, why[i])
		}
	}
}

// TestDirectoriesThatLie: whatever a ledger commits to, other than what the tags
// make, is found and named.
func TestDirectoriesThatLie(t *testing.T) {
	type rows = map[uint32][]proofs.DirectoryRow
	honest := newTagged(t)
	honest.grow(proofs.DirectoryPlace(0) - 1)
	for _, tt := range []struct {
		name string
		lie  func(*proofs.DirectoryHead, rows)
		why  []string
	}{
		{"nothing", nil, nil},
		{"a row is missing", func(_ *proofs.DirectoryHead, r rows) { r[1] = slices.Delete(slices.Clone(r[1]), 7, 8) },
			[]string{"has other rows of bucket 1 than the tags make: there is no row 7 of the tag "}},
		{"the last row is missing", func(_ *proofs.DirectoryHead, r rows) { r[1] = r[1][:len(r[1])-1] },
			[]string{"there is no row "}},
		{"a row is added", func(_ *proofs.DirectoryHead, r rows) {
			r[1] = slices.Insert(slices.Clone(r[1]), 3, proofs.DirectoryRow{Tag: proofs.Tag{Field: 1, Value: next(r[1][2].Tag.Value)}})
		}, []string{"row 3 is of the tag "}},
		{"a row is added at the end", func(_ *proofs.DirectoryHead, r rows) {
			r[1] = append(slices.Clip(r[1]), proofs.DirectoryRow{Tag: proofs.Tag{Field: 9}})
		}, []string{"of field 9, which no entry has"}},
		{"a row is split", func(_ *proofs.DirectoryHead, r rows) {
			r[1] = slices.Insert(slices.Clone(r[1]), 3, proofs.DirectoryRow{Tag: r[1][3].Tag})
		}, []string{"the rows 3 and 4 are both of the tag"}},
		{"two rows changed places", func(_ *proofs.DirectoryHead, r rows) {
			r[1] = slices.Clone(r[1])
			r[1][4], r[1][5] = r[1][5], r[1][4]
		}, []string{"there is no row 4 of the tag"}},
		{"a row leads elsewhere", func(_ *proofs.DirectoryHead, r rows) {
			r[1] = slices.Clone(r[1])
			r[1][5].Entries[0] ^= 1
		}, []string{"row 5, of the tag "}},
		{"a bucket is missing", func(h *proofs.DirectoryHead, _ rows) { h.Buckets = h.Buckets[1:] }, []string{"leaves out bucket 1, of which entry "}},
		{"a bucket is added", func(h *proofs.DirectoryHead, _ rows) {
			h.Buckets = append(h.Buckets, proofs.DirectoryBucket{Stream: 1, Bucket: 900})
		}, []string{"has rows of bucket 900, of which no entry in it has tags"}},
		{"a bucket is of another stream", func(h *proofs.DirectoryHead, _ rows) { h.Buckets[0].Stream = 7 }, []string{"says that bucket 1 is of stream 7, and it is of stream "}},
		{"it is that of another segment", func(h *proofs.DirectoryHead, _ rows) { h.Segment.Number = 1 }, []string{"is that of segment 1"}},
		{"it begins earlier", func(h *proofs.DirectoryHead, _ rows) { h.FirstTime-- }, []string{"says that its entries are from "}},
		{"it ends later", func(h *proofs.DirectoryHead, _ rows) { h.LastTime++ }, []string{"says that its entries are from "}},
		{"it heeds an erasure that is none", func(h *proofs.DirectoryHead, _ rows) { h.Erased = []uint64{9} }, []string{"says that entry 9 announced an erasure that took tags from it, and it took none"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := honest.clone(t)
			w.lie = tt.lie
			w.grow(proofs.DirectoryPlace(0) + 1)
			wantFound(t, w.judge(0), audit.DirectoryWrong, tt.why...)
			if tt.lie == nil {
				wantFound(t, w.judge(0, func(s *audit.ShownDirectory) { s.Rows = nil }), audit.DirectoryWrong)
			}
		})
	}
}

// next returns the value behind another one.
func next(v [proofs.TagSize]byte) [proofs.TagSize]byte {
	v[proofs.TagSize-1]++
	return v
}

// TestWhatIsNotShownOfADirectory proves nothing about the directory, and is a
// finding of its own.
func TestWhatIsNotShownOfADirectory(t *testing.T) {
	w := newTagged(t)
	w.lie = func(_ *proofs.DirectoryHead, r map[uint32][]proofs.DirectoryRow) { r[1] = r[1][1:] }
	w.grow(proofs.DirectoryPlace(0) + 1)
	for _, tt := range []struct {
		name   string
		change func(*audit.ShownDirectory)
		why    string
	}{
		{"tags are left out", func(s *audit.ShownDirectory) { s.Tags = slices.Delete(s.Tags, 5, 6) }, "its tags are not shown"},
		{"other tags are shown", func(s *audit.ShownDirectory) { s.Tags[5].Lists = s.Tags[6].Lists }, "is not what it commits to"},
		{"no lists are shown", func(s *audit.ShownDirectory) { s.Tags[5].Lists = nil }, "is not what it commits to"},
		{"a seed is cut", func(s *audit.ShownDirectory) {
			s.Tags[5].Lists = slices.Clone(s.Tags[5].Lists)
			s.Tags[5].Lists[0].Seed = s.Tags[5].Lists[0].Seed[:31]
		}, "is not what it commits to"},
		{"another head is shown", func(s *audit.ShownDirectory) { s.Head.FirstTime-- }, "shows another directory of segment 0"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantFound(t, w.judge(0, tt.change), audit.DirectoryUnshown, tt.why) })
	}
	wantFound(t, w.judge(0, func(s *audit.ShownDirectory) { s.Rows = nil }), audit.DirectoryWrong, "they are not shown")
	wantFound(t, w.judge(0, func(s *audit.ShownDirectory) { s.Rows = map[uint32][]proofs.DirectoryRow{1: s.Rows[2]} }), audit.DirectoryWrong,
		"not the ones that it commits to either")
	index := w.judgedTags()[3]
	w.hide(index)
	wantFound(t, w.judge(0), audit.DirectoryUnshown, "not all of its tags are shown, and no entry says why")
}

// judgedTags returns the entries of segment 0 with tags.
func (w *tagged) judgedTags() (entries []uint64) {
	for _, i := range slices.Sorted(maps.Keys(w.shown)) {
		if i < proofs.SegmentSize && w.leaf(i).Stream == 1 {
			entries = append(entries, i)
		}
	}
	return entries
}

// TestErasedTagsAreInNoDirectory, and the directory says whose erasure it heeds.
func TestErasedTagsAreInNoDirectory(t *testing.T) {
	before := newTagged(t)
	before.grow(proofs.DirectoryPlace(0) + 1)
	for _, tt := range []struct {
		name      string
		heeds     bool
		amends    bool
		notJudged string
		why       []string
		do        func(w *tagged, entries []uint64) // before the erasure
		undone    bool
	}{
		{name: "an honest ledger", heeds: true, amends: true},
		{name: "the erasure is not done", heeds: true, amends: true, undone: true, notJudged: "is announced and not done"},
		{name: "it is not made anew", heeds: true, why: []string{"does not name the erasure", "has other rows of bucket"}},
		{name: "it does not name the erasure", amends: true, why: []string{"does not name the erasure that took tags from entry"}},
		{name: "what is erased is held", heeds: true, amends: true, notJudged: "is erased and held",
			do: func(w *tagged, entries []uint64) { w.hold(0, 0, runs(entries[0])...) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := before.clone(t)
			bucket := w.leaf(w.judgedTags()[0]).Bucket
			entries := slices.DeleteFunc(w.judgedTags(), func(i uint64) bool { return w.leaf(i).Bucket != bucket || i%4 > 0 })
			if tt.do != nil {
				tt.do(w, entries)
			}
			a := w.erasing(entries...)
			w.hide(entries...)
			if tt.heeds {
				w.heed = []uint64{a}
			}
			if tt.amends {
				w.amend(small(0))
			}
			if !tt.undone {
				w.done(a)
			}
			r := w.judge(0)
			if tt.notJudged != "" {
				if !strings.Contains(r.NotJudged, tt.notJudged) || len(r.Findings) > 0 {
					t.Errorf("found %v; not judged: %q", r.Findings, r.NotJudged)
				}
				return
			}
			wantFound(t, r, audit.DirectoryWrong, tt.why...)
		})
	}
}

// TestExpiredBucketsOfADirectoryAreNotJudged: all else is.
func TestExpiredBucketsOfADirectoryAreNotJudged(t *testing.T) {
	w := newTagged(t)
	w.lie = func(_ *proofs.DirectoryHead, r map[uint32][]proofs.DirectoryRow) {
		for bucket := range r {
			r[bucket] = r[bucket][1:]
		}
	}
	w.grow(proofs.DirectoryPlace(0) + 1)
	wantFound(t, w.judge(0), audit.DirectoryWrong, "bucket 1", "bucket 2", "bucket 3", "bucket 4")
	expires := w.bucket(1, shortClass)
	w.pass(2 * day)
	w.event(1, eternalClass)
	w.publish()
	w.done(w.expire(expires))
	for i := range w.shown {
		if w.leaf(i).Bucket == expires {
			delete(w.shown, i)
		}
	}
	if r := w.judge(0); len(r.Findings) != 3 {
		t.Errorf("found %v", r.Findings)
	}
}

// TestLargeDirectories are made again of the small ones.
func TestLargeDirectories(t *testing.T) {
	w := newTagged(t)
	w.few = true
	id := proofs.SegmentID{Large: true}
	lie := false
	w.directories.hash = func(s proofs.SegmentID) proofs.Hash {
		w.lie = nil
		if s == id && lie {
			w.lie = func(_ *proofs.DirectoryHead, r map[uint32][]proofs.DirectoryRow) { r[2] = r[2][1:] }
		}
		return w.make(s)
	}
	w.grow(proofs.DirectoryPlace(15) + 1)
	w.publish()
	var parts [proofs.LargeSegments]*audit.RecomputedDirectory
	state := w.clean(w.files, nil).State
	for n := range parts {
		segment := uint64(n)
		parts[n] = check(state.RecomputeDirectory(segment, w.segment(segment), w.show(segment)))
		wantFound(t, parts[n], audit.DirectoryWrong)
	}
	wantFound(t, check(state.RecomputeLarge(parts, w.made[id])), audit.DirectoryWrong)

	// The state of a log that commits to another one, after an erasure of nothing.
	a := w.erasing(w.judgedTags()[0])
	lie = true
	w.amend([]proofs.SegmentID{id})
	w.done(a)
	w.publish()
	state = w.clean(w.files, nil).State
	wantFound(t, check(state.RecomputeLarge(parts, w.made[id])), audit.DirectoryWrong, "The directory of large segment 0 has other rows of bucket 2 than the tags make: there is no row 0")

	parts[3].NotJudged = "something"
	if r := check(state.RecomputeLarge(parts, w.made[id])); !strings.Contains(r.NotJudged, "something") || len(r.Findings) > 0 {
		t.Errorf("found %v; not judged: %q", r.Findings, r.NotJudged)
	}
	parts[3], parts[4] = parts[4], parts[3]
	if _, err := state.RecomputeLarge(parts, w.made[id]); err == nil {
		t.Error("parts in another order make a directory")
	}
	if _, err := state.RecomputeDirectory(90, nil, audit.ShownDirectory{}); err == nil {
		t.Error("a segment without a directory has one")
	}
}
