package identity

import (
	"errors"
	"strings"
)

// A Pattern says which texts are meant: one text, or with a "*" at its end all
// that begin with what is before it. What is before a "*" is nothing, or ends
// with neither a letter nor a digit, so that nobody matches whose name only
// begins like that of another: spiffe://example.org/* and not
// spiffe://example.org*.
type Pattern string

// check refuses what is no pattern.
func (p Pattern) check() error {
	before, star := strings.CutSuffix(string(p), "*")
	switch {
	case p == "":
		return errors.New("it is empty")
	case len(p) > maxPattern:
		return errors.New("it is longer than 1024 bytes")
	case strings.Contains(before, "*"):
		return errors.New("a * can only be its last character")
	case star && before != "" && isWord(before[len(before)-1]):
		return errors.New("before a * comes a character that ends a word, such as /")
	}
	return nil
}

const maxPattern = 1024

// isWord reports whether a byte is of a letter, of any script, or a digit.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// Match reports whether a text is meant.
func (p Pattern) Match(s string) bool {
	if before, star := strings.CutSuffix(string(p), "*"); star {
		return len(s) > len(before) && strings.HasPrefix(s, before)
	}
	return s != "" && s == string(p)
}
