package storagetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
)

// A history does random operations on a store and knows what it may hold.
type history[S any] interface {
	// step does one operation. An error means that it is in doubt.
	step(t *testing.T, store S, rng *rand.Rand) error

	// check compares the store with what it must hold.
	check(t *testing.T, store S)

	// settle checks a store just opened against what it may hold, and takes
	// what it does hold as the truth from here on. If it has to write to do so,
	// an error means that the store failed again.
	settle(t *testing.T, store S) error

	// probe does one read and one write that a failed store must refuse, and
	// returns their errors.
	probe(store S) []error
}

// runHistories runs random histories, and if the subject follows a plan the
// table of faults.
func runHistories[S any](t *testing.T, maker Maker[S], begin func() history[S]) {
	follows := maker(t, nil).FollowsPlan
	t.Run("random histories", func(t *testing.T) {
		seeds := uint64(25)
		if !follows {
			seeds = 4 // on a real disk they take long
		}
		for seed := range seeds {
			rng := rand.New(rand.NewPCG(seed, 1))
			drive(t, maker(t, nil), begin(), rng, 60)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
	if !follows {
		return
	}
	t.Run("every step and every outcome", func(t *testing.T) {
		Table(t, func(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
			drive(t, maker(t, plan), begin(), rng, 16)
		})
	})
	t.Run("random histories with faults", func(t *testing.T) {
		seeds := uint64(40)
		if testing.Short() {
			seeds = 10
		}
		for seed := range seeds {
			rng, plan := rand.New(rand.NewPCG(seed, 2)), &fault.Plan{Seed: seed}
			for range 3 { // few, and close together
				for first := rng.IntN(300); rng.IntN(3) > 0; first += 1 + rng.IntN(2) {
					plan.At(first, fault.Outcomes()[rng.IntN(4)])
				}
			}
			drive(t, maker(t, plan), begin(), rng, 60)
			if t.Failed() {
				t.Fatalf("seed %d, steps %q", seed, plan.Steps())
			}
		}
	})
}

// Table calls run once with a plan that lets everything take place, and then
// once for every step that it saw and every outcome; with -short for every
// step and one of the outcomes. Run must do the same whenever it is given the
// same randomness, as far as no fault strikes.
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
		outcomes := fault.Outcomes()
		if testing.Short() {
			outcomes = outcomes[n%len(outcomes):][:1]
		}
		for _, outcome := range outcomes {
			t.Run(fmt.Sprintf("%d %s %v", n, step, outcome), func(t *testing.T) {
				plan := new(fault.Plan)
				plan.At(n, outcome)
				run(t, plan, rand.New(rand.NewPCG(seed, seed)))
				if plan.Struck() == 0 {
					t.Error("the fault did not strike")
				}
			})
		}
	}
}

// drive takes that many steps of a history, ends the store now and then, and
// whenever a step is in doubt. At once or soon after each ending it cuts the
// power: that shows what was read from memory as if it were durable.
func drive[S any](t *testing.T, s Subject[S], h history[S], rng *rand.Rand, steps int) {
	t.Helper()
	store := reach(t, s, h, rng)
	cut := rng.IntN(3)
	for n := range steps {
		err := h.step(t, store, rng)
		if err != nil {
			for _, err := range h.probe(store) {
				wantErr(t, "a call after a failure", err, storage.ErrFailed)
			}
		} else if n%4 == 0 {
			h.check(t, store)
		}
		switch {
		case n == cut && s.end(powerCut, rng):
		case err != nil || rng.IntN(8) == 0:
			someEnding(s, rng, err != nil)
			cut = n + 1 + rng.IntN(3)
		default:
			continue
		}
		store = reach(t, s, h, rng)
		if rng.IntN(3) == 0 && s.end(powerCut, rng) {
			store = reach(t, s, h, rng)
		}
		if t.Failed() {
			t.Fatalf("after step %d; the last error was %v", n, err)
		}
	}
	s.end(closed, rng)
	reach(t, s, h, rng)
}

// someEnding ends the store at random, not in order if it failed.
func someEnding[S any](s Subject[S], rng *rand.Rand, failed bool) {
	for range 20 {
		e := ending(rng.IntN(4))
		if (e != closed || !failed) && s.end(e, rng) {
			return
		}
	}
	s.end(closed, rng)
}

// reach opens the store and settles the history, again and again while faults
// strike.
func reach[S any](t *testing.T, s Subject[S], h history[S], rng *rand.Rand) S {
	t.Helper()
	var errs []error
	for range 50 {
		store, err := s.Open()
		if err == nil {
			err = h.settle(t, store)
		}
		if err == nil {
			return store
		}
		errs = append(errs, err)
		someEnding(s, rng, true)
	}
	t.Fatalf("the store does not open any more: %v", errs)
	panic("unreachable")
}
