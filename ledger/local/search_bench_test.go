package local_test

import (
	"context"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
)

// BenchmarkSearch puts questions to a ledger of 100,000 events with 13 declared
// fields. One operation is one answer, and the record of it, durable before.
func BenchmarkSearch(b *testing.B) {
	d := openTemp(b)
	appendFields(b, d, 100_000)
	for s := d.Ledger.Status(); s.Search.Next < s.Sizes.Sequenced; s = d.Ledger.Status() {
		time.Sleep(time.Millisecond)
	}
	s := d.Ledger.As(ledger.Caller{Name: "reader"})
	find := func(text string) func() (int, error) {
		return func() (int, error) {
			hits, err := s.Search(context.Background(), client.SearchQuery{Query: text, Stream: "audit"})
			return len(hits.Hits), err
		}
	}
	count := func(q client.CountQuery) func() (int, error) {
		return func() (int, error) {
			counts, err := s.Count(context.Background(), q)
			return int(counts.Entries), err
		}
	}
	for _, bench := range []struct {
		name string
		ask  func() (int, error)
	}{
		{"two fields", find("action:login outcome:denied")},
		{"word and word", find("the user")},
		{"prefix", find("us*")},
		{"count", count(client.CountQuery{Query: "outcome:denied", Stream: "audit"})},
		{"facet", count(client.CountQuery{Query: "outcome:denied", Stream: "audit", Facets: []string{"actor"}})},
		{"histogram", count(client.CountQuery{Query: "outcome:denied", Stream: "audit", Every: "minute"})},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := bench.ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
