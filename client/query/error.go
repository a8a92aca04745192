package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error says what is wrong with a query, and where.
type Error struct {
	Query   string `json:"query"`
	Offset  int    `json:"offset"` // of the first byte that is wrong
	Length  int    `json:"length"` // in bytes, at least 1; it may end one byte beyond the query
	Problem string `json:"problem"`
	Hint    string `json:"hint,omitempty"` // what may have been meant
}

// Error shows the problem, the query with carets below what is wrong with it,
// and the hint. Control characters of the query are shown as \uFFFD, and of a
// long query only what is near.
func (e *Error) Error() string {
	line, before, marked := e.excerpt()
	text := e.Problem + "\n  " + line + "\n  " + strings.Repeat(" ", before) + strings.Repeat("^", marked)
	if e.Hint != "" {
		text += "\nhint: " + e.Hint
	}
	return text
}

const (
	excerptWidth  = 76 // characters that are shown of a query
	excerptBefore = 48 // and of these at most before the first wrong one
)

// excerpt returns what is shown of the query, and how many of its characters
// are before those that are marked, and are marked.
func (e *Error) excerpt() (line string, before, marked int) {
	offset := min(max(e.Offset, 0), len(e.Query))
	end := min(offset+max(e.Length, 1), len(e.Query))
	head, tail := []rune(e.Query[:offset]), []rune(e.Query[offset:])
	marked = max(1, utf8.RuneCountInString(e.Query[offset:end]))
	prefix, suffix := "", ""
	if len(head) > excerptBefore {
		prefix, head = "…", head[len(head)-excerptBefore:]
	}
	if after := excerptWidth - len(head); len(tail) > after {
		suffix, tail = "…", tail[:after]
		marked = min(marked, after)
	}
	line = prefix + visible(string(head)+string(tail)) + suffix
	return line, utf8.RuneCountInString(prefix) + len(head), marked
}

// visible returns a text with nothing in it that moves a terminal's cursor.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
