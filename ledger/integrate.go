package ledger

import (
	"context"
	"fmt"
	"sync"

	"github.com/cairnlog/cairn/proofs"
)

// An integrator takes sequenced batches into the tree, the vault and the
// index. It is one goroutine, and works from the journal's bytes alone: when
// the ledger starts it is given what the journal holds.
type integrator struct {
	l        *Ledger
	edge     edge   // of the tree of all that is integrated
	treeSize uint64 // how far the tree has integrated
	kept     uint64 // vault and index have durably what they shall have of the entries below
}

// run integrates until the sequencer is done. What waits is taken together.
func (in *integrator) run(ctx context.Context) {
	for b := range in.l.toIntegrate {
		batches, bytes := []*batch{b}, b.bytes()
		for more := true; more && len(batches) < 16 && bytes < maxBatchBytes; {
			select {
			case next, ok := <-in.l.toIntegrate:
				if more = ok; ok {
					batches, bytes = append(batches, next), bytes+next.bytes()
				}
			default:
				more = false
			}
		}
		if _, stopped := in.l.progress.snapshot(); stopped != nil {
			continue
		}
		if err := in.integrate(ctx, batches); err != nil {
			in.l.stop(err)
		}
	}
}

// integrate brings batches into the tree, vault and index, computes both
// roots and compares them. Every step may have been taken before.
func (in *integrator) integrate(ctx context.Context, batches []*batch) error {
	end := batches[len(batches)-1].end()
	var wg sync.WaitGroup
	var vaultErr error
	wg.Go(func() { vaultErr = in.l.keep(ctx, batches, in.kept) })
	root, err := in.order(ctx, batches)
	wg.Wait()
	if err != nil {
		return err
	}
	if vaultErr != nil {
		return vaultErr
	}
	// Two computations agree, or nothing is signed (law 3): ours is made of
	// the journal's bytes, Trillian's of its own storage.
	// At a start the edge is that of what was signed, and earlier batches have no root of ours.
	if ours := in.edge.root(); in.edge.size < end || in.edge.size == end && ours != root {
		return &DisagreementError{Size: end, Journal: ours, Tree: root}
	}
	in.l.indexed.Store(end)
	in.l.pending.remove(end)
	// The keeper knows of a batch before anything can be signed or published that
	// covers it: what is closed then must be on its way out of the journal.
	in.l.keeper.applied(batches)
	edge := in.edge.clone()
	in.l.progress.update(func(p *progress) { p.sizes.Integrated, p.edge = end, edge })
	return nil
}

// order appends the leaves to the tree and to our own edge, and returns the
// tree's root.
func (in *integrator) order(ctx context.Context, batches []*batch) (root proofs.Hash, err error) {
	end := batches[len(batches)-1].end()
	for _, b := range batches {
		leaves := b.leaves()
		if err := in.l.cfg.Tree.Append(ctx, b.first, leaves); err != nil {
			return root, fmt.Errorf("tree: entries from %d on: %w", b.first, err)
		}
		for i, leaf := range leaves {
			if b.first+uint64(i) >= in.edge.size {
				in.edge.append(leaf)
			}
		}
	}
	return in.treeRoot(ctx, end)
}

// treeRoot returns the tree's root at a size, and integrates up to there if
// that was not done before.
func (in *integrator) treeRoot(ctx context.Context, size uint64) (root proofs.Hash, err error) {
	if in.treeSize >= size {
		if root, err = proofs.Root(ctx, size, in.l.cfg.Tree); err != nil {
			return root, fmt.Errorf("tree: root at size %d: %w", size, err)
		}
		return root, nil
	}
	r, err := in.l.cfg.Tree.Integrate(ctx, size)
	if err != nil {
		return root, fmt.Errorf("tree: integrate to %d: %w", size, err)
	}
	in.treeSize = size
	return proofs.Hash(r), nil
}

// keep writes the private side of batches to the vault and their keys to the
// index, behind the journal: neither is durable yet. What was durable once is
// not written again: it may have been closed since.
func (l *Ledger) keep(ctx context.Context, batches []*batch, from uint64) error {
	for _, b := range batches {
		b = b.from(from)
		if records := b.records(); len(records) > 0 {
			if err := l.cfg.Vault.Write(ctx, records); err != nil {
				return fmt.Errorf("vault: entries from %d on: %w", b.first, err)
			}
		}
		if rows := b.rows(); len(rows) > 0 {
			if err := l.cfg.Index.Insert(ctx, rows); err != nil {
				return fmt.Errorf("index: entries from %d on: %w", b.first, err)
			}
		}
	}
	return nil
}

// A DisagreementError means that the tree does not have the root that the
// journal's entries have. Nothing of it was signed.
type DisagreementError struct {
	Size    uint64
	Journal proofs.Hash // computed from the journal's bytes
	Tree    proofs.Hash // computed by Trillian
}

func (e *DisagreementError) Error() string {
	return fmt.Sprintf("at size %d the journal's entries have the root %s and the tree has %s: nothing is signed; see cairn-troubleshooting(7)", e.Size, e.Journal, e.Tree)
}
