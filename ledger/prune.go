package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// Public entries that nobody needs any more are pruned (C2SP tlog-tiles), where
// settings say so. Nothing is removed: bundles are withheld, as C2SP recommends,
// so that there is no step that a crash could leave half done. What is withheld
// follows from the log alone:
//
//	due        everything below an index is closed, for the days that the policy says
//	announced  in an entry, which names the index and commits to what lasts
//	published  from here on the index is the minimum index, and bundles below it
//	           that hold nothing but events and acts are not served
//
// The tree keeps them for the ledger itself: its start makes its state again
// from them, and who may read gets receipts, also of what is pruned.

// A PruningConfig says when public entries are pruned.
type PruningConfig struct {
	Days uint32 `json:"days"` // how long all before them must have been closed; 0: nothing more is pruned
}

// SetPruning says when public entries are pruned, from here on. Where two
// custodians are needed to prune, or earlier than before, it is only requested,
// and the index is that of the request.
func (s *Session) SetPruning(ctx context.Context, c PruningConfig) (index uint64, requested bool, err error) {
	return s.set(ctx, c)
}

func (c PruningConfig) setting(*Ledger) (*setting, error) {
	x := &setting{what: proofs.ActPruningSet, name: "pruning", config: c, names: proofs.LedgerSettings{}}
	x.body.Pruning = &proofs.PruningBody{Days: c.Days}
	return x, nil
}

// A PruningInfo is what is pruned, and what keeps it from being more.
type PruningInfo struct {
	PruningConfig
	Minimum uint64 `json:"minimum"`         // the minimum index in force
	Entry   uint64 `json:"entry,omitempty"` // index of the entry that announced the latest

	// Closed is below which everything is closed now, though perhaps not for long
	// enough; and then what is not: the first entry of a bucket, which a hold may
	// keep, or what was announced and is not done.
	Closed  uint64 `json:"closed"`
	Stream  string `json:"stream,omitempty"`
	Hold    uint64 `json:"hold,omitempty"`
	Closing uint64 `json:"closing,omitempty"`
}

// Pruning returns what is pruned.
func (l *Ledger) Pruning() PruningInfo {
	p, size := l.retain.Pruning(), uint64(0)
	if published := l.progress.publication(); published != nil {
		size = published.size()
	}
	limit := l.retain.Prunable(size)
	info := PruningInfo{
		PruningConfig: PruningConfig{Days: p.Days}, Minimum: l.retain.Minimum(size), Entry: p.Entry,
		Closed: limit.Index, Hold: limit.Hold, Closing: limit.Open,
	}
	if b, ok := l.retain.Bucket(limit.Bucket); ok {
		info.Stream = l.streamName(b.Stream)
	}
	return info
}

// prune announces a minimum index if one is due: not more than one a day.
func (l *Ledger) prune(ctx context.Context) error {
	next, err := l.nextMinimum(ctx)
	if err != nil || next == nil {
		return err
	}
	return l.announceSealed(ctx, func() (announcement, error) {
		if _, _, err := l.controlBucket(ctx); err != nil {
			return nil, err
		}
		done, err := l.actEntry(ctx, proofs.Administration, Caller{}.act(proofs.ActPrune))
		if err != nil {
			return nil, err
		}
		return func(uint64) ([]*admission, error) {
			// What lasts, and how far it may go, is as it is when the entry gets its place.
			next.Controls = l.retain.Controls()
			if l.retain.Prunable(next.Aged.Size).Index < next.Index {
				return nil, nil // something is held or closed meanwhile
			}
			a, err := l.settingsEntry(proofs.SettingsBody{Minimum: next}, proofs.LedgerSettings{})
			return []*admission{a, done}, err
		}, nil
	})
}

// nextMinimum returns the announcement that is due, but for what lasts; nil:
// none is.
func (l *Ledger) nextMinimum(ctx context.Context) (*proofs.MinimumBody, error) {
	p := l.retain.Pruning()
	if p.Days == 0 {
		return nil, nil
	}
	now, err := l.kept.latest(ctx, l)
	if err != nil || now.Time == 0 || p.Entry > 0 && now.Size <= p.Entry {
		return nil, err
	}
	if p.Entry > 0 {
		last, err := l.kept.read(ctx, l, p.Now)
		if err != nil || now.Time < last.Time+secondsPerDay {
			return nil, err
		}
	}
	age := uint64(p.Days) * secondsPerDay
	if now.Time < age {
		return nil, nil
	}
	aged, err := l.kept.before(ctx, l, now.Time-age)
	if err != nil {
		return nil, err
	}
	index := l.retain.Prunable(aged.Size).Index
	if index <= p.Minimum {
		return nil, nil
	}
	return &proofs.MinimumBody{Index: index, Aged: aged.CheckpointRef, Now: now.CheckpointRef}, nil
}

// before returns the largest kept checkpoint whose time, in seconds since 1970,
// is not after another; the zero Checkpoint where there is none. Those that do
// not meet the policy of today count for nothing.
func (k *keptCheckpoints) before(ctx context.Context, l *Ledger, until uint64) (c retain.Checkpoint, err error) {
	if err := k.load(ctx, l); err != nil {
		return c, err
	}
	k.mu.Lock()
	sizes := slices.Clone(k.sizes)
	k.mu.Unlock()
	read := func(i int) (c retain.Checkpoint) {
		if err == nil {
			c, err = k.read(ctx, l, sizes[i])
		}
		return c
	}
	n := sort.Search(len(sizes), func(i int) bool { return read(i).Time > until })
	for i := n - 1; i >= max(0, n-maxCovering) && err == nil; i-- {
		if c := read(i); c.Time > 0 && c.Time <= until {
			return c, err
		}
	}
	return retain.Checkpoint{}, err
}

// withheld reports whether a bundle of the published tree of a size is pruned.
func (l *Ledger) withheld(b proofs.Bundle, leaves [][]byte, size uint64) (bool, error) {
	if !b.PrunedAt(l.retain.Minimum(size)) {
		return false, nil
	}
	for i, raw := range leaves {
		leaf, err := proofs.ParseLeaf(raw)
		if err != nil {
			return false, fmt.Errorf("entry %d: %w", b.Index*proofs.TileWidth+uint64(i), errors.Join(err, storage.ErrCorrupt))
		}
		if leaf.Lasts() {
			return false, nil
		}
	}
	return true, nil
}

// errPruned means that a bundle is pruned.
var errPruned = fmt.Errorf("it is below the minimum index, and was pruned: %w", fs.ErrNotExist)
