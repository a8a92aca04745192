package search

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
)

// terms are the rows of one section in memory: a table of keys, and a log of
// where each is, in which the positions of one key are a chain from the last to
// the first. They hold no pointers, and grow at their ends only.
type terms struct {
	seed  maphash.Seed
	slots []uint32 // number of the term and 1, or 0; a power of two of them, at most half of them in use
	terms []term
	keys  []byte // one after the other
	log   []occurrence
}

type term struct {
	key  int    // where in keys
	last uint32 // the last occurrence, in the log
	n    uint32
	size uint16 // of the key
}

type occurrence struct {
	before   uint32 // of the same term, if it is not the first
	position uint16
}

// A termsSize is how large terms are, or may become.
type termsSize struct{ terms, keys, log int }

func (t *terms) size() termsSize { return termsSize{len(t.terms), len(t.keys), len(t.log)} }

// newTerms returns terms with room for a little more than some size.
func newTerms(room termsSize) *terms {
	slots := 64
	for slots < 3*room.terms {
		slots *= 2
	}
	return &terms{
		seed:  maphash.MakeSeed(),
		slots: make([]uint32, slots),
		terms: make([]term, 0, room.terms*9/8),
		keys:  make([]byte, 0, room.keys*9/8),
		log:   make([]occurrence, 0, room.log*9/8),
	}
}

func (t *terms) key(i uint32) []byte {
	k := &t.terms[i]
	return t.keys[k.key : k.key+int(k.size) : k.key+int(k.size)]
}

// slot returns where a key is in the table, or would be.
func (t *terms) slot(key []byte) int {
	at := int(maphash.Bytes(t.seed, key)) & (len(t.slots) - 1)
	for t.slots[at] != 0 && !bytes.Equal(t.key(t.slots[at]-1), key) {
		at = (at + 1) & (len(t.slots) - 1)
	}
	return at
}

// put notes that a key occurs at a position, which is none before the last one.
// It returns about how many bytes that takes.
func (t *terms) put(key []byte, position uint16) (cost int) {
	at := t.slot(key)
	if t.slots[at] == 0 {
		if 2*len(t.terms) >= len(t.slots) {
			t.grow()
			at = t.slot(key)
		}
		t.terms = append(t.terms, term{key: len(t.keys), size: uint16(len(key))})
		t.keys = append(t.keys, key...)
		t.slots[at] = uint32(len(t.terms))
		cost = termCost + len(key)
	}
	k := &t.terms[t.slots[at]-1]
	if k.n > 0 && t.log[k.last].position == position {
		return cost
	}
	t.log = append(t.log, occurrence{k.last, position})
	k.last, k.n = uint32(len(t.log)-1), k.n+1
	return cost + occurrenceCost
}

// What a term and an occurrence take, in bytes, with the room that is not used.
const (
	termCost       = 48
	occurrenceCost = 10
)

func (t *terms) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	for i := range t.terms {
		t.slots[t.slot(t.key(uint32(i)))] = uint32(i) + 1
	}
}

// positions returns the positions of a term that are below end, in list if
// there is room.
func (t *terms) positions(i uint32, end int, list []uint16) []uint16 {
	n, at := int(t.terms[i].n), t.terms[i].last
	for n > 0 && int(t.log[at].position) >= end {
		n, at = n-1, t.log[at].before
	}
	list = slices.Grow(list[:0], n)[:n]
	for ; n > 0; n-- {
		list[n-1] = t.log[at].position
		at = t.log[at].before
	}
	return list
}

// find returns the number of a key's term.
func (t *terms) find(key []byte) (i uint32, ok bool) {
	i = t.slots[t.slot(key)]
	return i - 1, i > 0
}

// sorted returns the numbers of the terms from a key on and before another, by
// their keys. A nil end is none.
func (t *terms) sorted(from, to []byte) []uint32 {
	type entry struct {
		head   uint64 // the first bytes of the key, which tell most keys apart
		number uint32
	}
	var list []entry
	if from == nil && to == nil {
		list = make([]entry, 0, len(t.terms))
	}
	for i := range uint32(len(t.terms)) {
		key := t.key(i)
		if bytes.Compare(key, from) >= 0 && (to == nil || bytes.Compare(key, to) < 0) {
			list = append(list, entry{head(key), i})
		}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		return bytes.Compare(t.key(a.number), t.key(b.number))
	})
	numbers := make([]uint32, len(list))
	for i, e := range list {
		numbers[i] = e.number
	}
	return numbers
}

// head returns the first 8 bytes of a key, as a number; missing ones are 0.
func head(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// allPositions is an end that no position reaches.
const allPositions = math.MaxUint16 + 1
