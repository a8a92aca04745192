package keystate

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/ledger/keytree"
)

// An epoch is a state as the files hold it.
type epoch struct {
	number uint64
	state  []byte // the file
	cell   []byte // the file
	tree   *keytree.Tree
}

// Format hides the cell from every verb.
func (e *epoch) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "epoch %d", e.number) }

// A held epoch is the latest of a place that was ever whole there.
type held struct {
	place  Place
	number uint64
	whole  *epoch
	broken error // why it is not whole any more; nil: it is
}

// Format hides the cell from every verb.
func (h held) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "epoch %d in %s", h.number, h.place.Name) }

// latest returns the latest epoch that is whole in any place. It is an error
// where a place had a later one, or holds what no place of this ledger does.
func (s *Store) latest(ctx context.Context) (*epoch, error) {
	var latest *epoch
	var places []held
	var never error // why an epoch of a place never was whole
	for _, p := range s.o.Places {
		h, err := s.held(ctx, p)
		switch {
		case errors.Is(err, ErrMalformed):
			never = errors.Join(never, err)
			continue
		case err != nil:
			return nil, err
		case h.whole != nil && (latest == nil || h.number > latest.number):
			latest = h.whole
		}
		places = append(places, h)
	}
	for _, h := range places {
		if err := h.fits(latest); err != nil {
			return nil, err
		}
	}
	switch {
	case latest != nil:
		return latest, nil
	case never != nil:
		return nil, never
	}
	return nil, ErrNone
}

// held returns the latest epoch of a place that was ever whole there, which
// its cell says; the zero epoch where the place is empty. What is older is left
// from a replacement. The error matches [ErrMalformed] where none was whole.
func (s *Store) held(ctx context.Context, p Place) (h held, err error) {
	epochs, err := p.epochs()
	if err != nil {
		return h, err
	}
	var never error
	for _, number := range epochs {
		b, err := p.read(cellName(number))
		if err != nil {
			return h, err
		}
		if _, err := parseCell(b); err != nil {
			never = errors.Join(never, p.wrong(cellName(number), err))
			continue
		}
		h = held{place: p, number: number}
		h.whole, h.broken = s.load(ctx, p, number)
		return h, nil
	}
	return h, never
}

// fits checks that what a place holds can be replaced by the latest epoch that
// is whole. A state of this ledger that is damaged can be, unless it is later,
// and so can one that is earlier, whatever closes it.
func (h held) fits(latest *epoch) error {
	switch {
	case errors.Is(h.broken, ErrOther), h.broken != nil && latest == nil:
		return h.broken
	case h.broken != nil && h.number > latest.number:
		return fmt.Errorf("%w: %w, and the latest that opens is epoch %d", ErrStale, h.broken, latest.number)
	case errors.Is(h.broken, ErrMalformed), h.broken != nil && h.number < latest.number:
		return nil
	case h.broken != nil:
		return h.broken
	case h.whole == nil:
		return nil
	}
	if h.number == latest.number && h.whole.tree.Hash() != latest.tree.Hash() {
		return fmt.Errorf("key state: %s has another state of epoch %d than the places before it: it was in use without them, or they without it; empty the wrong one", h.place.Name, h.number)
	}
	return nil
}

// load reads an epoch of a place and opens it.
func (s *Store) load(ctx context.Context, p Place, number uint64) (*epoch, error) {
	e := &epoch{number: number}
	var err error
	if e.state, err = p.read(stateName(number)); err != nil {
		return nil, err
	}
	if e.cell, err = p.read(cellName(number)); err != nil {
		return nil, err
	}
	c, err := parseCell(e.cell)
	if err != nil {
		return nil, p.wrong(cellName(number), err)
	}
	if c.owner != s.o.Owner {
		return nil, p.wrong(cellName(number), ErrOther)
	}
	key, err := s.unwrap(ctx, c)
	if err != nil {
		return nil, p.wrong(cellName(number), err)
	}
	defer clear(key[:])
	state, err := openState(e.state, c, &key)
	if err != nil {
		return nil, p.wrong(stateName(number), err)
	}
	defer clear(state)
	if e.tree, err = keytree.Parse(state); err != nil {
		return nil, p.wrong(stateName(number), err)
	}
	if c.epoch != number || e.tree.Epoch() != number {
		return nil, p.wrong(stateName(number), fmt.Errorf("%w: it is of another epoch", ErrMalformed))
	}
	return e, nil
}
