package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cairnlog/cairn/storage"
)

// A keeper makes durable what was written behind the journal, and lets the
// journal forget what is durable elsewhere.
type keeper struct {
	l      *Ledger
	rounds sync.Mutex  // one round at a time
	mu     sync.Mutex  // guards what follows
	held   []heldBatch // in the journal, applied, in order
	bytes  int         // journalled since the last round
	wake   chan struct{}
}

type heldBatch struct {
	position uint64
	end      uint64
}

// keepEvery is how many bytes of entries are applied between two rounds.
const keepEvery = 32 << 20

func newKeeper(l *Ledger) *keeper { return &keeper{l: l, wake: make(chan struct{}, 1)} }

// applied takes note of batches that are in tree, vault and index.
func (k *keeper) applied(batches []*batch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, b := range batches {
		k.held = append(k.held, heldBatch{b.position, b.end()})
		k.bytes += b.bytes()
	}
	if k.bytes >= keepEvery {
		select {
		case k.wake <- struct{}{}:
		default:
		}
	}
}

// run makes rounds until the context ends.
func (k *keeper) run(ctx context.Context) {
	for {
		select {
		case <-k.wake:
		case <-ctx.Done():
			return
		}
		if err := k.round(ctx); err != nil && ctx.Err() == nil {
			k.l.stop(err)
			return
		}
	}
}

// round makes everything durable that was applied when it began, and then
// drops that from the journal. Only what is signed is dropped, because the
// root is computed from the journal's bytes from the last signed size on.
func (k *keeper) round(ctx context.Context) error {
	k.rounds.Lock()
	defer k.rounds.Unlock()
	var signed uint64
	k.l.progress.read(func(p *progress) { signed = p.sizes.Signed })
	k.mu.Lock()
	k.bytes = 0
	n := 0
	for n < len(k.held) && k.held[n].end <= signed {
		n++
	}
	drop := k.held[:n]
	k.mu.Unlock()
	if n == 0 {
		return nil
	}
	if err := k.sync(ctx); err != nil {
		return err
	}
	// The journal forgets last: until tree, vault, index and state are durable
	// it is the only place that can tell them what they lost.
	if err := k.l.cfg.Journal.Drop(ctx, drop[n-1].position+1); err != nil {
		return fmt.Errorf("journal: drop: %w", err)
	}
	k.mu.Lock()
	k.held = k.held[n:]
	k.mu.Unlock()
	return nil
}

func (k *keeper) sync(ctx context.Context) error {
	sizes, _ := k.l.progress.snapshot() // before: what comes later may not be covered
	if err := k.l.cfg.Tree.Sync(ctx); err != nil {
		return fmt.Errorf("tree: sync: %w", err)
	}
	if err := k.l.cfg.Vault.Sync(ctx); err != nil {
		return fmt.Errorf("vault: sync: %w", err)
	}
	if err := k.l.cfg.Index.Sync(ctx); err != nil {
		return fmt.Errorf("index: sync: %w", err)
	}
	if err := k.l.saveKept(ctx, sizes.Integrated); err != nil {
		return err
	}
	return k.l.saveState(ctx)
}

// The register "kept" is a size: vault and index have durably what they shall
// have of the entries below it. The journal may give such entries again after a
// crash, and by then they may be closed.

// loadKept loads the register "kept"; 0 where it was never set.
func (l *Ledger) loadKept(ctx context.Context) (size uint64, raw []byte, err error) {
	raw, err = l.cfg.Registers.Register(registerKept).Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil, nil
	}
	if err == nil && len(raw) != 8 {
		err = storage.ErrCorrupt
	}
	if err != nil {
		return 0, nil, fmt.Errorf("register kept: %w", err)
	}
	return binary.BigEndian.Uint64(raw), raw, nil
}

func (l *Ledger) saveKept(ctx context.Context, size uint64) error {
	old, raw, err := l.loadKept(ctx)
	if err != nil || old >= size {
		return err
	}
	if err := l.cfg.Registers.Register(registerKept).Swap(ctx, raw, binary.BigEndian.AppendUint64(nil, size)); err != nil {
		return fmt.Errorf("register kept: %w", err)
	}
	return nil
}
