package client

import (
	"context"

	"github.com/cairnlog/cairn/proofs"
)

// A SearchQuery asks for published events. Which ones the index of the ledger
// says, and nothing proves that they are all: see [CompleteQuery] for that.
type SearchQuery struct {
	Query  string `json:"query"`            // in the language of package query; empty: every event
	Stream string `json:"stream,omitempty"` // empty: all that the caller may read

	First  uint64 `json:"first,omitempty"`  // the first index
	End    uint64 `json:"end,omitempty"`    // indices are below it; 0: there is no bound
	Oldest bool   `json:"oldest,omitempty"` // the oldest first, else the newest
	Limit  int    `json:"limit,omitempty"`  // at most so many hits, from 1 to [MaxHits]; 0: 50
}

// MaxHits is how many hits one answer has at most: as many as are read at once.
const MaxHits = MaxRead

// A SearchScope says what an answer is about.
type SearchScope struct {
	Streams []string `json:"streams"` // that were searched
	Size    uint64   `json:"size"`    // entries from it on were not: the index has not come further

	// Gaps are entries that were not searched either: the index is being built
	// there.
	Gaps []SearchGap `json:"gaps,omitempty"`

	// Held are entries that outlived their bucket because they are held. What
	// they were found by is gone with it.
	Held []proofs.Run `json:"held,omitempty"`

	// Disabled are the entries that ask for, or announce, erasures that are not
	// done: what these will close was not searched.
	Disabled []uint64 `json:"disabled,omitempty"`

	// Opened is how many payloads were opened, because the index cannot tell
	// whether they fit: phrases, and paths that no field is declared for.
	Opened int `json:"opened,omitempty"`
}

// A SearchGap is entries of a stream that were not searched.
type SearchGap struct {
	Stream string `json:"stream"`
	proofs.Run
}

// Hits are one page of an answer.
type Hits struct {
	SearchScope
	Hits []uint64 `json:"hits"` // indices of entries, in the order that was asked for

	// Settings are the entries with the settings that the streams of the hits had
	// when these were recorded, rising: what their fields are called, and where they
	// are. Whoever reads them together with the hits has one read recorded.
	Settings []uint64 `json:"settings,omitempty"`

	// More says that there may be more hits: the same query finds them with Next
	// as its End, or with the oldest first as its First, whatever was recorded
	// meanwhile. There may be more where a page has no hits: so many payloads
	// were opened that the ledger wants to be asked again.
	More bool   `json:"more,omitempty"`
	Next uint64 `json:"next,omitempty"`
}

// Search looks for events. It needs the token of a reader, and is recorded as a
// search. Nothing is opened for the caller: what the hits say is in
// [HTTP.Entries], and is a read.
func (h *HTTP) Search(ctx context.Context, q SearchQuery) (hits Hits, err error) {
	return hits, h.Call(ctx, "POST", "/v1/entries:search", q, &hits)
}

// A CountQuery asks how many events fit a query, and how they are distributed.
type CountQuery struct {
	Query  string `json:"query"`
	Stream string `json:"stream,omitempty"`
	First  uint64 `json:"first,omitempty"`
	End    uint64 `json:"end,omitempty"` // these four as in [SearchQuery]

	// Facets are fields whose values are counted: names of declared fields. At
	// most [MaxFacets].
	Facets []string `json:"facets,omitempty"`
	Top    int      `json:"top,omitempty"` // at most so many values of each, from 1 to [MaxTop]; 0: 10

	// Every asks for a histogram over the ledger's time: of each minute, hour, day,
	// week (from Monday on), month or year of UTC. The steps from the first event
	// that fits to the last are at most [MaxSteps].
	Every string `json:"every,omitempty"`
}

// The bounds of a [CountQuery].
const (
	MaxFacets = 16
	MaxTop    = 10_000
	MaxSteps  = 9_999
)

// Counts answer a [CountQuery].
type Counts struct {
	SearchScope
	Entries   uint64        `json:"entries"` // that fit
	Facets    []FacetCounts `json:"facets,omitempty"`
	Histogram []StepCount   `json:"histogram,omitempty"` // all steps from the first event to the last
}

// FacetCounts are how often a field has its values among the events that fit.
type FacetCounts struct {
	Field  string       `json:"field"`
	Values uint64       `json:"values"` // how many different ones
	Top    []ValueCount `json:"top"`    // those that most events have, the most frequent first
}

// A ValueCount is one value of a field.
type ValueCount struct {
	Value   string `json:"value"`
	Cut     bool   `json:"cut,omitempty"` // it is the beginning of values that are longer than what is indexed
	Entries uint64 `json:"entries"`       // that have it
}

// A StepCount is one step of a histogram: from Time on and before the next one's.
type StepCount struct {
	Time    uint64 `json:"time"` // in microseconds since 1970
	Entries uint64 `json:"entries"`
}

// Count counts events. It needs the token of a reader, and is recorded as a
// search.
func (h *HTTP) Count(ctx context.Context, q CountQuery) (counts Counts, err error) {
	return counts, h.Call(ctx, "POST", "/v1/entries:count", q, &counts)
}
