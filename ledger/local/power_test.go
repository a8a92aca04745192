package local_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/storage/fault"
)

// The tests of this file take whole ledgers, as Init and Open put them
// together, through a life on a simulated machine: they are made, and in three
// runs do what their users ask. Every durable step of every store is numbered
// as it happens, and the next step can be that at which the power goes, or
// that which fails. Then the ledger is opened again, and judged.
//
// An ordinary run tries one step of each kind and some others, which -short
// makes fewer; with -tags long it tries all steps and all outcomes.

// TestPowerCutAtEveryStep cuts the power, or kills the process, before steps
// of one life.
func TestPowerCutAtEveryStep(t *testing.T) {
	t.Parallel()
	count, lives := new(tally), uint64(1)
	if long {
		lives = 3
	}
	for seed := range lives {
		m := newSite(t).newMachine(nil)
		picked := pick(t, learn(t), 25)
		m.before = func(step string) {
			count.steps++
			if !picked.take(step) || t.Failed() {
				return
			}
			rng := rand.New(rand.NewPCG(uint64(count.steps), seed))
			after := m.end(rng)
			err := after.makeSure()
			if err == nil {
				err = after.judge(rng, loads())
			}
			count.cuts++
			count.judged(len(after.answers.appended), err)
			if err != nil {
				t.Errorf("before step %d, %s: %v", picked.seen-1, step, err)
			}
		}
		if _, err := m.live(rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Fatal(err)
		}
	}
	count.log(t)
}

// TestFaultAtEveryStep lets steps fail, each in a life of its own.
func TestFaultAtEveryStep(t *testing.T) {
	t.Parallel()
	count := new(tally)
	steps := learn(t)
	picked := pick(t, steps, 80)
	s := newSite(t)
	for n, step := range steps {
		if !picked.take(step) {
			continue
		}
		outcomes := fault.Outcomes()
		if !long {
			outcomes = outcomes[n%4 : n%4+1]
		}
		for _, outcome := range outcomes {
			plan := &fault.Plan{Seed: uint64(n)}
			plan.At(n, outcome)
			rng := rand.New(rand.NewPCG(uint64(n), 2))
			m, err := s.newMachine(plan).live(rng)
			plan.At(n, fault.Done) // where this life had fewer steps
			if err == nil {
				err = m.judge(rng, loads())
			}
			count.steps += len(plan.Steps())
			count.faults += plan.Struck()
			count.judged(len(m.answers.appended), err)
			if err != nil {
				t.Fatalf("step %d, %s: %v: %v", n, plan.Steps()[n], outcome, err)
			}
		}
	}
	if count.faults == 0 {
		t.Error("no fault struck")
	}
	count.log(t)
}

// TestLyingSyncIsCaught is the proof that the power cuts prove something: it
// lets the file system forget the syncs of one store, whose promises then
// break, and the same judge must find it. The kept checkpoints among the
// objects are promised to nobody.
func TestLyingSyncIsCaught(t *testing.T) {
	stores := []string{"index", ".", "journal", "registers", "vault", "tree"}
	if testing.Short() {
		stores = stores[:2]
	}
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			m := newSite(t).newMachine(nil)
			if err := m.makeSure(); err != nil {
				t.Fatal(err)
			}
			m.lies = func(name string) bool { return store == "." || strings.HasPrefix(name, store) }
			n, cuts := 0, 0
			var caught error
			m.before = func(string) {
				if n++; n%20 > 0 || caught != nil {
					return
				}
				cuts++
				caught = m.cut(nil).judge(nil, loads())
			}
			if _, err := m.live(nil); err != nil {
				t.Fatal(err)
			}
			if caught == nil {
				t.Errorf("%d power cuts under lying syncs were not noticed", cuts)
			}
			t.Logf("after %d cuts: %v", cuts, caught)
		})
	}
}

// live makes the ledger and does all loads, whatever it takes: after a fault
// the process ends in some way, and the ordinary start-up path goes on. It
// returns the machine in its last state.
func (m *machine) live(rng *rand.Rand) (*machine, error) {
	for err := m.makeSure(); err != nil; err = m.makeSure() {
		if !errors.Is(err, fault.ErrInjected) {
			return m, fmt.Errorf("create: %w", err)
		}
		m = m.end(rng)
	}
	for _, todo := range loads() {
		for attempt := 0; ; attempt++ {
			rest, after, err := m.use(todo, rng)
			if err == nil {
				break
			}
			if attempt == 5 || !m.restarts(err) {
				return m, err
			}
			todo, m = rest, after
		}
	}
	return m, nil
}

// restarts reports whether an operator restarts a ledger after an error: it
// says that a disk failed, or that it cannot do what it should.
func (m *machine) restarts(err error) bool {
	var p *client.Problem
	failed := errors.Is(err, fault.ErrInjected) || errors.As(err, &p) && (p.Code() == client.Unavailable || p.Code() == client.Internal)
	return failed && !errors.Is(err, errLost) && m.plan.Struck() > 0
}

// makeSure makes the ledger, if it is not there.
func (m *machine) makeSure() error {
	if err := m.create(context.Background()); !errors.Is(err, ledger.ErrExists) {
		return err
	}
	return nil
}

// use opens the ledger, does a load and closes it again. Where that fails it
// returns what is left of the load, and the machine after its end, which comes
// before anything is closed in order.
func (m *machine) use(todo load, rng *rand.Rand) (rest load, after *machine, err error) {
	ctx := context.Background()
	d, err := m.open(ctx)
	if err != nil {
		return todo, m.end(rng), err
	}
	rest, err = m.run(ctx, d, todo)
	if stopped := d.Ledger.Stopped(); stopped != nil && !errors.Is(err, errLost) {
		err = stopped
	}
	if err != nil {
		after = m.end(rng)
		_ = d.Close() // for what it holds of this process
		return rest, after, err
	}
	if err := d.Close(); err != nil {
		return rest, m.end(rng), err
	}
	return rest, m, nil
}

// end ends the process, and perhaps the power.
func (m *machine) end(rng *rand.Rand) *machine {
	switch rng.IntN(4) {
	case 0:
		return m.restart()
	case 1:
		return m.cut(nil)
	}
	return m.cut(rng)
}

// learn returns the steps of a life.
func learn(t *testing.T) (steps []string) {
	t.Helper()
	m := newSite(t).newMachine(nil)
	m.before = func(step string) { steps = append(steps, step) }
	if _, err := m.live(nil); err != nil {
		t.Fatal(err)
	}
	return steps
}

// A sample says which steps are tried: of each kind one, in the middle, and
// every few of all of them.
type sample struct {
	every int            // 1: all
	kinds map[string]int // how many of a kind come before the one that is tried
	seen  int
}

func pick(t *testing.T, steps []string, every int) *sample {
	t.Helper()
	s := &sample{every: every, kinds: make(map[string]int)}
	switch {
	case long:
		s.every = 1
	case testing.Short():
		s.every = 4 * every
		return s
	}
	for _, step := range steps {
		s.kinds[kind(step)]++
	}
	for k := range s.kinds {
		s.kinds[k] /= 2
	}
	for _, store := range []string{"journal", "registers", "vault", "objects", "tree", "index"} {
		if s.kinds["sync "+store] == 0 {
			t.Errorf("a life syncs nothing of %s", store)
		}
	}
	return s
}

// kind returns what is done in a step, and in which store.
func kind(step string) string {
	k, _, _ := strings.Cut(step, "/")
	return k
}

func (s *sample) take(step string) bool {
	k := kind(step)
	left, ok := s.kinds[k]
	s.kinds[k]--
	s.seen++
	return ok && left == 0 || s.seen%s.every == 0
}

// A tally counts what was tried.
type tally struct{ steps, cuts, faults, entries, lost int }

func (c *tally) judged(entries int, err error) {
	c.entries += entries
	if errors.Is(err, errLost) {
		c.lost++
	}
}

func (c *tally) log(t *testing.T) {
	t.Helper()
	t.Logf("%d steps, %d power cuts and kills, %d faults; %d acknowledged entries looked for, lost in %d cases", c.steps, c.cuts, c.faults, c.entries, c.lost)
}
