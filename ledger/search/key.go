package search

import "github.com/cairnlog/cairn/client/query"

// The key of a word's row is the word. The key of a value's row begins with the
// sort key of package query, so that rows are in the order in which values
// compare:
//
//	a text:       the sort key, which has the value
//	another:      the sort key, the value, and its length in one byte
//	a long value: 0xff, and its first MaxValue bytes
//
// A value is long if it has more than MaxValue bytes, or more than maxCompared
// and is no text. Several long values may share a row.

const (
	longClass   = 0xff
	maxCompared = 255
)

// appendKey appends the key of a value.
func appendKey(b, value []byte) []byte {
	start := len(b)
	if len(value) > MaxValue {
		return append(append(b, longClass), value[:MaxValue]...)
	}
	b = query.AppendKey(b, string(value))
	switch {
	case query.Class(b[start]) == query.Text:
		return b
	case len(value) > maxCompared:
		return append(append(b[:start], longClass), value...)
	}
	return append(append(b, value...), byte(len(value)))
}

// keyValue returns the value that a key is of, and whether it is whole.
func keyValue(key []byte) (value []byte, whole bool) {
	switch {
	case len(key) == 0:
		return nil, false
	case key[0] == longClass:
		return key[1:], len(key) <= MaxValue
	case query.Class(key[0]) == query.Text:
		return key[1:], true
	}
	n := len(key) - 1 - int(key[len(key)-1])
	if n < 1 {
		return nil, false
	}
	return key[n : len(key)-1], true
}

// keyRange returns the keys, from first on and before end, of the values that
// compare as a field wants.
func keyRange(f query.Field) (first, end []byte) {
	first, end = f.KeyRange()
	if len(first) == 0 || query.Class(first[0]) == query.Text {
		return first, end
	}
	// A sort key and a zero are behind that sort key, but not behind the key of
	// a row that goes on with the value, which is ASCII.
	switch f.Op {
	case query.Greater:
		first[len(first)-1] = 0xff
	case query.LessEqual, query.Within:
		end[len(end)-1] = 0xff
	}
	return first, end
}

// prefixEnd returns the first key behind all that begin with prefix, or nil.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for len(end) > 0 {
		if end[len(end)-1]++; end[len(end)-1] != 0 {
			return end
		}
		end = end[:len(end)-1]
	}
	return nil
}
