package disk

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/storage"
)

// Registers is a storage.Registers in one file, which it holds in memory whole.
// Concurrent Swaps share one write and one fdatasync.
type Registers struct{ cells *cells }

const registersLabel = "cairn registers v1"

// Register implements storage.Registers.
func (rs *Registers) Register(name string) storage.Register {
	return &registerCell{rs.cells, name}
}

// Names implements storage.Registers.
func (rs *Registers) Names(ctx context.Context) ([]string, error) {
	if err := rs.cells.health.check(ctx); err != nil {
		return nil, err
	}
	rs.cells.mu.Lock()
	defer rs.cells.mu.Unlock()
	return slices.Sorted(maps.Keys(rs.cells.values)), nil
}

func (rs *Registers) close() error { return rs.cells.close() }

// A registerCell is one of the registers.
type registerCell struct {
	cells *cells
	name  string
}

func (r *registerCell) Load(ctx context.Context) ([]byte, error) {
	if err := storage.CheckRegisterName(r.name); err != nil {
		return nil, err
	}
	if err := r.cells.health.check(ctx); err != nil {
		return nil, err
	}
	value, ok := r.cells.load(r.name)
	if !ok {
		return nil, fmt.Errorf("register %q: %w", r.name, storage.ErrNotFound)
	}
	return bytes.Clone(value), nil
}

func (r *registerCell) Swap(ctx context.Context, old, new []byte) error {
	if err := storage.CheckRegisterName(r.name); err != nil {
		return err
	}
	if err := checkRegister(new); err != nil {
		return err
	}
	if err := r.cells.health.check(ctx); err != nil {
		return err
	}
	return r.cells.change(&request{
		changes: []cell{{r.name, new}},
		guarded: true,
		old:     old,
	})
}

func checkRegister(value []byte) error {
	if len(value) < 1 || len(value) > storage.MaxRegister {
		return fmt.Errorf("register: %d bytes: %w", len(value), storage.ErrInvalid)
	}
	return nil
}
