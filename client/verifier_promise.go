package client

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// CheckPromise checks that the log promised an entry, and that it has kept its
// word: that the entry stands at its index in the tree of the ledger's latest
// checkpoint. It returns what was promised, also with an error about whether
// it was kept, and the view that shows that it was.
//
// Where no checkpoint covers the index yet the error matches [ErrNotCovered]:
// nobody can tell so far. Where another leaf stands there it is a
// [*HistoryError] with the evidence.
func (v *Verifier) CheckPromise(ctx context.Context, p PromisedEntry) (proofs.PromiseText, View, error) {
	text, err := p.Check(v.o.Policy)
	if err != nil {
		return text, View{}, err
	}
	view, err := v.Covering(ctx, p.Index)
	if err != nil {
		return text, View{}, err
	}
	if c := view.Checkpoint; c.Origin != text.Origin {
		return text, View{}, fmt.Errorf("the promise is by %q, and this is the ledger %q", text.Origin, c.Origin)
	}
	leaf, err := view.Reader.LeafHash(ctx, p.Index)
	if err != nil {
		return text, View{}, fmt.Errorf("entry %d: %w", p.Index, err)
	}
	if leaf == proofs.LeafHash(p.Leaf) {
		return text, view, nil
	}
	e := Evidence{What: Broken, New: string(view.Signed), Leaf: &leaf}
	if e.Proof, err = proofs.ProveInclusion(ctx, p.Index, view.Checkpoint.Size, view.Reader); err != nil {
		return text, View{}, fmt.Errorf("entry %d: %w", p.Index, err)
	}
	file, err := FormatPromisedEntry(p)
	if err != nil {
		return text, View{}, err
	}
	e.Old = string(file)
	return text, View{}, v.report(ctx, &HistoryError{Evidence: e})
}

// brokenString says what evidence of a broken promise shows.
func (e Evidence) brokenString() string {
	latest, err := proofs.ParseSignedCheckpoint([]byte(e.New))
	p, errPromise := ParsePromisedEntry([]byte(e.Old))
	if err != nil || errPromise != nil {
		return "the log contradicts itself"
	}
	return fmt.Sprintf("broken promise: %s promised entry %d, and has another one there, in its tree with %d entries and root %s",
		latest.Origin, p.Index, latest.Size, latest.Root)
}

// checkBroken checks evidence of a broken promise.
func (e Evidence) checkBroken(policy *proofs.Policy) error {
	no := func(why string) error { return fmt.Errorf("%w: evidence: %s", proofs.ErrNotVerified, why) }
	p, err := ParsePromisedEntry([]byte(e.Old))
	if err != nil {
		return fmt.Errorf("evidence: old: %w", err)
	}
	text, err := p.Check(policy)
	if err != nil {
		return fmt.Errorf("evidence: old: %w", err)
	}
	latest, err := policy.CheckLog([]byte(e.New))
	if err != nil {
		return fmt.Errorf("evidence: new: %w", err)
	}
	c := latest.Checkpoint
	switch {
	case c.Origin != text.Origin:
		return no("the promise and the checkpoint are of two logs")
	case e.Leaf == nil || *e.Leaf == proofs.LeafHash(p.Leaf):
		return no("it shows no other leaf than the one that was promised")
	}
	if err := proofs.CheckInclusion(p.Index, c.Size, *e.Leaf, e.Proof, c.Root); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}
