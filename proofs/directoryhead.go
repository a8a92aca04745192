package proofs

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// A DirectoryHead is what a directory commits to: for each bucket with tags in
// the segment its rows.
//
//	struct {
//	    SegmentID segment;
//	    uint64    first_time;           /* of the first leaf, in microseconds since 1970 */
//	    uint64    last_time;
//	    struct { uint32 stream; uint32 bucket; opaque rows[32]; uint16 unread<0..2^17>; } buckets<0..2^22>;
//	    uint64    erased<0..2^19>;
//	} DirectoryHead;
type DirectoryHead struct {
	Segment             SegmentID
	FirstTime, LastTime uint64

	// Buckets are those that any entry of the segment with tags is in, rising.
	// There is none of whose entries no tag is left, and all could be read.
	Buckets []DirectoryBucket

	// Erased are the indices of the erasures' announcements that took tags from
	// entries of the segment, rising.
	Erased []uint64
}

// A DirectoryBucket commits to the rows of a bucket.
type DirectoryBucket struct {
	Stream, Bucket uint32
	Rows           Hash // [DirectoryRows.Hash]

	// Unread are the positions of the entries with tags that the ledger could not
	// read, as when the medium is damaged, rising: they are in no row, whatever
	// tags they have. No position is that of entries of two buckets.
	Unread []uint16
}

const (
	directoryBucketSize = 4 + 4 + HashSize + 3 // and what is unread
	maxHeadBuckets      = 1 << 22
	maxHeadErased       = 1 << 19
	maxUnread           = 1 << 17
)

// Hash returns what a directory entry commits to: SHA-256("cairn/v1 directory\n" ‖ head).
func (h DirectoryHead) Hash() (Hash, error) {
	b, err := FormatDirectoryHead(h)
	if err != nil {
		return Hash{}, err
	}
	return sha256.Sum256(append([]byte("cairn/v1 directory\n"), b...)), nil
}

// FormatDirectoryHead returns the canonical bytes of the head.
func FormatDirectoryHead(h DirectoryHead) ([]byte, error) {
	size := len(h.Buckets) * directoryBucketSize
	for _, b := range h.Buckets {
		size += 2 * len(b.Unread)
	}
	if size > maxHeadBuckets || len(h.Erased) > maxHeadErased/8 {
		return nil, fmt.Errorf("%w: directory head: too many buckets, unread entries or erasures", ErrMalformed)
	}
	b := appendDirectoryHead(nil, h)
	if _, err := ParseDirectoryHead(b); err != nil {
		return nil, err
	}
	return b, nil
}

func appendDirectoryHead(b []byte, h DirectoryHead) []byte {
	b = appendSegmentID(b, h.Segment)
	b = appendUint64s(b, h.FirstTime, h.LastTime)
	var buckets []byte
	for _, x := range h.Buckets {
		buckets = binary.BigEndian.AppendUint32(buckets, x.Stream)
		buckets = binary.BigEndian.AppendUint32(buckets, x.Bucket)
		buckets = append(buckets, x.Rows[:]...)
		var unread []byte
		for _, p := range x.Unread {
			unread = binary.BigEndian.AppendUint16(unread, p)
		}
		buckets = appendVector(buckets, 3, unread)
	}
	b = appendVector(b, 3, buckets)
	return appendVector(b, 3, appendUint64s(nil, h.Erased...))
}

// ParseDirectoryHead reads what [FormatDirectoryHead] writes and nothing else.
func ParseDirectoryHead(b []byte) (DirectoryHead, error) {
	d := decoder{format: "directory head", rest: b}
	h := d.directoryHead()
	return h, d.end()
}

func (d *decoder) directoryHead() (h DirectoryHead) {
	h.Segment, h.FirstTime, h.LastTime = d.segmentID("segment"), d.uint64("first time"), d.uint64("last time")
	if d.err == nil && h.FirstTime > h.LastTime {
		d.fail("last time", "is before the first")
	}
	buckets := decoder{format: d.format, rest: d.vector("buckets", 3, 0, maxHeadBuckets)}
	var last uint32
	var named []bool // by position: the entry is unread
	for len(buckets.rest) > 0 {
		x := DirectoryBucket{Stream: buckets.uint32("stream"), Bucket: buckets.uint32("bucket"), Rows: buckets.hash("rows")}
		x.Unread, named = buckets.unread(h.Segment, named)
		if buckets.err == nil && x.Bucket <= last {
			buckets.fail("bucket", "numbers do not rise from 1")
		}
		last = x.Bucket
		h.Buckets = append(h.Buckets, x)
	}
	d.inner(buckets)
	erased := decoder{format: d.format, rest: d.vector("erased", 3, 0, maxHeadErased)}
	for len(erased.rest) > 0 {
		index := erased.uint64("erased")
		if n := len(h.Erased); erased.err == nil && n > 0 && index <= h.Erased[n-1] {
			erased.fail("erased", "indices do not rise")
		}
		h.Erased = append(h.Erased, index)
	}
	d.inner(erased)
	return h
}

// unread reads the positions of the entries of a bucket that were not read, none
// of which was named before.
func (d *decoder) unread(id SegmentID, named []bool) ([]uint16, []bool) {
	var positions []uint16
	list := decoder{format: d.format, rest: d.vector("unread", 3, 0, maxUnread)}
	if named == nil && len(list.rest) > 0 {
		named = make([]bool, id.Size())
	}
	for len(list.rest) > 0 {
		p := list.uint16("unread")
		n := len(positions)
		switch {
		case list.err != nil:
		case n > 0 && p <= positions[n-1]:
			list.fail("unread", "positions do not rise")
		case uint64(p) >= id.Size():
			list.fail("unread", "it is outside of the segment")
		case named[p]:
			list.fail("unread", "it is in another bucket too")
		default:
			named[p] = true
		}
		positions = append(positions, p)
	}
	d.inner(list)
	return positions, named
}
