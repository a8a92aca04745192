package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// CheckFields reports the first name in a query that [Parse] made which is not
// among the names of declared fields. Its error is an [*Error], whose hint is the
// nearest one.
func CheckFields(q *Query, declared []string) error {
	for _, f := range q.names {
		if slices.Contains(declared, f.name) {
			continue
		}
		p := parser{text: q.text}
		hint := suggest(f.name, declared)
		if t := splitTime(q.text, f.offset); t != "" {
			hint = fmt.Sprintf("write %s for a time", t)
		}
		return p.fail(f.offset, len(f.name), fmt.Sprintf("no field %s is declared", f.name), hint)
	}
	return nil
}

// splitTime returns a date and a time that have a space between them in a query, the time
// at an offset, as one word; empty: there are none.
func splitTime(text string, offset int) string {
	before, clock := strings.TrimRight(text[:offset], " "), text[offset:]
	if end := strings.IndexAny(clock, " )"); end >= 0 {
		clock = clock[:end]
	}
	const length = len("2006-01-02")
	if len(before) < length || len(before) == offset {
		return ""
	}
	t := before[len(before)-length:] + "T" + clock
	if _, ok := parseTime(t); !ok {
		return ""
	}
	return t
}

// suggest says what may have been meant by a name. A word of the language has to be
// nearer to it than a field: people more often ask for a member that no field is
// declared for than they mistype a word.
func suggest(name string, declared []string) string {
	switch strings.ToLower(name) {
	case "has", "exists", "_exists_":
		return "write name:* for what has any value of a field"
	}
	nearest, least := "", min(len(name)/3+2, len(name)/2+1) // not a half of it may be another
	near := func(names []string) {
		for _, d := range names {
			if n := distance(strings.ToLower(name), d); n < least {
				nearest, least = d, n
			}
		}
	}
	near(declared)
	least = min(least, len(name)/6+2)
	near(ownNames())
	if nearest != "" {
		return fmt.Sprintf("did you mean %s?", nearest)
	}
	if path, err := proofs.NormalizePath(name); err == nil {
		return fmt.Sprintf("write %s for a member of events that is not declared, or put the text in double quotes to find it", path)
	}
	return "put the text in double quotes to find it as it is"
}

// distance returns how many bytes have to be added, taken away, replaced, or
// swapped with the next to make one text of the other.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
