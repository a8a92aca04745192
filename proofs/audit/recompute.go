package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A ShownDirectory is what a ledger shows of a segment. Nothing of it is believed.
type ShownDirectory = proofs.ShownDirectory

// A RecomputedDirectory is what the tags of a segment make.
type RecomputedDirectory struct {
	Segment proofs.SegmentID

	// Findings are [DirectoryWrong], the evidence of which is the entry of the
	// log and the tags, [DirectoryUnread], and [DirectoryUnshown].
	Findings []Finding

	// NotJudged says why nobody can tell now; empty: the directory was compared.
	NotJudged string

	times   [2]uint64               // of the first entry and the last
	rows    []*proofs.DirectoryRows // by bucket
	expired map[uint32]bool         // buckets of which nobody can tell any more
	hidden  []uint64                // entries of which a list of tags is erased, rising
	partial bool                    // not all tags are shown that should be

	only uint32 // the stream whose tags are shown; 0: all

	// Of a small segment what it takes to make its rows without other entries too.
	builder *proofs.DirectoryBuilder
	tagged  map[uint64]tagPlace // by index
	unread  map[uint64]bool     // what is named as unread
}

// RecomputeDirectory makes the directory of a small segment again from the tags
// of its entries, which are held against the leaves, and compares it with the
// one that the log commits to last. Leaves are the entries of the segment, in the
// tree of the state's checkpoint. Of entries that the directory names as unread the
// tags need not be shown. Of buckets that have expired, and of the times
// before an erasure is done, nothing can be told.
//
// An error means that the log has no such directory, or other leaves are needed.
func (s *State) RecomputeDirectory(segment uint64, leaves []proofs.Leaf, shown ShownDirectory) (*RecomputedDirectory, error) {
	id := proofs.SegmentID{Number: segment}
	committed, ok := s.directories.of(id)
	if !ok || len(leaves) != proofs.SegmentSize {
		return nil, fmt.Errorf("audit: the directory of %v: it is not there yet, or %d leaves are not those of a segment", id, len(leaves))
	}
	r := newRecomputed(id)
	if s.erases(id) {
		r.NotJudged = fmt.Sprintf("the directory of %v: an erasure of its entries is announced and not done", id)
		r.times = timesOf(leaves)
		return r, nil
	}
	if err := r.collect(s, leaves, unreadIn(shown.Head), shown.Tags); err != nil {
		return nil, err
	}
	r.compare(s, committed, shown)
	return r, nil
}

func newRecomputed(id proofs.SegmentID) *RecomputedDirectory {
	r := &RecomputedDirectory{Segment: id, expired: map[uint32]bool{}, unread: map[uint64]bool{}}
	if !id.Large {
		r.builder, r.tagged = proofs.NewDirectoryBuilder(id.Number), map[uint64]tagPlace{}
	}
	return r
}

// timesOf returns those of the first entry and the last.
func timesOf(leaves []proofs.Leaf) [2]uint64 {
	return [2]uint64{leaves[0].Time, leaves[len(leaves)-1].Time}
}

// collect makes the rows of a small segment of tags, rising, but for those of
// entries that are named as unread, in their buckets.
func (r *RecomputedDirectory) collect(s *State, leaves []proofs.Leaf, named map[uint64]uint32, tags []proofs.SearchTags) error {
	r.times = timesOf(leaves)
	x := recomputation{r, s, named, nil}
	for _, e := range s.erasures {
		if e.touches(r.Segment) {
			x.erasures = append(x.erasures, e)
		}
	}
	for i := range leaves {
		index := r.Segment.First() + uint64(i)
		for len(tags) > 0 && tags[0].Index < index {
			tags = tags[1:]
		}
		if err := x.add(index, &leaves[i], tags); err != nil {
			return err
		}
	}
	r.rows = r.builder.Rows()
	return nil
}

// RecomputeLarge compares the directory of a large segment, made again of its
// small ones, with the one that the log commits to last. Of what is shown it
// needs no tags.
func (s *State) RecomputeLarge(small [proofs.LargeSegments]*RecomputedDirectory, shown ShownDirectory) (*RecomputedDirectory, error) {
	r := newRecomputed(proofs.SegmentID{Large: true, Number: small[0].Segment.Number / proofs.LargeSegments})
	committed, ok := s.directories.of(r.Segment)
	if !ok {
		return nil, fmt.Errorf("audit: the directory of %v is not there yet", r.Segment)
	}
	if err := r.merge(small, shown.Head); err != nil {
		return nil, err
	}
	r.compare(s, committed, shown)
	return r, nil
}

// merge makes the rows of a large segment of those of its small ones, but for
// those of entries that a head names as unread.
func (r *RecomputedDirectory) merge(small [proofs.LargeSegments]*RecomputedDirectory, head proofs.DirectoryHead) error {
	rows := map[uint32]*[proofs.LargeSegments]*proofs.DirectoryRows{}
	for i, x := range small {
		if x.Segment.Number != r.Segment.Number*proofs.LargeSegments+uint64(i) {
			return fmt.Errorf("audit: %v is not part %d of %v", x.Segment, i, r.Segment)
		}
		r.partial = r.partial || x.partial
		if x.NotJudged != "" && r.NotJudged == "" {
			r.NotJudged = fmt.Sprintf("the directory of %v: it depends on %s", r.Segment, x.NotJudged)
		}
		unread := unreadPart(head, i)
		parts, err := x.without(unread)
		if err != nil {
			return err
		}
		for _, part := range parts {
			if rows[part.Bucket] == nil {
				rows[part.Bucket] = new([proofs.LargeSegments]*proofs.DirectoryRows)
			}
			rows[part.Bucket][i] = part
		}
		maps.Copy(r.expired, x.expired)
		r.hidden = append(r.hidden, slices.DeleteFunc(slices.Clone(x.hidden), func(index uint64) bool { return unread[index] > 0 })...)
		maps.Copy(r.unread, x.unread)
	}
	r.times = [2]uint64{small[0].times[0], small[len(small)-1].times[1]}
	for _, bucket := range slices.Sorted(maps.Keys(rows)) {
		r.rows = append(r.rows, proofs.MergeRows(*rows[bucket]))
	}
	return nil
}

// A recomputation makes a small directory again.
type recomputation struct {
	*RecomputedDirectory
	state    *State
	named    map[uint64]uint32 // as unread, by index: in which bucket
	erasures []*erasure        // that name entries of the segment
}

// add adds the tags of the next entry, the first of those that are shown if they
// are.
func (r *recomputation) add(index uint64, leaf *proofs.Leaf, tags []proofs.SearchTags) error {
	if leaf.Stream == 0 || leaf.T == proofs.EmptyRoot() || r.only > 0 && leaf.Stream != r.only {
		return nil
	}
	if x := r.state.buckets[leaf.Bucket]; x != nil && x.expiry != nil {
		r.expired[leaf.Bucket] = true
		return nil
	}
	r.tagged[index] = tagPlace{leaf.Stream, leaf.Bucket}
	if r.named[index] == leaf.Bucket {
		return r.builder.Unread(index, leaf.Stream, leaf.Bucket)
	}
	named := slices.ContainsFunc(r.erasures, func(e *erasure) bool { return e.concerns(leaf) && e.names(index) })
	if named && r.state.isHeld(index, leaf.Stream) {
		if r.NotJudged == "" {
			r.NotJudged = fmt.Sprintf("the directory of %v: entry %d is erased and held, and which of its tags are is not told", r.Segment, index)
		}
		return nil
	}
	if len(tags) == 0 || tags[0].Index != index {
		r.unshown(index, "its tags are not shown")
		return nil
	}
	if r.only > 0 && named && len(tags[0].Lists) == 0 {
		r.NotJudged = fmt.Sprintf("the directory of %v: entry %d is erased, and a hold keeps what its tags were", r.Segment, index)
		return nil
	}
	lists, commitments, err := openLists(tags[0].Lists)
	if err != nil || proofs.TagsRoot(commitments) != leaf.T {
		r.unshown(index, "what is shown of its tags is not what it commits to")
		return nil
	}
	switch hides := len(lists) < len(tags[0].Lists); {
	case hides && !named:
		r.unshown(index, "not all of its tags are shown, and no entry says why")
		return nil
	case hides:
		r.hidden = append(r.hidden, index)
	}
	for _, l := range lists {
		if err := r.builder.Add(index, leaf.Stream, leaf.Bucket, &l.seed, l.tags); err != nil {
			return err
		}
	}
	return nil
}

// unshown reports what is not shown of an entry. The directory can't be made then.
func (r *RecomputedDirectory) unshown(index uint64, what string) {
	r.partial = true
	r.Findings = append(r.Findings, Finding{Kind: DirectoryUnshown, Index: int64(index), Detail: fmt.Sprintf("Entry %d has tags, and %s.", index, what)})
}

// An openedList is a list of tags of an entry.
type openedList struct {
	seed proofs.Key256
	tags []proofs.Tag
}

// openLists returns the lists that are shown, and the commitments to all tags.
func openLists(lists []proofs.DisclosedTags) (open []openedList, commitments []proofs.Hash, err error) {
	const size = 2 + proofs.TagSize
	for _, l := range lists {
		if !l.Shown() {
			commitments = append(commitments, l.Commitments...)
			continue
		}
		if len(l.Seed) != len(proofs.Key256{}) || len(l.Tags)%size != 0 || len(l.Commitments) > 0 {
			return nil, nil, errors.New("not a list of tags")
		}
		x := openedList{seed: proofs.Key256(l.Seed)}
		for b := range slices.Chunk(l.Tags, size) {
			x.tags = append(x.tags, proofs.Tag{Field: uint16(b[0])<<8 | uint16(b[1]), Value: [proofs.TagSize]byte(b[2:])})
		}
		open = append(open, x)
		commitments = proofs.AppendTagCommitments(commitments, &x.seed, x.tags)
	}
	return open, commitments, nil
}

// isHeld reports whether a hold whose release is not done covers an entry.
func (r *retention) isHeld(index uint64, stream uint32) bool {
	return slices.ContainsFunc(r.holds, func(x *hold) bool {
		return (x.release == nil || x.release.done == 0) && slices.ContainsFunc(x.claims, func(c claim) bool {
			return c.stream == stream || proofs.InRuns(c.runs, index)
		})
	})
}
