package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/cairnlog/cairn/proofs"
)

// A CompleteQuery asks for a proof of all events of a stream that have all of
// the given values of declared fields, and of each list of Any one, within a range
// of indices and of the ledger's time. Fields and lists are together at least one
// and at most [proofs.MaxTerms], with at most [proofs.MaxSearchValues] values.
type CompleteQuery struct {
	Stream string         `json:"stream"`
	Fields []FieldValue   `json:"fields,omitempty"` // each name and value once
	Any    [][]FieldValue `json:"any,omitempty"`    // lists, of which each has a name and value once

	First uint64 `json:"first,omitempty"` // the first index
	End   uint64 `json:"end,omitempty"`   // indices are below it; 0: there is no bound
	From  uint64 `json:"from,omitempty"`  // the first time, in microseconds since 1970
	Until uint64 `json:"until,omitempty"` // times are before it; 0: there is no bound

	// Now also looks through what no directory has yet, at most two segments, and
	// shows all tags there. Else the proof goes as far as the directories do.
	Now bool `json:"now,omitempty"`
}

// Terms returns what is asked for as lists of values, of each of which an event has
// one: the fields, and then what is any of several.
func (q CompleteQuery) Terms() (terms [][]FieldValue) {
	for _, f := range q.Fields {
		terms = append(terms, []FieldValue{f})
	}
	return append(terms, q.Any...)
}

// ProveComplete returns a search proof ([proofs.ParseSearchProof]), which shows
// the events that a query asks for and that there are no others. It needs the
// token of a reader of the stream, and is recorded there as a search.
func (h *HTTP) ProveComplete(ctx context.Context, q CompleteQuery) ([]byte, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	r := &request{method: http.MethodPost, path: "/v1/entries:prove", body: body, limit: proofs.MaxSearchProof, header: http.Header{}}
	r.header.Set("Accept", SearchProofType+", "+problemType)
	r.header.Set("Content-Type", jsonType)
	a, err := h.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return a.body, nil
}

// SearchProofType is the media type of a search proof.
const SearchProofType = "application/vnd.cairn.search-proof"
