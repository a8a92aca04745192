package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// scan reads the tags of a small segment from the vault.
func (d *directories) scan(ctx context.Context, id proofs.SegmentID, without []uint64) (*segmentRows, error) {
	s := &segmentRows{erased: make(map[uint64]bool)}
	if len(without) == 0 {
		if fed, ok := d.fedRows(id); ok {
			s.rows = fed
			return s, nil
		}
	}
	scan := segmentScan{directories: d, segmentRows: s, id: id, without: without, builder: proofs.NewDirectoryBuilder(id.Number), roots: make(map[uint64]proofs.Hash)}
	tagged, err := scan.tagged(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range d.l.state.bucketList() {
		if len(tagged[b.Number]) == 0 {
			continue
		}
		if err := scan.bucket(ctx, b, tagged[b.Number]); err != nil {
			return nil, fmt.Errorf("bucket %d: %w", b.Number, err)
		}
	}
	s.rows = scan.builder.Rows()
	return s, scan.findErasures(ctx)
}

// A segmentScan collects the tags of a small segment.
type segmentScan struct {
	*directories
	*segmentRows
	id      proofs.SegmentID
	without []uint64
	builder *proofs.DirectoryBuilder
	roots   map[uint64]proofs.Hash // of the tags of each entry, as its leaf has it
	missing []missingTags
}

// missingTags are of an entry of which lists of tags are closed.
type missingTags struct {
	stream uint32
	index  uint64
}

// tagged returns the events of the segment that have tags, by bucket.
func (s *segmentScan) tagged(ctx context.Context) (map[uint32][]uint64, error) {
	tagged := make(map[uint32][]uint64)
	segment := []proofs.Run{{First: s.id.First(), Last: s.id.End() - 1}}
	err := s.l.eachLeaf(ctx, segment, func(index uint64, leaf proofs.Leaf) {
		if leaf.Stream != controlStream && leaf.T != proofs.EmptyRoot() {
			tagged[leaf.Bucket] = append(tagged[leaf.Bucket], index)
			s.roots[index] = leaf.T
		}
	})
	return tagged, err
}

// bucket adds the tags of some entries of a bucket, which rise. They are read in
// one go as far as that goes, and one by one where something is damaged.
func (s *segmentScan) bucket(ctx context.Context, b *bucket, entries []uint64) error {
	keys, err := s.l.keys.bucket(b.Path)
	if errors.Is(err, errDestroyed) {
		s.expired = append(s.expired, proofs.DirectoryBucket{Stream: b.Path.Stream, Bucket: b.Number})
		return nil
	}
	if err != nil {
		return err
	}
	x := bucketScan{segmentScan: s, bucket: b, keys: keys, lookup: s.l.keys.tagKeys(b.Path.Stream)}
	for r, err := range s.l.cfg.Vault.Scan(ctx, b.Number, s.id.First()) {
		if err != nil && !isDamage(err) {
			return unreadable(err)
		}
		if err != nil || r.Index >= s.id.End() {
			break
		}
		at, _ := slices.BinarySearch(entries, r.Index)
		if err := x.readEach(ctx, entries[:at]); err != nil { // which the vault passed over
			return err
		}
		if entries = entries[at:]; len(entries) > 0 && entries[0] == r.Index {
			entries = entries[1:]
			if err := x.record(r); err != nil {
				return fmt.Errorf("entry %d: %w", r.Index, err)
			}
		}
	}
	return x.readEach(ctx, entries)
}

// A bucketScan collects the tags of a bucket whose keys are there.
type bucketScan struct {
	*segmentScan
	bucket *bucket
	keys   *bucketKeys
	lookup func(proofs.SubjectRef) (proofs.Key256, error)
}

// readEach adds the tags of entries that are read one by one.
func (s *bucketScan) readEach(ctx context.Context, entries []uint64) error {
	for _, index := range entries {
		data, err := s.l.cfg.Vault.Read(ctx, s.bucket.Number, index)
		switch {
		case isDamage(err):
			err = s.builder.Unread(index, s.bucket.Path.Stream, s.bucket.Number)
		case err != nil:
			err = unreadable(err)
		default:
			err = s.record(storage.VaultRecord{Index: index, Data: data})
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

// record adds the lists of tags of a record that still open: all of them, or
// none where the record cannot be read.
func (s *bucketScan) record(r storage.VaultRecord) error {
	stream := s.bucket.Path.Stream
	lists, closed, err := openTagLists(r.Data, s.keys, s.lookup)
	if err == nil && !closed && rootOfTags(lists) != s.roots[r.Index] {
		err = storage.ErrCorrupt // they are another entry's
	}
	if _, leave := slices.BinarySearch(s.without, r.Index); leave || isDamage(err) {
		return s.builder.Unread(r.Index, stream, s.bucket.Number)
	}
	if err != nil {
		return err
	}
	if closed {
		s.missing = append(s.missing, missingTags{stream, r.Index})
	}
	for _, l := range lists {
		if err := s.builder.Add(r.Index, stream, s.bucket.Number, l.seed, l.tags); err != nil {
			return err
		}
	}
	return nil
}

// openTagLists opens the lists of tags of a record, and reports whether some are
// closed.
func openTagLists(data []byte, keys *bucketKeys, subjects func(proofs.SubjectRef) (proofs.Key256, error)) (lists []seededTags, closed bool, err error) {
	record, err := proofs.ParseRecord(data)
	if err != nil {
		return nil, false, err
	}
	for i, t := range record.Tags {
		err := errDestroyed
		var l seededTags
		if t.Sealed != nil {
			l.seed = new(proofs.Key256)
			l.tags, *l.seed, err = proofs.OpenTags(t.Sealed, i, record.ID, &keys.tags, subjects)
		}
		switch {
		case errors.Is(err, errDestroyed):
			closed = true
		case err != nil:
			return nil, false, err
		default:
			lists = append(lists, l)
		}
	}
	return lists, closed, nil
}

// rootOfTags returns what the leaf of an entry commits to its tags with.
func rootOfTags(lists []seededTags) proofs.Hash {
	var all []proofs.Hash
	for _, l := range lists {
		all = proofs.AppendTagCommitments(all, l.seed, l.tags)
	}
	return proofs.TagsRoot(all)
}

// isDamage reports whether an error means that what is stored is not there any
// more, or is not what was stored. Whatever else goes wrong may go well next time.
func isDamage(err error) bool {
	for _, is := range []error{storage.ErrCorrupt, storage.ErrNotFound, proofs.ErrMalformed, proofs.ErrNotVerified} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
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
