package proofs

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// A DirectoryBuilder makes the rows of a small segment of the tags of its entries.
type DirectoryBuilder struct {
	segment SegmentID
	buckets map[uint32]*bucketBuilder
}

type bucketBuilder struct {
	stream uint32
	last   uint64
	seeds  []byte // with the positions, see [DirectoryBuilder.Rows]
	tagged []taggedEntry
	unread []uint16 // positions, rising
}

// A taggedEntry is a tag and the position of an entry that has it, as numbers
// that sort as their bytes do, and faster.
type taggedEntry struct {
	high uint64 // the field, and the first 6 bytes of the tag
	mid  uint64 // the next 8 bytes
	low  uint32 // the last 2 bytes, and the position
}

func newTaggedEntry(tag Tag, position uint16) taggedEntry {
	v := tag.Value[:]
	return taggedEntry{
		high: uint64(tag.Field)<<48 | binary.BigEndian.Uint64(v)>>16,
		mid:  binary.BigEndian.Uint64(v[6:]),
		low:  uint32(binary.BigEndian.Uint16(v[14:]))<<16 | uint32(position),
	}
}

func (e taggedEntry) tag() (t Tag) {
	t.Field = uint16(e.high >> 48)
	binary.BigEndian.PutUint64(t.Value[:], e.high<<16)
	binary.BigEndian.PutUint64(t.Value[6:], e.mid)
	binary.BigEndian.PutUint16(t.Value[14:], uint16(e.low>>16))
	return t
}

func compareTagged(a, b taggedEntry) int {
	if a.high != b.high {
		return cmp.Compare(a.high, b.high)
	}
	return cmp.Or(cmp.Compare(a.mid, b.mid), cmp.Compare(a.low, b.low))
}

// NewDirectoryBuilder returns a builder for the small segment of a number.
func NewDirectoryBuilder(number uint64) *DirectoryBuilder {
	return &DirectoryBuilder{segment: SegmentID{Number: number}, buckets: make(map[uint32]*bucketBuilder)}
}

// Add adds a list of tags of an entry, with its seed. Within a bucket all entries
// must be of one stream, and indices must rise, but for several lists of one
// entry. What is erased is not added.
func (b *DirectoryBuilder) Add(index uint64, stream, bucket uint32, seed *Key256, tags []Tag) error {
	if len(tags) == 0 {
		return nil
	}
	x, position, err := b.place(index, stream, bucket)
	if err != nil {
		return err
	}
	if index < x.last {
		return fmt.Errorf("directory of %s: entry %d is not behind those before", b.segment, index)
	}
	x.last = index
	x.seeds = binary.BigEndian.AppendUint16(x.seeds, position)
	x.seeds = append(x.seeds, seed[:]...)
	for _, tag := range tags {
		x.tagged = append(x.tagged, newTaggedEntry(tag, position))
	}
	return nil
}

// Unread takes note that an entry has tags that cannot be read, or not all: none
// of them gets into the rows, those that were added neither.
func (b *DirectoryBuilder) Unread(index uint64, stream, bucket uint32) error {
	x, position, err := b.place(index, stream, bucket)
	if err != nil {
		return err
	}
	if at, known := slices.BinarySearch(x.unread, position); !known {
		x.unread = slices.Insert(x.unread, at, position)
	}
	return nil
}

// place returns the builder of a bucket, and the position of an entry.
func (b *DirectoryBuilder) place(index uint64, stream, bucket uint32) (*bucketBuilder, uint16, error) {
	if index < b.segment.First() || index >= b.segment.End() {
		return nil, 0, fmt.Errorf("directory of %s: entry %d is not in it", b.segment, index)
	}
	x := b.buckets[bucket]
	if x == nil {
		x = &bucketBuilder{stream: stream}
		b.buckets[bucket] = x
	}
	if stream != x.stream {
		return nil, 0, fmt.Errorf("directory of %s: entry %d of stream %d is in bucket %d of stream %d", b.segment, index, stream, bucket, x.stream)
	}
	return x, uint16(index - b.segment.First()), nil
}

// Clone returns a builder that has got the same.
func (b *DirectoryBuilder) Clone() *DirectoryBuilder {
	c := &DirectoryBuilder{b.segment, make(map[uint32]*bucketBuilder, len(b.buckets))}
	for bucket, x := range b.buckets {
		c.buckets[bucket] = &bucketBuilder{x.stream, x.last, slices.Clone(x.seeds), slices.Clone(x.tagged), slices.Clone(x.unread)}
	}
	return c
}

// Rows returns the rows of each bucket, by number. The secret of a bucket is
//
//	SHA-256("cairn/v1 directory secret\n" ‖ (uint16 position ‖ seed)…)
//
// over the lists that were added, of entries that are not unread.
func (b *DirectoryBuilder) Rows() (list []*DirectoryRows) {
	for number, x := range b.buckets {
		x.dropUnread()
		r := &DirectoryRows{Stream: x.stream, Bucket: number, Unread: slices.Clone(x.unread)}
		r.secret = sha256.Sum256(append([]byte("cairn/v1 directory secret\n"), x.seeds...))
		slices.SortFunc(x.tagged, compareTagged)
		x.tagged = slices.Compact(x.tagged)
		rows := countTags(x.tagged)
		r.tags, r.ends, r.positions = make([]Tag, 0, rows), make([]uint32, 0, rows), make([]uint16, 0, len(x.tagged))
		for _, e := range x.tagged {
			r.add(e.tag(), uint16(e.low))
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *DirectoryRows) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return list
}

// dropUnread takes out what was added of entries that are not to be read.
func (x *bucketBuilder) dropUnread() {
	if len(x.unread) == 0 {
		return
	}
	unread := func(position uint16) bool {
		_, is := slices.BinarySearch(x.unread, position)
		return is
	}
	x.tagged = slices.DeleteFunc(x.tagged, func(e taggedEntry) bool { return unread(uint16(e.low)) })
	var seeds []byte
	for s := range slices.Chunk(x.seeds, 2+len(Key256{})) {
		if !unread(binary.BigEndian.Uint16(s)) {
			seeds = append(seeds, s...)
		}
	}
	x.seeds = seeds
}

// countTags returns how many different tags there are, sorted.
func countTags(tagged []taggedEntry) (n int) {
	for i, e := range tagged {
		if i == 0 || e.high != tagged[i-1].high || e.mid != tagged[i-1].mid || e.low>>16 != tagged[i-1].low>>16 {
			n++
		}
	}
	return n
}

// add adds an entry to the last row, or one more row.
func (r *DirectoryRows) add(tag Tag, positions ...uint16) {
	r.positions = append(r.positions, positions...)
	if n := len(r.tags); n > 0 && r.tags[n-1] == tag {
		r.ends[n-1] = uint32(len(r.positions))
		return
	}
	r.tags = append(r.tags, tag)
	r.ends = append(r.ends, uint32(len(r.positions)))
}

// MergeRows returns the rows of a bucket in a large segment, made of those in
// its small segments, nil where there are none. Where those are of several
// streams, which is no ledger's bucket, it is of stream 0. The secret is
//
//	SHA-256("cairn/v1 large directory secret\n" ‖ (uint8 which ‖ secret)…)
//
// over the small segments with rows, which are counted from 0.
func MergeRows(small [LargeSegments]*DirectoryRows) *DirectoryRows {
	merged := new(DirectoryRows)
	secret := []byte("cairn/v1 large directory secret\n")
	var next [LargeSegments]int
	rows, positions := 0, 0
	for i, r := range small {
		if r == nil {
			continue
		}
		if merged.Bucket == 0 {
			merged.Stream = r.Stream
		} else if merged.Stream != r.Stream {
			merged.Stream = 0
		}
		merged.Bucket = r.Bucket
		for _, p := range r.Unread {
			merged.Unread = append(merged.Unread, uint16(i*SegmentSize)+p)
		}
		if r.Len() > 0 {
			secret = append(append(secret, byte(i)), r.secret[:]...)
			rows, positions = max(rows, len(r.tags)), positions+len(r.positions)
		}
	}
	merged.secret = sha256.Sum256(secret)
	merged.tags, merged.ends, merged.positions = make([]Tag, 0, rows), make([]uint32, 0, rows), make([]uint16, 0, positions)
	for {
		least := -1
		for i, r := range small {
			if r != nil && next[i] < len(r.tags) && (least < 0 || compareTags(r.tags[next[i]], small[least].tags[next[least]]) < 0) {
				least = i
			}
		}
		if least < 0 {
			return merged
		}
		tag := small[least].tags[next[least]]
		for i := least; i < len(small); i++ {
			r := small[i]
			if r == nil || next[i] == len(r.tags) || r.tags[next[i]] != tag {
				continue
			}
			for _, p := range r.Positions(next[i]) {
				merged.add(tag, uint16(i*SegmentSize)+p)
			}
			next[i]++
		}
	}
}
