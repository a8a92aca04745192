package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/storage"
)

// Register returns the single register of that name. It fails on its own.
func (w *World) Register(name string) storage.Register {
	return &cell{cells: open(w, "register", name, newCells), name: name, step: "swap"}
}

// Registers returns the set of registers of that name.
func (w *World) Registers(name string) storage.Registers {
	return open(w, "registers", name, newCells)
}

// cells are registers that fail together.
type cells struct {
	state
	values map[string][]byte
}

func newCells(s state) *cells {
	return &cells{state: s, values: make(map[string][]byte)}
}

func (c *cells) clone(s state, _ func(int) int) store {
	return &cells{state: s, values: maps.Clone(c.values)}
}

func (c *cells) Register(name string) storage.Register {
	return &cell{cells: c, name: name, step: "swap " + name}
}

func (c *cells) Names(ctx context.Context) ([]string, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	defer c.world.mu.Unlock()
	return slices.Sorted(maps.Keys(c.values)), nil
}

// A cell is one of them.
type cell struct {
	cells *cells
	name  string
	step  string // what a plan knows a swap by
}

func (r *cell) Load(ctx context.Context) ([]byte, error) {
	if err := storage.CheckRegisterName(r.name); err != nil {
		return nil, err
	}
	if err := r.cells.begin(ctx); err != nil {
		return nil, err
	}
	defer r.cells.world.mu.Unlock()
	value, ok := r.cells.values[r.name]
	if !ok {
		return nil, fmt.Errorf("register %q: %w", r.name, storage.ErrNotFound)
	}
	return bytes.Clone(value), nil
}

func (r *cell) Swap(ctx context.Context, old, new []byte) error {
	if err := storage.CheckRegisterName(r.name); err != nil {
		return err
	}
	if len(new) < 1 || len(new) > storage.MaxRegister {
		return fmt.Errorf("register %q: %d bytes: %w", r.name, len(new), storage.ErrInvalid)
	}
	if err := r.cells.begin(ctx); err != nil {
		return err
	}
	defer r.cells.world.mu.Unlock()
	if !bytes.Equal(r.cells.values[r.name], old) {
		return fmt.Errorf("register %q: %w", r.name, storage.ErrConflict)
	}
	return r.cells.step(r.step, func(whole bool) {
		if whole {
			r.cells.values[r.name] = bytes.Clone(new)
		}
	})
}
