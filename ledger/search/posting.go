package search

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// A posting is where a value or a word occurs, as it lies in a row:
//
//	one position:        varint(position << 1 | 1)
//	at most span/16:     varint(count << 1), varint(bytes), then each position as
//	                     varint(what it exceeds its predecessor by, less 1)
//	more than that:      varint(count << 1), span/8 bytes, a bit for each position,
//	                     the lowest of a byte first
//
// where span is how many entries the segment has. Varints are as short as can
// be, so that a set of positions has one form.
type posting struct {
	n    int
	span int
	only uint16   // if n is 1 and list is nil
	data []byte   // the list or the bits
	list []uint16 // of what is in memory
}

// appendPosting appends rising positions, of which there is at least one.
func appendPosting(b []byte, positions []uint16, span int) []byte {
	n := len(positions)
	switch {
	case n == 1:
		return binary.AppendUvarint(b, uint64(positions[0])<<1|1)
	case dense(n, span):
		b = binary.AppendUvarint(b, uint64(n)<<1)
		start := len(b)
		b = append(b, make([]byte, span/8)...)
		for _, p := range positions {
			b[start+int(p)/8] |= 1 << (p % 8)
		}
		return b
	}
	b = binary.AppendUvarint(b, uint64(n)<<1)
	size, last := 0, -1
	for _, p := range positions {
		size += varintSize(uint64(int(p) - last - 1))
		last = int(p)
	}
	b = binary.AppendUvarint(b, uint64(size))
	last = -1
	for _, p := range positions {
		b = binary.AppendUvarint(b, uint64(int(p)-last-1))
		last = int(p)
	}
	return b
}

func varintSize(v uint64) (n int) {
	for n = 1; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// uvarint reads a varint that is as short as can be; n is 0 where there is none.
func uvarint(b []byte) (v uint64, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	if len(b) > 1 && b[1] < 0x80 && b[1] > 0 {
		return uint64(b[0]&0x7f) | uint64(b[1])<<7, 2
	}
	v, n = binary.Uvarint(b)
	if n < 2 || b[n-1] == 0 {
		return 0, 0
	}
	return v, n
}

// parsePosting reads a posting and returns what follows it. What its data says
// is checked when it is used.
func parsePosting(b []byte, span int) (p posting, rest []byte, err error) {
	head, n := uvarint(b)
	if n == 0 {
		return p, nil, malformed("posting: no count")
	}
	b, p.span = b[n:], span
	if head&1 == 1 {
		if head>>1 >= uint64(span) {
			return p, nil, malformed("posting: position %d of %d", head>>1, span)
		}
		p.n, p.only = 1, uint16(head>>1)
		return p, b, nil
	}
	if head>>1 < 2 || head>>1 > uint64(span) {
		return p, nil, malformed("posting: %d of %d positions", head>>1, span)
	}
	p.n = int(head >> 1)
	size := uint64(span / 8)
	if !dense(p.n, span) {
		size, n = uvarint(b)
		if n == 0 {
			return p, nil, malformed("posting: no size")
		}
		b = b[n:]
	}
	if size > uint64(len(b)) {
		return p, nil, malformed("posting: cut off")
	}
	p.data = b[:size:size]
	return p, b[size:], nil
}

// set returns the positions.
func (p posting) set() (*set, error) {
	switch {
	case p.list != nil:
		return listSet(p.list), nil
	case p.n == 1:
		return listSet([]uint16{p.only}), nil
	case dense(p.n, p.span):
		words := make([]uint64, p.span/64)
		for i := range words {
			words[i] = binary.LittleEndian.Uint64(p.data[8*i:])
		}
		s := bitSet(words)
		if s.n != p.n {
			return nil, malformed("posting: %d bits for %d positions", s.n, p.n)
		}
		return s, nil
	}
	list, err := p.appendTo(make([]uint16, 0, p.n), 0)
	if err != nil {
		return nil, err
	}
	return listSet(list), nil
}

// appendTo appends the positions, each moved by base, to a list.
func (p posting) appendTo(list []uint16, base int) ([]uint16, error) {
	switch {
	case p.list != nil:
		for _, position := range p.list {
			list = append(list, uint16(base+int(position)))
		}
		return list, nil
	case p.n == 1:
		return append(list, uint16(base+int(p.only))), nil
	case dense(p.n, p.span):
		s, err := p.set()
		if err != nil {
			return nil, err
		}
		for at := s.next(0); at >= 0; at = s.next(at + 1) {
			list = append(list, uint16(base+at))
		}
		return list, nil
	}
	return p.appendDeltas(list, base)
}

// keep returns which positions of a list are among these.
func (p posting) keep(list []uint16) (*set, error) {
	if p.list != nil || p.n == 1 || !dense(p.n, p.span) {
		s, err := p.set()
		if err != nil {
			return nil, err
		}
		return s.and(listSet(list)), nil
	}
	kept := make([]uint16, 0, len(list))
	for _, position := range list {
		if p.data[position/8]>>(position%8)&1 == 1 {
			kept = append(kept, position)
		}
	}
	return listSet(kept), nil
}

// countAmong returns how many of the positions are among some, of which there is
// a bit for each position.
func (p posting) countAmong(among []uint64) (n int, err error) {
	has := func(position int) int { return int(among[position/64] >> (position % 64) & 1) }
	switch {
	case p.list != nil:
		for _, position := range p.list {
			n += has(int(position))
		}
		return n, nil
	case p.n == 1:
		return has(int(p.only)), nil
	case dense(p.n, p.span):
		for i, w := range among {
			n += bits.OnesCount64(w & binary.LittleEndian.Uint64(p.data[8*i:]))
		}
		return n, nil
	}
	data, i, last := p.data, 0, -1
	for range p.n {
		if i < len(data) && data[i] < 0x80 { // most are
			last += 1 + int(data[i])
			i++
		} else if last, i = p.far(last, i); i == 0 {
			return 0, malformed("posting: no position")
		}
		if uint(last) >= uint(p.span) {
			return 0, malformed("posting: position %d of %d", last, p.span)
		}
		n += int(among[uint(last)/64] >> (uint(last) % 64) & 1)
	}
	return n, nil
}

// far reads the position that lies at i and follows last, and returns it and
// where the next one lies, which is 0 if there is none.
func (p posting) far(last, i int) (position, next int) {
	v, size := uvarint(p.data[i:])
	if size == 0 || v >= uint64(p.span) {
		return 0, 0
	}
	return last + 1 + int(v), i + size
}

func (p posting) appendDeltas(list []uint16, base int) ([]uint16, error) {
	start := len(list)
	list = slices.Grow(list, p.n)[:start+p.n]
	data, i, last := p.data, 0, -1
	for at := range list[start:] {
		if i < len(data) && data[i] < 0x80 { // most are
			last += 1 + int(data[i])
			i++
		} else if last, i = p.far(last, i); i == 0 {
			return nil, malformed("posting: no position")
		}
		if last >= p.span {
			return nil, malformed("posting: position %d of %d", last, p.span)
		}
		list[start+at] = uint16(base + last)
	}
	if i < len(data) {
		return nil, malformed("posting: more than %d positions", p.n)
	}
	return list, nil
}

// malformed returns an error for bytes that no index has written.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errMalformed}, args...)...)
}
