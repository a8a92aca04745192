package storage

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName bounds a register's and an object's name in bytes.
const MaxName = 255

// CheckRegisterName returns nil if name can name a register: 1 to MaxName bytes
// of UTF-8 without control characters. Otherwise the error is ErrInvalid.
func CheckRegisterName(name string) error {
	if len(name) < 1 || len(name) > MaxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("register name %.40q: %w", name, ErrInvalid)
	}
	return nil
}

// CheckObjectName returns nil if name can name an object: 1 to MaxName bytes,
// elements of a-z, 0-9, ".", "_" and "-" that begin with a letter or a digit,
// joined by single slashes. So there is no absolute name, no "..", no hidden
// file, and no two names that a file system could take for one. Otherwise the
// error is ErrInvalid.
func CheckObjectName(name string) error {
	if len(name) < 1 || len(name) > MaxName {
		return fmt.Errorf("object name %.40q: %w", name, ErrInvalid)
	}
	for element := range strings.SplitSeq(name, "/") {
		if !validElement(element) {
			return fmt.Errorf("object name %.40q: %w", name, ErrInvalid)
		}
	}
	return nil
}

func validElement(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return s != ""
}
