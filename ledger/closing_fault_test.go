package ledger

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
)

// TestEveryStepOfClosingsEveryOutcome lets a bucket expire, erases a subject
// and releases a hold, once for every durable step of these and every way in
// which it can end. After each fault the process dies or the power goes, and
// the ordinary start-up path goes on: what was announced is closed, what is
// held is not lost, and nothing else is gone. One record is damaged all the time. With the tag "long" all are tried.
func TestEveryStepOfClosingsEveryOutcome(t *testing.T) {
	tried, stride := 0, closingStride
	if testing.Short() {
		stride *= 4
	}
	plan := new(fault.Plan)
	newClosingJourney(t, plan, rand.New(rand.NewPCG(7, 7))).take()
	first, last := 0, len(plan.Steps())
	for step := first + int(time.Now().UnixNano())%stride; step < last; step += stride {
		for _, outcome := range fault.Outcomes() {
			plan := new(fault.Plan)
			plan.At(step, outcome)
			newClosingJourney(t, plan, rand.New(rand.NewPCG(2, uint64(step)))).take()
			if t.Failed() {
				t.Fatalf("step %d, %s: %v", step, plan.Steps()[step], outcome)
			}
			tried++
		}
	}
	if last < 100 {
		t.Errorf("only %d steps: the journey has become too short", last)
	}
	t.Logf("%d steps, %d faults tried", last, tried)
}

// A closingJourney drives an archive through faults.
type closingJourney struct {
	*archive
	rng *rand.Rand
}

func newClosingJourney(t *testing.T, plan *fault.Plan, rng *rand.Rand) *closingJourney {
	w := newWorld(t)
	w.plan, w.mem, w.tree = plan, memory.New(plan), newMemoryTree(plan)
	j := &closingJourney{archive: &archive{world: w, calendar: new(calendar), places: []*memfs.FS{memfs.New(plan), memfs.New(plan)}}, rng: rng}
	for _, tw := range w.witnesses {
		tw.clock = j.now
	}
	return j
}

func (j *closingJourney) take() {
	j.begin()
	defer func() {
		if j.l != nil {
			j.l.Close()
		}
	}()
	ctx := context.Background()
	j.until("a class", func() bool { _, ok := j.l.state.classNamed("week"); return ok }, func() error {
		_, err := j.as("operator").AddClass(ctx, ClassConfig{Name: "week", Days: 7, Period: "day"})
		return err
	})
	j.until("a stream", func() bool { _, ok := j.l.state.streamNamed("week"); return ok }, func() error {
		_, err := j.as("operator").AddStream(ctx, StreamConfig{Name: "week", Class: "week", Fields: []FieldConfig{{Name: "actor", Path: "actor", Subject: true}}})
		return err
	})
	at := make(map[string]uint64)
	for _, who := range []string{"alice", "bob", "carol", "dave"} {
		j.until(who, func() bool { return at[who] > 0 }, func() error { return j.say(who, at) })
	}
	j.damage = map[uint64]damage{at["dave"]: damaged()} // nobody can tell whom it concerns
	j.end()
	j.reach()
	j.until("a hold", func() bool { return len(j.l.retain.Holds()) > 0 }, func() error {
		_, err := j.as("custodian").Hold(ctx, HoldConfig{Entries: []proofs.Run{{First: at["carol"], Last: at["carol"]}}, Reason: "r"})
		return err
	})
	hold := j.l.retain.Holds()[0].Index
	j.until("alice is gone", func() bool { return j.isGone(at["alice"]) }, func() error {
		_, err := j.as("custodian").Erase(ctx, Erasure{Stream: "week", Subject: "alice", Reason: "r"})
		return err
	})
	j.mustRead(at["bob"], at["carol"])
	j.pass(10 * 24 * time.Hour)
	j.until("bob is gone", func() bool { return j.isGone(at["bob"]) }, func() error {
		_, err := j.as("app").Append(ctx, DefaultStream, []client.Event{{Data: []byte("{}")}}, client.Witnessed)
		if err == nil {
			j.l.closer.nudge()
		}
		return err
	})
	j.mustRead(at["carol"])
	j.until("the hold is over", func() bool { return len(j.l.retain.Holds()) == 0 }, func() error {
		if j.l.retain.Holds()[0].Released > 0 {
			return nil
		}
		_, err := j.as("custodian").Release(ctx, Release{Hold: hold, Reason: "r"})
		return err
	})
	j.plan.Heal()
	settles(j.t, j.l)
	j.until("the ledger is ready", func() bool { return j.l.ready(ctx) == nil }, func() error { return nil })
	for who, index := range at {
		if !j.isGone(index) {
			j.t.Errorf("what %s did is not gone", who)
		}
	}
	if open := j.l.retain.Open(); len(open) > 0 {
		j.t.Errorf("%+v is open", open)
	}
	judged(j.t, j.l, j.policy)
}

// say appends an event about somebody, once.
func (j *closingJourney) say(who string, at map[string]uint64) error {
	ev := client.Event{Data: []byte(`{"actor":"` + who + `"}`), IdempotencyKey: who}
	got, err := j.as("app").Append(context.Background(), "week", []client.Event{ev}, client.Witnessed)
	if err == nil && got[0].Err == nil && got[0].State == client.Witnessed {
		at[who] = got[0].Index
	}
	return err
}

func (j *closingJourney) isGone(index uint64) bool {
	_, err := j.as("reader").Entry(context.Background(), index)
	var p *client.Problem
	return errors.As(err, &p) && p.Code() == client.Gone && len(j.l.retain.Open()) == 0
}

func (j *closingJourney) mustRead(indices ...uint64) {
	j.t.Helper()
	for _, index := range indices {
		var last error
		j.until("it is read", func() bool {
			e, err := j.as("reader").Entry(context.Background(), index)
			var p *client.Problem
			if errors.As(err, &p) && p.Code() == client.Gone {
				j.t.Fatalf("entry %d is gone", index)
			}
			last = err
			return err == nil && len(e.Disclosure.Parts[0].Data) > 0
		}, func() error { return last })
	}
}

// until tries something until it is so, and starts the ledger again whenever
// it has stopped.
func (j *closingJourney) until(what string, so func() bool, try func() error) {
	j.t.Helper()
	asked := false
	for deadline := time.Now().Add(30 * time.Second); !so(); {
		if time.Now().After(deadline) {
			j.t.Fatalf("%s: not reached; the ledger stopped with %v, open %+v", what, j.l.Stopped(), j.l.retain.Open())
		}
		if j.l.Stopped() != nil {
			j.end()
			j.reach()
			asked = false
			continue
		}
		if !asked || what == "bob is gone" {
			asked = try() == nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (j *closingJourney) begin() {
	j.t.Helper()
	for {
		_, err := keystate.Create(context.Background(), j.keystate(), j.secrets.Tree)
		if err == nil || errors.Is(err, keystate.ErrExists) {
			break
		}
		if !errors.Is(err, fault.ErrInjected) {
			j.t.Fatalf("create key state: %v", err)
		}
		j.end()
	}
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

// reach opens the keys and the ledger, as often as it takes.
func (j *closingJourney) reach() {
	j.t.Helper()
	for range 5 {
		store, err := keystate.Open(context.Background(), j.keystate())
		if err == nil {
			c := j.config()
			c.Keystate, c.Secrets.Tree = store, store.Tree()
			if j.damage != nil {
				c.Vault = damagedVault{c.Vault, j.damage}
			}
			if j.l, err = Open(context.Background(), c); err == nil {
				return
			}
			j.l = nil
		}
		if !errors.Is(err, fault.ErrInjected) {
			j.t.Fatalf("open: %v", err)
		}
		j.end()
	}
	j.t.Fatal("the ledger does not open after five attempts")
}

// end ends the process, and perhaps the power.
func (j *closingJourney) end() {
	if j.l != nil {
		die(j.l)
		j.l = nil
	}
	how := j.rng.IntN(3)
	switch how {
	case 0:
		j.world.restart()
	case 1:
		j.crash(nil)
	case 2:
		j.crash(j.rng)
	}
	for i, p := range j.places {
		switch how {
		case 0:
			j.places[i] = p.Restart()
		case 1:
			j.places[i] = p.Crash(nil)
		case 2:
			j.places[i] = p.Crash(j.rng)
		}
	}
}
