package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// Entries reads several entries at once and opens their payloads, in their
// order; see [client.CheckRead] for which. Before the first is yielded all of it
// is recorded, as one read for each stream that the entries are about. What the
// caller may not read, and what is gone, is yielded as a problem. The error is
// the last; one before anything is yielded can be a [client.Problem].
func (s *Session) Entries(ctx context.Context, runs []proofs.Run) iter.Seq2[client.ReadEntry, error] {
	return func(yield func(client.ReadEntry, error) bool) {
		order, err := s.beginRead(ctx, runs)
		if err != nil {
			yield(client.ReadEntry{}, err)
			return
		}
		for _, e := range order {
			if e.Problem == nil {
				var p *client.Problem
				if e.Entry, err = s.l.entry(ctx, e.Index); errors.As(err, &p) {
					e.Entry, e.Problem = nil, p
				} else if err != nil {
					yield(client.ReadEntry{}, err)
					return
				}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// beginRead records that entries are read, and returns them: with a problem
// those that the caller may not read.
func (s *Session) beginRead(ctx context.Context, runs []proofs.Run) (order []client.ReadEntry, err error) {
	if err := client.CheckRead(runs); err != nil {
		return nil, err
	}
	if err := s.l.sequencedIndex(runs[len(runs)-1].Last); err != nil {
		return nil, err
	}
	var allowed handover
	denied := make(map[client.ProblemCode]*handover)
	why := make(map[client.ProblemCode]*client.Problem)
	var broken error
	err = s.l.eachLeaf(ctx, runs, func(index uint64, leaf proofs.Leaf) {
		number, err := aboutStream(leaf)
		if err != nil {
			broken = fmt.Errorf("entry %d: %w", index, err)
			return
		}
		e, about := client.ReadEntry{Index: index}, s.l.streamName(number)
		if err := s.mayRead(leaf.Kind, about); errors.As(err, &e.Problem) {
			code := e.Problem.Code()
			if denied[code] == nil {
				denied[code], why[code] = new(handover), e.Problem
			}
			denied[code].add(index, about)
		} else {
			allowed.add(index, about)
		}
		order = append(order, e)
	})
	if err = errors.Join(err, broken); err != nil {
		return nil, err
	}
	for code, h := range denied {
		for _, act := range s.actsAbout(proofs.ActRead, *h) {
			act.Results = 0
			if err := s.answered(ctx, act, why[code]); !errors.Is(err, why[code]) {
				return nil, err
			}
		}
	}
	return order, s.answeredAll(ctx, s.actsAbout(proofs.ActRead, allowed))
}
