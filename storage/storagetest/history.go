package storagetest

import (
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
)

// A history does random operations on a store and knows what it may hold.
type history[S any] interface {
	// step does one operation. An error means that it is in doubt.
	step(t *testing.T, store S, rng *rand.Rand) error

	// settle compares a store just opened with what it may hold, and takes
	// what it does hold as the truth from here on.
	settle(t *testing.T, store S)

	// probe does one read and one write that a failed store must refuse, and
	// returns their errors.
	probe(store S) []error
}

// runHistories runs the table of faults and the random histories.
func runHistories[S any](t *testing.T, maker Maker[S], begin func() history[S]) {
	t.Run("every step and every outcome", func(t *testing.T) {
		if !maker(t, new(fault.Plan)).FollowsPlan {
			t.Log("the subject follows no plan: faults are not tried")
			return
		}
		Table(t, func(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
			drive(t, maker(t, plan), begin(), rng, 24)
		})
	})
	t.Run("random histories", func(t *testing.T) {
		for seed := range uint64(60) {
			rng := rand.New(rand.NewPCG(seed, 1))
			drive(t, maker(t, new(fault.Plan)), begin(), rng, 60)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
	t.Run("random histories with faults", func(t *testing.T) {
		for seed := range uint64(100) {
			rng, plan := rand.New(rand.NewPCG(seed, 2)), new(fault.Plan)
			for range 5 {
				plan.At(rng.IntN(300), fault.Outcomes()[rng.IntN(4)])
			}
			drive(t, maker(t, plan), begin(), rng, 60)
			if t.Failed() {
				t.Fatalf("seed %d, steps %q", seed, plan.Steps())
			}
		}
	})
}

// Table calls run once with a plan that lets everything take place, and then
// once for every step that it saw and every outcome. Run must do the same
// whenever it is given the same randomness, as far as no fault strikes.
func Table(t *testing.T, run func(t *testing.T, plan *fault.Plan, rng *rand.Rand)) {
	t.Helper()
	const seed = 1
	learned := new(fault.Plan)
	run(t, learned, rand.New(rand.NewPCG(seed, seed)))
	steps := learned.Steps()
	if len(steps) == 0 {
		t.Fatal("the history has no durable step")
	}
	for n, step := range steps {
		for _, outcome := range fault.Outcomes() {
			plan := new(fault.Plan)
			plan.At(n, outcome)
			run(t, plan, rand.New(rand.NewPCG(seed, seed)))
			if t.Failed() {
				t.Fatalf("step %d, %s: %v", n, step, outcome)
			}
			if plan.Struck() == 0 {
				t.Fatalf("step %d, %s: %v: the fault did not strike", n, step, outcome)
			}
		}
	}
	t.Logf("%d steps × %d outcomes", len(steps), len(fault.Outcomes()))
}

// drive takes that many steps of a history, ends the store now and then, and
// whenever a step is in doubt.
func drive[S any](t *testing.T, s Subject[S], h history[S], rng *rand.Rand, steps int) {
	t.Helper()
	store := reach(t, s, rng)
	h.settle(t, store)
	for range steps {
		err := h.step(t, store, rng)
		if err != nil {
			for _, err := range h.probe(store) {
				wantErr(t, "a call after a failure", err, storage.ErrFailed)
			}
		}
		if err != nil || rng.IntN(8) == 0 {
			e := someEnding(s, rng, err != nil)
			store = reach(t, s, rng)
			h.settle(t, store)
			if t.Failed() {
				t.Fatalf("after it was %v; the last error was %v", e, err)
			}
		}
	}
	s.end(closed, rng)
	h.settle(t, reach(t, s, rng))
}

// someEnding ends the store at random, not in order if it failed.
func someEnding[S any](s Subject[S], rng *rand.Rand, failed bool) ending {
	for range 20 {
		e := ending(rng.IntN(4))
		if (e != closed || !failed) && s.end(e, rng) {
			return e
		}
	}
	s.end(closed, rng)
	return closed
}

// reach opens the store, again and again while faults strike the opening.
func reach[S any](t *testing.T, s Subject[S], rng *rand.Rand) S {
	t.Helper()
	var errs []error
	for range 10 {
		store, err := s.Open()
		if err == nil {
			return store
		}
		errs = append(errs, err)
		someEnding(s, rng, true)
	}
	t.Fatalf("the store does not open any more: %v", errs)
	panic("unreachable")
}
