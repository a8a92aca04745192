package proofs

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// MaxShownDirectory bounds a [ShownDirectory] in bytes.
const MaxShownDirectory = 1 << 28

// A ShownDirectory is what a ledger shows of a segment, so that its directory can
// be made again. Nothing of it is true because it is shown.
//
//	struct {
//	    opaque        label[25] = "cairn/v1 shown directory\n";
//	    DirectoryHead head;
//	    TailEntry     tags<0..2^28>;                                     /* as in a SearchProof */
//	    struct { uint32 bucket; DirectoryRow rows<1..2^28>; } rows<0..2^28>;  /* by bucket, rising */
//	} ShownDirectory;
type ShownDirectory struct {
	Head DirectoryHead

	// Tags are those of the entries of a small segment, rising: of events with
	// tags, but for those of buckets whose expiry was announced. Of a large segment
	// there are none: its small ones have them.
	Tags []SearchTags

	// Rows are those that the ledger has, by bucket. They only serve to name the
	// one that is wrong; nil: they are not shown.
	Rows map[uint32][]DirectoryRow
}

const shownDirectoryLabel = "cairn/v1 shown directory\n"

// FormatShownDirectory returns the canonical bytes of what is shown. Its error
// matches [ErrMalformed].
func FormatShownDirectory(s ShownDirectory) ([]byte, error) {
	if _, err := FormatDirectoryHead(s.Head); err != nil {
		return nil, err
	}
	for _, t := range s.Tags {
		for _, list := range t.Lists {
			if list.Shown() && (len(list.Seed) != len(Key256{}) || len(list.Tags)%sealedTagSize != 0) {
				return nil, fmt.Errorf("%w: shown directory: entry %d: a list of tags, or its seed, has a size of neither", ErrMalformed, t.Index)
			}
		}
	}
	b := appendDirectoryHead([]byte(shownDirectoryLabel), s.Head)
	b = appendList(b, s.Tags, func(b []byte, t SearchTags) []byte {
		return appendList(appendUint64s(b, t.Index), t.Lists, appendSearchTags)
	})
	b = appendList(b, slices.Sorted(maps.Keys(s.Rows)), func(b []byte, bucket uint32) []byte {
		return appendList(binary.BigEndian.AppendUint32(b, bucket), s.Rows[bucket], func(b []byte, r DirectoryRow) []byte { return r.append(b) })
	})
	if _, err := ParseShownDirectory(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseShownDirectory reads what [FormatShownDirectory] writes and nothing else.
func ParseShownDirectory(b []byte) (ShownDirectory, error) {
	d := &decoder{format: "shown directory", rest: b}
	if len(b) > MaxShownDirectory {
		d.fail("length", "too large")
	}
	if label := d.bytes("label", len(shownDirectoryLabel)); d.err == nil && string(label) != shownDirectoryLabel {
		d.fail("label", "is another one")
	}
	s := ShownDirectory{Head: d.directoryHead()}
	id := s.Head.Segment
	s.Tags = listOf(d, "tags", func(d *decoder) SearchTags {
		t := SearchTags{Index: d.uint64("entry"), Lists: listOf(d, "lists", (*decoder).tagList)}
		if d.err == nil && (id.Large || t.Index < id.First() || t.Index >= id.End()) {
			d.fail("entry", "is not in a small segment, or in another one")
		}
		return t
	})
	d.rising("tags", len(s.Tags), func(i int) uint64 { return s.Tags[i].Index })
	var buckets []uint32
	listOf(d, "rows", func(d *decoder) struct{} {
		bucket := d.uint32("bucket")
		rows := listOf(d, "rows", (*decoder).directoryRow)
		d.some("rows", len(rows))
		if s.Rows == nil {
			s.Rows = make(map[uint32][]DirectoryRow)
		}
		s.Rows[bucket], buckets = rows, append(buckets, bucket)
		return struct{}{}
	})
	d.rising("rows", len(buckets), func(i int) uint64 { return uint64(buckets[i]) })
	if err := d.end(); err != nil {
		return ShownDirectory{}, err
	}
	return s, nil
}

func (d *decoder) directoryRow() (r DirectoryRow) {
	r.Tag.Field = d.uint16("field")
	copy(r.Tag.Value[:], d.bytes("tag", TagSize))
	r.Entries = d.hash("entries")
	return r
}
