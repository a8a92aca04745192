package search

import (
	"cmp"
	"fmt"
	"math"
)

// A Document is what there is to find about one entry.
type Document struct {
	Index  uint64 // of the entry, below 1<<63
	Time   uint64 // of the entry: microseconds since 1970; never falls with the index
	Bucket uint32

	// Fields are the values of declared fields, at most MaxValues, in any order.
	// Number 0 is not a field's: its value is the name of the entry's source.
	Fields []Value

	// Words are the words of the payload, as [query.Words] has them, at most
	// MaxWords of at most MaxWord bytes. They may repeat, and their order is of no
	// consequence.
	Words []string
}

// A Value is one canonical value of a declared field.
type Value struct {
	Number uint16 // of the field, in the stream of the document's bucket
	Value  []byte // of any length: of more than MaxValue bytes the first are kept
}

// SourceField is the number under which a document has the name of its source.
const SourceField = 0

// The bounds of a document.
const (
	MaxValues = 1 << 16 // of a document
	MaxWords  = 1 << 23 // of a document
	MaxValue  = 1024    // bytes of a value that are indexed
	MaxWord   = 64      // bytes
)

func (d *Document) check() error {
	switch {
	case d.Index > math.MaxInt64:
		return fmt.Errorf("document %d: %w: no entry has this index", d.Index, ErrInvalid)
	case len(d.Fields) > MaxValues || len(d.Words) > MaxWords:
		return fmt.Errorf("document %d: %w: %d values and %d words, at most %d and %d", d.Index, ErrInvalid, len(d.Fields), len(d.Words), MaxValues, MaxWords)
	}
	for _, w := range d.Words {
		if len(w) < 1 || len(w) > MaxWord {
			return fmt.Errorf("document %d: %w: a word of %d bytes", d.Index, ErrInvalid, len(w))
		}
	}
	return nil
}

// A FileID names a part of the index: the entries of a bucket in a segment.
type FileID struct {
	First, End uint64 // the segment has the entries from First on and below End
	Bucket     uint32
}

// The sizes of segments, in entries. A segment begins at a multiple of its size.
const (
	SmallSegment = 1 << 12
	LargeSegment = 1 << 16
)

// A shape is the sizes of an index's segments: multiples of 64, the large of
// the small, and at most 1<<16.
type shape struct{ small, large uint64 }

func (s shape) of(entry, size uint64, bucket uint32) FileID {
	first := entry - entry%size
	return FileID{first, first + size, bucket}
}

func (id FileID) span() int { return int(id.End - id.First) }

// String returns the segment and the bucket.
func (id FileID) String() string {
	return fmt.Sprintf("entries %d-%d of bucket %d", id.First, id.End-1, id.Bucket)
}

// compareIDs orders by the segment, the larger before what is in it, and the
// bucket.
func compareIDs(a, b FileID) int {
	return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(b.End, a.End), cmp.Compare(a.Bucket, b.Bucket))
}
