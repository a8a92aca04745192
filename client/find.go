package client

import (
	"context"

	"github.com/cairnlog/cairn/proofs"
)

// A FindQuery chooses published events of one stream: those that concern a data
// subject and have all of the given values of declared fields. At least one of
// both is given.
type FindQuery struct {
	Stream  string       `json:"stream"`
	Subject string       `json:"subject,omitempty"` // empty: whoever is concerned
	Fields  []FieldValue `json:"fields,omitempty"`  // each name once
	From    uint64       `json:"from,omitempty"`    // the first index
}

// A FieldValue is a value of a declared field, as the bytes that its tag is made
// of: text as it is, numbers in RFC 8785 layout, true, false and null.
type FieldValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// MaxFound is how many runs one answer has at most.
const MaxFound = 100_000

// Found are the events that fit. Nothing proves that they are all.
type Found struct {
	Size    uint64       `json:"size"`    // they are below it
	Entries []proofs.Run `json:"entries"` // rising; at most MaxFound
	Next    uint64       `json:"next,omitempty"`

	// Held are entries that outlived their bucket because they are held. What
	// their fields were found by is gone with it, so that nobody looked there.
	Held []proofs.Run `json:"held,omitempty"`

	// Disabled are the entries that ask for, or announce, erasures in the stream
	// that are not done: what these will close is not among the events.
	Disabled []uint64 `json:"disabled,omitempty"`
}

// Find looks for events by their tags, one after the other. It needs the token
// of a reader of the stream, and is recorded there as a search. Where there is
// more the answer has a Next, which the next query goes on from.
func (h *HTTP) Find(ctx context.Context, q FindQuery) (found Found, err error) {
	return found, h.Call(ctx, "POST", "/v1/entries:find", q, &found)
}
