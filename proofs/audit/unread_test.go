package audit_test

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// TestWhatADirectoryNamesAsUnreadIsFound, and nothing else about it is wrong.
func TestWhatADirectoryNamesAsUnreadIsFound(t *testing.T) {
	honest := newTagged(t)
	honest.grow(proofs.DirectoryPlace(0) - 1)
	for _, tt := range []struct {
		name string
		lie  func(h *proofs.DirectoryHead)
		why  string
	}{
		{"nothing", nil, ""},
		{"an entry without tags is named", func(h *proofs.DirectoryHead) {
			h.Buckets[0].Unread = append(slices.Clone(h.Buckets[0].Unread), 4095-4095%7)
		}, "as unread, which has no tags there"},
		{"an entry is named in another bucket", func(h *proofs.DirectoryHead) {
			h.Buckets[0].Unread, h.Buckets[1].Unread = h.Buckets[1].Unread, h.Buckets[0].Unread
		}, "has other rows of bucket 1 than the tags make"},
		{"an entry is not named, and has no rows", func(h *proofs.DirectoryHead) { h.Buckets[0].Unread = nil },
			"has other rows of bucket 1 than the tags make"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := honest.clone(t)
			w.unread = map[uint64]bool{}
			w.directories.hash = func(id proofs.SegmentID) proofs.Hash {
				for _, index := range w.judgedTags()[3:6] {
					w.unread[index] = true
				}
				return w.make(id)
			}
			if tt.lie != nil {
				w.lie = func(h *proofs.DirectoryHead, _ map[uint32][]proofs.DirectoryRow) { tt.lie(h) }
			}
			w.grow(proofs.DirectoryPlace(0) + 1)
			for _, shows := range []bool{true, false} { // it is not asked for the tags of what it has lost
				r := w.judge(0, func(s *audit.ShownDirectory) {
					if !shows && tt.lie == nil {
						s.Tags = slices.DeleteFunc(slices.Clone(s.Tags), func(x proofs.SearchTags) bool { return w.unread[x.Index] })
					}
				})
				at := slices.IndexFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == audit.DirectoryUnread })
				if at >= 0 && tt.lie == nil {
					want := w.judgedTags()[3:6]
					if f := r.Findings[at]; f.Index != int64(want[0]) || f.Last != int64(want[2]) || f.Entries != 3 {
						t.Errorf("got %+v, want %v", f, want)
					}
				}
				if at < 0 && tt.name != "an entry is not named, and has no rows" {
					t.Fatalf("it is not found: %v", r.Findings)
				}
				r.Findings = slices.DeleteFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == audit.DirectoryUnread })
				if tt.lie == nil {
					wantFound(t, r, audit.DirectoryWrong)
				} else if len(r.Findings) == 0 {
					t.Errorf("nothing is wrong, want %q", tt.why)
				} else {
					r.Findings = r.Findings[:1]
					wantFound(t, r, audit.DirectoryWrong, tt.why)
				}
			}
		})
	}
}

// TestALargeDirectoryMayHaveLostMore than its small ones, and not less.
func TestALargeDirectoryMayHaveLostMore(t *testing.T) {
	w := newTagged(t)
	w.few, w.unread = true, map[uint64]bool{}
	id, forgets := proofs.SegmentID{Large: true}, false
	var lost []uint64
	w.directories.hash = func(s proofs.SegmentID) proofs.Hash {
		w.lie = nil
		if len(lost) == 0 {
			lost = w.judgedTags()[:2]
			w.unread[lost[0]] = true
		}
		if s == id {
			w.unread[lost[1]] = true
			small := proofs.SegmentID{}
			rows := w.rows[small]
			w.rows[small] = w.rowsOf(small)
			defer func() { w.rows[small] = rows }()
			if forgets {
				w.lie = func(h *proofs.DirectoryHead, _ map[uint32][]proofs.DirectoryRow) {
					h.Buckets[0].Unread = h.Buckets[0].Unread[1:]
				}
			}
		}
		return w.make(s)
	}
	w.grow(proofs.DirectoryPlace(15) + 1)
	judge := func() *audit.RecomputedDirectory {
		w.publish()
		state := w.clean(w.files, nil).State
		var parts [proofs.LargeSegments]*audit.RecomputedDirectory
		for n := range parts {
			parts[n] = check(state.RecomputeDirectory(uint64(n), w.segment(uint64(n)), w.show(uint64(n))))
		}
		wantFound(t, parts[0], audit.DirectoryUnread, "as unread: their tags are in no row")
		return check(state.RecomputeLarge(parts, w.made[id]))
	}
	r := judge()
	wantFound(t, r, audit.DirectoryUnread, "The directory of large segment 0 names entry ")
	if got := r.Findings[0].Index; got != int64(lost[1]) {
		t.Errorf("got entry %d, want %d", got, lost[1])
	}
	forgets = true
	a := w.erasing(w.judgedTags()[5])
	w.amend([]proofs.SegmentID{id})
	w.done(a)
	if r := judge(); len(r.Findings) != 2 || r.Findings[1].Kind != audit.DirectoryWrong {
		t.Errorf("found %v", r.Findings)
	}
}
