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
	if proofs.CheckJSON(payload) == nil {
		return JSONWords(payload)
	}
	return plainWords(payload)
}

// JSONWords is [Words] for a payload that [proofs.CheckJSON], or a
// [proofs.Extractor], has found to be JSON. It takes half the time, and panics, or
// returns anything, if the payload is not JSON.
func JSONWords(payload []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		t := tokenizer{data: payload, yield: yield}
		t.json()
	}
}

// plainWords returns the words of a payload that is no JSON.
func plainWords(payload []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		t := tokenizer{data: payload, yield: yield}
		if utf8.Valid(payload) {
			t.text(len(payload))
		}
	}
}

// A tokenizer finds words. Its methods return false when no more are wanted.
type tokenizer struct {
	data  []byte
	at    int
	value int // the number of the value that is read
	yield func(int, []byte) bool

	word  [MaxWord]byte // one that is not in the data as it is
	size  int
	limit int // of size: less than MaxWord once a character did not fit
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
		start := t.at
		for t.at < end && classes[t.data[t.at]] == plainWord {
			t.at++
		}
		if t.at == end || classes[t.data[t.at]] == gap {
			if !t.plain(start) {
				return false
			}
			t.at = min(t.at+1, end)
			continue
		}
		for t.begin(start); t.at < end && classes[t.data[t.at]] != gap; {
			if c := t.data[t.at]; c < utf8.RuneSelf {
				t.appendByte(c)
				t.at++
				continue
			}
			r, size := utf8.DecodeRune(t.data[t.at:end])
			if t.at += size; !t.rune(r) {
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
	for t.at++; t.data[t.at] != '"'; {
		start := t.at
		for classes[t.data[t.at]] == plainWord {
			t.at++
		}
		switch c := t.data[t.at]; {
		case classes[c] != gap || c == '\\' && t.data[t.at+1] == 'u':
			if t.begin(start); !t.rest() {
				return false
			}
		case !t.plain(start):
			return false
		case c == '\\':
			t.at += 2
		case c != '"':
			t.at++
		}
	}
	t.at++
	t.value++
	return true
}

// rest reads a string, of which a word has begun, up to what ends the word.
func (t *tokenizer) rest() bool {
	for {
		c := t.data[t.at]
		switch classes[c] {
		case wide:
			r, size := utf8.DecodeRune(t.data[t.at:])
			if t.at += size; !t.rune(r) {
				return false
			}
		case gap:
			if c != '\\' || t.data[t.at+1] != 'u' {
				return t.end()
			}
			r, size := escaped(t.data[t.at:])
			if t.at += size; !t.rune(r) {
				return false
			}
		default:
			t.appendByte(c)
			t.at++
		}
	}
}

// plain gives away the word, if there is one, that is in the data from start on.
func (t *tokenizer) plain(start int) bool {
	return start == t.at || t.yield(t.value, t.data[start:min(t.at, start+MaxWord)])
}

// begin begins a word with what is in the data from start on.
func (t *tokenizer) begin(start int) {
	t.size = copy(t.word[:], t.data[start:t.at])
	t.limit = MaxWord
}

// appendByte appends a letter or digit of ASCII to the word.
func (t *tokenizer) appendByte(c byte) {
	if t.size < t.limit {
		t.word[t.size] = small[c]
		t.size++
	}
}

// rune appends a character to the word, or ends it.
func (t *tokenizer) rune(r rune) bool {
	switch {
	case !isWord(r):
		return t.end()
	case isolated(r):
		return t.end() && t.append(r) && t.end()
	}
	return t.append(fold(r))
}

func (t *tokenizer) append(r rune) bool {
	if t.size+utf8.RuneLen(r) > t.limit {
		t.limit = t.size
	} else {
		t.size += utf8.EncodeRune(t.word[t.size:], r)
	}
	return true
}

// end gives away the word, if there is one.
func (t *tokenizer) end() bool {
	size := t.size
	t.size, t.limit = 0, MaxWord
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

// small has what letters and digits of ASCII are in words.
var small = func() (s [256]byte) {
	for i := range s {
		s[i] = byte(i)
		if classes[i] == upper {
			s[i] |= 0x20
		}
	}
	return s
}()
