package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A conflict is the payload of the entry about events that were sent again
// with another content, so that a changed event never goes unnoticed (law 9).
type conflict struct {
	What   string   `json:"what"` // "conflict"
	Who    string   `json:"who"`
	Stream string   `json:"stream"`
	With   []uint64 `json:"with"` // the entries that are there, in the order of the events
}

// recordConflicts adds the entry about a request's conflicts to the batch that
// refuses them: whoever is told of a conflict can rely on its being recorded.
func (s *sequencer) recordConflicts(b *batch, r *request, now uint64) error {
	c := conflict{What: "conflict", Who: r.who, Stream: r.stream}
	for _, a := range r.admissions {
		if a.problem != nil && a.problem.Code() == client.Conflict {
			c.With = append(c.With, a.problem.Index)
		}
	}
	if len(c.With) == 0 {
		return nil
	}
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("conflict: %w", err)
	}
	a, err := s.l.sealedControl(r.control, proofs.Administration, nil, proofs.Part{MediaType: jsonMediaType, Data: data})
	if err != nil {
		return fmt.Errorf("conflict: %w", err)
	}
	return s.place(b, a, now)
}
