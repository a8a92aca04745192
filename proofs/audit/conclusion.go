package audit

import (
	"context"
	"fmt"
	"math"

	"github.com/cairnlog/cairn/proofs"
)

// conclude judges what can be judged only at the end.
func (a *auditor) conclude(ctx context.Context) error {
	if a.head.Size == 0 {
		if err := a.judgeEmpty(ctx); err != nil {
			return err
		}
	}
	root, known, err := a.tree.close(ctx, a.edge, !a.edgeLost)
	if err != nil {
		return err
	}
	switch {
	case !known:
		a.notJudged("the root: too many entries and hashes are missing or damaged.")
	case root != a.head.Root:
		a.found.add(Finding{Kind: RootMismatch, Index: NoIndex, Path: a.path,
			Detail: fmt.Sprintf("The entries and hashes do not lead to the root that the log signed at size %d, but to another one.", a.head.Size)})
	}
	if a.keptLost > 0 {
		a.notJudged("%d kept checkpoints against the tree: entries and hashes before them are missing or damaged.", a.keptLost)
	}
	a.history.judgeTime(a.head.Size, a.history.time, a.report.Verdict.Time, a.path)
	if err := a.judgeBeyond(ctx); err != nil {
		return err
	}
	if err := a.judgeReceipts(ctx); err != nil {
		return err
	}
	if a.vault {
		if err := a.passVault(ctx); err != nil {
			return err
		}
	}
	if err := a.openSample(ctx); err != nil {
		return err
	}
	if err := a.recompute(ctx); err != nil {
		return err
	}
	if err := a.judgeWithheld(ctx); err != nil {
		return err
	}
	if lost := a.history.directories.lost; lost > 0 {
		a.notJudged("what directory entries from %d on commit to: not all directories are known.", lost)
	}
	lasting := a.judgeGaps() + a.judgeOpen()
	a.summarize()
	if clean := a.found.total == lasting; clean && known && !a.history.sources.full {
		a.report.State = &State{
			Signed: a.signed, Checkpoint: a.head, Time: a.history.time,
			closed: a.history.closed, retention: a.history.retention, sources: a.history.sources,
		}
	}
	return nil
}

// judgeEmpty judges the kept checkpoint of size 0 where there are no entries
// to judge it with.
func (a *auditor) judgeEmpty(ctx context.Context) error {
	for m, err := range a.marks() {
		if err != nil {
			return err
		}
		k, err := a.readMark(ctx, m)
		if err != nil {
			return err
		}
		k.root, k.known = proofs.EmptyRoot(), true
		a.judgeKept(&k)
	}
	return nil
}

// judgeBeyond looks for kept checkpoints that are larger than the published one.
// A live ledger grows while it is judged: then that has grown as well.
func (a *auditor) judgeBeyond(ctx context.Context) error {
	if !a.listable {
		a.notJudged("kept checkpoints, receipts and partial files of earlier sizes: the files can't be listed.")
		return nil
	}
	var largest uint64
	for size, err := range numbered(a.fsys, CheckpointsDir, a.head.Size+1, math.MaxInt64) {
		if err != nil {
			return err
		}
		k, err := a.readKept(ctx, size)
		if err != nil {
			return err
		}
		if k.believed() {
			largest = size
		}
	}
	if largest == 0 {
		return nil
	}
	now, _, _, err := a.readSigned(ctx, CheckpointFile)
	if err == nil && now.Checkpoint.Size < largest {
		a.found.add(Finding{Kind: CheckpointRollback, Index: NoIndex, Path: CheckpointPath(largest),
			Detail: fmt.Sprintf("The log signed a checkpoint of %d entries, and now publishes one of %d: it was rolled back, or its files were cut short.", largest, a.head.Size)})
	}
	return err
}

// judgeGaps reports the gaps of sources and returns how many there are.
func (a *auditor) judgeGaps() int {
	if a.history.sources.full {
		a.notJudged("sequence numbers of some sources: there are more than %d sources and gaps.", a.o.MaxSources)
	}
	if a.history.unread > 0 {
		a.notJudged("whether sources have gaps: %d entries could not be read.", a.history.unread)
		return 0
	}
	gaps := a.history.sources.gapCount()
	a.found.addAll(a.history.sources.gaps(), gaps)
	return gaps
}

// judgeOpen reports the closings that were announced long ago and are not done,
// and returns how many there are. The next run finds them again.
func (a *auditor) judgeOpen() (n int) {
	if a.history.unaged > 0 {
		a.notJudged("whether %d buckets that expired had reached their age: no checkpoints are kept here.", a.history.unaged)
	}
	if a.history.unread > 0 {
		return 0
	}
	for f := range a.history.overdue(max(a.history.time, a.report.Verdict.Time*1e6)) {
		a.found.add(f)
		n++
	}
	return n
}
