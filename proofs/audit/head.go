package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/cairnlog/cairn/proofs"
)

// findHead finds the checkpoint to judge by: the published one or, where that
// can't be believed, the last of the kept ones that can. It returns false
// where there is none.
func (a *auditor) findHead(ctx context.Context) (bool, error) {
	_, err := fs.ReadDir(a.fsys, ".")
	a.listable = err == nil
	v, signed, found, err := a.readSigned(ctx, CheckpointFile)
	if err != nil {
		return false, err
	}
	a.found.add(found...)
	a.path = CheckpointFile
	if v.LogKeys == nil && a.listable {
		for size, err := range numbered(a.fsys, CheckpointsDir, 0, math.MaxInt64) {
			if err != nil {
				return false, err
			}
			kept, keptSigned, _, err := a.readSigned(ctx, CheckpointPath(size))
			if err != nil {
				return false, err
			}
			if kept.LogKeys != nil && kept.Checkpoint.Size == size {
				v, signed, a.path = kept, keptSigned, CheckpointPath(size)
			}
		}
	}
	if v.LogKeys == nil {
		a.notJudged("anything: there is no checkpoint that the policy believes.")
		return false, nil
	}
	if !v.QuorumMet {
		a.found.add(Finding{Kind: CheckpointQuorum, Index: NoIndex, Path: a.path,
			Detail: fmt.Sprintf("Too few witnesses have cosigned the checkpoint: quorum %q is not met.", a.policy.Quorum)})
	}
	a.signed, a.head = signed, v.Checkpoint
	a.reader = proofs.NewReader(a.head, a.files)
	a.report.Checkpoint, a.report.Verdict = v.Checkpoint, v
	return true, nil
}

// prepare decides where to begin.
func (a *auditor) prepare(ctx context.Context) error {
	info, err := fs.Stat(a.fsys, VaultDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && a.listable {
		return fmt.Errorf("read %s: %w", VaultDir, err)
	}
	a.vault, a.withholds = err == nil && info.IsDir(), &withholding{}
	a.tree = tree{ledger: a.ledger, found: &a.found}
	a.history = history{found: &a.found, origin: a.head.Origin, retention: newRetention(), sources: newSources(a.o.MaxSources), cosigned: a.cosigned}
	s := a.o.State
	if s == nil {
		return nil
	}
	if s.Checkpoint.Origin != a.head.Origin {
		return fmt.Errorf("the state is of %q, the ledger is %q", s.Checkpoint.Origin, a.head.Origin)
	}
	resume, err := a.extends(ctx, s.Checkpoint)
	if err != nil || !resume {
		return err
	}
	if err := a.tree.resume(ctx, s.Checkpoint.Size/proofs.TileWidth); err != nil {
		if !wrong(err) {
			return err
		}
		a.tree = tree{ledger: a.ledger, found: &a.found}
		return nil // the whole run finds what is wrong
	}
	a.from = s.Checkpoint.Size
	a.history.time, a.history.closed, a.history.sources = s.Time, s.closed, s.sources.clone(a.o.MaxSources)
	a.history.retention = s.retention.clone()
	return nil
}

// extends reports whether the head's tree begins with that of an earlier
// checkpoint, by the tiles. It is false too where they can't tell.
func (a *auditor) extends(ctx context.Context, old proofs.Checkpoint) (bool, error) {
	if old.Size > a.head.Size {
		a.found.add(Finding{Kind: CheckpointRollback, Index: NoIndex, Path: a.path,
			Detail: fmt.Sprintf("The ledger had %d entries when it was judged before, and now publishes %d: it was rolled back.", old.Size, a.head.Size)})
		return false, nil
	}
	root, err := proofs.Root(ctx, old.Size, a.reader)
	if err != nil {
		if wrong(err) {
			return false, nil
		}
		return false, err
	}
	return root == old.Root, nil
}
