package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A SearchRecomputing makes again what the directories say that a search proof
// rests on, of the stream that it asks for: whether they leave out nothing.
type SearchRecomputing struct {
	Proof proofs.SearchProof // has been checked
	Tree  *proofs.Reader     // of its checkpoint

	// Show returns what the ledger shows of a segment, of the stream, as that of
	// [Recomputing] does. Its errors end the run.
	Show func(ctx context.Context, id proofs.SegmentID, rows bool) (ShownDirectory, error)

	// Progress, unless nil, is called before each small segment.
	Progress func(done, total int)
}

// RecomputeSearch asks for the tags of all segments that a search proof has a
// directory of, holds them to what the entries commit to, and makes the rows of the
// stream again. It returns what is not so, of the kinds [DirectoryWrong] and
// [DirectoryUnshown], and why some of it could not be judged.
//
// What the proof's verdict says nobody can tell is not judged: the buckets that have
// expired, the tags that erasures took which the directories name, and the entries
// that they name as unread.
func RecomputeSearch(ctx context.Context, o SearchRecomputing) (found []Finding, notJudged []string, err error) {
	s := searchRecomputing{SearchRecomputing: o, state: &State{retention: newRetention()}}
	if err := s.readClosings(ctx); err != nil {
		return nil, nil, fmt.Errorf("audit: %w", err)
	}
	for _, segment := range o.Proof.Segments {
		s.total += int(segment.Head.Segment.Size() / proofs.SegmentSize)
	}
	for _, segment := range o.Proof.Segments {
		r, err := s.remake(ctx, segment.Head)
		if err != nil {
			return nil, nil, fmt.Errorf("audit: directory of %v: %w", segment.Head.Segment, err)
		}
		found = append(found, gathered(r.Findings)...)
		if r.NotJudged != "" {
			notJudged = append(notJudged, r.NotJudged)
		}
	}
	return found, notJudged, nil
}

// A searchRecomputing is a search proof whose directories are made again.
type searchRecomputing struct {
	SearchRecomputing
	state       *State // what the proof shows to be closed
	done, total int
}

// readClosings takes over which buckets of the stream have expired, as the proof
// shows, and what the erasures close that its directories name.
func (s *searchRecomputing) readClosings(ctx context.Context) error {
	var announced []uint64
	for _, segment := range s.Proof.Segments {
		announced = append(announced, segment.Head.Erased...)
		rows := segment.Rows
		for _, b := range segment.Head.Buckets {
			if b.Stream != s.Proof.Query.Stream {
				continue
			}
			if rows[0].Expired > 0 {
				s.state.buckets[b.Bucket] = &bucket{expiry: &closing{announced: rows[0].Expired}}
			}
			rows = rows[1:]
		}
	}
	slices.Sort(announced)
	for _, index := range slices.Compact(announced) {
		b, err := s.Tree.Leaf(ctx, index)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if leaf.Kind != proofs.Erasure {
			return fmt.Errorf("%w: entry %d announces no erasure, and a directory says so", proofs.ErrNotVerified, index)
		}
		body, err := proofs.ParseErasure(leaf.Control)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if body.Erased != nil && body.Erased.Stream == s.Proof.Query.Stream {
			s.state.erasures = append(s.state.erasures, &erasure{&closing{announced: index}, body.Erased.Stream, body.Erased.Closes, body.Erased.Unread})
		}
	}
	return nil
}

// remake makes what a head says of the stream again.
func (s *searchRecomputing) remake(ctx context.Context, head proofs.DirectoryHead) (*RecomputedDirectory, error) {
	var small []*RecomputedDirectory
	for number := head.Segment.First() / proofs.SegmentSize; number < head.Segment.End()/proofs.SegmentSize; number++ {
		r, err := s.collect(ctx, number, unreadIn(head))
		if err != nil {
			return nil, err
		}
		small = append(small, r)
	}
	r := small[0]
	if head.Segment.Large {
		r = newRecomputed(head.Segment)
		r.only = s.Proof.Query.Stream
		if err := r.merge([proofs.LargeSegments]*RecomputedDirectory(small), proofs.DirectoryHead{}); err != nil {
			return nil, err
		}
		for _, x := range small {
			r.Findings = append(r.Findings, x.Findings...)
		}
	}
	if r.partial || r.NotJudged != "" {
		return r, nil
	}
	before := len(r.Findings)
	r.compareHead(s.state, ShownDirectory{Head: head})
	if len(r.Findings) == before {
		return r, nil
	}
	shown, err := s.Show(ctx, head.Segment, true) // which names the row
	if err != nil {
		return nil, err
	}
	r.Findings = r.Findings[:before]
	r.compareHead(s.state, ShownDirectory{Head: head, Rows: shown.Rows})
	return r, nil
}

// collect makes the rows of a small segment of what the ledger shows.
func (s *searchRecomputing) collect(ctx context.Context, number uint64, unread map[uint64]uint32) (*RecomputedDirectory, error) {
	if s.Progress != nil {
		s.Progress(s.done, s.total)
	}
	s.done++
	r := newRecomputed(proofs.SegmentID{Number: number})
	r.only = s.Proof.Query.Stream
	leaves := make([]proofs.Leaf, 0, proofs.SegmentSize)
	for b, err := range s.Tree.Leaves(ctx, r.Segment.First(), r.Segment.End()) {
		if err != nil {
			return nil, err
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	shown, err := s.Show(ctx, r.Segment, false)
	if err != nil {
		return nil, err
	}
	return r, r.collect(s.state, leaves, unread, shown.Tags)
}
