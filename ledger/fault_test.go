package ledger

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
)

// TestEveryStepEveryOutcome takes the journey of some entries once for every
// durable step of it and every way in which that step can end. After each
// fault the process dies or the power goes, and the ordinary start-up path
// goes on. The steps are those that the journey takes, so that no new write
// can be forgotten.
func TestEveryStepEveryOutcome(t *testing.T) {
	stride := 1
	if testing.Short() {
		stride = 5
	}
	tried := 0
	for step := 0; ; step += stride {
		struck := false
		for _, outcome := range fault.Outcomes() {
			plan := new(fault.Plan)
			plan.At(step, outcome)
			takeJourney(t, plan, rand.New(rand.NewPCG(1, uint64(step))))
			if t.Failed() {
				t.Fatalf("step %d, %s: %v", step, plan.Steps()[step], outcome)
			}
			struck = struck || plan.Struck() > 0
			tried++
		}
		if !struck { // the journey has no more steps
			break
		}
	}
	if tried < 100/stride {
		t.Errorf("only %d faults were tried: the journey has become too short", tried)
	}
	t.Logf("%d faults", tried)
}

func takeJourney(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
	w := newWorld(t)
	w.plan, w.mem, w.tree = plan, memory.New(plan), newMemoryTree(plan)
	j := &journey{world: w, t: t, rng: rng, acked: make(map[int]client.Appended)}
	j.begin()
	for i := range 6 {
		j.append(i)
		if i%2 == 1 {
			j.keep()
			j.read(i)
		}
	}
	j.judge()
}

// A journey drives a ledger through faults and remembers what it said.
type journey struct {
	*world
	t      *testing.T
	rng    *rand.Rand
	l      *Ledger
	acked  map[int]client.Appended
	handed []uint64 // the entries that were handed out
}

// begin creates and opens the ledger, as often as it takes.
func (j *journey) begin() {
	j.t.Helper()
	for {
		err := Create(context.Background(), j.config())
		if err == nil || errors.Is(err, ErrExists) && j.tree.size == 0 {
			break
		}
		if !errors.Is(err, fault.ErrInjected) {
			j.t.Fatalf("create: %v", err)
		}
		j.end()
	}
	j.reach()
}

// reach opens the ledger, as often as it takes.
func (j *journey) reach() {
	j.t.Helper()
	for range 5 {
		l, err := Open(context.Background(), j.config())
		if err == nil {
			j.l = l
			return
		}
		if !errors.Is(err, fault.ErrInjected) {
			j.t.Fatalf("open: %v", err)
		}
		j.end()
	}
	j.t.Fatal("the ledger does not open after five attempts")
}

// end ends the process, and perhaps the power.
func (j *journey) end() {
	if j.l != nil {
		die(j.l)
		j.l = nil
	}
	switch j.rng.IntN(3) {
	case 0:
		j.restart()
	case 1:
		j.crash(nil)
	case 2:
		j.crash(j.rng)
	}
}

// append appends an event until it is witnessed, and remembers every answer.
func (j *journey) append(i int) {
	j.t.Helper()
	for range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		got, err := j.l.As(Caller{Name: "alice"}).Append(ctx, DefaultStream, []client.Event{journeyEvent(i)}, client.Witnessed)
		cancel()
		if err == nil {
			j.remember(i, got[0])
		}
		if err == nil && got[0].State == client.Witnessed {
			return
		}
		if j.l.Stopped() == nil {
			j.t.Fatalf("event %d: got %v, %v, and the ledger has not stopped", i, got, err)
		}
		j.end()
		j.reach()
	}
	j.t.Fatalf("event %d is not witnessed after five attempts", i)
}

func (j *journey) remember(i int, a client.Appended) {
	j.t.Helper()
	if a.Err != nil {
		j.t.Fatalf("event %d: %v", i, a.Err)
	}
	if was, ok := j.acked[i]; ok && was.Index != a.Index {
		j.t.Fatalf("event %d: got index %d, and before it was %d", i, a.Index, was.Index)
	}
	j.acked[i] = a
}

// read reads an event as a reader does, if the ledger can record it.
func (j *journey) read(i int) {
	j.t.Helper()
	_, err := j.l.As(Caller{Name: "bob"}).Entry(context.Background(), j.acked[i].Index)
	if err == nil {
		j.handed = append(j.handed, j.acked[i].Index)
		return
	}
	j.end()
	j.reach()
}

// checkHandedOut checks that everything that was handed out is recorded (law 7).
func (j *journey) checkHandedOut() {
	j.t.Helper()
	for _, index := range j.handed {
		h, err := operator(j.l).History(context.Background(), client.HistoryQuery{Who: "bob", What: proofs.ActRead, Entry: &index})
		if err != nil || len(h.Acts) == 0 {
			j.t.Errorf("entry %d was handed out, and the history has %+v, %v", index, h, err)
		}
	}
}

// keep makes everything durable and shortens the journal.
func (j *journey) keep() {
	j.t.Helper()
	if err := j.l.keeper.round(context.Background()); err != nil {
		j.end()
		j.reach()
	}
}

// judge checks that everything that was acknowledged is there, that no
// witness saw a fork, and that the auditor finds nothing.
func (j *journey) judge() {
	j.t.Helper()
	j.plan.Heal() // what follows only looks
	settles(j.t, j.l)
	if j.l.ready(context.Background()) != nil {
		j.end()
		j.reach()
	}
	j.checkHandedOut()
	for i, a := range j.acked {
		checkEntry(j.t, j.l.As(Caller{Name: "alice"}), j.policy, a.Index, journeyEvent(i))
		again := appendEvents(j.t, j.l.As(Caller{Name: "alice"}), client.Witnessed, journeyEvent(i))[0]
		if !again.Duplicate || again.Index != a.Index {
			j.t.Errorf("event %d sent again: got index %d, duplicate %v, want %d", i, again.Index, again.Duplicate, a.Index)
		}
	}
	judged(j.t, j.l, j.policy)
	if err := j.l.Close(); err != nil {
		j.t.Errorf("close: %v", err)
	}
	roots := make(map[uint64]proofs.Hash)
	for _, tw := range j.witnesses {
		if tw.fork != "" {
			j.t.Error(tw.fork)
		}
		for size, root := range tw.seen {
			if other, ok := roots[size]; ok && other != root {
				j.t.Errorf("two witnesses saw different trees of size %d", size)
			}
			roots[size] = root
		}
	}
	j.l = nil
}

// settles waits until what is under way ends: a fault from before may still stop
// the ledger.
func settles(t testing.TB, l *Ledger) {
	t.Helper()
	eventually(t, "what is under way ends", func() bool {
		s := l.Status().Sizes
		return l.Stopped() != nil || s.Published == s.Sequenced
	})
}

// journeyEvent returns the i-th event of a journey, which is also the i-th of
// its source: the auditor finds the gap when one is missing.
func journeyEvent(i int) client.Event {
	e := event(i)
	e.Source, e.Sequence = "host", uint64(i)
	return e
}
