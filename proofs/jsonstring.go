package proofs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// A jsonString is a string in the data, without its quotes.
type jsonString struct {
	start, end int
	escaped    bool // has escapes
}

// string reads a string.
func (s *jsonScanner) string() (jsonString, error) {
	s.at++
	str := jsonString{start: s.at}
	for {
		s.at += plainLength(s.data[s.at:])
		if s.at >= len(s.data) {
			return str, s.fail(s.at, "cut off within a string")
		}
		switch c := s.data[s.at]; {
		case c == '"':
			str.end = s.at
			s.at++
			return str, nil
		case c == '\\':
			str.escaped = true
			if err := s.escape(); err != nil {
				return str, err
			}
		case c < 0x20:
			return str, s.fail(s.at, fmt.Sprintf(`control character in a string: write it as \u%04x`, c))
		default:
			r, size := utf8.DecodeRune(s.data[s.at:])
			if r == utf8.RuneError && size <= 1 {
				return str, s.fail(s.at, "not UTF-8: encode the text, or send the bytes in base64")
			}
			s.at += size
		}
	}
}

// plainLength returns how many bytes at the front of b stand for themselves:
// printable ASCII but the quote and the backslash.
func plainLength(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		// Eight bytes at once: a top bit is set where a byte is not ASCII, below
		// a space, a quote or a backslash; a borrow can only set one too many.
		w := binary.LittleEndian.Uint64(b[n:])
		quote, slash := w^ones*'"', w^ones*'\\'
		if (w|(w-ones*' ')|(quote-ones)|(slash-ones))&tops != 0 {
			break
		}
	}
	for n < len(b) && b[n] >= ' ' && b[n] < 0x80 && b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

// escape reads an escape sequence, or the two of a surrogate pair.
func (s *jsonScanner) escape() error {
	at := s.at
	if at+1 >= len(s.data) {
		return s.fail(at, "cut off within a string")
	}
	if s.data[at+1] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), s.data[at+1]) < 0 {
			return s.fail(at, "no escape sequence begins so")
		}
		s.at += 2
		return nil
	}
	high, ok := hexDigits(s.data[at+2:])
	if !ok {
		return s.fail(at, `four hexadecimal digits are due after \u`)
	}
	s.at += 6
	if high < 0xd800 || high > 0xdfff {
		return nil
	}
	if high < 0xdc00 && bytes.HasPrefix(s.data[s.at:], []byte(`\u`)) {
		if low, ok := hexDigits(s.data[s.at+2:]); ok && low >= 0xdc00 && low <= 0xdfff {
			s.at += 6
			return nil
		}
	}
	return s.fail(at, "half of a surrogate pair without the other: no character is written so")
}

// hexDigits reads four hexadecimal digits.
func hexDigits(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// appendUnescaped appends what the content of a string stands for. It has
// been checked.
func appendUnescaped(dst, b []byte) []byte {
	for i := bytes.IndexByte(b, '\\'); i >= 0; i = bytes.IndexByte(b, '\\') {
		dst = append(dst, b[:i]...)
		c := b[i+1]
		b = b[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hexDigits(b)
			b = b[4:]
			if 0xd800 <= r && r <= 0xdfff {
				low, _ := hexDigits(b[2:])
				b = b[6:]
				r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return append(dst, b...)
}
