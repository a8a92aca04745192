package query

import (
	"bytes"
	"unicode/utf8"

	"github.com/cairnlog/cairn/proofs"
)

// All of this reads JSON that [proofs.CheckJSON] has found to be it.

// stringEnd returns where the string ends that begins at a place.
func stringEnd(data []byte, at int) int {
	for at++; data[at] != '"'; at++ {
		if data[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// scalarEnd returns where the number, true, false or null ends that begins at
// a place.
func scalarEnd(data []byte, at int) int {
	for at < len(data) && data[at] > ' ' && data[at] != ',' && data[at] != ']' && data[at] != '}' {
		at++
	}
	return at
}

// escaped returns what the escape of a code point, or the two of a surrogate
// pair, stand for.
func escaped(b []byte) (r rune, size int) {
	r = hexadecimal(b[2:6])
	if r < 0xd800 || r > 0xdfff {
		return r, 6
	}
	return 0x10000 + (r-0xd800)<<10 + hexadecimal(b[8:12]) - 0xdc00, 12
}

func hexadecimal(b []byte) (r rune) {
	for _, c := range b {
		digit := c - '0'
		if c >= 'A' {
			digit = c&^0x20 - 'A' + 10
		}
		r = r<<4 | rune(digit)
	}
	return r
}

// unescape returns what a string in quotes stands for.
func unescape(quoted []byte) string {
	b := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	text := make([]byte, 0, len(b))
	for len(b) > 0 {
		switch {
		case b[0] != '\\':
			text, b = append(text, b[0]), b[1:]
		case b[1] == 'u':
			r, size := escaped(b)
			text, b = utf8.AppendRune(text, r), b[size:]
		default:
			c := b[1]
			if i := bytes.IndexByte([]byte("bfnrt"), c); i >= 0 {
				c = "\b\f\n\r\t"[i]
			}
			text, b = append(text, c), b[2:]
		}
	}
	return string(text)
}

// isString reports whether a string in quotes stands for a text.
func isString(quoted []byte, text string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == text
	}
	return unescape(quoted) == text
}

// A walker finds the values that a path selects in a JSON text: those that
// [proofs.Extractor] has for a field with this path, however many there are,
// but for numbers that have no canonical form.
type walker struct {
	data []byte
	at   int
	path proofs.Path
	take func(value string) (more bool)
	done bool // take wants no more
}

// value goes over the value that comes next, after some steps of the path, and
// gives away what is selected in it. Before and after it white space is gone over.
func (w *walker) value(steps int) {
	w.space()
	switch c := w.data[w.at]; {
	case c == '{':
		w.object(steps)
	case c == '[':
		w.array(steps)
	default:
		start := w.at
		w.at = scalarEnd(w.data, w.at)
		if c == '"' {
			w.at = stringEnd(w.data, start)
		}
		if steps == len(w.path) && !w.done {
			w.scalar(w.data[start:w.at])
		}
	}
	w.space()
}

func (w *walker) space() {
	for w.at < len(w.data) && w.data[w.at] <= ' ' {
		w.at++
	}
}

// unselected is how many steps have been gone where the path does not lead.
const unselected = -1

func (w *walker) object(steps int) {
	for w.enter(); w.data[w.at] != '}'; w.comma() {
		start := w.at
		w.at = stringEnd(w.data, w.at)
		below := w.below(steps, func(s proofs.Step) bool {
			return s.Kind == proofs.Every || s.Kind == proofs.Member && isString(w.data[start:w.at], s.Name)
		})
		w.space()
		w.at++ // the colon
		w.value(below)
	}
	w.at++
}

func (w *walker) array(steps int) {
	i := 0
	for w.enter(); w.data[w.at] != ']'; w.comma() {
		below := w.below(steps, func(s proofs.Step) bool {
			return s.Kind == proofs.Every || s.Kind == proofs.Element && s.Index == i
		})
		if c := w.data[w.at]; steps == len(w.path) && c != '[' && c != '{' {
			below = steps // an array has the values of its elements
		}
		w.value(below)
		i++
	}
	w.at++
}

// below returns how many steps lead to a child, if the next one does.
func (w *walker) below(steps int, leads func(proofs.Step) bool) int {
	if steps == unselected || steps == len(w.path) || w.done || !leads(w.path[steps]) {
		return unselected
	}
	return steps + 1
}

// enter goes to the first child of an array or object, or its end.
func (w *walker) enter() {
	w.at++
	w.space()
}

// comma goes to the next child of an array or object, if there is one.
func (w *walker) comma() {
	if w.data[w.at] == ',' {
		w.at++
		w.space()
	}
}

// scalar gives away a string, a number, true, false or null.
func (w *walker) scalar(text []byte) {
	switch c := text[0]; {
	case c == '"':
		w.done = !w.take(unescape(text))
	case c == '-' || '0' <= c && c <= '9':
		if number, ok := canonicalNumber(text); ok {
			w.done = !w.take(number)
		}
	default:
		w.done = !w.take(string(text))
	}
}

// canonicalNumber returns the canonical form of a number, if it has one.
func canonicalNumber(text []byte) (string, bool) {
	if _, end := scanDigits(string(text), 0); end == len(text) && end <= 21 {
		return string(text), true
	}
	values, err := proofs.ExtractFields(text, []proofs.Field{{Number: 1, Name: "n", Path: "$"}})
	if err != nil {
		return "", false
	}
	return string(values[0].Value), true
}
