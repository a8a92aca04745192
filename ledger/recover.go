package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// recovered is what the goroutines start from.
type recovered struct {
	sequenced uint64
	lastTime  uint64
	edge      edge // of everything that is sequenced
	signed    *signedState
	published *publication
}

// A RestoredError means that the storage is in an older state than the ledger
// has been in: a backup was put back, or part of it is lost. Signing from
// here would fork the log.
type RestoredError struct{ Reason string }

func (e *RestoredError) Error() string {
	return e.Reason + ": the storage is older than the ledger has been, and to sign from here would fork the log; bring back the newest copy"
}

// ErrNoLedger means that the storage holds no ledger. One is only ever made
// by [Create].
var ErrNoLedger = errors.New("there is no ledger here")

// recover compares journal, tree, "signed", its copy and "published", and
// takes again every step that the journal holds. It changes nothing before
// all comparisons that need no change have passed.
func (l *Ledger) recover(ctx context.Context) (*recovered, error) {
	r := &recovered{}
	var err error
	if r.signed, err = l.loadSigned(ctx); err != nil {
		return nil, err
	}
	if r.published, err = l.loadPublished(ctx, r.signed); err != nil {
		return nil, err
	}
	copied, err := l.loadCopy(ctx, r.signed)
	if err != nil {
		return nil, err
	}
	size, _, err := l.cfg.Tree.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	if err := l.loadState(ctx, size); err != nil {
		return nil, err
	}
	if err := l.checkTreeAtSigned(ctx, size, r.signed); err != nil {
		return nil, err
	}
	if err := l.replay(ctx, r, size); err != nil {
		return nil, err
	}
	if r.sequenced < r.signed.checkpoint.Size {
		return nil, &RestoredError{fmt.Sprintf("the journal ends at %d and size %d was signed", r.sequenced, r.signed.checkpoint.Size)}
	}
	if size > r.sequenced {
		return nil, fmt.Errorf("the journal ends at %d and the tree has %d entries, which nobody sequenced: %w", r.sequenced, size, storage.ErrCorrupt)
	}
	if l.state.size > r.sequenced {
		return nil, &RestoredError{fmt.Sprintf("the journal ends at %d and the register state covers %d entries", r.sequenced, l.state.size)}
	}
	if r.published != nil {
		if err := l.checkPast(ctx, "the register published", r.published.checkpoint); err != nil {
			return nil, err
		}
	}
	if err := l.checkKeyState(); err != nil {
		return nil, err
	}
	if copied != nil {
		if err := l.checkPast(ctx, "the copy of the register signed", copied.checkpoint); err != nil {
			return nil, err
		}
	}
	if err := l.copySigned(ctx, copied, r.signed); err != nil {
		return nil, err
	}
	l.progress.update(func(p *progress) {
		p.sizes = client.Sizes{Sequenced: r.sequenced, Integrated: r.sequenced, Signed: r.signed.checkpoint.Size}
		p.edge = r.edge.clone()
		if l.meetsPolicy(r.published) {
			p.publish(r.published)
		}
	})
	return r, nil
}

// loadSigned loads the register "signed".
func (l *Ledger) loadSigned(ctx context.Context) (*signedState, error) {
	raw, err := l.cfg.Registers.Register(registerSigned).Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, l.whyNotSigned(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("register signed: %w", err)
	}
	signed, err := parseSigned(raw, l.cfg.Keys)
	if err != nil {
		return nil, err
	}
	if signed.checkpoint.Origin != l.origin() {
		return nil, fmt.Errorf("the ledger is %s and the key is of %s", signed.checkpoint.Origin, l.origin())
	}
	return signed, nil
}

// loadCopy loads the copy of the register "signed" and compares it with the
// register; nil: there is none. Of a smaller size its root is compared when
// the tree is there.
func (l *Ledger) loadCopy(ctx context.Context, signed *signedState) (*signedState, error) {
	if l.cfg.SignedCopy == nil {
		return nil, nil
	}
	raw, err := l.cfg.SignedCopy.Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		l.log.Warn("there is no copy of the register signed: it is made now; if it was there before, find out where it is")
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("copy of register signed: %w", err)
	}
	copied, err := parseSigned(raw, l.cfg.Keys)
	if err != nil {
		return nil, fmt.Errorf("copy of %w", err)
	}
	if copied.checkpoint.Size > signed.checkpoint.Size {
		return nil, &RestoredError{fmt.Sprintf("size %d was signed here, and size %d as the copy of the register shows", signed.checkpoint.Size, copied.checkpoint.Size)}
	}
	return copied, nil
}

// checkPast checks that what was signed or published before is of the tree
// that is here.
func (l *Ledger) checkPast(ctx context.Context, what string, c proofs.Checkpoint) error {
	root, err := proofs.Root(ctx, c.Size, l.cfg.Tree)
	if err != nil {
		return fmt.Errorf("tree: root at size %d: %w", c.Size, err)
	}
	if root != c.Root {
		return &RestoredError{fmt.Sprintf("another tree of size %d was signed, as %s shows", c.Size, what)}
	}
	return nil
}

// whyNotSigned says what it means that nothing was ever signed here.
func (l *Ledger) whyNotSigned(ctx context.Context) error {
	if l.cfg.SignedCopy != nil {
		if _, err := l.cfg.SignedCopy.Load(ctx); err == nil {
			return &RestoredError{"nothing was signed here, and something was as the copy of the register shows"}
		}
	}
	if _, next := l.cfg.Journal.Bounds(); next > 0 {
		return fmt.Errorf("%w: its creation did not finish; create it again, which goes on from there", ErrNoLedger)
	}
	return ErrNoLedger
}

func (l *Ledger) loadPublished(ctx context.Context, signed *signedState) (*publication, error) {
	note, err := l.cfg.Registers.Register(registerPublished).Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("register published: %w", err)
	}
	c, err := proofs.ParseSignedCheckpoint(note)
	if err != nil {
		return nil, fmt.Errorf("register published: %w", err)
	}
	if err := signedByUs(c, l.cfg.Keys); err != nil {
		return nil, fmt.Errorf("register published: %w", err)
	}
	if c.Size > signed.checkpoint.Size {
		return nil, &RestoredError{fmt.Sprintf("size %d was published and size %d signed", c.Size, signed.checkpoint.Size)}
	}
	return &publication{note: note, checkpoint: c.Checkpoint}, nil
}

// meetsPolicy reports whether a publication meets the policy of today. Where
// it does not, nothing is published until the witnesses have cosigned again.
func (l *Ledger) meetsPolicy(p *publication) bool {
	if p == nil {
		return false
	}
	_, err := l.cfg.Policy.Check(p.note)
	if err != nil {
		l.log.Warn("what was published does not meet the policy, and is not served", slog.Uint64("size", p.size()), slog.String("error", err.Error()))
	}
	return err == nil
}

// checkTreeAtSigned checks that a tree that covers what was signed is that
// tree, before anything is built on it.
func (l *Ledger) checkTreeAtSigned(ctx context.Context, size uint64, s *signedState) error {
	if size < s.checkpoint.Size {
		return nil // the rest is in the journal, or replay says what is missing
	}
	root, err := proofs.Root(ctx, s.checkpoint.Size, l.cfg.Tree)
	if err != nil {
		return fmt.Errorf("tree: root at size %d: %w", s.checkpoint.Size, err)
	}
	if root != s.checkpoint.Root {
		return &DisagreementError{Size: s.checkpoint.Size, Journal: s.checkpoint.Root, Tree: root}
	}
	return nil
}

// replay takes the steps of every batch in the journal again. The journal
// holds all that is not durable elsewhere, and all beyond what was signed.
func (l *Ledger) replay(ctx context.Context, r *recovered, treeSize uint64) error {
	in := &integrator{l: l, edge: r.signed.edge.clone(), treeSize: treeSize}
	var err error
	if in.kept, _, err = l.loadKept(ctx); err != nil {
		return err
	}
	first, next := l.cfg.Journal.Bounds()
	expect := uint64(0)
	err = l.cfg.Journal.Replay(ctx, first, func(position uint64, record []byte) error {
		b, err := parseBatch(append([]byte(nil), record...))
		if err != nil {
			return fmt.Errorf("journal: record %d: %w", position, err)
		}
		b.position = position
		if position == first {
			expect = b.first
			if need := min(treeSize, r.signed.checkpoint.Size, l.state.size); b.first > need {
				return fmt.Errorf("the journal begins with entry %d, and entries from %d on are missing: %w", b.first, need, storage.ErrCorrupt)
			}
		}
		if b.first != expect {
			return fmt.Errorf("journal: record %d begins with entry %d instead of %d: %w", position, b.first, expect, storage.ErrCorrupt)
		}
		expect = b.end()
		if err := l.applyControl(b); err != nil {
			return err
		}
		l.pending.add(b)
		return in.integrate(ctx, []*batch{b})
	})
	if err != nil {
		return err
	}
	if first == next { // nothing is left in the journal: all is durable elsewhere, and signed
		expect = r.signed.checkpoint.Size
		if treeSize != expect {
			return fmt.Errorf("the journal is empty, size %d was signed and the tree has %d: %w", expect, treeSize, storage.ErrCorrupt)
		}
		if l.state.size < expect {
			return fmt.Errorf("the journal is empty, and the vault has no payload of entry %d, a settings entry: %w", l.state.size, storage.ErrCorrupt)
		}
	}
	r.sequenced, r.edge = expect, in.edge
	return l.lastTime(ctx, r)
}

// lastTime finds the time of the last entry, which the next may not precede.
func (l *Ledger) lastTime(ctx context.Context, r *recovered) error {
	leaves, err := l.cfg.Tree.Leaves(ctx, r.sequenced-1, 1)
	if err != nil || len(leaves) != 1 {
		return fmt.Errorf("tree: entry %d: %w", r.sequenced-1, err)
	}
	leaf, err := proofs.ParseLeaf(leaves[0])
	if err != nil {
		return fmt.Errorf("entry %d: %w", r.sequenced-1, err)
	}
	r.lastTime = leaf.Time
	return nil
}

// applyControl applies the control entries of a batch to the state.
func (l *Ledger) applyControl(b *batch) error {
	for i, e := range b.entries {
		index := b.first + uint64(i)
		leaf, err := proofs.ParseLeaf(e.leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if err := l.applyEntry(index, leaf, e.record); err != nil {
			return err
		}
	}
	return nil
}

// applyEntry applies one entry to the state, if it is one that changes it.
func (l *Ledger) applyEntry(index uint64, leaf proofs.Leaf, record []byte) error {
	var payload []byte
	if leaf.Kind == proofs.Settings {
		part, err := l.openPart(leaf, record)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		payload = part.Data
	}
	if err := l.state.apply(index, leaf, payload); err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	return l.retain.Apply(index, leaf)
}
