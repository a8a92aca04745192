package audit

import (
	"iter"

	"github.com/cairnlog/cairn/proofs"
)

// A job is the entries of a bundle to be judged by one worker.
type job struct {
	bundle proofs.Bundle
	skip   int    // its first entries that an earlier run has judged
	marks  []mark // sizes within it at which the root is asked for, rising
}

// A mark is a size at which a checkpoint is known: a kept one, or that of the
// state.
type mark struct {
	size  uint64
	state *State // nil: it is a kept one
}

// jobs yields the bundles to be judged, with the marks that lie in them.
func (a *auditor) jobs() iter.Seq2[job, error] {
	return func(yield func(job, error) bool) {
		next, stop := iter.Pull2(a.marks())
		defer stop()
		m, err, more := next()
		for first := a.from &^ (proofs.TileWidth - 1); first < a.head.Size; first += proofs.TileWidth {
			b, _ := proofs.BundleIn(a.head.Size, first/proofs.TileWidth)
			j := job{bundle: b}
			if first < a.from {
				j.skip = int(a.from - first)
			}
			for ; more && err == nil && m.size <= first+uint64(b.Width); m, err, more = next() {
				j.marks = append(j.marks, m)
			}
			if more && err != nil {
				yield(job{}, err)
				return
			}
			if !yield(j, nil) {
				return
			}
		}
	}
}

// marks yields the sizes of the kept checkpoints up to the head, and of the
// state where its tree is judged again.
func (a *auditor) marks() iter.Seq2[mark, error] {
	return func(yield func(mark, error) bool) {
		state := a.o.State
		if state != nil && (a.from > 0 || state.Checkpoint.Size > a.head.Size) {
			state = nil
		}
		kept := func(yield func(uint64, error) bool) {}
		if a.listable {
			kept = numbered(a.fsys, CheckpointsDir, a.from, a.head.Size)
		}
		for size, err := range kept {
			if state != nil && err == nil && state.Checkpoint.Size <= size {
				if !yield(mark{state.Checkpoint.Size, state}, nil) {
					return
				}
				state = nil
			}
			if !yield(mark{size: size}, err) {
				return
			}
		}
		if state != nil {
			yield(mark{state.Checkpoint.Size, state}, nil)
		}
	}
}
