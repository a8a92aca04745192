package command

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes a string from a ledger or a file safe to show to people, on
// one line. What a terminal might obey (control characters, among them ESC
// and line feeds; DEL; C1) and what hides or reorders text (bidirectional and
// zero-width format characters, line separators, every space but the plain
// one) is written as \xNN, \uNNNN or \UNNNNNNNN, and so is each byte that is
// not UTF-8. All else stays as it is, the backslash too: the result is for
// eyes, and escaping it again changes nothing.
func Escape(s string) string { return escapeBut(s, "") }

// EscapeText is [Escape] for text of several lines: it keeps line feeds and
// tabs.
func EscapeText(s string) string { return escapeBut(s, "\n\t") }

func escapeBut(s, keep string) string {
	safe := func(r rune, size int) bool {
		return (r != utf8.RuneError || size > 1) && (unicode.IsPrint(r) || strings.ContainsRune(keep, r))
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case safe(r, size):
			b.WriteString(s[:size])
		case r == utf8.RuneError && size == 1 || r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[size:]
	}
	return b.String()
}
