package audit

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// take adds the next chunk to the tree and to the history.
func (a *auditor) take(ctx context.Context, c *chunk) error {
	a.found.add(c.found...)
	a.tree.disputes = append(a.tree.disputes, c.disputes...)
	for i := range c.kept {
		k := &c.kept[i]
		var all bool
		k.root, all = a.tree.root(k.edge)
		k.known = k.known && all
	}
	believed := true
	if c.bundle.Width == proofs.TileWidth {
		n := node{known: c.edge != nil}
		if n.known {
			n.hash = c.edge[0]
		}
		var err error
		if believed, err = a.tree.push(ctx, n); err != nil {
			return err
		}
	} else {
		a.edge, a.edgeLost = c.edge, c.edge == nil
	}
	for i := range c.kept {
		c.kept[i].known = c.kept[i].known && believed
		a.judgeKept(&c.kept[i])
	}
	if !believed {
		c.facts = facts{unread: uint64(c.bundle.Width - c.skip)}
	}
	if a.vault {
		a.seen = append(a.seen, seen{node{foldRight(c.edge), c.edge != nil && believed}, c.right, c.file})
	}
	a.found.add(c.facts.found...)
	if err := a.history.take(ctx, c); err != nil {
		return err
	}
	a.sum(c)
	return nil
}

// passVault judges the vault by what all entries say.
func (a *auditor) passVault(ctx context.Context) error {
	a.streams = a.history.streamKeepers()
	odd, unclear := oddities{}, 0
	var doubts []doubted
	err := ordered(ctx, a.o.Workers, a.vaultJobs(ctx), a.judgeVault, func(c *vaultChunk) error {
		a.found.add(c.found...)
		a.sumRecords(c)
		if a.history.unread > 0 {
			unclear += len(c.doubts) + len(c.more) + len(c.runs)
			return nil
		}
		if len(c.doubts) > 0 {
			doubts = append(doubts, doubted{c.bundle, c.seen, c.path, c.doubts})
		}
		for _, r := range c.more {
			a.found.add(r.finding())
		}
		odd.add(c.runs)
		return nil
	})
	if err != nil {
		return err
	}
	if err := a.settle(ctx, doubts); err != nil {
		return err
	}
	a.found.add(odd.findings()...)
	if unclear > 0 {
		a.notJudged("whether records are gone or there for a reason: %d entries could not be read, and they may say why.", a.history.unread)
	}
	if a.unrooted > 0 {
		a.notJudged("the records of %d bundles that were judged before: hashes over them are missing or damaged.", a.unrooted)
	}
	return nil
}

// judgeKept compares a checkpoint with the tree at its size.
func (a *auditor) judgeKept(k *keptCheckpoint) {
	a.found.add(k.found...)
	if !k.believed() {
		return
	}
	switch {
	case k.size == a.head.Size && k.verdict.Checkpoint.Root != a.head.Root && k.path != "":
		a.found.add(Finding{Kind: CheckpointFork, Index: NoIndex, Path: k.path,
			Detail: fmt.Sprintf("The log signed two histories of %d entries: this checkpoint and the published one are the evidence.", k.size)})
	case !k.known:
		a.keptLost++
	case k.root != k.verdict.Checkpoint.Root && k.path == "":
		a.found.add(Finding{Kind: CheckpointFork, Index: NoIndex, Path: a.path,
			Detail: fmt.Sprintf("The first %d entries are not those of the run before: the log has signed two histories. The checkpoint in the state and the published one are the evidence.", k.size)})
	case k.root != k.verdict.Checkpoint.Root:
		a.found.add(Finding{Kind: CheckpointFork, Index: NoIndex, Path: k.path,
			Detail: fmt.Sprintf("The log signed another history at size %d than the one that is published: this checkpoint and the published one are the evidence.", k.size)})
	case k.path != "" && k.verdict.Time > 0:
		a.times.add(proofs.CheckpointRef{Size: k.size, Note: k.note}, k.verdict.Time)
	}
	if k.path != "" {
		a.report.Summary.Checkpoints++
	}
	if k.verdict.QuorumMet {
		a.report.Summary.WithQuorum++
		a.history.judgeTime(k.size, k.entryTime, k.verdict.Time, k.path)
	}
}
