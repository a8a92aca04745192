package search

import (
	"math/bits"
	"slices"
)

// A set is positions of entries within a segment: a list where they are few,
// else a bit for each position of the segment. It is never changed once made.
type set struct {
	list []uint16 // rising; where bits is nil
	bits []uint64 // as long as the segment asks for
	n    int
}

func none() *set { return &set{} }

// dense reports whether n of span positions are kept as bits, which take up to
// twice the room of a list and are many times as fast. The forms at
// rest follow the same rule.
func dense(n, span int) bool { return n > span/16 }

func listSet(list []uint16) *set { return &set{list: list, n: len(list)} }

func bitSet(words []uint64) *set {
	n := 0
	for _, w := range words {
		n += bits.OnesCount64(w)
	}
	return &set{bits: words, n: n}
}

// rangeSet returns the positions [start, end).
func rangeSet(start, end, span int) *set {
	if start >= end {
		return none()
	}
	words := make([]uint64, span/64)
	for w := start / 64; w <= (end-1)/64; w++ {
		words[w] = wordMask(w, start, end)
	}
	return &set{bits: words, n: end - start}
}

// wordMask returns the bits of word w that are of the positions [start, end).
func wordMask(w, start, end int) uint64 {
	mask := ^uint64(0)
	if d := start - w*64; d >= 64 {
		return 0
	} else if d > 0 {
		mask <<= d
	}
	if d := (w+1)*64 - end; d >= 64 {
		return 0
	} else if d > 0 {
		mask &= ^uint64(0) >> d
	}
	return mask
}

func (s *set) has(position uint16) bool {
	if s.bits != nil {
		return s.bits[position/64]&(1<<(position%64)) != 0
	}
	_, found := slices.BinarySearch(s.list, position)
	return found
}

// and returns what is in both.
func (s *set) and(o *set) *set {
	if s.n == 0 || o.n == 0 {
		return none()
	}
	if s.bits != nil && o.bits != nil {
		words := make([]uint64, len(s.bits))
		for i, w := range s.bits {
			words[i] = w & o.bits[i]
		}
		return bitSet(words)
	}
	if s.bits != nil || o.bits == nil && s.n > o.n {
		s, o = o, s
	}
	both := make([]uint16, 0, s.n)
	if o.bits == nil && o.n/8 <= s.n {
		return listSet(intersect(both, s.list, o.list))
	}
	for _, p := range s.list {
		if o.has(p) {
			both = append(both, p)
		}
	}
	return listSet(both)
}

func intersect(both, a, b []uint16) []uint16 {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both = append(both, a[i])
			i, j = i+1, j+1
		}
	}
	return both
}

// asBits returns a bit for each position.
func (s *set) asBits(span int) []uint64 {
	if s.bits != nil {
		return s.bits
	}
	words := make([]uint64, span/64)
	for _, p := range s.list {
		words[p/64] |= 1 << (p % 64)
	}
	return words
}

// or returns what is in either.
func (s *set) or(o *set, span int) *set {
	switch {
	case s.n == 0:
		return o
	case o.n == 0 || s == o:
		return s
	}
	var u union
	u.add(s, span)
	u.add(o, span)
	return u.set()
}

// without returns what is in s and not in o.
func (s *set) without(o *set, span int) *set {
	if s.n == 0 || o.n == 0 {
		return s
	}
	if s.bits == nil {
		rest := make([]uint16, 0, s.n)
		for _, p := range s.list {
			if !o.has(p) {
				rest = append(rest, p)
			}
		}
		return listSet(rest)
	}
	words := slices.Clone(s.bits)
	if o.bits == nil {
		for _, p := range o.list {
			words[p/64] &^= 1 << (p % 64)
		}
	}
	for i, w := range o.bits {
		words[i] &^= w
	}
	return bitSet(words)
}

// countIn returns how many positions are in [start, end).
func (s *set) countIn(start, end int) (n int) {
	if start >= end {
		return 0
	}
	if s.bits == nil {
		return below(s.list, end) - below(s.list, start)
	}
	for w := start / 64; w <= (end-1)/64; w++ {
		n += bits.OnesCount64(s.bits[w] & wordMask(w, start, end))
	}
	return n
}

// below returns how many positions of a list are below one.
func below(list []uint16, position int) int {
	n, _ := slices.BinarySearchFunc(list, position, func(p uint16, position int) int { return int(p) - position })
	return n
}

// next returns the first position at or above from, or -1.
func (s *set) next(from int) int {
	if s.bits == nil {
		if i := below(s.list, from); i < len(s.list) {
			return int(s.list[i])
		}
		return -1
	}
	for w := from / 64; w < len(s.bits); w++ {
		if b := s.bits[w] & wordMask(w, from, (w+1)*64); b != 0 {
			return w*64 + bits.TrailingZeros64(b)
		}
	}
	return -1
}

// previous returns the last position below before, or -1.
func (s *set) previous(before int) int {
	if s.bits == nil {
		return lastBelow(s.list, before)
	}
	for w := min((before+63)/64, len(s.bits)) - 1; w >= 0; w-- {
		if b := s.bits[w] & wordMask(w, 0, before); b != 0 {
			return w*64 + 63 - bits.LeadingZeros64(b)
		}
	}
	return -1
}

func lastBelow(list []uint16, before int) int {
	if i := below(list, before); i > 0 {
		return int(list[i-1])
	}
	return -1
}

// nth returns the position that n others are below, or -1.
func (s *set) nth(n int) int {
	switch {
	case n >= s.n:
		return -1
	case s.bits == nil:
		return int(s.list[n])
	}
	for w, b := range s.bits {
		c := bits.OnesCount64(b)
		if n < c {
			for ; n > 0; n-- {
				b &= b - 1
			}
			return w*64 + bits.TrailingZeros64(b)
		}
		n -= c
	}
	return -1
}

// A union gathers sets, of which there may be many.
type union struct {
	one  *set
	bits []uint64
}

func (u *union) add(s *set, span int) {
	if s.n == 0 {
		return
	}
	if u.one == nil && u.bits == nil {
		u.one = s
		return
	}
	if u.bits == nil {
		u.bits = make([]uint64, span/64)
		u.take(u.one)
		u.one = nil
	}
	u.take(s)
}

func (u *union) addOne(position uint16, span int) {
	if u.bits == nil {
		u.bits = make([]uint64, span/64)
		if u.one != nil {
			u.take(u.one)
			u.one = nil
		}
	}
	u.bits[position/64] |= 1 << (position % 64)
}

func (u *union) empty() bool { return u.one == nil && u.bits == nil }

func (u *union) take(s *set) {
	for _, p := range s.list {
		u.bits[p/64] |= 1 << (p % 64)
	}
	for i, w := range s.bits {
		u.bits[i] |= w
	}
}

func (u *union) set() *set {
	switch {
	case u.bits != nil:
		return bitSet(u.bits)
	case u.one != nil:
		return u.one
	}
	return none()
}
