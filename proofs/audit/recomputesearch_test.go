package audit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// ofStream is what an honest ledger shows to the readers of a stream.
func (w *tagged) ofStream(stream uint32) func(context.Context, proofs.SegmentID, bool) (audit.ShownDirectory, error) {
	return func(ctx context.Context, id proofs.SegmentID, rows bool) (audit.ShownDirectory, error) {
		s, err := w.showing(ctx, id, rows)
		s.Tags = slices.DeleteFunc(slices.Clone(s.Tags), func(t proofs.SearchTags) bool { return w.leaf(t.Index).Stream != stream })
		return s, err
	}
}

// searched lets a searcher of a stream make directories again, of which a proof
// shows that buckets have expired.
func (w *tagged) searched(stream uint32, expired map[uint32]uint64, show func(context.Context, proofs.SegmentID, bool) (audit.ShownDirectory, error), ids ...proofs.SegmentID) (found []audit.Finding, notJudged []string, err error) {
	w.tb.Helper()
	w.publish()
	p := proofs.SearchProof{Query: proofs.SearchQuery{Stream: stream}}
	for _, id := range ids {
		s := proofs.SearchSegment{Head: w.made[id].Head}
		for _, b := range s.Head.Buckets {
			if b.Stream == stream {
				s.Rows = append(s.Rows, proofs.SearchRows{Expired: expired[b.Bucket]})
			}
		}
		p.Segments = append(p.Segments, s)
	}
	tree := proofs.NewReader(w.audit(w.files, nil).Checkpoint, proofs.FS(w.files))
	return audit.RecomputeSearch(context.Background(), audit.SearchRecomputing{Proof: p, Tree: tree, Show: show})
}

func TestASearcherMakesDirectoriesAgain(t *testing.T) {
	w := newTagged(t)
	w.few = true
	w.grow(proofs.DirectoryPlace(16) + 1)
	ids := append([]proofs.SegmentID{{Large: true}}, small(16)...)
	for stream := range uint32(3) {
		found, notJudged, err := w.searched(stream+1, nil, w.ofStream(stream+1), ids...)
		if len(found) > 0 || len(notJudged) > 0 || err != nil {
			t.Errorf("stream %d: found %v, not judged %q, %v", stream+1, found, notJudged, err)
		}
	}
	if found, _, err := w.searched(1, nil, w.ofStream(2), ids...); len(found) != 2 || found[0].Kind != audit.DirectoryUnshown || err != nil {
		t.Errorf("of another stream's tags: found %v, %v", found, err)
	}
	broken := errors.New("the connection broke")
	if _, _, err := w.searched(1, nil, func(context.Context, proofs.SegmentID, bool) (audit.ShownDirectory, error) {
		return audit.ShownDirectory{}, broken
	}, ids...); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// TestASearcherNamesTheRowsThatLie, as far as they are of the stream.
func TestASearcherNamesTheRowsThatLie(t *testing.T) {
	type rows = map[uint32][]proofs.DirectoryRow
	honest := newTagged(t)
	honest.grow(proofs.DirectoryPlace(0) - 1)
	for _, tt := range []struct {
		name string
		lie  func(*proofs.DirectoryHead, rows)
		why  string
	}{
		{"nothing", nil, ""},
		{"a row is missing", func(_ *proofs.DirectoryHead, r rows) { r[1] = slices.Delete(slices.Clone(r[1]), 7, 8) }, "there is no row 7 of the tag "},
		{"a row is added", func(_ *proofs.DirectoryHead, r rows) {
			r[1] = slices.Insert(slices.Clone(r[1]), 3, proofs.DirectoryRow{Tag: proofs.Tag{Field: 1, Value: next(r[1][2].Tag.Value)}})
		}, "row 3 is of the tag "},
		{"a row is split", func(_ *proofs.DirectoryHead, r rows) {
			r[1] = slices.Insert(slices.Clone(r[1]), 3, proofs.DirectoryRow{Tag: r[1][3].Tag})
		}, "the rows 3 and 4 are both of the tag"},
		{"a bucket is missing", func(h *proofs.DirectoryHead, _ rows) { h.Buckets = h.Buckets[1:] }, "leaves out bucket 1, of which entry "},
		{"a bucket is of another stream", func(h *proofs.DirectoryHead, _ rows) { h.Buckets[0].Stream = 7 }, "says that bucket 1 is of stream 7"},
		{"a bucket of another stream is missing", func(h *proofs.DirectoryHead, _ rows) {
			h.Buckets = slices.DeleteFunc(h.Buckets, func(b proofs.DirectoryBucket) bool { return b.Stream == 2 })
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := honest.clone(t)
			w.lie = tt.lie
			w.grow(proofs.DirectoryPlace(0) + 1)
			found, notJudged, err := w.searched(1, nil, w.ofStream(1), small(0)...)
			switch {
			case err != nil || len(notJudged) > 0:
				t.Errorf("not judged %q, %v", notJudged, err)
			case tt.why == "" && len(found) > 0, tt.why != "" && (len(found) != 1 || found[0].Kind != audit.DirectoryWrong || !strings.Contains(found[0].Detail, tt.why)):
				t.Errorf("found %v, want %q", found, tt.why)
			}
		})
	}
}

// TestTagsThatAreNotThoseOfTheirEntriesAreRefused by a searcher, and those that
// are left out.
func TestTagsThatAreNotThoseOfTheirEntriesAreRefused(t *testing.T) {
	w := newTagged(t)
	w.grow(proofs.DirectoryPlace(0) + 1)
	for _, tt := range []struct {
		name   string
		change func(*audit.ShownDirectory)
		why    string
	}{
		{"they are left out", func(s *audit.ShownDirectory) { s.Tags = slices.Delete(s.Tags, 5, 6) }, "its tags are not shown"},
		{"they are another entry's", func(s *audit.ShownDirectory) { s.Tags[5].Lists = s.Tags[6].Lists }, "is not what it commits to"},
		{"they are hidden", func(s *audit.ShownDirectory) {
			w.hide(s.Tags[5].Index)
			s.Tags[5].Lists = w.shown[s.Tags[5].Index]
		}, "not all of its tags are shown, and no entry says why"},
	} {
		found, _, err := w.searched(1, nil, func(ctx context.Context, id proofs.SegmentID, rows bool) (audit.ShownDirectory, error) {
			s, err := w.ofStream(1)(ctx, id, rows)
			tt.change(&s)
			return s, err
		}, small(0)...)
		if len(found) != 1 || found[0].Kind != audit.DirectoryUnshown || !strings.Contains(found[0].Detail, tt.why) || err != nil {
			t.Errorf("%s: found %v, %v, want %q", tt.name, found, err, tt.why)
		}
	}
}

// TestASearcherKnowsWhatIsClosed by what the proof shows, and nothing else.
func TestASearcherKnowsWhatIsClosed(t *testing.T) {
	w := newTagged(t)
	w.grow(proofs.DirectoryPlace(0) + 1)
	bucket := w.leaf(w.judgedTags()[0]).Bucket
	entries := slices.DeleteFunc(w.judgedTags(), func(i uint64) bool { return w.leaf(i).Bucket != bucket || i%4 > 0 })
	a := w.erasing(entries...)
	w.hide(entries...)
	w.heed = []uint64{a}
	w.amend(small(0))
	w.done(a)
	wants := func(what string, expired map[uint32]uint64, heed []uint64, why string, reason string) {
		t.Helper()
		made := w.made[small(0)[0]]
		made.Head.Erased = heed
		w.made[small(0)[0]] = made
		found, notJudged, err := w.searched(1, expired, w.ofStream(1), small(0)...)
		switch {
		case reason != "" && (!errors.Is(err, proofs.ErrNotVerified) || !strings.Contains(err.Error(), reason)), reason == "" && err != nil:
			t.Errorf("%s: got %v, want %q", what, err, reason)
		case len(notJudged) > 0, why == "" && len(found) > 0, why != "" && (len(found) == 0 || !strings.Contains(found[0].Detail, why)):
			t.Errorf("%s: found %v, not judged %q, want %q", what, found, notJudged, why)
		}
	}
	wants("what is erased", nil, []uint64{a}, "", "")
	wants("what is erased, as nobody says", nil, nil, "not all of its tags are shown, and no entry says why", "")
	wants("what an entry is said to erase that erases nothing", nil, []uint64{1}, "", "entry 1 announces no erasure")

	// What has expired is not judged, of the buckets alone of which it is shown.
	for i := range w.shown {
		if w.leaf(i).Bucket == bucket {
			delete(w.shown, i)
		}
	}
	wants("what has expired", map[uint32]uint64{bucket: w.size() - 1}, nil, "", "")
	wants("what is not shown to have expired", nil, []uint64{a}, "its tags are not shown", "")
}
