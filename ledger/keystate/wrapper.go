package keystate

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Wrapper closes cells for those who read the files. What it wraps is 32
// bytes.
type Wrapper interface {
	// Name says how to open what it wrapped: at most 255 bytes.
	Name() string

	// Wrap returns at most 65,535 bytes.
	Wrap(ctx context.Context, cell []byte) ([]byte, error)

	// Unwrap returns the cell that was wrapped.
	Unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
}

// Versions is what a [Wrapper] implements whose service can destroy one
// version of its key, which belongs to this store alone. Then old copies of a
// place open no more, once that is effective.
type Versions interface {
	// Rotate makes a new version of the key, with which cells are wrapped from
	// now on.
	Rotate(ctx context.Context) error

	// Trim destroys all versions before the one that a cell was wrapped with,
	// and returns from when on nobody can use them any more: the zero time
	// where that is at once. Where they are destroyed already it does nothing.
	Trim(ctx context.Context, wrapped []byte) (effective time.Time, err error)
}

// wrap closes a cell with the wrapper, and with a new version of its key
// where it has versions.
func (s *Store) wrap(ctx context.Context, c *cell, key []byte) error {
	if s.o.Wrapper == nil {
		return nil
	}
	if v, ok := s.o.Wrapper.(Versions); ok {
		if err := v.Rotate(ctx); err != nil {
			return fmt.Errorf("key state: make a version of the key: %w", err)
		}
	}
	wrapped, err := s.o.Wrapper.Wrap(ctx, key)
	if err != nil {
		return fmt.Errorf("key state: wrap the cell: %w", err)
	}
	c.wrapping, c.bytes = s.o.Wrapper.Name(), wrapped
	if len(c.wrapping) == 0 || len(c.wrapping) > maxWrapping || len(c.bytes) == 0 || len(c.bytes) > maxWrapped {
		return fmt.Errorf("key state: wrap the cell: the wrapper %q gives %d bytes", c.wrapping, len(c.bytes))
	}
	return nil
}

// unwrap returns what a cell's file closes.
func (s *Store) unwrap(ctx context.Context, c cell) (key [cellSize]byte, err error) {
	raw := c.bytes
	if c.wrapping != "" {
		w, err := s.wrapperOf(ctx, c.wrapping)
		if err != nil {
			return key, err
		}
		if raw, err = w.Unwrap(ctx, c.bytes); err != nil {
			return key, fmt.Errorf("unwrap the cell: %w", err)
		}
	}
	if len(raw) != cellSize {
		return key, fmt.Errorf("%w: the cell has %d bytes instead of %d", ErrMalformed, len(raw), cellSize)
	}
	return [cellSize]byte(raw), nil
}

// wrapperOf returns the wrapper of a name: that which is configured, or one
// that was.
func (s *Store) wrapperOf(ctx context.Context, name string) (Wrapper, error) {
	if s.o.Wrapper != nil && s.o.Wrapper.Name() == name {
		return s.o.Wrapper, nil
	}
	if s.o.Former == nil {
		return nil, fmt.Errorf("the cell is closed by %s, which is not known here", name)
	}
	w, err := s.o.Former(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("the cell is closed by %s: %w", name, err)
	}
	return w, nil
}

// rewrap closes the cell of an epoch anew where another wrapper is configured
// than the one that closed it. Until keys are destroyed next, the file system
// may keep the cell as it was.
func (s *Store) rewrap(ctx context.Context, e *epoch) error {
	name := ""
	if s.o.Wrapper != nil {
		name = s.o.Wrapper.Name()
	}
	was, err := parseCell(e.cell)
	if err != nil || was.wrapping == name {
		return err
	}
	key, err := s.unwrap(ctx, was)
	if err != nil {
		return err
	}
	defer clear(key[:])
	now := cell{epoch: was.epoch, owner: was.owner, bytes: append([]byte(nil), key[:]...)}
	if err := s.wrap(ctx, &now, key[:]); err != nil {
		return err
	}
	e.cell = formatCell(now)
	for _, p := range s.o.Places {
		if err := p.replace(cellName(e.number), e.cell); err != nil {
			return err
		}
	}
	return nil
}

// trim destroys the versions of the wrapper's key before that of the cell in
// force, if it was not done.
func (s *Store) trim(ctx context.Context) error {
	v, ok := s.o.Wrapper.(Versions)
	if !ok || s.untrimmed == nil {
		return nil
	}
	effective, err := v.Trim(ctx, s.untrimmed)
	if err != nil {
		return fmt.Errorf("key state: destroy the former version of the key: %w", err)
	}
	s.untrimmed, s.effective = nil, effective
	return nil
}

// errUnchanged marks errors before anything was written.
var errUnchanged = errors.New("nothing was changed")
