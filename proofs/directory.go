package proofs

import (
	"encoding/binary"
	"fmt"
)

// The sizes of segments, of which each has a directory.
const (
	SegmentSize   = 4096 // entries of a small segment
	LargeSegments = 16   // small segments of a large one
)

// A SegmentID names entries that have a directory together: small segment n the
// [SegmentSize] entries from n*SegmentSize on, and large segment n the
// [LargeSegments] small ones from n*LargeSegments on.
//
//	struct { uint8 large; uint64 number; } SegmentID;
type SegmentID struct {
	Large  bool
	Number uint64 // below 2^47
}

const segmentIDSize = 1 + 8

// maxSegment keeps the indices of every segment, and its end, below 2^64.
const maxSegment = 1 << 47

// First returns the index of the first entry of the segment.
func (s SegmentID) First() uint64 { return s.Number * s.Size() }

// Size returns how many entries the segment has.
func (s SegmentID) Size() uint64 {
	if s.Large {
		return SegmentSize * LargeSegments
	}
	return SegmentSize
}

// End returns the index behind the last entry of the segment.
func (s SegmentID) End() uint64 { return s.First() + s.Size() }

// String returns "segment 7" or "large segment 0".
func (s SegmentID) String() string {
	if s.Large {
		return fmt.Sprintf("large segment %d", s.Number)
	}
	return fmt.Sprintf("segment %d", s.Number)
}

// DirectoryPlace returns the index of the entry that must be the directory of
// the small segment of a number: the first of the next segment but one.
func DirectoryPlace(segment uint64) uint64 { return (segment + 2) * SegmentSize }

// DirectoriesAt returns how many small segments have a directory in a log of a
// size: those whose place is in it.
func DirectoriesAt(size uint64) uint64 {
	if size <= DirectoryPlace(0) {
		return 0
	}
	return (size-1)/SegmentSize - 1
}

// A DirectoryBody is the body of a directory entry. One stands at the place of
// every small segment ([DirectoryPlace]), and whenever an erasure took rows from
// directories another follows it, which makes these anew. Each commits to all
// directories as they are then, so that the last one is all that it takes.
//
//	struct {
//	    uint64 segments;
//	    uint64 amended;
//	    opaque small[32];
//	    opaque large[32];
//	    struct { SegmentID segment; opaque hash[32]; } made<0..65313>;
//	} DirectoryBody;
type DirectoryBody struct {
	Segments uint64 // small segments that have one: all from 0 on

	// Amended is the index of the last entry before that stood at no place of its
	// own, and made directories anew; 0: there was none. So all can be found.
	Amended uint64

	// Small and Large are the RFC 6962 roots over the hashes of all directories
	// of small and of large segments ([DirectoryHead.Hash]), in their order.
	Small, Large Hash

	// Made are those that are new, or made anew: small ones first, rising.
	Made []MadeDirectory
}

// A MadeDirectory is the hash of one directory.
type MadeDirectory struct {
	Segment SegmentID
	Hash    Hash
}

// MaxMade is how many directories one entry can make.
const MaxMade = (MaxControl - 82) / (segmentIDSize + HashSize)

// LargeSegments returns how many large segments have a directory.
func (b DirectoryBody) LargeSegments() uint64 { return b.Segments / LargeSegments }

// FormatDirectory returns the canonical bytes of the body.
func FormatDirectory(b DirectoryBody) ([]byte, error) {
	if len(b.Made) > MaxMade {
		return nil, fmt.Errorf("%w: directory: %d made are more than %d", ErrMalformed, len(b.Made), MaxMade)
	}
	out := appendUint64s(nil, b.Segments, b.Amended)
	out = append(out, b.Small[:]...)
	out = append(out, b.Large[:]...)
	var made []byte
	for _, m := range b.Made {
		made = appendSegmentID(made, m.Segment)
		made = append(made, m.Hash[:]...)
	}
	out = appendVector(out, 2, made)
	if _, err := ParseDirectory(out); err != nil {
		return nil, err
	}
	return out, nil
}

// ParseDirectory reads what [FormatDirectory] writes and nothing else.
func ParseDirectory(b []byte) (DirectoryBody, error) {
	d := decoder{format: "directory", rest: b}
	body := DirectoryBody{Segments: d.uint64("segments"), Amended: d.uint64("amended"), Small: d.hash("small"), Large: d.hash("large")}
	if d.err == nil && (body.Segments == 0 || body.Segments > maxSegment) {
		d.fail("segments", "none, or too many")
	}
	made := decoder{format: d.format, rest: d.vector("made", 2, 0, MaxMade*(segmentIDSize+HashSize))}
	for len(made.rest) > 0 {
		m := MadeDirectory{Segment: made.segmentID("segment"), Hash: made.hash("hash")}
		if n := len(body.Made); made.err == nil && n > 0 && !m.Segment.after(body.Made[n-1].Segment) {
			made.fail("segment", "they do not rise")
		}
		if made.err == nil && !body.has(m.Segment) {
			made.fail("segment", "has no directory yet")
		}
		body.Made = append(body.Made, m)
	}
	d.inner(made)
	return body, d.end()
}

// DirectoriesRoot returns the root over the hashes of directories that a
// directory entry commits to.
func DirectoriesRoot(directories []Hash) Hash { return rootOf(leavesOf(directories)) }

// has reports whether a segment has a directory.
func (b DirectoryBody) has(s SegmentID) bool {
	if s.Large {
		return s.Number < b.LargeSegments()
	}
	return s.Number < b.Segments
}

func (s SegmentID) after(other SegmentID) bool {
	if s.Large != other.Large {
		return s.Large
	}
	return s.Number > other.Number
}

func appendSegmentID(b []byte, s SegmentID) []byte {
	return binary.BigEndian.AppendUint64(append(b, boolByte(s.Large)), s.Number)
}

func (d *decoder) segmentID(field string) SegmentID {
	s := SegmentID{Large: d.bool(field), Number: d.uint64(field)}
	if d.err == nil && s.Number >= maxSegment {
		d.fail(field, "its number is too large")
	}
	return s
}
