package ledger

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// withoutDoomed takes from entries those that are closed, whatever comes, by
// what is announced and not done: an entry of a bucket that expires, and one
// about a subject that is erased, of which no part will stay.
func (l *Ledger) withoutDoomed(ctx context.Context, open []retain.Closing, runs []proofs.Run) ([]proofs.Run, error) {
	for _, c := range open {
		for _, share := range c.Gone() {
			var doomed []uint64
			err := l.eachLeaf(ctx, retain.Intersect(runs, share.Runs), func(index uint64, leaf proofs.Leaf) {
				s, ok := l.state.stream(leaf.Stream)
				whole := share.Bucket == 0 && leaf.Stream == share.Stream && ok && !s.at(index).Body.Split
				if whole || share.Bucket > 0 && leaf.Bucket == share.Bucket {
					doomed = append(doomed, index)
				}
			})
			if err != nil {
				return nil, err
			}
			runs = retain.Subtract(runs, proofs.RunsOf(doomed))
		}
	}
	return runs, nil
}

// eachLeaf calls do with the leaf of every entry of runs.
func (l *Ledger) eachLeaf(ctx context.Context, runs []proofs.Run, do func(index uint64, leaf proofs.Leaf)) error {
	for _, r := range runs {
		for from := r.First; from <= r.Last; from += historyStep {
			leaves, err := l.leaves(ctx, from, min(from+historyStep, r.Last+1))
			if err != nil {
				return err
			}
			for i, b := range leaves {
				leaf, err := proofs.ParseLeaf(b)
				if err != nil {
					return fmt.Errorf("entry %d: %w", from+uint64(i), err)
				}
				do(from+uint64(i), leaf)
			}
		}
	}
	return nil
}
