package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// recordConflicts adds an act to the batch that refuses a request's conflicts:
// events that were sent again with another content. Whoever is told of one can
// rely on its being recorded, so that a changed event never goes unnoticed
// (law 9).
func (s *sequencer) recordConflicts(ctx context.Context, b *batch, r *request, now uint64) error {
	var with []uint64 // the entries that are there
	for _, a := range r.admissions {
		if a.problem != nil && a.problem.Code() == client.Conflict {
			with = append(with, a.problem.Index)
		}
	}
	if len(with) == 0 {
		return nil
	}
	slices.Sort(with)
	act := r.caller.act(proofs.ActAppendConflict)
	act.Stream, act.Outcome, act.Detail = r.stream, proofs.OutcomeRefused, string(client.Conflict)
	for runs := range slices.Chunk(proofs.RunsOf(slices.Compact(with)), proofs.MaxActRuns) {
		act.Entries, act.Results = runs, 0
		for _, run := range runs {
			act.Results += run.Last - run.First + 1
		}
		a, err := s.l.sealedAct(r.acts, proofs.Administration, nil, act)
		if err != nil {
			return fmt.Errorf("conflict: %w", err)
		}
		if err := s.place(ctx, b, a, now); err != nil {
			return err
		}
	}
	return nil
}
