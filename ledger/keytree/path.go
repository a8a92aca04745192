package keytree

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// The widths in bits of what paths are made of.
const (
	branchBits = 8
	streamBits = 32
	classBits  = 16
	periodBits = 32
	handleBits = 64
	indexBits  = 64 // and those of generations
	useBits    = 2

	streamLevel = branchBits + streamBits                          // what streams have apart
	bucketBits  = branchBits + streamBits + classBits + periodBits // a bucket's subtree
	subjectBits = branchBits + streamBits + handleBits             // a subject's subtree
	holdBits    = branchBits + indexBits                           // a hold's subtree, and that of an index of searches
	maxBits     = subjectBits + useBits                            // the deepest key
)

// The branches below the root.
const (
	bucketBranch  = 1
	subjectBranch = 2
	handleBranch  = 3
	holdBranch    = 4
	searchBranch  = 5
)

// A Use says what a key is for. Each use of a bucket, a subject, a hold or a
// search index has a key of its own, which tells nothing about the others.
type Use uint8

// The uses of keys. The last of the four values is reserved.
const (
	Sealing       Use = 0
	Tags          Use = 1
	Deduplication Use = 2
)

// String returns the use in one word.
func (u Use) String() string {
	switch u {
	case Sealing:
		return "sealing"
	case Tags:
		return "tags"
	case Deduplication:
		return "deduplication"
	}
	return fmt.Sprintf("use-%d", uint8(u))
}

// A Handle stands for one generation of a data subject in the paths of one
// stream: 64 bits of a keyed hash, see [Tree.Handle].
type Handle [handleBits / 8]byte

// String returns the handle in 16 hexadecimal digits.
func (h Handle) String() string { return hex.EncodeToString(h[:]) }

// A Path names one key, or a subtree of keys that are destroyed together. It
// is a bit string; the bits behind its end are zero, so that paths are equal
// exactly if == says so. The zero Path is the whole tree.
type Path struct {
	bits [(maxBits + 7) / 8]byte
	n    uint8
}

// Bucket returns the subtree with the keys of one bucket.
func Bucket(stream uint32, class uint16, period uint32) Path {
	p := Path{n: bucketBits}
	p.bits[0] = bucketBranch
	binary.BigEndian.PutUint32(p.bits[1:], stream)
	binary.BigEndian.PutUint16(p.bits[5:], class)
	binary.BigEndian.PutUint32(p.bits[7:], period)
	return p
}

// Buckets returns the fewest subtrees, at most 62, that together hold the
// buckets with periods in [from, to) and no others.
func Buckets(stream uint32, class uint16, from, to uint32) []Path {
	return cover(uint64(from), uint64(to), func(at uint64) Path { return Bucket(stream, class, uint32(at)) })
}

// cover returns the fewest subtrees that together hold the paths of the numbers
// in [at, end), which are their last bits.
func cover(at, end uint64, path func(uint64) Path) (paths []Path) {
	for at < end {
		p := path(at)
		size, depth := uint64(1), int(p.n)
		for at%(2*size) == 0 && end-at >= 2*size {
			size, depth = 2*size, depth-1
		}
		paths = append(paths, p.prefix(depth))
		at += size
	}
	return paths
}

// Subject returns the subtree with the keys of one generation of a data subject.
func Subject(stream uint32, handle Handle) Path {
	p := Path{n: subjectBits}
	p.bits[0] = subjectBranch
	binary.BigEndian.PutUint32(p.bits[1:], stream)
	copy(p.bits[5:], handle[:])
	return p
}

// Hold returns the subtree with the keys of the hold that the entry at an
// index made.
func Hold(index uint64) Path {
	p := Path{n: holdBits}
	p.bits[0] = holdBranch
	binary.BigEndian.PutUint64(p.bits[1:], index)
	return p
}

// Search returns the subtree with the keys of one generation of the search
// index.
func Search(generation uint64) Path {
	p := Path{n: holdBits}
	p.bits[0] = searchBranch
	binary.BigEndian.PutUint64(p.bits[1:], generation)
	return p
}

// SearchBefore returns the fewest subtrees, at most 63, that together hold the
// generations of the search index below one, which is below 2^63, and no others.
func SearchBefore(generation uint64) []Path { return cover(0, generation, Search) }

// For returns the path of the key for one use, below the subtree of a bucket,
// a subject, a hold or a search index. It panics if p is not one of these or the use is not
// known.
func (p Path) For(u Use) Path {
	if !p.isIdentity() || u > Deduplication {
		panic(fmt.Sprintf("keytree: no key for use %d below path %s", u, p))
	}
	return p.child(byte(u) >> 1).child(byte(u) & 1)
}

// String describes the path for people: "bucket 7/1/20454 sealing",
// "subject 7/0123456789abcdef", "hold 4711", "search index 4711", or its bits
// where it is none of these.
func (p Path) String() string {
	suffix, id := "", p
	if p.isKey() && p.branch() != handleBranch {
		id = p.prefix(int(p.n) - useBits)
		suffix = " " + Use(p.bit(int(p.n)-2)<<1|p.bit(int(p.n)-1)).String()
	}
	switch {
	case id.isIdentity() && id.branch() == bucketBranch:
		return fmt.Sprintf("bucket %d/%d/%d%s", binary.BigEndian.Uint32(id.bits[1:]),
			binary.BigEndian.Uint16(id.bits[5:]), binary.BigEndian.Uint32(id.bits[7:]), suffix)
	case id.isIdentity() && id.branch() == holdBranch:
		return fmt.Sprintf("hold %d%s", binary.BigEndian.Uint64(id.bits[1:]), suffix)
	case id.isIdentity() && id.branch() == searchBranch:
		return fmt.Sprintf("search index %d%s", binary.BigEndian.Uint64(id.bits[1:]), suffix)
	case id.isIdentity():
		return fmt.Sprintf("subject %d/%x%s", binary.BigEndian.Uint32(id.bits[1:]), id.bits[5:13], suffix)
	}
	return fmt.Sprintf("%x/%d", p.bits[:(p.n+7)/8], p.n)
}

// handleKey returns the path of the key that handles are made with.
func handleKey() Path {
	p := Path{n: branchBits}
	p.bits[0] = handleBranch
	return p
}

// branch returns the branch a path lies in; it has at least branchBits bits.
func (p Path) branch() byte { return p.bits[0] }

// isIdentity says whether p is the subtree of one bucket, subject, hold or
// generation of the search index.
func (p Path) isIdentity() bool {
	return p.n > branchBits && int(p.n)+useBits == depth(p.branch())
}

// isKey says whether p names a key.
func (p Path) isKey() bool {
	return p.n >= branchBits && int(p.n) == depth(p.branch())
}

// depth returns how many bits the paths of keys have in a branch. A branch
// that is not known has no keys; it can only be held as a whole.
func depth(branch byte) int {
	switch branch {
	case bucketBranch:
		return bucketBits + useBits
	case subjectBranch:
		return subjectBits + useBits
	case holdBranch, searchBranch:
		return holdBits + useBits
	}
	return branchBits
}

func (p Path) bit(i int) byte { return p.bits[i/8] >> (7 - i%8) & 1 }

func (p Path) child(bit byte) Path {
	p.bits[p.n/8] |= bit << (7 - p.n%8)
	p.n++
	return p
}

// prefix returns the first n bits of p.
func (p Path) prefix(n int) Path {
	for i := (n + 7) / 8; i < len(p.bits); i++ {
		p.bits[i] = 0
	}
	if n%8 != 0 {
		p.bits[n/8] &= 0xff << (8 - n%8)
	}
	p.n = uint8(n)
	return p
}

// sibling returns p with its last bit turned; p is not empty.
func (p Path) sibling() Path {
	p.bits[(p.n-1)/8] ^= 1 << (7 - (p.n-1)%8)
	return p
}

// within says whether q is p or above it.
func (p Path) within(q Path) bool {
	if p.n < q.n {
		return false
	}
	whole := q.n / 8
	return bytes.Equal(p.bits[:whole], q.bits[:whole]) &&
		(q.n%8 == 0 || (p.bits[whole]^q.bits[whole])>>(8-q.n%8) == 0)
}

// compare orders paths as bit strings, a prefix before what it begins.
func (p Path) compare(q Path) int {
	if c := bytes.Compare(p.bits[:], q.bits[:]); c != 0 {
		return c
	}
	return int(p.n) - int(q.n)
}
