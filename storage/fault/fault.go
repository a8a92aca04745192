// Package fault scripts the failures of a simulated world.
//
// A world that can fail (storage/memory, or the in-memory file system of
// storage/disk/memfs) asks a [Plan] before each durable step what is to become
// of it. The plan answers with an [Outcome] and keeps the step's name. So a test
// learns the steps of a history by running it once, and can then repeat it for
// every step and every outcome without anybody listing them by hand: see
// storage/storagetest, whose Table does so.
//
// A plan does not fail reads, and it does not simulate power cuts: these are
// the clones that the worlds make of themselves.
package fault

import (
	"errors"
	"fmt"
	"sync"
)

// An Outcome is what becomes of one durable step.
type Outcome uint8

// The outcomes. All but Done return an error to whoever took the step.
const (
	Done      Outcome = iota // it takes place
	Failed                   // nothing took place
	Persisted                // it took place all the same
	Torn                     // a part of it took place, where the step has parts
	NoSpace                  // the medium is full
)

// Outcomes returns the outcomes that are faults.
func Outcomes() []Outcome { return []Outcome{Failed, Persisted, Torn, NoSpace} }

// String returns the outcome's name, as tests print it.
func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case Failed:
		return "failed"
	case Persisted:
		return "failed but persisted"
	case Torn:
		return "torn"
	case NoSpace:
		return "out of space"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// ErrInjected is matched by every error that a world returns because of a plan.
var ErrInjected = errors.New("injected fault")

// A Plan decides the outcome of each durable step of a world and keeps their
// names. The zero Plan lets every step take place. A plan outlives its world:
// clones of the world go on counting where it stood. It may be used from
// several goroutines.
type Plan struct {
	// Seed decides what a torn step leaves behind.
	Seed uint64

	mu       sync.Mutex
	steps    []string
	outcomes map[int]Outcome
	struck   int
}

// At makes the step of that number, counted from 0, end with the outcome.
func (p *Plan) At(step int, o Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.outcomes == nil {
		p.outcomes = make(map[int]Outcome)
	}
	p.outcomes[step] = o
}

// Heal lets every later step take place.
func (p *Plan) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.outcomes)
}

// Next takes note of a step and returns its outcome. A nil plan answers Done.
func (p *Plan) Next(step string) Outcome {
	if p == nil {
		return Done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.outcomes[len(p.steps)]
	p.steps = append(p.steps, step)
	if o != Done {
		p.struck++
	}
	return o
}

// Steps returns the names of the steps taken so far; a nil plan keeps none.
func (p *Plan) Steps() []string {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.steps...)
}

// Struck returns how many steps ended with a fault so far.
func (p *Plan) Struck() int {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.struck
}

// Error returns the error for a fault at that step. It matches ErrInjected.
func Error(step string, o Outcome) error {
	return fmt.Errorf("%s: %v: %w", step, o, ErrInjected)
}
