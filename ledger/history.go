package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// History returns what was recorded of reads and administration, the oldest
// first: at most as many acts as the query allows, of so many entries as are
// looked at for one page, and where the next page begins. A page can have no act
// and yet not be the last. Asking is recorded too.
func (s *Session) History(ctx context.Context, q client.HistoryQuery) (client.History, error) {
	act := s.caller.act(proofs.ActHistory)
	act.Query = q.String()
	h, err := s.history(ctx, q)
	act.Results = uint64(len(h.Acts))
	if err := s.answered(ctx, act, err); err != nil {
		return client.History{}, err
	}
	return h, nil
}

const (
	historyStep = 4096    // leaves that are looked at in one go
	historyPage = 1 << 16 // entries that are looked at for one page
)

func (s *Session) history(ctx context.Context, q client.HistoryQuery) (h client.History, err error) {
	h.Acts = []client.RecordedAct{}
	if !s.may(proofs.Access, "") {
		return h, client.NewProblem(client.Forbidden, "this identity may not see the history", "an auditor may")
	}
	if q, err = q.Normalize(); err != nil {
		return h, err
	}
	sizes, _ := s.l.progress.snapshot()
	end := min(sizes.Sequenced, q.Before)
	if from := q.From; end > from && end-from > historyPage {
		end = from + historyPage
		h.Next = &end
	}
	for from := q.From; from < end; from += historyStep {
		leaves, err := s.l.leaves(ctx, from, min(from+historyStep, end))
		if err != nil {
			return h, err
		}
		for i, b := range leaves {
			index := from + uint64(i)
			recorded, ok, err := s.l.recordedAct(ctx, index, b)
			if err != nil {
				return h, err
			}
			if !ok || !q.Selects(recorded) {
				continue
			}
			if len(h.Acts) == q.Limit {
				h.Next = &index
				return h, nil
			}
			h.Acts = append(h.Acts, recorded)
		}
	}
	return h, nil
}

// recordedAct opens an entry if it is of the kinds that record acts. Acts whose
// bucket has expired are passed over, and payloads that are none.
func (l *Ledger) recordedAct(ctx context.Context, index uint64, leafBytes []byte) (r client.RecordedAct, ok bool, err error) {
	leaf, err := proofs.ParseLeaf(leafBytes)
	if err != nil {
		return r, false, fmt.Errorf("entry %d: %w", index, err)
	}
	switch leaf.Kind {
	case proofs.Access, proofs.Administration, proofs.Hold, proofs.Release, proofs.Erasure, proofs.Expiry:
	default:
		return r, false, nil
	}
	if leaf.Bucket == 0 {
		return r, false, nil // the ledger's own: there is nothing but the clear body
	}
	act, _, err := l.openAct(ctx, index)
	if errors.Is(err, errDestroyed) || err == nil && act.What == "" {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("entry %d: %w", index, err)
	}
	return client.RecordedAct{Index: index, Time: leaf.Time, Kind: leaf.Kind.String(), Act: act}, true, nil
}
