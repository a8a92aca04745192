package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// recall returns the checkpoint believed last, nil if there is none.
func (v *Verifier) recall(ctx context.Context) (*believed, error) {
	signed, err := v.o.Memory.Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		return nil, fmt.Errorf("memory: it holds no checkpoint: %v", err) // it is ours: says nothing of the ledger
	}
	b := &believed{signed: signed, Checkpoint: c.Checkpoint, foreign: true}
	if verdict, err := v.o.Policy.CheckLog(signed); err == nil { // by an older policy it was right
		b.time, b.foreign = verdict.Time, false
	}
	return b, nil
}

// ErrOtherLedger says that what is remembered is not of the history of what the
// ledger shows, and was signed by no log key of the policy. So it proves nothing
// against that: it is of another ledger of the same name, such as one that was
// there before, or the ledger's key and its history were changed together.
var ErrOtherLedger = fmt.Errorf("%w: what is remembered is of another history, and no log key of the policy has signed it", proofs.ErrNotVerified)

// A believed checkpoint is what the memory holds.
type believed struct {
	proofs.Checkpoint
	signed  []byte
	time    uint64 // cosigned
	foreign bool   // no log key of the policy has signed it
}

// believe compares a checkpoint with what was believed and remembers it if it
// is the larger one. It returns storage.ErrConflict if another process
// changed the memory meanwhile.
func (v *Verifier) believe(ctx context.Context, old *believed, signed []byte, verdict proofs.Verdict) (View, error) {
	c := verdict.Checkpoint
	reader, err := v.extend(ctx, old, signed, c)
	if err != nil {
		return View{}, err
	}
	view := View{Verdict: verdict, Signed: signed, Reader: reader}
	if old != nil && c.Size < old.Size {
		v.recent.add(view)
		return view, nil
	}
	if old != nil && c.Size == old.Size && verdict.Time <= old.time {
		v.keep(view)
		return view, nil
	}
	var was []byte
	if old != nil {
		was = old.signed
	}
	// Remembered before it is relied on: who forgets can be shown a fork.
	if err := v.o.Memory.Swap(ctx, was, signed); err != nil {
		return View{}, fmt.Errorf("memory: %w", err)
	}
	v.keep(view)
	return view, nil
}

// keep makes a view the largest.
func (v *Verifier) keep(view View) {
	v.view = view
	v.recent.add(view)
}

// extend returns a reader of the tree of c, after it has made sure that this
// tree and the one believed are of one history.
func (v *Verifier) extend(ctx context.Context, old *believed, signed []byte, c proofs.Checkpoint) (*proofs.Reader, error) {
	if old == nil {
		return proofs.NewReader(c, v.o.Files), nil
	}
	if old.Origin != c.Origin {
		return nil, fmt.Errorf("the memory is of the ledger %q, and this is %q: each needs a memory of its own", old.Origin, c.Origin)
	}
	before := v.readerOf(old.Checkpoint)
	if sameTree(old.Checkpoint, c) {
		return before, nil
	}
	if c.Size > old.Size {
		if next, err := before.Extend(ctx, c); err == nil {
			return next, nil
		} // why not is told apart below
	}
	reader := proofs.NewReader(c, v.o.Files)
	larger, small := reader, old.Checkpoint
	if c.Size < old.Size {
		larger, small = before, c
	}
	e, err := compare(ctx, larger, small)
	if old.foreign && (e != nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, proofs.ErrNotVerified)) {
		return nil, fmt.Errorf("compare size %d with size %d: %w", old.Size, c.Size, ErrOtherLedger)
	}
	if err != nil {
		return nil, fmt.Errorf("compare size %d with size %d: %w", old.Size, c.Size, err)
	}
	if e != nil {
		e.Old, e.New = string(old.signed), string(signed)
		return nil, &HistoryError{Evidence: *e}
	}
	return reader, nil
}

// readerOf returns the reader of a checkpoint, with what was read before if it
// is the one believed last.
func (v *Verifier) readerOf(c proofs.Checkpoint) *proofs.Reader {
	if r := v.view.Reader; r != nil && sameTree(r.Checkpoint(), c) {
		return r
	}
	return proofs.NewReader(c, v.o.Files)
}

func sameTree(a, b proofs.Checkpoint) bool {
	return a.Origin == b.Origin && a.Size == b.Size && a.Root == b.Root
}

// rolledBack returns the error for a ledger whose latest checkpoint is smaller
// than the one believed.
func (v *Verifier) rolledBack(ctx context.Context, old *believed, signed []byte, verdict proofs.Verdict) error {
	if old.foreign {
		return fmt.Errorf("size %d after size %d: %w", verdict.Checkpoint.Size, old.Size, ErrOtherLedger)
	}
	e := &Evidence{What: Rollback}
	// If the files still tell, it may be a fork, which the two prove by themselves.
	if fork, err := compare(ctx, v.readerOf(old.Checkpoint), verdict.Checkpoint); err == nil && fork != nil {
		e = fork
	}
	e.Old, e.New = string(old.signed), string(signed)
	return &HistoryError{Evidence: *e}
}
