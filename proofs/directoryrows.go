package proofs

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// A DirectoryRow is one row of a directory: a tag, and which entries of the
// segment have it.
//
//	struct {
//	    uint16 field;
//	    opaque tag[16];
//	    opaque entries[32];
//	} DirectoryRow;
//	salt    = SHA-256("salt\n" ‖ secret ‖ uint16 field ‖ tag)
//	entries = SHA-256("rows\n" ‖ salt ‖ uint16 position…)
//
// Whoever is shown a row learns a tag, and with its salt and positions which
// entries have it. The secret is made of the seeds of all tags in the segment
// ([TagSeed]): nobody can try rows of a directory any more once tags in it are
// erased, and then it is made anew without them.
type DirectoryRow struct {
	Tag     Tag
	Entries Hash
}

// RowSalt returns the salt of a row.
func RowSalt(secret *Key256, tag Tag) Key256 {
	var b [5 + 32 + sealedTagSize]byte // one block of SHA-256
	n := copy(b[:], "salt\n")
	n += copy(b[n:], secret[:])
	binary.BigEndian.PutUint16(b[n:], tag.Field)
	copy(b[n+2:], tag.Value[:])
	return sha256.Sum256(b[:])
}

// RowEntries returns the commitment of a row to the positions of its entries in
// the segment, which rise.
func RowEntries(salt *Key256, positions []uint16) Hash {
	var few [256]byte // without allocation
	b := append(few[:0], "rows\n"...)
	b = append(b, salt[:]...)
	for _, p := range positions {
		b = append(b, byte(p>>8), byte(p))
	}
	return sha256.Sum256(b)
}

func (r DirectoryRow) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, r.Tag.Field)
	b = append(b, r.Tag.Value[:]...)
	return append(b, r.Entries[:]...)
}

const directoryRowSize = sealedTagSize + HashSize

// leafHash returns the hash of the row in the tree of the rows.
func (r DirectoryRow) leafHash() Hash {
	var b [directoryRowSize]byte
	return LeafHash(r.append(b[:0]))
}

// rowsHash is what a head commits to: how many rows, and the root of their tree.
func rowsHash(count uint32, root Hash) Hash {
	b := binary.BigEndian.AppendUint32([]byte("cairn/v1 directory rows\n"), count)
	return sha256.Sum256(append(b, root[:]...))
}

// DirectoryRows are the rows of one bucket in a segment, sorted by field and
// tag. Their tree (RFC 6962) has a leaf for each.
type DirectoryRows struct {
	Stream, Bucket uint32

	secret    Key256
	tags      []Tag
	ends      []uint32 // where the positions of each row end
	positions []uint16
}

// Len returns how many rows there are.
func (r *DirectoryRows) Len() int { return len(r.tags) }

// Tag returns the tag of a row.
func (r *DirectoryRows) Tag(i int) Tag { return r.tags[i] }

// Positions returns which entries of the segment have the tag of a row. The
// caller must not change them.
func (r *DirectoryRows) Positions(i int) []uint16 {
	if i == 0 {
		return r.positions[:r.ends[0]]
	}
	return r.positions[r.ends[i-1]:r.ends[i]]
}

// Salt returns the salt of a row.
func (r *DirectoryRows) Salt(i int) Key256 { return RowSalt(&r.secret, r.tags[i]) }

// Row returns a row.
func (r *DirectoryRows) Row(i int) DirectoryRow {
	salt := r.Salt(i)
	return DirectoryRow{Tag: r.tags[i], Entries: RowEntries(&salt, r.Positions(i))}
}

// Find returns the row of a tag, or where it would be.
func (r *DirectoryRows) Find(tag Tag) (i int, found bool) {
	return slices.BinarySearchFunc(r.tags, tag, compareTags)
}

// LeafHashes returns the hashes of all rows in their tree.
func (r *DirectoryRows) LeafHashes() []Hash {
	hashes := make([]Hash, r.Len())
	for i := range hashes {
		hashes[i] = r.Row(i).leafHash()
	}
	return hashes
}

// Hash returns what the head of the directory commits to:
// SHA-256("cairn/v1 directory rows\n" ‖ uint32 count ‖ root).
func (r *DirectoryRows) Hash() Hash {
	return rowsHash(uint32(r.Len()), rootOf(r.LeafHashes()))
}

// compareTags orders tags by their bytes: by field, then by value.
func compareTags(a, b Tag) int {
	if c := cmp.Compare(a.Field, b.Field); c != 0 {
		return c
	}
	return bytes.Compare(a.Value[:], b.Value[:])
}

// A DirectoryBuilder makes the rows of a small segment of the tags of its entries.
type DirectoryBuilder struct {
	segment SegmentID
	buckets map[uint32]*bucketBuilder
}

type bucketBuilder struct {
	stream uint32
	last   uint64
	seeds  []byte
	tagged []taggedEntry
}

type taggedEntry struct {
	tag      Tag
	position uint16
}

// NewDirectoryBuilder returns a builder for the small segment of a number.
func NewDirectoryBuilder(number uint64) *DirectoryBuilder {
	return &DirectoryBuilder{segment: SegmentID{Number: number}, buckets: make(map[uint32]*bucketBuilder)}
}

// Add adds a list of tags of an entry, with its seed. Within a bucket indices
// must rise, but for several lists of one entry. What is erased is not added.
func (b *DirectoryBuilder) Add(index uint64, stream, bucket uint32, seed *Key256, tags []Tag) error {
	if len(tags) == 0 {
		return nil
	}
	x := b.buckets[bucket]
	if x == nil {
		x = &bucketBuilder{stream: stream}
		b.buckets[bucket] = x
	}
	if index < b.segment.First() || index >= b.segment.End() || index < x.last {
		return fmt.Errorf("directory of %s: entry %d is not in it, or not behind those before", b.segment, index)
	}
	x.last = index
	position := uint16(index - b.segment.First())
	x.seeds = binary.BigEndian.AppendUint16(x.seeds, position)
	x.seeds = append(x.seeds, seed[:]...)
	for _, tag := range tags {
		x.tagged = append(x.tagged, taggedEntry{tag, position})
	}
	return nil
}

// Rows returns the rows of each bucket, by number. The secret of a bucket is
//
//	SHA-256("cairn/v1 directory secret\n" ‖ (uint16 position ‖ seed)…)
//
// over the lists that were added.
func (b *DirectoryBuilder) Rows() (list []*DirectoryRows) {
	for number, x := range b.buckets {
		r := &DirectoryRows{Stream: x.stream, Bucket: number}
		r.secret = sha256.Sum256(append([]byte("cairn/v1 directory secret\n"), x.seeds...))
		slices.SortFunc(x.tagged, func(a, b taggedEntry) int {
			if c := compareTags(a.tag, b.tag); c != 0 {
				return c
			}
			return cmp.Compare(a.position, b.position)
		})
		for _, t := range slices.Compact(x.tagged) {
			r.add(t.tag, t.position)
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *DirectoryRows) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return list
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
// its small segments, nil where there are none. The secret is
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
		if r != nil {
			merged.Stream, merged.Bucket = r.Stream, r.Bucket
			secret = append(append(secret, byte(i)), r.secret[:]...)
			rows, positions = max(rows, len(r.tags)), positions+len(r.positions)
		}
	}
	merged.secret = sha256.Sum256(secret)
	merged.tags, merged.positions = make([]Tag, 0, rows), make([]uint16, 0, positions)
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
