package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// A condition is one that documents may meet: a field's value, a word or a
// prefix.
type condition struct{ what, value string }

func whereIs(f searchtest.Field) condition { return condition{"field " + f.Name, f.Value} }
func wordIs(w string) condition            { return condition{"word", w} }
func beginsWith(p string) condition        { return condition{"prefix", p} }

// A tally is what is known of a query's answer so far.
type tally struct {
	query  Query
	needs  int // conditions that a document must meet
	meets  int // of them, by document at
	at     uint64
	last   []uint64 // the newest documents, the last of them last
	count  uint64
	values map[string]uint64
	bins   []uint64
}

// answers reads all documents once and returns the queries' true answers.
// Nothing of an index is in it: it goes from documents to queries.
func answers(s source, queries []Query) ([][]uint64, error) {
	tallies := make([]tally, len(queries))
	waiting := map[condition][]*tally{}
	for i, q := range queries {
		t := &tallies[i]
		*t = tally{query: q, values: map[string]uint64{}, bins: make([]uint64, bins)}
		var conditions []condition
		for _, f := range q.Where {
			conditions = append(conditions, whereIs(f))
		}
		for _, w := range q.Words {
			conditions = append(conditions, wordIs(w))
		}
		if q.Prefix != "" {
			conditions = append(conditions, beginsWith(q.Prefix))
		}
		t.needs = len(conditions)
		for _, c := range conditions {
			waiting[c] = append(waiting[c], t)
		}
	}
	var number uint64
	for d, err := range s.all() {
		if err != nil {
			return nil, err
		}
		for _, c := range conditionsOf(d) {
			for _, t := range waiting[c] {
				t.meet(number, d)
			}
		}
		number++
	}
	all := make([][]uint64, len(queries))
	for i := range tallies {
		all[i] = tallies[i].answer()
	}
	return all, nil
}

// conditionsOf returns all conditions that a document meets, each once.
func conditionsOf(d searchtest.Document) []condition {
	var met []condition
	for _, f := range d.Fields {
		met = append(met, whereIs(f))
	}
	words := strings.Fields(d.Text)
	slices.Sort(words)
	words = slices.Compact(words)
	var prefixes []string
	for _, w := range words {
		met = append(met, wordIs(w))
		for length := 3; length <= min(4, len(w)); length++ {
			prefixes = append(prefixes, w[:length])
		}
	}
	slices.Sort(prefixes)
	for _, p := range slices.Compact(prefixes) {
		met = append(met, beginsWith(p))
	}
	return met
}

// meet notes that a document meets one more of the query's conditions.
func (t *tally) meet(number uint64, d searchtest.Document) {
	if t.at != number {
		t.at, t.meets = number, 0
	}
	if t.meets++; t.meets < t.needs {
		return
	}
	t.count++
	switch t.query.Kind {
	case Newest, Words, Prefix:
		t.last = append(t.last, number)
		t.last = t.last[max(0, len(t.last)-newest):]
	case Facet:
		for _, f := range d.Fields {
			if f.Name == t.query.Facet {
				t.values[f.Value]++
			}
		}
	case Histogram:
		t.bins[(d.Time-t.query.Span.Start)/t.query.Span.Width]++
	}
}

// answer returns the query's answer.
func (t *tally) answer() []uint64 {
	switch t.query.Kind {
	case Count:
		return []uint64{t.count}
	case Facet:
		counts := slices.Sorted(maps.Values(t.values))
		slices.Reverse(counts)
		return counts[:min(top, len(counts))]
	case Histogram:
		return t.bins
	}
	slices.Reverse(t.last)
	return t.last
}
