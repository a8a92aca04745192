package query

import (
	"bytes"
	"iter"
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

// Match reports whether an entry fits an expression. It reads the payload again
// for each term that is about it, and so says what an index has to find.
func Match(e Expr, d *Document) bool {
	m := matching{Document: d}
	return m.fits(e)
}

// A matching is a document that is compared with an expression.
type matching struct {
	*Document
	checked, json bool // whether the payload is known to be JSON or not
}

func (m *matching) isJSON() bool {
	if !m.checked {
		m.checked, m.json = true, proofs.CheckJSON(m.Payload) == nil
	}
	return m.json
}

func (m *matching) words() iter.Seq2[int, []byte] {
	if m.isJSON() {
		return JSONWords(m.Payload)
	}
	return plainWords(m.Payload)
}

func (m *matching) fits(e Expr) bool {
	switch e := e.(type) {
	case And:
		for _, e := range e.List {
			if !m.fits(e) {
				return false
			}
		}
		return true
	case Or:
		for _, e := range e.List {
			if m.fits(e) {
				return true
			}
		}
		return false
	case Not:
		return !m.fits(e.Of)
	case Field:
		return m.fitsField(e)
	case Word:
		return m.hasWords([]string{e.Text}, e.Prefix)
	case Phrase:
		return m.hasWords(e.Words, e.Prefix)
	}
	return m.fitsOwn(e)
}

// fitsOwn judges what every entry has.
func (m *matching) fitsOwn(e Expr) bool {
	switch e := e.(type) {
	case After:
		return m.Time >= e.Time
	case Before:
		return m.Time < e.Time
	case Indices:
		return e.First <= m.Index && m.Index <= e.Last
	case Stream:
		return m.Stream == e.Name
	case Source:
		return m.Source == e.Name
	}
	return true // All
}

func (m *matching) fitsField(f Field) (found bool) {
	if f.Path == "" {
		for _, value := range m.Fields[f.Name] {
			if f.Fits(value) {
				return true
			}
		}
		return false
	}
	path, err := proofs.ParsePath(f.Path)
	if err != nil || !m.isJSON() {
		return false
	}
	w := walker{data: m.Payload, path: path, take: func(value string) bool {
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

// hasWords reports whether one value of the payload has words one after the
// other, of which the last may only begin so.
func (m *matching) hasWords(words []string, prefix bool) bool {
	last := len(words) - 1
	follows, in := make([]bool, len(words)), -1 // follows[i]: the words before the i-th were the last ones
	for value, word := range m.words() {
		if value != in {
			clear(follows)
			in = value
		}
		follows[0] = true
		if follows[last] && (string(word) == words[last] || prefix && bytes.HasPrefix(word, []byte(words[last]))) {
			return true
		}
		for i := last; i > 0; i-- {
			follows[i] = follows[i-1] && string(word) == words[i-1]
		}
	}
	return false
}
