package main

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// A source is where the documents come from, as often as they are wanted.
type source struct {
	n        int // documents
	declared []searchtest.Declaration
	asked    []string // fields that queries name: not those with a value for each document
	all      func() iter.Seq2[searchtest.Document, error]
}

// synthetic returns the first n synthetic documents of a seed.
func synthetic(seed uint64, n int) source {
	s := source{n: n, declared: searchtest.Declared()}
	s.asked = except(s.declared, "request_id", "duration_ms")
	s.all = func() iter.Seq2[searchtest.Document, error] {
		return func(yield func(searchtest.Document, error) bool) {
			for d := range searchtest.Documents(seed, n) {
				if !yield(d, nil) {
					return
				}
			}
		}
	}
	return s
}

// windows returns the first n events of an archive, or all where it has fewer.
func windows(path string, n int) (source, error) {
	s := source{declared: searchtest.DeclaredWindows()}
	s.asked = except(s.declared, "record")
	for _, err := range searchtest.Windows(path) {
		if err != nil {
			return source{}, err
		}
		if s.n++; s.n == n {
			break
		}
	}
	s.all = func() iter.Seq2[searchtest.Document, error] {
		return func(yield func(searchtest.Document, error) bool) {
			left := s.n
			for d, err := range searchtest.Windows(path) {
				d.Text = plain(d.Text)
				if left--; !yield(d, err) || left == 0 {
					return
				}
			}
		}
	}
	return s, nil
}

// until returns the source whose documents end with the context.
func (s source) until(ctx context.Context) source {
	all := s.all
	s.all = func() iter.Seq2[searchtest.Document, error] {
		return func(yield func(searchtest.Document, error) bool) {
			for d, err := range all() {
				if err == nil {
					err = ctx.Err()
				}
				if !yield(d, err) || err != nil {
					return
				}
			}
		}
	}
	return s
}

// except returns the names of the declared fields but some.
func except(declared []searchtest.Declaration, names ...string) []string {
	var rest []string
	for _, d := range declared {
		if !slices.Contains(names, d.Name) {
			rest = append(rest, d.Name)
		}
	}
	return rest
}

// plain returns the words of a text, in small letters and with one space
// between them, so that all peers take the same for a word: runs of a-z and 0-9,
// at most 64 of them.
func plain(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return len(w) > 64 }), " ")
}
