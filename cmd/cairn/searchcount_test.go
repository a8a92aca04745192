package main

import (
	"testing"

	"github.com/cairnlog/cairn/client"
)

func TestCountsAreOneNumberOrTables(t *testing.T) {
	counts := client.Counts{
		Entries: 12,
		Facets: []client.FacetCounts{
			{Field: "actor", Values: 3, Top: []client.ValueCount{{Value: "al\x1bice", Entries: 10}, {Value: "bob", Cut: true, Entries: 2}}},
			{Field: "empty", Top: []client.ValueCount{}},
		},
		Histogram: []client.StepCount{{Time: 1_700_000_000_000_000, Entries: 1}, {Time: 1_700_003_600_000_000}, {Time: 1_700_007_200_000_000, Entries: 11}},
	}
	for name, c := range map[string]struct {
		printer countPrinter
		want    string
	}{
		"alone": {countPrinter{Counts: counts, alone: true}, "12\n"},
		"in a file": {countPrinter{Counts: counts, every: "day"}, `12 events

EVENTS  ACTOR
10      al\x1bice
2       bob…
2 of 3 values

EVENTS  EMPTY

DAY         EVENTS
2023-11-14       1
2023-11-14       0
2023-11-15      11
`},
		"with bars": {countPrinter{Counts: client.Counts{Entries: 12, Histogram: counts.Histogram}, every: "hour", bars: true, width: 40}, `12 events

HOUR               EVENTS
2023-11-14T22:13Z       1  #
2023-11-14T23:13Z       0
2023-11-15T00:13Z      11  #############
`},
		"on a terminal that is too narrow": {countPrinter{Counts: client.Counts{Entries: 1, Histogram: counts.Histogram[:1]}, every: "hour", bars: true, width: 5}, `1 event

HOUR               EVENTS
2023-11-14T22:13Z       1  #
`},
	} {
		if got := string(c.printer.print()); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
