package main

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

func TestAnAnswerThatLeadsAstrayIsRefused(t *testing.T) {
	newest := client.SearchQuery{First: 10, End: 100, Limit: 3}
	oldest := client.SearchQuery{First: 10, End: 100, Limit: 3, Oldest: true}
	all := client.SearchQuery{Limit: 3}
	for name, c := range map[string]struct {
		asked client.SearchQuery
		got   client.Hits
		fine  bool
	}{
		"none":                           {newest, client.Hits{}, true},
		"the newest first":               {newest, client.Hits{Hits: []uint64{99, 50, 10}}, true},
		"the oldest first":               {oldest, client.Hits{Hits: []uint64{10, 50, 99}}, true},
		"of everything":                  {all, client.Hits{Hits: []uint64{7, 0}, More: true, Next: 0}, false},
		"more, newest first":             {newest, client.Hits{Hits: []uint64{99, 50}, More: true, Next: 50}, true},
		"more, oldest first":             {oldest, client.Hits{Hits: []uint64{10, 50}, More: true, Next: 51}, true},
		"more, though no hits yet":       {newest, client.Hits{More: true, Next: 99}, true},
		"more, oldest first, no hits":    {oldest, client.Hits{More: true, Next: 11}, true},
		"too many":                       {newest, client.Hits{Hits: []uint64{99, 50, 20, 10}}, false},
		"the wrong order":                {newest, client.Hits{Hits: []uint64{50, 99}}, false},
		"the other wrong order":          {oldest, client.Hits{Hits: []uint64{99, 50}}, false},
		"one twice":                      {newest, client.Hits{Hits: []uint64{50, 50}}, false},
		"one below":                      {newest, client.Hits{Hits: []uint64{9}}, false},
		"one beyond":                     {newest, client.Hits{Hits: []uint64{100}}, false},
		"more where it was":              {newest, client.Hits{More: true, Next: 100}, false},
		"more where it was, oldest":      {oldest, client.Hits{More: true, Next: 10}, false},
		"more among what is there":       {newest, client.Hits{Hits: []uint64{50}, More: true, Next: 51}, false},
		"more among what is there, too":  {oldest, client.Hits{Hits: []uint64{50}, More: true, Next: 50}, false},
		"an index that no ledger has":    {all, client.Hits{Hits: []uint64{math.MaxUint64}}, false},
		"more from where nothing is":     {all, client.Hits{More: true}, false},
		"more of everything, and no end": {all, client.Hits{More: true, Next: 1}, true},
	} {
		if err := checkHits(c.asked, c.got); (err == nil) != c.fine || err != nil && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want one: %v", name, err, !c.fine)
		}
	}
}

func TestWhatAnAnswerLeavesOutIsSaid(t *testing.T) {
	run := func(first, last uint64) proofs.Run { return proofs.Run{First: first, Last: last} }
	for name, c := range map[string]struct {
		known, end uint64
		pages      []client.SearchScope
		want       []string
	}{
		"nothing": {100, 0, []client.SearchScope{{Size: 100}}, nil},
		"what the index has not come to": {100, 0, []client.SearchScope{{Size: 90}, {Size: 95}},
			[]string{"the index has come to entry 90 of 100: what was recorded later was not searched"}},
		"what was not asked for":    {100, 90, []client.SearchScope{{Size: 90}}, nil},
		"what nobody knows about":   {0, 0, []client.SearchScope{{Size: 90}}, nil},
		"a range beyond the ledger": {100, 500, []client.SearchScope{{Size: 100}}, nil},
		"gaps of two streams, on two pages": {100, 0, []client.SearchScope{
			{Size: 100, Gaps: []client.SearchGap{{Stream: "a", Run: run(0, 4)}, {Stream: "b", Run: run(7, 7)}}},
			{Size: 100, Gaps: []client.SearchGap{{Stream: "a", Run: run(0, 4)}, {Stream: "a", Run: run(9, 9)}}}},
			[]string{"the index is being built: of the stream a entries 0..4, 9 were not searched", "the index is being built: of the stream b entry 7 was not searched"}},
		"what is held and what is disabled": {100, 0, []client.SearchScope{
			{Size: 100, Held: []proofs.Run{run(3, 3)}, Disabled: []uint64{5}}, {Size: 100, Held: []proofs.Run{run(1, 2)}, Disabled: []uint64{5, 4}}},
			[]string{"what a hold keeps beyond its class cannot be searched: entries 1..3", "what is to be erased was not searched: see entries 4..5"}},
	} {
		s := searchScope{known: c.known}
		for _, page := range c.pages {
			s.add(page)
		}
		if got := s.leftOut(c.end); !slices.Equal(got, c.want) {
			t.Errorf("%s: got\n%q\nwant\n%q", name, got, c.want)
		}
	}
}

func TestTimesOfFlagsArePartOfTheQuery(t *testing.T) {
	for text, want := range map[string]string{
		"":       "after:1970-01-01T00:00:01Z before:1970-01-01T00:00:02Z",
		"*":      "after:1970-01-01T00:00:01Z before:1970-01-01T00:00:02Z",
		"a b":    "a b after:1970-01-01T00:00:01Z before:1970-01-01T00:00:02Z",
		"a or b": "(a or b) after:1970-01-01T00:00:01Z before:1970-01-01T00:00:02Z",
	} {
		q, err := query.Parse(text, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		e := within(q.Expr, times{1e6, 2e6})
		got := query.Format(e)
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		again, err := query.Parse(got, time.Now())
		if err != nil || query.Format(again.Expr) != got {
			t.Errorf("%q: %q is read as %v, error %v", text, got, again, err)
		}
		if unbound := query.Format(within(q.Expr, times{0, math.MaxUint64})); unbound != query.Format(q.Expr) {
			t.Errorf("%q: without bounds it is %q", text, unbound)
		}
	}
}
