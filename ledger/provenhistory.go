package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// maxHistoryBytes is about where a page of a proven history ends, in bytes.
const maxHistoryBytes = 4 << 20

// ProvenHistory is [Session.History] with what shows of each act that its entry
// records it: see [client.CheckAct]. A page can have fewer acts than there is
// room for where they are long; its next says where to go on.
func (s *Session) ProvenHistory(ctx context.Context, q client.HistoryQuery) (client.History, error) {
	h, err := s.History(ctx, q)
	if err != nil {
		return h, err
	}
	recorded := h.Acts
	h.Acts = []client.RecordedAct{}
	bytes := 0
	for i := range recorded {
		r := &recorded[i]
		if bytes > maxHistoryBytes {
			h.Next = &r.Index
			break
		}
		size, err := s.l.proveAct(ctx, r)
		if errors.Is(err, errDestroyed) {
			continue // a moment ago it was there
		}
		if err != nil {
			return client.History{}, fmt.Errorf("entry %d: %w", r.Index, err)
		}
		bytes += size
		h.Acts = append(h.Acts, *r)
	}
	return h, nil
}

// proveAct adds what proves an act, and returns about how many bytes it takes
// in JSON.
func (l *Ledger) proveAct(ctx context.Context, r *client.RecordedAct) (size int, err error) {
	if r.Leaf, r.Disclosure, err = l.disclose(ctx, r.Index); err != nil {
		return 0, err
	}
	if !r.Disclosure.Parts[0].Shown() {
		return 0, errDestroyed
	}
	parts := r.Disclosure.Parts
	parts[0].Data = nil // which the act is
	if len(parts) > 1 && !parts[1].Shown() {
		r.Act.Subject = "" // it is erased, perhaps a moment ago
	}
	act, err := proofs.FormatAct(r.Act)
	const rest = 512 // of the names, the openings and the hashes
	size = len(r.Leaf)*4/3 + len(act) + rest
	for _, p := range parts {
		size += (len(p.Head) + len(p.Data)) * 4 / 3
	}
	return size, err
}
