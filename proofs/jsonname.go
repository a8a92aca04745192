package proofs

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// A jsonName is a name in an open object. Names with different marks differ.
type jsonName struct {
	mark       uint64
	start, end int // in the data, or if it had escapes in scratch
	escaped    bool
	at         int // where it began
}

// name reads a name and its colon, and returns what it stands for. The names
// of the object begin at first.
func (s *jsonScanner) name(first int) ([]byte, error) {
	at := s.at
	if at >= len(s.data) || s.data[at] != '"' {
		return nil, s.fail(at, "a name in quotes is due")
	}
	str, err := s.string()
	if err != nil {
		return nil, err
	}
	s.space()
	if s.at >= len(s.data) || s.data[s.at] != ':' {
		return nil, s.fail(s.at, "':' is due after a name")
	}
	s.at++
	s.space()
	n := jsonName{start: str.start, end: str.end, escaped: str.escaped, at: at}
	if str.escaped {
		n.start = len(s.scratch)
		s.scratch = appendUnescaped(s.scratch, s.data[str.start:str.end])
		n.end = len(s.scratch)
	}
	text := s.nameText(n)
	n.mark = nameMark(text)
	if before := s.names[first:]; len(before) < sortNames {
		for i := range before {
			if before[i].mark == n.mark && bytes.Equal(s.nameText(before[i]), text) {
				return nil, s.fail(at, repeatedName)
			}
		}
	}
	s.names = append(s.names, n)
	return text, nil
}

const (
	// sortNames is how many names of an object are compared one by one. Those
	// of a larger one are sorted at its end, so that no input takes quadratic time.
	sortNames = 64

	repeatedName = "a name that the object already has: send each once"
)

// endNames forgets the names of an object that ends.
func (s *jsonScanner) endNames(first int) error {
	names := s.names[first:]
	s.names = s.names[:first]
	if len(names) <= sortNames {
		return nil
	}
	slices.SortFunc(names, func(a, b jsonName) int {
		if c := cmp.Compare(a.mark, b.mark); c != 0 {
			return c
		}
		return bytes.Compare(s.nameText(a), s.nameText(b))
	})
	for i := 1; i < len(names); i++ {
		a, b := names[i-1], names[i]
		if a.mark == b.mark && bytes.Equal(s.nameText(a), s.nameText(b)) {
			return s.fail(max(a.at, b.at), repeatedName)
		}
	}
	return nil
}

func (s *jsonScanner) nameText(n jsonName) []byte {
	if n.escaped {
		return s.scratch[n.start:n.end]
	}
	return s.data[n.start:n.end]
}

// nameMark returns 64 bits of a name, in which names that people use differ.
func nameMark(b []byte) uint64 {
	n := uint64(len(b))
	if n >= 8 {
		return binary.LittleEndian.Uint64(b) ^ binary.LittleEndian.Uint64(b[n-8:])*0x9e3779b97f4a7c15 ^ n<<56
	}
	var m uint64
	for _, c := range b {
		m = m<<8 | uint64(c)
	}
	return m ^ n<<56
}
