package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// olderThan returns the signed checkpoint of a directory that is of an earlier
// size than what is remembered of its ledger, and nil where it is not. A
// directory does not claim to be the latest, so that this is no rollback: it
// is told, and what is remembered stays. But the two must be of one history
// as far as the files that are there show it; the error is a
// [*client.HistoryError] where they do not.
func (p *program) olderThan(ctx context.Context, o client.VerifierOptions, dir string) ([]byte, error) {
	signed, err := o.Files.ReadFile(ctx, "checkpoint")
	if err != nil {
		return nil, nil // the verifier says why
	}
	now, err := o.Policy.Check(signed)
	if err != nil {
		return nil, nil // the same
	}
	seen, err := remembered(ctx, o.Memory)
	if err != nil || seen == nil || seen.Origin != now.Checkpoint.Origin || seen.Size <= now.Checkpoint.Size {
		return nil, err
	}
	v, err := client.NewVerifier(o)
	if err != nil {
		return nil, err
	}
	_, err = v.Believe(ctx, signed) // compares, and remembers the larger one
	var h *client.HistoryError
	switch {
	case errors.As(err, &h) || ctx.Err() != nil:
		return nil, err
	case err == nil:
		p.Say("this export is of size %d, a larger one (%d) was seen, which begins with it", now.Checkpoint.Size, seen.Size)
	default:
		p.Say("this export is of size %d, a larger one (%d) was seen; whether that begins with this one cannot be told from what is here", now.Checkpoint.Size, seen.Size)
		p.Hint("the ledger tells, or a later export: cairn prove consistency %s --url URL", filepath.Join(dir, "checkpoint"))
	}
	return signed, nil
}

// remembered returns the checkpoint that a memory holds, nil if it holds none
// that can be read: the verifier says why.
func remembered(ctx context.Context, memory storage.Register) (*proofs.Checkpoint, error) {
	signed, err := memory.Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		return nil, nil
	}
	return &c.Checkpoint, nil
}

// addsNothing returns why a directory that has an export of a larger size is
// not exported to from one that is smaller: there is nothing to add to it or,
// as its own files show, the two are of different histories.
func (p *program) addsNothing(ctx context.Context, e *exporter, from string, old []byte, size uint64) error {
	here := &source{name: e.dir, files: proofs.FS(os.DirFS(e.dir))}
	c := succession{policy: e.policy, believed: old, latest: e.view.Signed, beside: filepath.Clean(e.dir)}
	if err := p.follows(ctx, here, c); err != nil {
		return err
	}
	return command.Usage("%s has %d entries already, and the export in %s has %d of them: there is nothing to add", e.dir, size, from, e.view.Checkpoint.Size)
}
