package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// expire announces the expiry of every bucket that is due at the time of the
// cosignatures, never of a clock of our own, and reports whether there was one.
func (l *Ledger) expire(ctx context.Context) (bool, error) {
	if l.canDestroy() != nil {
		return false, nil // nothing is announced that could not be done
	}
	now, err := l.kept.latest(ctx, l)
	if err != nil {
		return false, err
	}
	due, err := l.due(ctx, now)
	if err != nil {
		return false, err
	}
	if len(due) == 0 {
		// What is published now may be later than what is kept.
		if due, err = l.due(ctx, l.publishedNow()); err != nil || len(due) == 0 {
			return false, err
		}
		if now, err = l.keepNow(ctx); err != nil {
			return false, err
		}
		if due, err = l.due(ctx, now); err != nil {
			return false, err
		}
	}
	for _, body := range due {
		if err := l.announceExpiry(ctx, body); err != nil {
			return false, fmt.Errorf("expiry of bucket %d: %w", body.Bucket, err)
		}
	}
	return len(due) > 0, nil
}

func (l *Ledger) due(ctx context.Context, now retain.Checkpoint) ([]proofs.ExpiredBody, error) {
	return l.retain.Due(now, func(size uint64) (retain.Checkpoint, error) { return l.kept.covering(ctx, l, size) })
}

func (l *Ledger) announceExpiry(ctx context.Context, body proofs.ExpiredBody) error {
	control, err := proofs.FormatExpiry(proofs.ExpiryBody{Expired: &body})
	if err != nil {
		return err
	}
	return l.announce(ctx, func(uint64) ([]*admission, error) {
		if b, ok := l.retain.Bucket(body.Bucket); !ok || b.Last != body.Last {
			return nil, nil // it has taken more meanwhile
		}
		return []*admission{openControl(proofs.Expiry, control)}, nil
	})
}

// publishedNow returns the checkpoint that is published.
func (l *Ledger) publishedNow() retain.Checkpoint {
	p := l.progress.publication()
	if p == nil {
		return retain.Checkpoint{}
	}
	c, _ := l.keptCheckpointOf(p.note) // one that does not meet the policy counts for nothing
	return c
}

// keepNow has a checkpoint of now published and kept, and returns it. What is
// kept needs a size of its own, so an act is recorded first.
func (l *Ledger) keepNow(ctx context.Context) (retain.Checkpoint, error) {
	if err := l.recordNow(ctx, proofs.Administration, Caller{}.act(proofs.ActExpire)); err != nil {
		return retain.Checkpoint{}, err
	}
	sizes, _ := l.progress.snapshot()
	l.progress.update(func(p *progress) { p.keepFrom = sizes.Sequenced })
	err := l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Published >= sizes.Sequenced && p.keepFrom == 0 })
	if err != nil {
		return retain.Checkpoint{}, err
	}
	return l.kept.latest(ctx, l)
}

// keptCheckpointOf returns what retention has to know of a published checkpoint.
func (l *Ledger) keptCheckpointOf(note []byte) (retain.Checkpoint, error) {
	verdict, err := l.cfg.Policy.Check(note)
	if err != nil {
		return retain.Checkpoint{}, err
	}
	ref := proofs.CheckpointRef{Size: verdict.Checkpoint.Size, Note: sha256.Sum256(note)}
	return retain.Checkpoint{CheckpointRef: ref, Time: verdict.Time}, nil
}

// keptCheckpoints knows the sizes of the checkpoints that are kept.
type keptCheckpoints struct {
	mu     sync.Mutex
	loaded bool
	sizes  []uint64 // rising
}

// add takes note of one more.
func (k *keptCheckpoints) add(size uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at, found := slices.BinarySearch(k.sizes, size); !found {
		k.sizes = slices.Insert(k.sizes, at, size)
	}
}

// load lists what was kept before this process.
func (k *keptCheckpoints) load(ctx context.Context, l *Ledger) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.loaded {
		return nil
	}
	sizes := k.sizes
	for path, err := range l.KeptCheckpoints(ctx) {
		if err != nil {
			return fmt.Errorf("kept checkpoints: %w", err)
		}
		size, err := proofs.ParseIndexPath(strings.TrimPrefix(path, audit.CheckpointsDir+"/"))
		if err != nil {
			return fmt.Errorf("kept checkpoints: %s: %w", path, err)
		}
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	k.sizes, k.loaded = slices.Compact(sizes), true
	return nil
}

// covering returns the smallest kept checkpoint of at least a size that meets
// the policy of today; the zero Checkpoint where there is none.
func (k *keptCheckpoints) covering(ctx context.Context, l *Ledger, size uint64) (retain.Checkpoint, error) {
	if err := k.load(ctx, l); err != nil {
		return retain.Checkpoint{}, err
	}
	k.mu.Lock()
	at, _ := slices.BinarySearch(k.sizes, size)
	sizes := slices.Clone(k.sizes[at:min(at+maxCovering, len(k.sizes))])
	k.mu.Unlock()
	for _, size := range sizes {
		if c, err := k.read(ctx, l, size); err != nil || c.Time > 0 {
			return c, err
		}
	}
	return retain.Checkpoint{}, nil
}

// maxCovering is how many kept checkpoints are tried that do not meet the
// policy of today.
const maxCovering = 1000

// latest returns the largest kept checkpoint; the zero Checkpoint where there
// is none.
func (k *keptCheckpoints) latest(ctx context.Context, l *Ledger) (retain.Checkpoint, error) {
	if err := k.load(ctx, l); err != nil {
		return retain.Checkpoint{}, err
	}
	k.mu.Lock()
	n := len(k.sizes)
	var size uint64
	if n > 0 {
		size = k.sizes[n-1]
	}
	k.mu.Unlock()
	if n == 0 {
		return retain.Checkpoint{}, nil
	}
	return k.read(ctx, l, size)
}

func (k *keptCheckpoints) read(ctx context.Context, l *Ledger, size uint64) (retain.Checkpoint, error) {
	note, err := l.keptCheckpoint(ctx, audit.CheckpointPath(size))
	if errors.Is(err, fs.ErrNotExist) {
		return retain.Checkpoint{}, nil
	}
	if err != nil {
		return retain.Checkpoint{}, err
	}
	c, err := l.keptCheckpointOf(note)
	if errors.Is(err, proofs.ErrNotVerified) || errors.Is(err, proofs.ErrMalformed) {
		return retain.Checkpoint{}, nil
	}
	return c, err
}

// Retain lets the ledger look now for what has reached its age, as it does by
// itself from time to time.
func (s *Session) Retain(ctx context.Context) error {
	if err := s.l.canDestroy(); err != nil {
		return err
	}
	s.l.closer.nudge()
	return nil
}
