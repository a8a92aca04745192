package proofs

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
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

// LeafHash returns the hash of the row in the tree of the rows.
func (r DirectoryRow) LeafHash() Hash {
	var b [directoryRowSize]byte
	return LeafHash(r.append(b[:0]))
}

// rowsHash is what a head commits to: how many rows, and the root of their tree.
func rowsHash(count uint32, root Hash) Hash {
	b := binary.BigEndian.AppendUint32([]byte("cairn/v1 directory rows\n"), count)
	return sha256.Sum256(append(b, root[:]...))
}

// HashRows returns what a head commits to, as [DirectoryRows.Hash], for rows that
// somebody shows.
func HashRows(rows []DirectoryRow) Hash {
	level := make([]Hash, len(rows))
	for i, r := range rows {
		level[i] = r.LeafHash()
	}
	return rowsHash(uint32(len(rows)), rootOf(level))
}

// DirectoryRows are the rows of one bucket in a segment, sorted by field and
// tag. Their tree (RFC 6962) has a leaf for each.
type DirectoryRows struct {
	Stream, Bucket uint32
	Unread         []uint16 // as [DirectoryBucket] has them

	secret    Key256
	tags      []Tag
	ends      []uint32 // where the positions of each row end
	positions []uint16

	once  sync.Once
	upper [][]Hash // complete nodes of their tree, from keptLevel up
}

// Len returns how many rows there are.
func (r *DirectoryRows) Len() int { return len(r.tags) }

// Size returns how many bytes the rows take in memory.
func (r *DirectoryRows) Size() int { return len(r.tags)*(sealedTagSize+4) + 2*len(r.positions) }

// Secret returns what the salts of the rows are made of: see [RowSalt].
func (r *DirectoryRows) Secret() Key256 { return r.secret }

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

// compareTags orders tags by their bytes: by field, then by value.
func compareTags(a, b Tag) int {
	if c := cmp.Compare(a.Field, b.Field); c != 0 {
		return c
	}
	return bytes.Compare(a.Value[:], b.Value[:])
}
