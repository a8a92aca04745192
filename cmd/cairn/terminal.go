package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// escape makes a string from a ledger or a file safe to show to people, on
// one line. What a terminal might obey (control characters, among them ESC
// and line feeds; DEL; C1) and what hides or reorders text (bidirectional and
// zero-width format characters, line separators, every space but the plain
// one) is written as \xNN, \uNNNN or \UNNNNNNNN, and so is each byte that is
// not UTF-8. All else stays as it is, the backslash too: the result is for
// eyes, and escaping it again changes nothing.
func escape(s string) string { return escapeBut(s, "") }

// escapeText is escape for text of several lines: it keeps line feeds and
// tabs.
func escapeText(s string) string { return escapeBut(s, "\n\t") }

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

// isTerminal reports whether a reader or writer is a terminal: what is written
// there is shown to somebody, and obeyed.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A table prints aligned columns for people. Cells are escaped.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

// row adds a row.
func (t table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = escape(c)
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// flush prints the rows.
func (t table) flush() error { return t.w.Flush() }
