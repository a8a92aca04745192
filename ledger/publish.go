package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
)

// A publisher signs, has cosigned and publishes. It is one goroutine, and the
// only one that uses the signing keys for checkpoints. Its state is the
// registers "signed" and "published".
type publisher struct {
	l         *Ledger
	signed    *signedState
	published *publication // nil: nothing yet

	cosigners []*cosigner
	collected map[string]cosignature // by the policy's names, of the target
	heard     map[string]bool        // all names of the witnesses that cosigned the target with any

	keptAt time.Time // when a checkpoint was last kept for auditors
}

// run publishes until the context ends. The first thing after a start is to
// have the stored checkpoint cosigned again, and nothing new is signed before
// enough witnesses have answered (law 2).
func (p *publisher) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := p.turn(ctx)
		if err != nil && ctx.Err() == nil {
			p.l.stop(err)
			return
		}
	}
}

// turn brings the checkpoint that is signed to the public, and then signs the
// next one when there is something to sign.
func (p *publisher) turn(ctx context.Context) error {
	if err := p.cosign(ctx); err != nil {
		return err
	}
	if _, stopped := p.l.progress.snapshot(); stopped != nil {
		return stopped // nothing is published or signed once somebody saw a reason not to
	}
	if err := p.publish(ctx); err != nil {
		return err
	}
	beat, cancel := context.WithTimeout(ctx, p.l.cfg.Heartbeat)
	defer cancel()
	recheck := false
	err := p.l.progress.wait(beat, func(pr *progress) bool {
		recheck = pr.recheck
		return recheck || pr.sizes.Integrated > pr.sizes.Signed
	})
	if err == nil && recheck {
		return nil // the same checkpoint gets cosignatures that show what the clock is worth
	}
	if err != nil {
		if beat.Err() != nil {
			return nil // idle: the same checkpoint gets fresh cosignatures
		}
		return err
	}
	return p.advance(ctx, beat)
}

// advance signs the checkpoint of all that is integrated. While a key cannot
// be signed with it tries again, until the beat ends: the checkpoint before is
// then cosigned again, as that of an idle ledger.
func (p *publisher) advance(ctx, beat context.Context) error {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		var next edge
		var stopped error
		p.l.progress.read(func(pr *progress) { next, stopped = pr.edge.clone(), pr.stopped })
		if stopped != nil {
			return stopped
		}
		signed, err := p.l.sign(ctx, p.signed, next)
		if err == nil {
			p.signed = signed
			p.l.progress.update(func(pr *progress) { pr.sizes.Signed = signed.checkpoint.Size })
			return nil
		}
		if !errors.Is(err, proofs.ErrUnsigned) {
			return err // nobody knows what is durable
		}
		if again, err := p.pause(beat, backoff); !again {
			return err
		}
	}
}

// pause waits before the next attempt to sign, and reports whether it is now:
// not where the beat has ended, the witnesses are to be asked again, or the
// ledger has stopped.
func (p *publisher) pause(beat context.Context, d time.Duration) (again bool, err error) {
	ctx, cancel := context.WithTimeout(beat, d)
	defer cancel()
	err = p.l.progress.wait(ctx, func(pr *progress) bool { return pr.recheck })
	if ctx.Err() != nil {
		return beat.Err() == nil, nil
	}
	return false, err
}

// cosign gives the signed checkpoint to all witnesses and returns when the
// quorum has cosigned it; after a start, when also every possible quorum has
// a member that answered. It does not give up: without the quorum nothing is
// published and nothing new is signed (law 4).
func (p *publisher) cosign(ctx context.Context) error {
	t := &target{signed: p.signed, answers: make(chan answer, len(p.cosigners))}
	p.collected, p.heard = make(map[string]cosignature), make(map[string]bool)
	for _, c := range p.cosigners {
		c.give(t)
	}
	started := time.Now()
	if err := p.collect(ctx, t.answers); err != nil {
		return err
	}
	p.l.metrics.cosigned(time.Since(started))
	return nil
}

// collect takes answers until there are enough.
func (p *publisher) collect(ctx context.Context, answers <-chan answer) error {
	var late <-chan time.Time // runs once a quorum is there whose time is off
	for !p.timely() {
		if late == nil && p.enough() {
			late = time.After(otherTime)
		}
		select {
		case a := <-answers:
			if a.err != nil {
				return a.err
			}
			for _, c := range a.cosignatures {
				p.collected[c.name] = c
			}
			for _, k := range a.by.keys {
				p.heard[k.Name] = true
			}
		case <-late:
			return nil
		case <-p.l.failed:
			return p.l.Stopped()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// otherTime is how long a quorum whose time differs from ours waits for other
// witnesses: one wrong clock among them shall not stop the ledger.
const otherTime = time.Second

// enough reports whether what was collected can be published.
func (p *publisher) enough() bool {
	cleared := p.l.cfg.Policy.Quorum == proofs.NoQuorum // nobody to ask
	p.l.progress.read(func(pr *progress) { cleared = cleared || pr.cleared })
	return p.met(func(cosignature) bool { return true }) && (cleared || p.l.cfg.Policy.Intersects(p.heard))
}

// timely reports whether what was collected can be published, and the times
// of a quorum of it agree with ours.
func (p *publisher) timely() bool {
	return p.enough() && p.met(func(c cosignature) bool { return c.clock.agrees() })
}

// met reports whether those of the collected cosignatures meet the quorum
// that are good.
func (p *publisher) met(good func(cosignature) bool) bool {
	names := make(map[string]bool, len(p.collected))
	for name, c := range p.collected {
		names[name] = good(c)
	}
	return p.l.cfg.Policy.Met(names)
}

// clock returns what the cosignatures say of the local clock: the latest word
// of a quorum that agrees with it, or the best of one that finds it off in the
// same direction, whatever another witness says. Where no quorum says the same
// it is the best word of all.
func (p *publisher) clock() clockReading {
	agrees := func(c cosignature) bool { return c.clock.agrees() }
	later := func(r, than clockReading) bool { return r.at.After(than.at) }
	if p.met(agrees) {
		return p.word(agrees, later)
	}
	heard := func(cosignature) bool { return true }
	for _, off := range []func(cosignature) bool{
		func(c cosignature) bool { return c.clock.ahead > maxSkew },
		func(c cosignature) bool { return c.clock.ahead < -maxSkew },
	} {
		if p.met(off) {
			heard = off
		}
	}
	better := func(r, than clockReading) bool { return r.ahead.Abs() < than.ahead.Abs() }
	r := p.word(heard, better)
	p.l.log.Error("the clock differs from the witnesses'", slog.Duration("ahead", r.ahead))
	return r
}

// word returns what the first of the good cosignatures says, in an order.
func (p *publisher) word(good func(cosignature) bool, before func(r, than clockReading) bool) (first clockReading) {
	for _, c := range p.collected {
		if good(c) && (first.at.IsZero() || before(c.clock, first)) {
			first = c.clock
		}
	}
	return first
}

// publish makes the checkpoint with its cosignatures the published one.
func (p *publisher) publish(ctx context.Context) error {
	c, err := proofs.ParseSignedCheckpoint(p.signed.note)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(p.collected)) {
		c.Note.Signatures = append(c.Note.Signatures, p.collected[name].signature)
	}
	next := &publication{note: proofs.FormatSignedCheckpoint(c), checkpoint: c.Checkpoint}
	// The last look before the public: what a verifier with our own policy
	// would refuse is not published.
	if _, err := p.l.cfg.Policy.Check(next.note); err != nil {
		return fmt.Errorf("publish size %d: %w", c.Size, err)
	}
	if err := p.l.cfg.Registers.Register(registerPublished).Swap(ctx, p.published.register(), next.note); err != nil {
		return fmt.Errorf("register published: %w", err)
	}
	p.published = next
	p.l.metrics.published()
	clock := p.clock()
	p.l.progress.update(func(pr *progress) {
		pr.publish(next)
		pr.clock, pr.recheck, pr.cleared = clock, false, true
	})
	return p.keep(ctx, next)
}

// keep keeps a checkpoint for auditors, if the last that was kept is old
// enough. It comes after the publication: whoever reads the history meanwhile
// must not find more in it than was published.
func (p *publisher) keep(ctx context.Context, published *publication) error {
	now := p.l.cfg.Clock()
	asked := false
	p.l.progress.read(func(pr *progress) { asked = pr.keepFrom > 0 && published.size() >= pr.keepFrom })
	if !asked && !p.keptAt.IsZero() && now.Sub(p.keptAt) < p.l.cfg.KeepCheckpoint {
		return nil
	}
	err := p.l.cfg.Objects.Put(ctx, audit.CheckpointPath(published.size()), published.note)
	if err != nil && !errors.Is(err, storage.ErrExists) { // the first of this size stays
		return fmt.Errorf("keep checkpoint of size %d: %w", published.size(), err)
	}
	p.keptAt = now
	p.l.kept.add(published.size())
	if asked {
		p.l.progress.update(func(pr *progress) { pr.keepFrom = 0 })
	}
	return nil
}
