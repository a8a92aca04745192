package audit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// unreadIn returns the entries that a head names as unread, with their buckets.
func unreadIn(head proofs.DirectoryHead) map[uint64]uint32 {
	unread := make(map[uint64]uint32)
	for _, b := range head.Buckets {
		for _, p := range b.Unread {
			unread[head.Segment.First()+uint64(p)] = b.Bucket
		}
	}
	return unread
}

// unreadPart returns those in the which-th small segment of a large one.
func unreadPart(head proofs.DirectoryHead, which int) map[uint64]uint32 {
	part := proofs.SegmentID{Number: head.Segment.Number*proofs.LargeSegments + uint64(which)}
	unread := unreadIn(head)
	maps.DeleteFunc(unread, func(index uint64, _ uint32) bool {
		return !head.Segment.Large || index < part.First() || index >= part.End()
	})
	return unread
}

// without returns the rows of a small segment without more entries than it names
// as unread itself. What has no tags in the bucket stays out of it: a directory
// that names it is wrong.
func (r *RecomputedDirectory) without(unread map[uint64]uint32) ([]*proofs.DirectoryRows, error) {
	b := r.builder.Clone()
	more := false
	for index, bucket := range unread {
		place, ok := r.tagged[index]
		if !ok || place.bucket != bucket || r.unread[index] {
			continue
		}
		more = true
		if err := b.Unread(index, place.stream, bucket); err != nil {
			return nil, err
		}
	}
	if !more {
		return r.rows, nil
	}
	return b.Rows(), nil
}

// A tagPlace is where the tags of an entry belong.
type tagPlace struct{ stream, bucket uint32 }

// findUnread reports what the head names as unread, but for what small directories
// of a large one have named.
func (r *RecomputedDirectory) findUnread(head proofs.DirectoryHead) {
	var named []uint64
	for index, bucket := range unreadIn(head) {
		if !r.expired[bucket] && !r.unread[index] {
			named = append(named, index)
		}
	}
	if len(named) == 0 {
		return
	}
	slices.Sort(named)
	f := Finding{Kind: DirectoryUnread, Index: int64(named[0]), Detail: fmt.Sprintf("The directory of %v names %s as unread: their tags are in no row.", r.Segment, entryList(named))}
	if len(named) > 1 {
		f.Last, f.Entries = int64(named[len(named)-1]), uint64(len(named))
	}
	r.Findings = append(r.Findings, f)
	for _, index := range named {
		r.unread[index] = true
	}
}

// compareUnread demands that a bucket names as unread what is so: of a large
// directory all that its small ones name, and nothing without tags.
func (r *RecomputedDirectory) compareUnread(ours *proofs.DirectoryRows, theirs []uint16) {
	for _, p := range theirs {
		if _, ok := slices.BinarySearch(ours.Unread, p); !ok {
			r.wrong("names entry %d of bucket %d as unread, which has no tags there", r.Segment.First()+uint64(p), ours.Bucket)
			return
		}
	}
	for _, p := range ours.Unread {
		if _, ok := slices.BinarySearch(theirs, p); !ok {
			r.wrong("does not name entry %d of bucket %d as unread, as that of its small segment does", r.Segment.First()+uint64(p), ours.Bucket)
			return
		}
	}
}
