package search

import (
	"bytes"
	"encoding/binary"
)

// Rows lie in blocks in the order of their keys:
//
//	varint(how many bytes the key shares with the one before, at most)
//	varint(bytes that follow), these bytes
//	the posting
//
// The first row of a block shares nothing.

// maxKey bounds a row's key in bytes.
const maxKey = 2 * MaxValue

// appendRow appends a row to a block in which key follows last.
func appendRow(b, last, key []byte, positions []uint16, span int) []byte {
	shared := commonPrefix(last, key)
	b = binary.AppendUvarint(b, uint64(shared))
	b = binary.AppendUvarint(b, uint64(len(key)-shared))
	b = append(b, key[shared:]...)
	return appendPosting(b, positions, span)
}

func commonPrefix(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// A rowReader reads the rows of one block.
type rowReader struct {
	rest []byte
	span int
	row  int // counts those read

	key  []byte // of the last row; overwritten by the next one
	post posting
}

// head reads what precedes a row's posting.
func (r *rowReader) head() (shared int, suffix []byte, err error) {
	v, n := uvarint(r.rest)
	if n == 0 {
		return 0, nil, malformed("row: cut off")
	}
	r.rest = r.rest[n:]
	size, n := uvarint(r.rest)
	if n == 0 || size > uint64(len(r.rest)-n) {
		return 0, nil, malformed("row: cut off")
	}
	suffix, r.rest = r.rest[n:n+int(size)], r.rest[n+int(size):]
	if v > maxKey || size > maxKey || v+size > maxKey || v+size == 0 {
		return 0, nil, malformed("row: a key of %d+%d bytes", v, size)
	}
	return int(v), suffix, nil
}

// next reads a row into r.key and r.post. It is false at the end.
func (r *rowReader) next() (bool, error) {
	if len(r.rest) == 0 {
		return false, nil
	}
	shared, suffix, err := r.head()
	if err != nil {
		return false, err
	}
	last := r.key
	switch {
	case shared > len(last) || r.row == 0 && shared > 0:
		return false, malformed("row: shares more than there is")
	case r.row > 0 && (len(suffix) == 0 || shared < len(last) && suffix[0] <= last[shared]):
		return false, malformed("row: not behind the one before")
	}
	r.key = append(last[:shared], suffix...)
	r.row++
	r.post, r.rest, err = parsePosting(r.rest, r.span)
	return err == nil, err
}

// find returns the posting of a key. It builds no keys on its way: what a row
// shares with the one before says how it compares, but where that ends just
// where the row before left the key.
func (r *rowReader) find(key []byte) (posting, bool, error) {
	matched := 0 // of key, with the row before, which is smaller
	for len(r.rest) > 0 {
		shared, suffix, err := r.head()
		if err != nil {
			return posting{}, false, err
		}
		if shared < matched {
			return posting{}, false, nil
		}
		post, rest, err := parsePosting(r.rest, r.span)
		if err != nil {
			return posting{}, false, err
		}
		r.rest = rest
		if shared > matched {
			continue
		}
		n := commonPrefix(suffix, key[matched:])
		switch cmp := bytes.Compare(suffix[n:], key[matched+n:]); {
		case cmp == 0:
			return post, true, nil
		case cmp > 0:
			return posting{}, false, nil
		}
		matched += n
	}
	return posting{}, false, nil
}
