package keystate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cairnlog/cairn/ledger/keytree"
)

// Options say where a store keeps the tree.
type Options struct {
	// Places hold the state. There is at least one; before keys can be
	// destroyed there must be two, or an escrow.
	Places []Place

	// Wrapper closes the cells. Nil: they lie as they are, for the owner of the
	// files to read.
	Wrapper Wrapper

	// Former returns the wrapper of a name that closed the cells before
	// Wrapper did. Nil: there was none.
	Former func(ctx context.Context, name string) (Wrapper, error)

	// Escrow, where it is not nil, is given every new state.
	Escrow *Escrow

	// Owner tells the ledger from others, for places that were mixed up. It is
	// written into them.
	Owner [32]byte

	// Rand is the source of cells.
	Rand io.Reader
}

// Errors that callers tell apart.
var (
	// ErrExists means that a place holds a key state already.
	ErrExists = errors.New("there is a key state already")

	// ErrNone means that no place holds a key state.
	ErrNone = errors.New("there is no key state")

	// ErrOneCopy means that nothing can be destroyed, because the only copy of
	// what is left could be lost with one disk.
	ErrOneCopy = errors.New("the key state has one place only: configure a second one, or an escrow, before keys are destroyed")

	// ErrStale means that a place or the escrow has a later state than the
	// latest that can be opened: to go on would bring back destroyed keys.
	ErrStale = errors.New("the key state is older than it has been")

	// ErrOther means that a place or an escrow is of another ledger.
	ErrOther = errors.New("it is the key state of another ledger")

	// ErrAgain means that a key service did not do its part. Nothing is
	// undone: the same keys are destroyed again, once it answers.
	ErrAgain = errors.New("the key service did not do its part")

	// ErrFailed means that an earlier replacement failed, and that nobody knows
	// what the places hold before the store is opened again.
	ErrFailed = errors.New("the key state could not be replaced, and must be opened again")
)

// A Store keeps a tree. Its methods may be called from many goroutines.
type Store struct {
	o    Options
	tree *keytree.Tree

	mu        sync.Mutex
	failed    bool
	untrimmed []byte    // the wrapped cell before whose version some may be left; nil: none is
	effective time.Time // see Effective
}

// A Replacement names a state, so that an older one is noticed. Both can be
// published.
type Replacement struct {
	Epoch uint64
	Hash  [32]byte // SHA-256 of the state
}

// Create keeps a new tree. Where a place has a cell already, or the escrow a
// file, the error is [ErrExists]: without one nothing was ever derived from it.
func Create(ctx context.Context, o Options, tree *keytree.Tree) (*Store, error) {
	if o.Escrow != nil {
		files, err := o.Escrow.files()
		if err != nil {
			return nil, err
		}
		if len(files) > 0 {
			return nil, fmt.Errorf("create key state in %s: %w", o.Escrow.Place.Name, ErrExists)
		}
	}
	return fill(ctx, o, tree)
}

// Restore keeps a tree that [Recover] read in places that have none: where one
// has a cell the error is [ErrExists], for what it holds may be later, and
// where the escrow is ahead of the tree it is [ErrStale].
func Restore(ctx context.Context, o Options, tree *keytree.Tree) (*Store, error) {
	if err := o.Escrow.notAfter(tree.Epoch()); err != nil {
		return nil, err
	}
	return fill(ctx, o, tree)
}

// fill keeps a tree in places none of which has a cell.
func fill(ctx context.Context, o Options, tree *keytree.Tree) (*Store, error) {
	s := &Store{o: o, tree: tree}
	if len(o.Places) == 0 {
		return nil, errors.New("create key state: no place is given")
	}
	for _, p := range o.Places {
		epochs, err := p.epochs()
		if err != nil {
			return nil, err
		}
		for _, e := range epochs {
			b, err := p.read(cellName(e))
			if err != nil {
				return nil, err
			}
			if _, err := parseCell(b); err == nil {
				return nil, fmt.Errorf("create key state in %s: %w", p.Name, ErrExists)
			}
		}
	}
	state := keytree.Format(tree)
	defer clear(state)
	if err := s.replace(ctx, tree.Epoch(), state); err != nil {
		return nil, err
	}
	if err := s.trim(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Open finds the latest state, brings it to all places and to the escrow, and
// erases older ones. A place that is empty is filled. The error is [ErrNone]
// where all are, and matches [ErrStale] where the latest state cannot be opened.
// A place that cannot be opened, or that is another ledger's, is left alone.
// What was closed by another wrapper than the one that is configured is closed
// by this one.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{o: o}
	latest, err := s.latest(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.Escrow.notAfter(latest.number); err != nil {
		return nil, err
	}
	s.tree = latest.tree
	state := keytree.Format(latest.tree)
	defer clear(state)
	if err := s.rewrap(ctx, latest); err != nil {
		return nil, err
	}
	if err := s.distribute(latest, state); err != nil {
		return nil, err
	}
	if err := s.trim(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Format names the state in force, whatever the verb, and shows nothing of it.
func (s *Store) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "key state of epoch %d in %d places", s.tree.Epoch(), len(s.o.Places))
}

// Tree returns the tree. Keys of it are destroyed with [Store.Destroy] only.
func (s *Store) Tree() *keytree.Tree { return s.tree }

// Current names the state in force.
func (s *Store) Current() Replacement {
	for {
		r := Replacement{Epoch: s.tree.Epoch(), Hash: s.tree.Hash()}
		if r.Epoch == s.tree.Epoch() { // epochs only grow: both are of one state
			return r
		}
	}
}

// Check returns why nothing can be destroyed, [ErrOneCopy] or [ErrFailed], or
// nil.
func (s *Store) Check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.check()
}

// check is Check for whoever holds mu.
func (s *Store) check() error {
	switch {
	case s.failed:
		return ErrFailed
	case len(s.o.Places) < 2 && s.o.Escrow == nil:
		return ErrOneCopy
	}
	return nil
}

// Effective returns from when on the former version of the wrapper's key can
// be used by nobody, since keys were destroyed last: the zero time where that
// was at once, or where its service destroys no versions.
func (s *Store) Effective() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.effective
}

// Destroy destroys every key at or below the paths, all at once, and returns
// when no place can bring them back. Where all are destroyed already it does
// nothing.
//
// The error is [ErrOneCopy] or [ErrFailed] where nothing was tried, and matches
// [ErrAgain] where it was to no end. After any other error from here on
// everything is ErrFailed.
func (s *Store) Destroy(ctx context.Context, paths ...keytree.Path) (Replacement, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(); err != nil {
		return Replacement{}, err
	}
	err := s.tree.Puncture(func(state []byte) error { return s.replace(ctx, s.tree.Epoch()+1, state) }, paths...)
	switch {
	case errors.Is(err, errUnchanged):
		return Replacement{}, fmt.Errorf("%w: %w", ErrAgain, err)
	case err != nil:
		s.failed = true
		return Replacement{}, err
	}
	if err := s.trim(ctx); err != nil {
		return Replacement{}, fmt.Errorf("%w: %w", ErrAgain, err)
	}
	return s.Current(), nil
}

// replace makes a state the one of all places, under a cell of its own.
func (s *Store) replace(ctx context.Context, number uint64, state []byte) error {
	var key [cellSize]byte
	defer clear(key[:])
	if _, err := io.ReadFull(s.o.Rand, key[:]); err != nil {
		return fmt.Errorf("key state: cell: %w", err)
	}
	c := cell{epoch: number, owner: s.o.Owner, bytes: append([]byte(nil), key[:]...)}
	if err := s.wrap(ctx, &c, key[:]); err != nil {
		return fmt.Errorf("%w: %w", errUnchanged, err)
	}
	e := &epoch{number: number, state: sealState(c, &key, state), cell: formatCell(c)}
	defer clear(e.cell)
	return s.distribute(e, state)
}

// distribute makes an epoch durable in all places, and then erases every
// other: not before, because a place may be lost meanwhile.
func (s *Store) distribute(e *epoch, state []byte) error {
	for _, p := range s.o.Places {
		if err := p.put(e); err != nil {
			return err
		}
	}
	if s.o.Escrow != nil {
		if err := s.o.Escrow.put(e.number, s.o.Owner, state); err != nil {
			return err
		}
	}
	for _, p := range s.o.Places {
		epochs, err := p.epochs()
		if err != nil {
			return err
		}
		for _, other := range epochs {
			if other == e.number {
				continue
			}
			if err := p.shred(other); err != nil {
				return err
			}
		}
	}
	if _, ok := s.o.Wrapper.(Versions); ok {
		c, err := parseCell(e.cell)
		s.untrimmed = append([]byte{}, c.bytes...)
		return err
	}
	return nil
}
