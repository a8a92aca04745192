package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A closer makes unreadable what was announced to be: it is one goroutine, and
// takes the announcements in their order. What it does for one follows from
// the entries of the log, and can be repeated after any crash:
//
//	published  the announcement is, so that nothing is ever gone without a reason
//	rescue     what holds keep is in their rings                      ring.go
//	rewrite    the vault has only what is kept                        scrub.go
//	forget     the search index has nothing of it                  indexing.go
//	destroy    the keys are
//	amend      directories have nothing of it                      directories.go
//	done       the entry that says so
type closer struct {
	l    *Ledger
	wake chan struct{} // one token: something was announced, or may be due

	mu      sync.Mutex
	erasing map[uint64]*erasedSubject // by the index of the announcement
	failed  error                     // what the first of the open closings waits for, since it was tried last
}

// closeRetry is how long the closer waits after what failed.
const closeRetry = 10 * time.Second

func newCloser(l *Ledger) *closer {
	return &closer{l: l, wake: make(chan struct{}, 1), erasing: make(map[uint64]*erasedSubject)}
}

// nudge lets the closer look again.
func (c *closer) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run closes what is announced and announces what is due until the context
// ends.
func (c *closer) run(ctx context.Context) {
	for {
		err := c.turn(ctx)
		pause := c.l.nextGrace(c.l.cfg.Retention)
		if err != nil {
			if ctx.Err() != nil || c.l.Stopped() != nil {
				return
			}
			if !canWait(err) {
				c.l.stop(fmt.Errorf("closing: %w", err)) // a write is in doubt: only a fresh start can tell
				return
			}
			level, said := slog.LevelError, "closing failed, and is tried again"
			if isUnavailable(err) {
				level, said = slog.LevelWarn, "closing waits until the ledger takes entries"
			}
			c.l.log.Log(ctx, level, said, slog.String("error", err.Error()))
			pause = closeRetry
		}
		select {
		case <-c.wake:
		case <-time.After(pause):
		case <-c.l.failed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// canWait reports whether what failed left nothing in doubt, so that an
// operator can see to it while the ledger goes on.
func canWait(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) || errors.Is(err, storage.ErrCorrupt) || errors.Is(err, errUnreadable) || errors.Is(err, keystate.ErrOneCopy) || errors.Is(err, keystate.ErrAgain)
}

// isUnavailable reports whether the ledger takes no entries for the moment.
func isUnavailable(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) && (p.Code() == client.Unavailable || p.Code() == client.Overloaded)
}

// turn closes what is announced, does what was approved, and announces what is
// due, until there is nothing more.
func (c *closer) turn(ctx context.Context) error {
	if c.l.cfg.Keystate == nil {
		return nil
	}
	if err := c.l.progress.wait(ctx, func(p *progress) bool { return p.begun }); err != nil {
		return err
	}
	for {
		for open := c.l.retain.Open(); len(open) > 0; open = c.l.retain.Open() {
			err := c.close(ctx, open[0])
			c.mu.Lock()
			c.failed = err
			c.mu.Unlock()
			if err != nil {
				return fmt.Errorf("what entry %d announced: %w", open[0].Index, err)
			}
		}
		approved, err := c.l.doApproved(ctx)
		if err != nil {
			return err
		}
		due, err := c.l.expire(ctx)
		if err != nil {
			return err
		}
		if !approved && !due {
			return c.l.prune(ctx) // after all that may still close something
		}
	}
}

// close takes all steps of one closing.
func (c *closer) close(ctx context.Context, closing retain.Closing) error {
	if err := c.l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Published > closing.Index }); err != nil {
		return err
	}
	if err := c.l.cfg.Keystate.Check(); err != nil {
		return err // before anything is rewritten
	}
	started := time.Now()
	for _, ring := range closing.Rings {
		if err := c.l.rescue(ctx, closing.Index, ring); err != nil {
			return fmt.Errorf("rescue for the hold of entry %d: %w", ring.Hold, err)
		}
	}
	// The journal forgets what is closed before the vault does: it would bring it back.
	if err := c.l.keeper.round(ctx); err != nil {
		return err
	}
	for _, share := range closing.Gone() {
		if err := c.l.scrub(ctx, share, c.erased(closing.Index)); err != nil {
			return err
		}
	}
	if err := c.destroy(ctx, closing); err != nil {
		return err
	}
	c.l.metrics.closed(closing.Kind, time.Since(started))
	c.l.log.Info("closed", slog.String("kind", closing.Kind.String()), slog.Uint64("announced", closing.Index), slog.Duration("took", time.Since(started)))
	return nil
}

// destroy destroys the keys of a closing and says so in an entry.
func (c *closer) destroy(ctx context.Context, closing retain.Closing) error {
	paths, err := c.paths(closing)
	if err != nil {
		return err
	}
	c.l.rings.forget() // they are whole now
	resume := c.l.indexer.forget(ctx, closing)
	state, err := c.l.cfg.Keystate.Destroy(ctx, append(paths, keytree.SearchBefore(closing.Index)...)...)
	c.l.keys.forget()
	c.l.rings.forget()
	c.l.directories.forget()
	resume()
	if err != nil {
		return fmt.Errorf("key state: %w", err)
	}
	if closing.Kind == proofs.Erasure {
		closes := append(slices.Clone(closing.Closes), retain.Share{Runs: c.erased(closing.Index).unread})
		if err := c.l.directories.amend(ctx, closes); err != nil {
			return err
		}
	}
	if closing.Kind == proofs.Release {
		if err := c.l.removeRings(ctx, closing.Hold); err != nil {
			return err
		}
	}
	done := &proofs.KeysDestroyed{Announced: closing.Index, Epoch: state.Epoch, State: proofs.Hash(state.Hash)}
	if err := c.l.announce(ctx, func(uint64) ([]*admission, error) { return doneEntry(closing.Kind, done) }); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.erasing, closing.Index)
	return nil
}

// trouble returns why the first of the open closings could not be done when it was
// tried last.
func (c *closer) trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// erased returns whom an announced erasure concerns; nil for what is none.
func (c *closer) erased(announced uint64) *erasedSubject {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.erasing[announced]
}

// paths returns the keys that a closing destroys.
func (c *closer) paths(closing retain.Closing) (paths []keytree.Path, err error) {
	switch closing.Kind {
	case proofs.Release:
		return []keytree.Path{keytree.Hold(closing.Hold)}, nil
	case proofs.Expiry:
		share := closing.Closes[0]
		b, ok := c.l.state.bucketNumbered(share.Bucket)
		if !ok {
			return nil, fmt.Errorf("there is no bucket %d", share.Bucket)
		}
		return []keytree.Path{keytree.Bucket(b.Path.Stream, b.Path.Class, b.Path.Period)}, nil
	}
	erased := c.erased(closing.Index)
	if erased == nil {
		return nil, fmt.Errorf("it is not known whom the erasure of entry %d concerns", closing.Index)
	}
	for _, ref := range erased.refs {
		paths = append(paths, keytree.Subject(erased.stream, keytree.Handle(ref)))
	}
	for _, ref := range erased.acts {
		paths = append(paths, keytree.Subject(controlStream, keytree.Handle(ref)))
	}
	return paths, nil
}

// doneEntry returns the entry that says that keys are destroyed.
func doneEntry(kind proofs.Kind, done *proofs.KeysDestroyed) ([]*admission, error) {
	var body []byte
	var err error
	switch kind {
	case proofs.Expiry:
		body, err = proofs.FormatExpiry(proofs.ExpiryBody{Done: done})
	case proofs.Erasure:
		body, err = proofs.FormatErasure(proofs.ErasureBody{Done: done})
	default:
		body, err = proofs.FormatRelease(proofs.ReleaseBody{Done: done})
	}
	return []*admission{openControl(kind, body)}, err
}

// An announcement makes entries that change what is held or closed, at the time
// that they get: none, if there is nothing to announce any more.
type announcement func(now uint64) ([]*admission, error)

// these announces entries that are made.
func these(list ...*admission) announcement {
	return func(uint64) ([]*admission, error) { return list, nil }
}

// announceSealed has an announcement sequenced whose acts are sealed in the
// bucket of the month, and makes it again where that has expired meanwhile.
func (l *Ledger) announceSealed(ctx context.Context, make func() (announcement, error)) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	for {
		entries, err := make()
		if err != nil {
			return err
		}
		if err := l.announce(ctx, entries); !errors.Is(err, errStale) {
			return err
		}
	}
}

// announce has an announcement sequenced if it can follow the entries that are
// there. It is a batch of its own. The error is errStale where the bucket of an
// act has expired.
func (l *Ledger) announce(ctx context.Context, entries announcement) error {
	r := newRequest(nil)
	r.alone = true
	r.change = func(now uint64) ([]*admission, error) {
		list, err := entries(now)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		if slices.ContainsFunc(list, func(a *admission) bool { return a.leaf.Bucket > 0 && !l.retain.Takes(a.leaf.Bucket) }) {
			return nil, errStale
		}
		first := list[0].leaf
		first.Time = now
		if err := l.retain.Check(first); err != nil {
			return nil, retentionProblem(err)
		}
		return list, nil
	}
	err := l.submit(context.WithoutCancel(ctx), r)
	if err == nil || errors.Is(err, errStale) {
		return err
	}
	return l.asProblem(err)
}

// retentionProblem makes a problem of what the state of the ledger refuses.
func retentionProblem(err error) error {
	hint := ""
	if errors.Is(err, retain.ErrRequest) {
		hint = "see what was asked for, and how far it has come, with: cairnd request list"
	}
	var refused *retain.EntryError
	if errors.As(err, &refused) {
		err = refused.Err
	}
	return client.NewProblem(client.NotNow, err.Error(), hint)
}

// resume finds out what open closings and approved requests are about, before
// anything new is taken: whose keys take nothing more.
func (c *closer) resume(ctx context.Context) error {
	for _, closing := range c.l.retain.Open() {
		if closing.Kind != proofs.Erasure {
			continue
		}
		erased, err := c.l.erasedBy(ctx, closing)
		if err != nil {
			return fmt.Errorf("the erasure of entry %d: %w", closing.Index, err)
		}
		if erased.unread, err = c.l.announcedUnread(ctx, closing.Index); err != nil {
			return fmt.Errorf("the erasure of entry %d: %w", closing.Index, err)
		}
		c.retired(closing.Index, erased)
	}
	return nil
}

// retired takes note of whose keys are destroyed next, so that nothing new is
// closed with them.
func (c *closer) retired(announced uint64, erased *erasedSubject) {
	c.mu.Lock()
	c.erasing[announced] = erased
	c.mu.Unlock()
	for _, ref := range erased.refs {
		c.l.keys.retire(erased.stream, ref)
	}
	for _, ref := range erased.acts {
		c.l.keys.retire(controlStream, ref)
	}
}

// checkKeyState refuses keys that are older than the ledger, with
// [keystate.ErrStale]: they open what was erased since.
func (l *Ledger) checkKeyState() error {
	k, ok := l.retain.KeyState()
	if !ok {
		return nil
	}
	tree := l.cfg.Secrets.Tree
	switch epoch := tree.Epoch(); {
	case epoch < k.Epoch:
		return fmt.Errorf("%w: it is of epoch %d, and what entry %d announced was destroyed in epoch %d; see cairn-keys(7)", keystate.ErrStale, epoch, k.Announced, k.Epoch)
	case epoch == k.Epoch && proofs.Hash(tree.Hash()) != k.State:
		return fmt.Errorf("the key state of epoch %d is not the one that destroyed what entry %d announced: it is of another ledger, or was changed", epoch, k.Announced)
	}
	return nil
}
