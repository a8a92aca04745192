package query

import (
	"bytes"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A Document is an entry as queries see it.
type Document struct {
	Index   uint64
	Time    uint64 // of the ledger, in microseconds since 1970
	Stream  string
	Source  string              // empty: it has none
	Fields  map[string][]string // the canonical values of declared fields, by name
	Payload []byte
}

// Match reports whether an entry fits an expression. It looks at all of the
// entry for each term, and so says what an index has to find.
func Match(e Expr, d *Document) bool {
	switch e := e.(type) {
	case All:
		return true
	case And:
		for _, e := range e.List {
			if !Match(e, d) {
				return false
			}
		}
		return true
	case Or:
		for _, e := range e.List {
			if Match(e, d) {
				return true
			}
		}
		return false
	case Not:
		return !Match(e.Of, d)
	case Field:
		return e.match(d)
	case Word:
		return hasWords(d.Payload, []string{e.Text}, e.Prefix)
	case Phrase:
		return hasWords(d.Payload, e.Words, e.Prefix)
	}
	return matchOwn(e, d)
}

// matchOwn judges what every entry has.
func matchOwn(e Expr, d *Document) bool {
	switch e := e.(type) {
	case After:
		return d.Time >= e.Time
	case Before:
		return d.Time < e.Time
	case Indices:
		return e.First <= d.Index && d.Index <= e.Last
	case Stream:
		return d.Stream == e.Name
	case Source:
		return d.Source == e.Name
	}
	return false
}

func (f Field) match(d *Document) (found bool) {
	if f.Path == "" {
		for _, value := range d.Fields[f.Name] {
			if f.Fits(value) {
				return true
			}
		}
		return false
	}
	path, err := proofs.ParsePath(f.Path)
	if err != nil || proofs.CheckJSON(d.Payload) != nil {
		return false
	}
	w := walker{data: d.Payload, path: path, take: func(value string) bool {
		found = f.Fits(value)
		return !found
	}}
	w.value(0)
	return found
}

// Fits reports whether one canonical value fits the condition.
func (f Field) Fits(value string) bool {
	switch f.Op {
	case Equal:
		return value == f.Value
	case Prefix:
		return strings.HasPrefix(value, f.Value)
	case Present:
		return true
	}
	first, end := f.KeyRange()
	var b [64]byte
	key := AppendKey(b[:0], value)
	return bytes.Compare(first, key) <= 0 && bytes.Compare(key, end) < 0
}

// hasWords reports whether one value of a payload has words one after the
// other, of which the last may only begin so.
func hasWords(payload []byte, words []string, prefix bool) bool {
	matched, in := make([]bool, len(words)), -1 // matched[i]: the words before the i-th were the last ones
	for value, word := range Words(payload) {
		if value != in {
			clear(matched)
			in = value
		}
		matched[0] = true
		for i := len(words) - 1; i >= 0; i-- {
			last := i == len(words)-1
			fits := matched[i] && (string(word) == words[i] || last && prefix && bytes.HasPrefix(word, []byte(words[i])))
			if fits && last {
				return true
			}
			if matched[i] = false; fits {
				matched[i+1] = true
			}
		}
	}
	return false
}
