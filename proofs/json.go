package proofs

import (
	"bytes"
	"fmt"
)

// MaxJSONDepth is how deep arrays and objects may nest in an event.
const MaxJSONDepth = 64

// CheckJSON reports whether b is one JSON text (RFC 8259) that no two parsers
// understand differently. Beyond the grammar it demands that
//
//   - all of it is UTF-8, without a byte order mark,
//   - no object has a name twice, compared after unescaping,
//   - a \u escape of one half of a surrogate pair is followed by the other,
//   - arrays and objects nest at most [MaxJSONDepth] deep,
//   - nothing but white space follows the value.
//
// Numbers can be of any size and precision: see [Extractor] for what becomes
// of them. Its errors match [ErrMalformed] and name the byte, counted from 0.
func CheckJSON(b []byte) error {
	s := jsonScanner{data: b, names: make([]jsonName, 0, sortNames)}
	return s.text()
}

// A jsonScanner checks a JSON text in one pass, and takes the values of
// declared fields on its way if there are any.
type jsonScanner struct {
	data  []byte
	at    int // the next byte
	depth int

	names   []jsonName // of all open objects, the innermost last
	scratch []byte     // unescaped names

	taker
}

func (s *jsonScanner) fail(at int, why string) error {
	return fmt.Errorf("%w: json: byte %d: %s", ErrMalformed, at, why)
}

// text reads the one value there is.
func (s *jsonScanner) text() error {
	s.space()
	if s.at == 0 && bytes.HasPrefix(s.data, []byte("\xef\xbb\xbf")) {
		return s.fail(0, "a byte order mark: leave it out")
	}
	if err := s.value(s.root()); err != nil {
		return err
	}
	s.space()
	if s.at < len(s.data) {
		return s.fail(s.at, "something follows the value: send one value at a time")
	}
	return nil
}

func (s *jsonScanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// value reads one value, to which the places of declared fields given apply.
func (s *jsonScanner) value(p selection) error {
	if s.split != nil && !p.none() {
		return s.splitValue(p)
	}
	return s.anyValue(p)
}

func (s *jsonScanner) anyValue(p selection) error {
	if s.at >= len(s.data) {
		return s.fail(s.at, "cut off where a value is due")
	}
	start := s.at
	switch c := s.data[s.at]; {
	case c == '"':
		str, err := s.string()
		if err != nil || p.none() {
			return err
		}
		return s.takeString(p, str)
	case c == '{':
		return s.object(p)
	case c == '[':
		return s.array(p)
	case c == '-' || '0' <= c && c <= '9':
		integer, err := s.number()
		if err != nil || p.none() {
			return err
		}
		return s.takeNumber(p, s.data[start:s.at], integer)
	case c == 't' || c == 'f' || c == 'n':
		if err := s.word(c); err != nil || p.none() {
			return err
		}
		return s.take(p, s.data[start:s.at], c == 'n')
	}
	return s.fail(s.at, "no value begins so")
}

// word reads true, false or null.
func (s *jsonScanner) word(first byte) error {
	word := "null"
	if first == 't' {
		word = "true"
	} else if first == 'f' {
		word = "false"
	}
	if rest := s.data[s.at:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.fail(s.at, "no value begins so: is it "+word+"?")
	}
	s.at += len(word)
	return nil
}

// number reads a number and says whether it has neither fraction nor exponent.
func (s *jsonScanner) number() (integer bool, err error) {
	if s.data[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.data) && s.data[s.at] == '0' {
		s.at++
	} else if !s.digits() {
		return false, s.fail(s.at, "a digit is due")
	}
	integer = true
	if s.at < len(s.data) && s.data[s.at] == '.' {
		s.at++
		integer = false
		if !s.digits() {
			return false, s.fail(s.at, "a digit is due after the point")
		}
	}
	if s.at < len(s.data) && s.data[s.at]|0x20 == 'e' {
		s.at++
		integer = false
		if s.at < len(s.data) && (s.data[s.at] == '+' || s.data[s.at] == '-') {
			s.at++
		}
		if !s.digits() {
			return false, s.fail(s.at, "a digit is due in the exponent")
		}
	}
	return integer, nil
}

// digits reads digits and says whether there was one.
func (s *jsonScanner) digits() bool {
	start := s.at
	for s.at < len(s.data) && s.data[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > start
}

func (s *jsonScanner) enter() error {
	if s.depth++; s.depth > MaxJSONDepth {
		return s.fail(s.at, fmt.Sprintf("arrays and objects nest more than %d deep: flatten the event", MaxJSONDepth))
	}
	s.at++
	s.space()
	return nil
}

// closes reads end, if it comes next, and so leaves an array or object.
func (s *jsonScanner) closes(end byte) bool {
	if s.at < len(s.data) && s.data[s.at] == end {
		s.at++
		s.depth--
		return true
	}
	return false
}

// comma reads the comma before a further element.
func (s *jsonScanner) comma(end byte) error {
	if s.at >= len(s.data) || s.data[s.at] != ',' {
		return s.fail(s.at, fmt.Sprintf("',' or '%c' is due", end))
	}
	s.at++
	s.space()
	return nil
}

func (s *jsonScanner) array(p selection) error {
	if err := s.enter(); err != nil {
		return err
	}
	for i := 0; !s.closes(']'); i++ {
		if i > 0 {
			if err := s.comma(']'); err != nil {
				return err
			}
		}
		below := s.element(p, i)
		if err := s.value(below); err != nil {
			return err
		}
		s.leave(below)
		s.space()
	}
	return nil
}

func (s *jsonScanner) object(p selection) error {
	if err := s.enter(); err != nil {
		return err
	}
	first := len(s.names)
	for !s.closes('}') {
		if len(s.names) > first {
			if err := s.comma('}'); err != nil {
				return err
			}
		}
		name, err := s.name(first)
		if err != nil {
			return err
		}
		below := s.member(p, name)
		if err := s.value(below); err != nil {
			return err
		}
		s.leave(below)
		s.space()
	}
	return s.endNames(first)
}
