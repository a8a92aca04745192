package main

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// writeKept writes the checkpoints that the ledger keeps, each of which must be
// of this history. That of the export that was there may be another one of its
// size, which the export has kept itself.
func (e *exporter) writeKept(ctx context.Context) error {
	e.keeps = 0
	for _, size := range e.kept {
		if size > e.view.Checkpoint.Size {
			break // it grew meanwhile
		}
		path := audit.CheckpointPath(size)
		e.keeps++
		if size != e.from && e.has(path) {
			continue
		}
		signed, err := e.files.ReadFile(ctx, path)
		if err != nil {
			return err
		}
		if err := e.checkKept(ctx, size, signed); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := e.write(path, signed); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) checkKept(ctx context.Context, size uint64, signed []byte) error {
	// A policy of today may demand other witnesses than cosigned it then.
	verdict, err := e.policy.CheckLog(signed)
	if err != nil {
		return err
	}
	if verdict.Checkpoint.Size != size || verdict.Checkpoint.Origin != e.view.Checkpoint.Origin {
		return fmt.Errorf("%w: it is the checkpoint of %q at size %d", proofs.ErrNotVerified, verdict.Checkpoint.Origin, verdict.Checkpoint.Size)
	}
	root, err := proofs.Root(ctx, size, e.view.Reader)
	if err != nil {
		return err
	}
	if root == verdict.Checkpoint.Root {
		return nil
	}
	if err := e.convict(ctx, signed); err != nil {
		return err
	}
	return fmt.Errorf("%w: its root is not that of the ledger at size %d", proofs.ErrNotVerified, size)
}
