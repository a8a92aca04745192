package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// segmentRows are the rows of a segment, of the tags that are left and can be
// read.
type segmentRows struct {
	rows    []*proofs.DirectoryRows  // by bucket
	expired []proofs.DirectoryBucket // buckets that had tags, without their rows
	erased  map[uint64]bool          // announcements of the erasures that took tags
	without []uint64                 // entries that they were to be without, rising
}

// unread returns the entries that the rows are without, rising.
func (s *segmentRows) unread(id proofs.SegmentID) (entries []uint64) {
	for _, r := range s.rows {
		for _, p := range r.Unread {
			entries = append(entries, id.First()+uint64(p))
		}
	}
	slices.Sort(entries)
	return entries
}

// maxRowsBytes bounds what is kept: some large segments of 65,536 entries with
// a dozen tags each.
const maxRowsBytes = 64 << 20

// size returns about how many bytes the rows take, where a tag is in a few
// entries and some are in all.
func (s *segmentRows) size() (n int) {
	for _, r := range s.rows {
		n += 48 * r.Len()
	}
	return n
}

// build makes the directory of a segment and keeps its head. Old is the hash of
// the one that was there before, if there was one.
func (d *directories) build(ctx context.Context, id proofs.SegmentID, old *proofs.Hash) (hash proofs.Hash, err error) {
	before, err := d.oldHead(ctx, old)
	if err != nil {
		return hash, err
	}
	unread, err := d.unreadBefore(ctx, id)
	if err != nil {
		return hash, err
	}
	s, err := d.rows(ctx, id, unread)
	if err != nil {
		return hash, err
	}
	d.tellUnread(id, s.unread(id))
	head := proofs.DirectoryHead{Segment: id, Erased: slices.Sorted(maps.Keys(s.erased))}
	first, err := d.l.leaf(ctx, id.First())
	if err != nil {
		return hash, err
	}
	last, err := d.l.leaf(ctx, id.End()-1)
	if err != nil {
		return hash, err
	}
	head.FirstTime, head.LastTime = first.Time, last.Time
	for _, r := range s.rows {
		head.Buckets = append(head.Buckets, proofs.DirectoryBucket{Stream: r.Stream, Bucket: r.Bucket, Rows: r.Hash(), Unread: r.Unread})
	}
	for _, b := range s.expired {
		if at := slices.IndexFunc(before.Buckets, func(x proofs.DirectoryBucket) bool { return x.Bucket == b.Bucket }); at >= 0 {
			b = before.Buckets[at]
		} // else it has no rows that there could be
		head.Buckets = append(head.Buckets, b)
	}
	slices.SortFunc(head.Buckets, func(a, b proofs.DirectoryBucket) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return d.keepHead(ctx, head)
}

// rows returns the rows of a segment, all of which is in the vault, without some
// entries and without those that cannot be read.
func (d *directories) rows(ctx context.Context, id proofs.SegmentID, without []uint64) (*segmentRows, error) {
	if s, ok := d.kept(id, without); ok {
		return s, nil
	}
	forgot := d.l.keys.forgotten()
	make := d.scan
	if id.Large {
		make = d.merge
	}
	s, err := make(ctx, id, without)
	if err != nil {
		return nil, err
	}
	s.without = without
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.l.keys.forgotten() == forgot {
		d.recent.keep(id, s, s.size(), maxRowsBytes)
	}
	return s, nil
}

// kept returns the rows of a segment without some entries, if they are kept.
func (d *directories) kept(id proofs.SegmentID, without []uint64) (*segmentRows, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.recent.find(id)
	return s, ok && (slices.Equal(s.without, without) || slices.Equal(s.unread(id), without))
}

// merge returns the rows of a large segment.
func (d *directories) merge(ctx context.Context, id proofs.SegmentID, without []uint64) (*segmentRows, error) {
	parts, err := d.parts(ctx, id, without)
	if err != nil {
		return nil, err
	}
	s := &segmentRows{erased: make(map[uint64]bool)}
	small := make(map[uint32]*[proofs.LargeSegments]*proofs.DirectoryRows)
	for i, part := range parts {
		for _, r := range part.rows {
			if small[r.Bucket] == nil {
				small[r.Bucket] = new([proofs.LargeSegments]*proofs.DirectoryRows)
			}
			small[r.Bucket][i] = r
		}
		for _, b := range part.expired {
			if !slices.ContainsFunc(s.expired, func(x proofs.DirectoryBucket) bool { return x.Bucket == b.Bucket }) {
				s.expired = append(s.expired, b)
			}
		}
		maps.Copy(s.erased, part.erased)
	}
	for _, bucket := range slices.Sorted(maps.Keys(small)) {
		s.rows = append(s.rows, proofs.MergeRows(*small[bucket]))
	}
	return s, nil
}

// parts returns the rows of the small segments of a large one, which several
// processors make.
func (d *directories) parts(ctx context.Context, id proofs.SegmentID, without []uint64) (parts [proofs.LargeSegments]*segmentRows, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		group.Go(func() (err error) {
			part := proofs.SegmentID{Number: id.Number*proofs.LargeSegments + uint64(i)}
			parts[i], err = d.rows(ctx, part, entriesOf(part, without))
			return err
		})
	}
	err = group.Wait()
	return parts, err
}

// amend makes the directories anew that have rows of what an erasure closes, held
// or not, now that its keys are destroyed, and commits to them.
func (d *directories) amend(ctx context.Context, closes []retain.Share) error {
	list := d.committed()
	var made []proofs.MadeDirectory
	for _, id := range segmentsOf(closes) {
		old, ok := list.of(id)
		if !ok {
			continue
		}
		hash, err := d.build(ctx, id, &old)
		if err != nil {
			return fmt.Errorf("directory of %s: %w", id, err)
		}
		if hash != old {
			made = append(made, proofs.MadeDirectory{Segment: id, Hash: hash})
		}
	}
	for some := range slices.Chunk(made, proofs.MaxMade) {
		err := d.l.announce(ctx, func(uint64) ([]*admission, error) {
			a, err := d.commit(some)
			return []*admission{a}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// segmentsOf returns the segments with entries of shares: small ones first,
// rising.
func segmentsOf(shares []retain.Share) []proofs.SegmentID {
	var all []proofs.SegmentID
	for _, share := range shares {
		for _, r := range share.Runs {
			for _, large := range []bool{false, true} {
				size := proofs.SegmentID{Large: large}.Size()
				for n := r.First / size; n <= r.Last/size; n++ {
					all = append(all, proofs.SegmentID{Large: large, Number: n})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b proofs.SegmentID) int {
		return cmp.Or(cmp.Compare(a.Size(), b.Size()), cmp.Compare(a.Number, b.Number))
	})
	return slices.Compact(all)
}
