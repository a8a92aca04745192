package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/proofs"
)

// A pruning is what the entries so far say about public entries that are not
// needed any more.
type pruning struct {
	controls proofs.Hash // commits to the lasting entries
	days     uint32      // 0: nothing more is pruned
	minimum  uint64      // the last that was announced
	entry    uint64      // which announced it
	now      uint64      // size of the checkpoint whose time it names
	withheld uint64      // the end of the last bundle that was not read because of it
}

// format appends the lines of a state about pruning.
func (p *pruning) format(b []byte) []byte {
	if p.controls != (proofs.Hash{}) {
		b = fmt.Appendf(b, "controls %v\n", p.controls)
	}
	if p.days > 0 || p.minimum > 0 {
		b = fmt.Appendf(b, "pruning %d %d %d %d %d\n", p.days, p.minimum, p.entry, p.now, p.withheld)
	}
	return b
}

// prunes takes over settings about pruning.
func (h *history) prunes(c control, request uint64, next proofs.PruningBody) {
	h.judgeRequest(c, act{
		kind: proofs.Settings, request: request, needsTwo: next.Weakens(proofs.PruningBody{Days: h.pruning.days}),
		what: fmt.Sprintf("lets public entries be pruned %s, and before it they were %s", afterDays(next.Days), afterDays(h.pruning.days)),
	})
	h.pruning.days = next.Days
}

// afterDays writes when public entries are pruned.
func afterDays(n uint32) string {
	if n == 0 {
		return "never"
	}
	return days(n) + " after they are closed"
}

// last takes over that an entry is one of those that last.
func (h *history) last(c control) error {
	next, err := proofs.NextControls(h.pruning.controls, c.index, &c.leaf)
	h.pruning.controls = next
	return err
}

// raise takes over a minimum index.
func (h *history) raise(ctx context.Context, c control, m proofs.MinimumBody) error {
	was := h.pruning
	h.pruning.minimum, h.pruning.entry, h.pruning.now = m.Index, c.index, m.Now.Size
	switch {
	case was.days == 0:
		h.object(PruneEarly, c, "announces the minimum index %d, and no entry before it lets anything be pruned", m.Index)
		return nil
	case m.Index <= was.minimum:
		h.object(PruneFalse, c, "announces the minimum index %d, and entry %d announced %d before", m.Index, was.entry, was.minimum)
	case m.Now.Size > c.index:
		h.object(PruneFalse, c, "says that it was written after a checkpoint of %d entries", m.Now.Size)
	case was.entry > 0 && m.Now.Size <= was.entry:
		h.object(PruneFalse, c, "announces a minimum index by a checkpoint of %d entries, before that of entry %d was in force", m.Now.Size, was.entry)
	case m.Controls != was.controls:
		h.object(PruneFalse, c, "commits to other entries that last than there are before it")
	}
	if why := h.unclosed(m); why != "" {
		h.object(PruneEarly, c, "announces the minimum index %d, and %s", m.Index, why)
	}
	return h.judgeClosedFor(ctx, c, m)
}

// unclosed returns why not all below a minimum index was closed at the size of
// the checkpoint from where on the days count; empty: it was.
func (h *history) unclosed(m proofs.MinimumBody) string {
	for _, announced := range slices.Sorted(maps.Keys(h.opened)) {
		return fmt.Sprintf("what entry %d has announced is not done", announced)
	}
	held := map[uint32]uint64{} // by what hold
	for _, x := range h.holds {
		for _, c := range x.claims {
			if x.release != nil {
				continue
			}
			if c.stream > 0 {
				held[c.stream] = x.index
			}
			if len(c.runs) > 0 && c.runs[0].First < m.Index {
				return fmt.Sprintf("entry %d is held by the hold of entry %d", c.runs[0].First, x.index)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(h.buckets)) {
		b := h.buckets[n]
		if b.stream == 0 || b.count == 0 || b.first >= m.Index {
			continue
		}
		if hold, ok := held[b.stream]; ok {
			return fmt.Sprintf("entry %d is of a stream that the hold of entry %d covers", b.first, hold)
		}
		if b.expiry == nil || b.expiry.announced >= m.Aged.Size {
			return fmt.Sprintf("entry %d is in bucket %d, which had not expired at size %d", b.first, n, m.Aged.Size)
		}
	}
	return ""
}

// judgeClosedFor demands that the days have passed between the checkpoints that
// a minimum index names.
func (h *history) judgeClosedFor(ctx context.Context, c control, m proofs.MinimumBody) error {
	var times [2]uint64
	for i, ref := range []proofs.CheckpointRef{m.Aged, m.Now} {
		t, why, err := h.cosigned(ctx, ref)
		if err != nil {
			return err
		}
		if why != "" {
			h.object(PruneEarly, c, "names the checkpoint of %d entries for the age of what is pruned, and %s", ref.Size, why)
			return nil
		}
		times[i] = t
	}
	aged, now := times[0], times[1]
	switch age := uint64(h.pruning.days) * secondsPerDay; {
	case aged == 0 || now == 0:
		h.unaged++
	case now < aged || now-aged < age:
		h.object(PruneEarly, c, "announces the minimum index %d as of %s by a checkpoint of %s, and what is pruned must have been closed for %s",
			m.Index, seconds(now), seconds(aged), days(h.pruning.days))
	}
	return nil
}

// A withholding is what a ledger says that it withholds. It only says which
// missing bundles may be pruned: whether they are, its entries say.
type withholding struct {
	mu      sync.Mutex
	minimum uint64
}

// mayWithhold reports whether the ledger says that a missing bundle is pruned.
func (l *ledger) mayWithhold(ctx context.Context, b proofs.Bundle) (bool, error) {
	if b.Width < proofs.TileWidth {
		return false, nil
	}
	w := l.withholds
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.PrunedAt(w.minimum) {
		return true, nil
	}
	text, err := l.files.ReadFile(ctx, InfoFile)
	if err != nil {
		if wrong(err) {
			err = nil // it says nothing
		}
		return false, err
	}
	var info struct {
		MinimumIndex uint64 `json:"minimum_index"`
	}
	if json.Unmarshal(text, &info) == nil { // nobody believes it
		w.minimum = max(w.minimum, info.MinimumIndex)
	}
	return b.PrunedAt(w.minimum), nil
}

// withhold takes over that a bundle was not read because it is pruned. What
// sources counted before it can't be held against what comes behind.
func (h *history) withhold(c *chunk) {
	h.pruning.withheld = c.first() + uint64(c.bundle.Width)
	h.sources = newSources(h.sources.limit)
}

// mayDescribe reports whether an announcement can be of a bucket of which not
// all entries were read, and takes over what it says.
func (b *bucket) mayDescribe(x *proofs.ExpiredBody) bool {
	if b.count > 0 && (x.First > b.first || x.Last < b.last) || x.Count < b.count {
		return false
	}
	b.first, b.last, b.count = x.First, x.Last, x.Count
	return true
}

// judgeWithheld demands that an entry allows what is withheld.
func (a *auditor) judgeWithheld(ctx context.Context) error {
	p, withheld := &a.history.pruning, a.report.Summary.Withheld
	if withheld == 0 {
		return nil
	}
	if p.withheld <= p.minimum {
		a.notJudged("%d entries that are pruned, below the minimum index %d that entry %d announced: whether they were closed and not held, how many there were in a bucket, the numbers of their sources, and their sealed records.",
			withheld, p.minimum, p.entry)
		return nil
	}
	now, _, _, err := a.readSigned(ctx, CheckpointFile)
	if err != nil {
		return err
	}
	if now.Checkpoint.Size > a.head.Size { // it may have been announced meanwhile
		a.notJudged("entries below %d: they were pruned while the ledger was judged. Judge it again.", p.withheld)
		a.history.unread += withheld
		return nil
	}
	a.found.add(Finding{Kind: PruneUnannounced, Index: int64(p.minimum), Path: a.path,
		Detail: fmt.Sprintf("Entries below %d are withheld, and the last minimum index that an entry announced is %d.", p.withheld, p.minimum)})
	return nil
}
