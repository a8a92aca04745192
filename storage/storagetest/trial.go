package storagetest

import (
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
)

// A trial does one thing to a store, whatever befalls it, and looks at what it
// left behind after each ending.
type trial[S any] struct {
	t     *testing.T
	s     Subject[S]
	rng   *rand.Rand
	store S
}

// runTrials runs a trial for every way in which a store can end, and if the
// subject follows a plan for every step and every outcome.
func runTrials[S any](t *testing.T, maker Maker[S], run func(d *trial[S], e ending)) {
	for e := closed; e <= powerCutRandom; e++ {
		try := func(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
			d := &trial[S]{t: t, s: maker(t, plan), rng: rng}
			d.open()
			run(d, e)
		}
		if maker(t, nil).FollowsPlan {
			Table(t, try)
		} else {
			try(t, nil, rand.New(rand.NewPCG(1, 1)))
		}
	}
}

// attempt does something once and ends the store, which takes no more calls if
// that failed. It looks at what is there, given the error: at once if the store
// goes on, after the ending, and after a power cut.
func (d *trial[S]) attempt(e ending, do func() error, look func(err error)) {
	d.t.Helper()
	err := do()
	if err == nil || refused(err) {
		look(err)
	} else {
		wantErr(d.t, "a call after a failure", do(), storage.ErrFailed)
	}
	d.end(e)
	look(err)
	d.end(powerCut)
	look(err)
}

// until repeats what can be repeated until it succeeds.
func (d *trial[S]) until(do func() error) {
	d.t.Helper()
	var err error
	for range 20 {
		if err = do(); err == nil {
			return
		}
		if !refused(err) {
			someEnding(d.s, d.rng, true)
			d.open()
		}
	}
	d.t.Fatal(err)
}

// end ends the store, if it can end so, and opens it again.
func (d *trial[S]) end(e ending) {
	d.t.Helper()
	if !d.s.end(e, d.rng) {
		d.s.end(closed, d.rng)
	}
	d.open()
}

func (d *trial[S]) open() {
	d.t.Helper()
	var err error
	for range 20 {
		if d.store, err = d.s.Open(); err == nil {
			return
		}
		someEnding(d.s, d.rng, true)
	}
	d.t.Fatal(err)
}
