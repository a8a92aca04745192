package ledger

import (
	"context"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// What a medium has lost is in no directory: a head names the entries, and the
// ledger goes on. Once a directory names one, each that is made behind it does so
// too, so that the large ones name what their small ones do.

// unreadBefore returns the entries of a segment that were unread before, rising:
// since this process began, or when directories were made that are committed to.
func (d *directories) unreadBefore(ctx context.Context, id proofs.SegmentID) ([]uint64, error) {
	ids := []proofs.SegmentID{id}
	if id.Large {
		for i := range uint64(proofs.LargeSegments) {
			ids = append(ids, proofs.SegmentID{Number: id.Number*proofs.LargeSegments + i})
		}
	}
	list := d.committed()
	unread := make(map[uint64]bool)
	for _, id := range ids {
		hash, ok := list.of(id)
		if !ok {
			continue
		}
		head, err := d.oldHead(ctx, &hash)
		if err != nil {
			return nil, err
		}
		for _, index := range unreadOf(head) {
			unread[index] = true
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, index := range entriesOf(id, d.unread) {
		unread[index] = true
	}
	return slices.Sorted(maps.Keys(unread)), nil
}

// oldHead returns a head that was kept, if there is one; without buckets where it
// is damaged.
func (d *directories) oldHead(ctx context.Context, hash *proofs.Hash) (head proofs.DirectoryHead, err error) {
	if hash == nil {
		return head, nil
	}
	if head, err = d.head(ctx, *hash); isDamage(err) {
		d.l.log.Error("the head of a directory cannot be read", "directory", headName(*hash), "err", err)
		return proofs.DirectoryHead{}, nil
	}
	return head, err
}

// tellUnread takes note of entries that cannot be read, and tells the operator.
func (d *directories) tellUnread(id proofs.SegmentID, entries []uint64) {
	if len(entries) == 0 {
		return
	}
	d.mu.Lock()
	d.unread = slices.Compact(slices.Sorted(slices.Values(append(d.unread, entries...))))
	d.mu.Unlock()
	d.l.log.Error("entries cannot be read, and are in no directory: searches cannot be proven to be complete there",
		"segment", id.String(), "first", entries[0], "entries", len(entries))
}

// unreadOf returns the entries that a head names as unread, rising.
func unreadOf(head proofs.DirectoryHead) (entries []uint64) {
	for _, b := range head.Buckets {
		for _, p := range b.Unread {
			entries = append(entries, head.Segment.First()+uint64(p))
		}
	}
	slices.Sort(entries)
	return entries
}

// entriesOf returns those of entries, which rise, that are in a segment.
func entriesOf(id proofs.SegmentID, entries []uint64) []uint64 {
	from, _ := slices.BinarySearch(entries, id.First())
	to, _ := slices.BinarySearch(entries, id.End())
	return entries[from:to]
}
