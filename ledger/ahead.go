package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// An AheadError means that a witness says it has cosigned more of this log
// than this ledger has signed, or another history of it: somebody restored an
// old copy of the ledger, or runs two, or the witness lies.
type AheadError struct {
	Witness string
	Size    uint64 // what the witness has cosigned
	Signed  uint64 // what this ledger has signed

	// Checkpoint is what the witness showed of it, signed by a key of this
	// log: the proof that it does not lie. Nil: it showed nothing.
	Checkpoint []byte
}

func (e *AheadError) Error() string {
	what := fmt.Sprintf("size %d of this log, and this ledger has signed %d only", e.Size, e.Signed)
	if e.Size <= e.Signed {
		what = fmt.Sprintf("another tree of size %d of this log", e.Size)
	}
	if e.Checkpoint == nil {
		return fmt.Sprintf("witness %s says that it has cosigned %s, and does not prove it: this is an old copy of the ledger, or a second one is running, or the witness lies; see cairn-troubleshooting(7)",
			e.Witness, what)
	}
	return fmt.Sprintf("witness %s has cosigned %s, with this log's signature: this is an old copy of the ledger, or a second one is running; nothing more is signed; see cairn-troubleshooting(7)",
		e.Witness, what)
}

// stops reports whether an error must stop the ledger: a witness proves that
// it is ahead of us, or says so before we know better. Once the witnesses of
// every quorum have answered we do: a word alone is trouble with the witness.
func (c *cosigner) stops(err error) bool {
	var ahead *AheadError
	if !errors.As(err, &ahead) {
		return false
	}
	cleared := false
	c.l.progress.read(func(p *progress) { cleared = p.cleared })
	return ahead.Checkpoint != nil || !cleared
}

// ahead judges a refusal. It returns nil where the refusal says nothing of
// what the witness has cosigned that does not fit what we signed.
//
// Others may give a witness what we have published meanwhile: then it is
// ahead of the request, and not of us.
func (c *cosigner) ahead(ctx context.Context, asked *signedState, refused *witness.Error) error {
	size := asked.checkpoint.Size
	switch {
	case refused.Status == http.StatusConflict && refused.Size > size:
		return c.claim(ctx, refused.Size, false)
	case refused.Status != http.StatusUnprocessableEntity && refused.Status != http.StatusConflict:
		return nil
	case c.old == size && !c.hasCosigned(asked.checkpoint):
		// It was told our size as the old one, and knows another tree of it:
		// C2SP tlog-witness has 422 for this, and had 409 before.
		return c.claim(ctx, size, false)
	case c.old > 0 && c.old < size:
		// It does not take our own proof, which may have many reasons.
		return c.claim(ctx, c.old, true)
	}
	return nil
}

// claim asks the witness to show what it claims to have cosigned, and returns
// an AheadError unless that is of our own history. Where it does not show what
// it claims the claim alone is the error, unless it must be proven.
func (c *cosigner) claim(ctx context.Context, size uint64, proven bool) error {
	shown, note := c.shown(ctx)
	sizes, _ := c.l.progress.snapshot() // after the look: what it can have from us we have signed by now
	if note != nil {
		ours, err := c.l.signedRoot(ctx, shown.Size, sizes.Signed)
		if err == nil && ours != shown.Root {
			return &AheadError{Witness: c.name, Size: shown.Size, Signed: sizes.Signed, Checkpoint: note}
		}
	}
	if proven || size < sizes.Signed || note != nil && shown.Size >= size {
		return nil
	}
	return &AheadError{Witness: c.name, Size: size, Signed: sizes.Signed}
}

// shown returns the checkpoint of this log that the witness shows, if one of
// the log's keys signed it.
func (c *cosigner) shown(ctx context.Context) (checkpoint proofs.Checkpoint, note []byte) {
	monitor, ok := c.witness.(witness.Monitor)
	if !ok {
		return checkpoint, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.l.cfg.WitnessTimeout)
	defer cancel()
	note, err := monitor.Checkpoint(ctx, c.l.origin())
	if err != nil {
		return checkpoint, nil
	}
	signed, err := proofs.ParseSignedCheckpoint(note)
	if err != nil || signed.Origin != c.l.origin() || signedByUs(signed, c.l.cfg.Keys) != nil {
		return checkpoint, nil
	}
	return signed.Checkpoint, note
}

// signedRoot returns the root of our tree at a size; of a size beyond what we
// have signed, which no tree of ours has yet, a root that nothing has.
func (l *Ledger) signedRoot(ctx context.Context, size, signed uint64) (proofs.Hash, error) {
	if size > signed {
		return proofs.Hash{}, nil
	}
	return proofs.Root(ctx, size, l.cfg.Tree)
}

// hasCosigned reports whether the witness has cosigned this very tree in this
// run. Then it has no other tree of the size, whatever it says now.
func (c *cosigner) hasCosigned(t proofs.Checkpoint) bool {
	return c.last != nil && c.last.Size == t.Size && c.last.Root == t.Root
}
