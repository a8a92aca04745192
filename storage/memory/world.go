package memory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
)

// A World is a set of named stores that fail by one plan and crash together.
type World struct {
	plan *fault.Plan // nil: nothing fails

	mu     sync.Mutex // guards all that the stores hold: a crash is one moment
	stores map[key]store
	order  []key // of the stores, as they were opened
}

// A key names a store: two contracts may use the same name.
type key struct{ kind, name string }

// A store is what one contract keeps.
type store interface {
	// clone copies the store into another world. Of n changes in a row that
	// are not yet durable keep(n) survive.
	clone(s state, keep func(n int) int) store
}

// New returns an empty world whose durable steps end as the plan says. A nil
// plan lets every step succeed.
func New(plan *fault.Plan) *World {
	return &World{plan: plan, stores: make(map[key]store)}
}

// Restart returns the world as the next process finds it after this one died.
func (w *World) Restart() *World {
	return w.clone(func(n int) int { return n })
}

// Crash returns the world as it is found after a power cut: what was synced,
// and if rng is not nil a random part of the rest.
func (w *World) Crash(rng *rand.Rand) *World {
	return w.clone(func(n int) int {
		if rng == nil {
			return 0
		}
		return rng.IntN(n + 1)
	})
}

func (w *World) clone(keep func(n int) int) *World {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := New(w.plan)
	for _, k := range w.order { // so that a seed tells all
		c.stores[k] = w.stores[k].clone(state{world: c, name: k.name}, keep)
	}
	c.order = append(c.order, w.order...)
	return c
}

// open returns the store of that kind and name, made by create if it is new.
func open[S store](w *World, kind, name string, create func(state) S) S {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := key{kind, name}
	if s, ok := w.stores[k]; ok {
		return s.(S)
	}
	s := create(state{world: w, name: name})
	w.stores[k], w.order = s, append(w.order, k)
	return s
}

// A state is what all stores have in common.
type state struct {
	world  *World
	name   string
	failed bool
}

// begin locks the world for one call; the caller unlocks it if the error is nil.
func (s *state) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.world.mu.Lock()
	if s.failed {
		s.world.mu.Unlock()
		return fmt.Errorf("%s: %w", s.name, storage.ErrFailed)
	}
	return nil
}

// step takes one durable step as the plan says: apply does the change, whole
// or in part.
func (s *state) step(what string, apply func(whole bool)) error {
	step := s.name + " " + what
	o := s.world.plan.Next(step)
	switch o {
	case fault.Done:
		apply(true)
		return nil
	case fault.NoSpace:
		return fmt.Errorf("%w: %w", storage.ErrNoSpace, fault.Error(step, o))
	case fault.Persisted:
		apply(true)
	case fault.Torn:
		apply(false)
	}
	s.failed = true
	return fault.Error(step, o)
}
