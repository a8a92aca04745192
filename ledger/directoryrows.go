package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// segmentRows are the rows of a segment, of the tags that are left.
type segmentRows struct {
	rows    []*proofs.DirectoryRows  // by bucket
	expired []proofs.DirectoryBucket // buckets that had tags, without their rows
	erased  map[uint64]bool          // announcements of the erasures that took tags
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
	s, err := d.rows(ctx, id)
	if err != nil {
		return hash, err
	}
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
		head.Buckets = append(head.Buckets, proofs.DirectoryBucket{Stream: r.Stream, Bucket: r.Bucket, Rows: r.Hash()})
	}
	known := make(map[uint32]proofs.Hash)
	if old != nil && len(s.expired) > 0 {
		before, err := d.head(ctx, *old)
		if err != nil {
			return hash, err
		}
		for _, b := range before.Buckets {
			known[b.Bucket] = b.Rows
		}
	}
	for _, b := range s.expired {
		b.Rows = known[b.Bucket] // or nothing that any rows would have
		head.Buckets = append(head.Buckets, b)
	}
	slices.SortFunc(head.Buckets, func(a, b proofs.DirectoryBucket) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return d.keepHead(ctx, head)
}

// rows returns the rows of a segment, all of which is in the vault.
func (d *directories) rows(ctx context.Context, id proofs.SegmentID) (*segmentRows, error) {
	d.mu.Lock()
	s, ok := d.recent.find(id)
	d.mu.Unlock()
	if ok {
		return s, nil
	}
	forgot := d.l.keys.forgotten()
	make := d.scan
	if id.Large {
		make = d.merge
	}
	s, err := make(ctx, id)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.l.keys.forgotten() == forgot {
		d.recent.keep(id, s, s.size(), maxRowsBytes)
	}
	return s, nil
}

// merge returns the rows of a large segment.
func (d *directories) merge(ctx context.Context, id proofs.SegmentID) (*segmentRows, error) {
	s := &segmentRows{erased: make(map[uint64]bool)}
	small := make(map[uint32]*[proofs.LargeSegments]*proofs.DirectoryRows)
	for i := range proofs.LargeSegments {
		part, err := d.rows(ctx, proofs.SegmentID{Number: id.Number*proofs.LargeSegments + uint64(i)})
		if err != nil {
			return nil, err
		}
		for _, r := range part.rows {
			if small[r.Bucket] == nil {
				small[r.Bucket] = new([proofs.LargeSegments]*proofs.DirectoryRows)
			}
			small[r.Bucket][i] = r
		}
		for _, b := range part.expired {
			if !slices.Contains(s.expired, b) {
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

// scan reads the tags of a small segment from the vault.
func (d *directories) scan(ctx context.Context, id proofs.SegmentID) (*segmentRows, error) {
	s := &segmentRows{erased: make(map[uint64]bool)}
	if fed, ok := d.fedRows(id); ok {
		s.rows = fed
		return s, nil
	}
	b := segmentScan{directories: d, id: id, builder: proofs.NewDirectoryBuilder(id.Number), segmentRows: s}
	for _, bucket := range d.l.state.bucketList() {
		known, ok := d.l.retain.Bucket(bucket.Number)
		if !ok || bucket.Path.Stream == controlStream || known.Count == 0 || known.First >= id.End() || known.Last < id.First() {
			continue
		}
		if err := b.bucket(ctx, bucket); err != nil {
			return nil, fmt.Errorf("bucket %d: %w", bucket.Number, err)
		}
	}
	s.rows = b.builder.Rows()
	if err := b.findExpired(ctx); err != nil {
		return nil, err
	}
	return s, b.findErasures(ctx)
}

// A segmentScan collects the tags of a small segment.
type segmentScan struct {
	*directories
	*segmentRows
	id      proofs.SegmentID
	builder *proofs.DirectoryBuilder

	destroyed []*bucket // whose keys are
	missing   []missingTags
}

// missingTags are of an entry of which lists of tags are closed.
type missingTags struct {
	stream uint32
	index  uint64
}

func (s *segmentScan) bucket(ctx context.Context, b *bucket) error {
	keys, err := s.l.keys.bucket(b.Path)
	if errors.Is(err, errDestroyed) {
		s.destroyed = append(s.destroyed, b)
		return nil
	}
	if err != nil {
		return err
	}
	lookup := s.l.keys.tagKeys(b.Path.Stream)
	for r, err := range s.l.cfg.Vault.Scan(ctx, b.Number, s.id.First()) {
		if err != nil {
			return fmt.Errorf("vault: %w", err)
		}
		if r.Index >= s.id.End() {
			break
		}
		if err := s.record(b, r, keys, lookup); err != nil {
			return fmt.Errorf("entry %d: %w", r.Index, err)
		}
	}
	return nil
}

// record adds the lists of tags of a record that still open.
func (s *segmentScan) record(b *bucket, r storage.VaultRecord, keys *bucketKeys, lookup func(proofs.SubjectRef) (proofs.Key256, error)) error {
	record, err := proofs.ParseRecord(r.Data)
	if err != nil {
		return fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
	}
	for i, t := range record.Tags {
		var tags []proofs.Tag
		var seed proofs.Key256
		err := errDestroyed
		if t.Sealed != nil {
			tags, seed, err = proofs.OpenTags(t.Sealed, i, record.ID, &keys.tags, lookup)
		}
		if errors.Is(err, errDestroyed) {
			s.missing = append(s.missing, missingTags{b.Path.Stream, r.Index})
			continue
		}
		if err != nil {
			return fmt.Errorf("vault: %w: %w", storage.ErrCorrupt, err)
		}
		if err := s.builder.Add(r.Index, b.Path.Stream, b.Number, &seed, tags); err != nil {
			return err
		}
	}
	return nil
}

// findExpired finds which of the buckets whose keys are destroyed have entries with
// tags in the segment.
func (s *segmentScan) findExpired(ctx context.Context) error {
	if len(s.destroyed) == 0 {
		return nil
	}
	tagged := make(map[uint32]bool)
	err := s.l.eachLeaf(ctx, []proofs.Run{{First: s.id.First(), Last: s.id.End() - 1}}, func(_ uint64, leaf proofs.Leaf) {
		tagged[leaf.Bucket] = tagged[leaf.Bucket] || leaf.T != proofs.EmptyRoot()
	})
	if err != nil {
		return err
	}
	for _, b := range s.destroyed {
		if tagged[b.Number] {
			s.expired = append(s.expired, proofs.DirectoryBucket{Stream: b.Path.Stream, Bucket: b.Number})
		}
	}
	return nil
}

// findErasures finds the announcements of the erasures that closed tags.
func (s *segmentScan) findErasures(ctx context.Context) error {
	closes := make(map[uint64][]proofs.Run)
	for _, m := range s.missing {
		for _, announced := range s.l.retain.Reasons(m.stream, 0, m.index) {
			runs, ok := closes[announced]
			if !ok {
				var err error
				if runs, err = s.l.erasedRuns(ctx, announced); err != nil {
					return err
				}
				closes[announced] = runs
			}
			if proofs.InRuns(runs, m.index) {
				s.erased[announced] = true
			}
		}
	}
	return nil
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
