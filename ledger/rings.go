package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// rings keeps rings at hand that were read: those that were used last. As long
// as a closing is open its rings may not be whole, or not be there: what they
// lack other keys still open, and before these are destroyed all is forgotten.
type rings struct {
	mu sync.Mutex
	recent[retain.RingName, ring]
}

// maxRingEntries is how many entries of rings are kept at hand, of 300 bytes
// or so each; and one ring whatever it has.
const maxRingEntries = 1 << 17

// forget drops what is kept, after keys were destroyed.
func (r *rings) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
}

// keep keeps a ring at hand. The caller has the lock.
func (r *rings) keep(name retain.RingName, x ring) {
	r.recent.keep(name, x, len(x)+1, maxRingEntries)
}

// heldKeys returns the keys of an entry that are in rings.
func (l *Ledger) heldKeys(ctx context.Context, b *bucket, index uint64) (keys ringKeys, err error) {
	for _, name := range l.retain.Rings(b.Path.Stream, b.Number, index) {
		r, err := l.ring(ctx, name)
		if errors.Is(err, errDestroyed) {
			continue
		}
		if err != nil {
			return keys, err
		}
		keys.merge(r[index])
	}
	return keys, nil
}

// heldOf returns the keys of an entry that holds keep; most have none.
func (l *Ledger) heldOf(ctx context.Context, leaf proofs.Leaf, index uint64) (ringKeys, error) {
	b, ok := l.state.bucketNumbered(leaf.Bucket)
	if !ok {
		return ringKeys{}, nil
	}
	return l.heldKeys(ctx, b, index)
}

// removeRings removes the rings of a hold, which nothing opens any more.
func (l *Ledger) removeRings(ctx context.Context, hold uint64) error {
	var names []string
	for name, err := range l.cfg.Objects.List(ctx, "rings/"+strconv.FormatUint(hold, 10)+"/") {
		if err != nil {
			return fmt.Errorf("rings: %w", err)
		}
		names = append(names, name)
	}
	for _, name := range names {
		if err := l.cfg.Objects.Remove(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// ring reads a ring. One that is not there is empty.
func (l *Ledger) ring(ctx context.Context, name retain.RingName) (ring, error) {
	l.rings.mu.Lock()
	defer l.rings.mu.Unlock()
	if r, ok := l.rings.find(name); ok {
		return r, nil
	}
	aead, err := l.ringAEAD(name.Hold)
	if err != nil {
		return nil, err
	}
	r := make(ring)
	for object, err := range l.cfg.Objects.List(ctx, ringPrefix(name)) {
		if err != nil {
			return nil, fmt.Errorf("ring: %w", err)
		}
		sealed, err := l.cfg.Objects.Read(ctx, object)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", object, err)
		}
		if err := r.open(aead, sealed, l.ringData(object)); err != nil {
			return nil, fmt.Errorf("%s: %w", object, err)
		}
	}
	l.rings.keep(name, r)
	return r, nil
}
