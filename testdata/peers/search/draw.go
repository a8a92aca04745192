package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// draw makes n queries of each kind, whose fields and words are those of
// documents drawn at random: what is frequent is often asked for, and everything
// asked for exists.
func draw(s source, seed uint64, n int) ([]Query, error) {
	random := rand.New(rand.NewPCG(seed, 300))
	var queries []Query
	var from []int // number of the document of each query, or the next that has enough
	for _, k := range kinds() {
		for range n {
			queries = append(queries, Query{Kind: k})
			from = append(from, random.IntN(s.n))
		}
	}
	span, err := s.span()
	if err != nil {
		return nil, err
	}
	later := make([]int, len(queries)) // queries whose document is still to come
	for i := range later {
		later[i] = i
	}
	slices.SortStableFunc(later, func(a, b int) int { return from[a] - from[b] })
	var open []int
	at := 0
	for round := 0; len(later)+len(open) > 0 && round < 2; round++ { // after the last document comes the first
		for d, err := range s.all() {
			if err != nil {
				return nil, err
			}
			for ; len(later) > 0 && from[later[0]] <= at; later = later[1:] {
				open = append(open, later[0])
			}
			open = slices.DeleteFunc(open, func(i int) bool { return queries[i].fill(d, s.asked, span, random) })
			at++
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("no document has enough for a query of %q", queries[open[0]].Kind)
	}
	return queries, nil
}

// span returns the time of all documents.
func (s source) span() (Span, error) {
	var first, last uint64
	for d, err := range s.all() {
		if err != nil {
			return Span{}, err
		}
		if last = d.Time; first == 0 {
			first = d.Time
		}
	}
	return Span{first, (last-first)/bins + 1}, nil
}

// fill makes a query of what is in a document, and reports whether there was
// enough in it.
func (q *Query) fill(d searchtest.Document, asked []string, span Span, random *rand.Rand) bool {
	var fields []searchtest.Field
	for _, i := range random.Perm(len(d.Fields)) {
		if slices.Contains(asked, d.Fields[i].Name) {
			fields = append(fields, d.Fields[i])
		}
	}
	words := askable(d.Text)
	random.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	if len(fields) < 2 || len(words) < 2 {
		return false
	}
	switch q.Kind {
	case Newest, Count:
		q.Where = fields[:2]
	case Words:
		q.Words = words[:2]
	case Prefix:
		q.Prefix = words[0][:3+random.IntN(2)]
	case Facet:
		q.Where, q.Facet = fields[:1], fields[1].Name
	case Histogram:
		q.Where, q.Span = fields[:1], span
	}
	return true
}

// askable returns the different words of a text that have only letters, and
// five of them or more.
func askable(text string) []string {
	words := slices.DeleteFunc(strings.Fields(text), func(w string) bool {
		return len(w) < 5 || strings.ContainsAny(w, "0123456789")
	})
	slices.Sort(words)
	return slices.Compact(words)
}
