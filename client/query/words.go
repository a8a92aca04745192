package query

import (
	"iter"
	"unicode"
	"unicode/utf8"

	"github.com/cairnlog/cairn/proofs"
)

// MaxWord is how many bytes a word has at most. Longer ones are cut.
const MaxWord = 64

// Words returns the words of a payload, each with the number of the value that
// it is in, from 0. A word is valid until the next one. It has 1 to [MaxWord]
// bytes, and comes as often as it is there.
//
// The values of a payload that is JSON, as [proofs.CheckJSON] has it, are its
// strings and numbers, but not the names of members. Any other payload that is
// UTF-8 is one value, and one that is not has no words.
//
// A word is a longest run of letters, marks and numbers (the categories L, M
// and N of Unicode), but for characters of the scripts Han and Hiragana, which
// are each a word. All cases of a letter are one, by simple case folding; nothing
// else is normalized.
func Words(payload []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		t := tokenizer{data: payload, yield: yield}
		switch {
		case proofs.CheckJSON(payload) == nil:
			t.json()
		case utf8.Valid(payload):
			t.text(len(payload))
		}
	}
}

// textWords returns the words of a text.
func textWords(text string) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		t := tokenizer{data: []byte(text), yield: yield}
		t.text(len(text))
	}
}

// A tokenizer finds words. Its methods return false when no more are wanted.
type tokenizer struct {
	data  []byte
	at    int
	value int // the number of the value that is read
	yield func(int, []byte) bool

	word [MaxWord]byte // one that is not in the data as it is
	size int
	full bool // the rest of the word is cut
}

// json reads the values of a JSON text, which has been checked.
func (t *tokenizer) json() bool {
	var objects uint64 // a bit for each array or object that is open: is it an object?
	name := false      // does a string here name a member?
	for t.at < len(t.data) {
		c := t.data[t.at]
		switch {
		case c == '"' && name:
			t.at = stringEnd(t.data, t.at)
			continue
		case c == '"':
			if !t.string() {
				return false
			}
			continue
		case c == '-' || '0' <= c && c <= '9':
			if !t.number() {
				return false
			}
			continue
		case c == '{':
			objects, name = objects<<1|1, true
		case c == '[':
			objects, name = objects<<1, false
		case c == '}' || c == ']':
			objects >>= 1
		case c == ',':
			name = objects&1 == 1
		case c == ':':
			name = false
		}
		t.at++
	}
	return true
}

// number reads a number as a text.
func (t *tokenizer) number() bool {
	ok := t.text(scalarEnd(t.data, t.at))
	t.value++
	return ok
}

// text reads the words up to end.
func (t *tokenizer) text(end int) bool {
	for t.at < end {
		if classes[t.data[t.at]] == gap {
			t.at++
			continue
		}
		start := t.at
		for t.at < end && classes[t.data[t.at]] == plainWord {
			t.at++
		}
		if t.at == end || classes[t.data[t.at]] == gap {
			if !t.yield(t.value, t.data[start:min(t.at, start+MaxWord)]) {
				return false
			}
			continue
		}
		t.begin(start)
		for t.at < end && classes[t.data[t.at]] != gap {
			r, size := rune(t.data[t.at]), 1
			if r >= utf8.RuneSelf {
				r, size = utf8.DecodeRune(t.data[t.at:end])
			}
			t.at += size
			if !t.rune(r) {
				return false
			}
		}
		if !t.end() {
			return false
		}
	}
	return true
}

// string reads a string.
func (t *tokenizer) string() bool {
	t.at++
	for t.data[t.at] != '"' {
		c := t.data[t.at]
		if classes[c] == gap && (c != '\\' || t.data[t.at+1] != 'u') {
			t.at++
			if c == '\\' {
				t.at++
			}
			continue
		}
		start := t.at
		for classes[t.data[t.at]] == plainWord {
			t.at++
		}
		if c := t.data[t.at]; classes[c] == gap && (c != '\\' || t.data[t.at+1] != 'u') {
			if !t.yield(t.value, t.data[start:min(t.at, start+MaxWord)]) {
				return false
			}
			continue
		}
		if !t.foldedWord(start) {
			return false
		}
	}
	t.at++
	t.value++
	return true
}

// foldedWord reads a word of a string that is not in the data as it is.
func (t *tokenizer) foldedWord(start int) bool {
	t.begin(start)
	for {
		c := t.data[t.at]
		r, size := rune(c), 1
		switch {
		case c == '\\' && t.data[t.at+1] == 'u':
			r, size = escaped(t.data[t.at:])
		case classes[c] == gap:
			return t.end()
		case r >= utf8.RuneSelf:
			r, size = utf8.DecodeRune(t.data[t.at:])
		}
		t.at += size
		if !t.rune(r) {
			return false
		}
	}
}

// begin begins a word with what is in the data from start on.
func (t *tokenizer) begin(start int) {
	t.size = copy(t.word[:], t.data[start:t.at])
	t.full = t.at-start > MaxWord
}

// rune appends to the word, or ends it.
func (t *tokenizer) rune(r rune) bool {
	if r < utf8.RuneSelf {
		if classes[r] == gap {
			return t.end()
		}
		if classes[r] == upper {
			r += 'a' - 'A'
		}
		return t.append(r)
	}
	if !isWord(r) {
		return t.end()
	}
	if isolated(r) {
		return t.end() && t.append(r) && t.end()
	}
	return t.append(fold(r))
}

func (t *tokenizer) append(r rune) bool {
	if t.full = t.full || t.size+utf8.RuneLen(r) > MaxWord; !t.full {
		t.size += utf8.EncodeRune(t.word[t.size:], r)
	}
	return true
}

// end gives away the word, if there is one.
func (t *tokenizer) end() bool {
	size := t.size
	t.size, t.full = 0, false
	return size == 0 || t.yield(t.value, t.word[:size])
}

// isWord reports whether a character is in words.
func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r)
}

// isolated reports whether a character of words is a word by itself.
func isolated(r rune) bool {
	return r >= 0x2e80 && unicode.In(r, unicode.Han, unicode.Hiragana)
}

// fold returns one of all cases of a letter, as a small one where there is.
func fold(r rune) rune {
	first := r
	for c := unicode.SimpleFold(r); c != r; c = unicode.SimpleFold(c) {
		first = min(first, c)
	}
	return unicode.ToLower(first)
}

// What the first byte of a character says.
const (
	gap       = 0 // it is in no word
	plainWord = 1 // it is in a word as it is
	upper     = 2 // a capital letter
	wide      = 3 // more than one byte
)

// classes has one of these for each byte.
var classes = func() (c [256]byte) {
	for i := range c {
		switch {
		case i >= utf8.RuneSelf:
			c[i] = wide
		case 'a' <= i && i <= 'z' || '0' <= i && i <= '9':
			c[i] = plainWord
		case 'A' <= i && i <= 'Z':
			c[i] = upper
		}
	}
	return c
}()
