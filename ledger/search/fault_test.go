package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

// life is the history that faults strike: segments are put to rest and merged,
// entries forgotten and built again, a bucket is dropped.
func (m *model) life(x *search.Index) error {
	ctx := context.Background()
	end := uint64(len(m.entries))
	feed := func(to uint64) error {
		for x.Next() < to {
			next := min(x.Next()+50, to)
			if err := x.Add(ctx, next, m.documents(x.Next(), next)); err != nil {
				return err
			}
		}
		return nil
	}
	forget := func() error { return x.Forget(ctx, []proofs.Run{{First: 30, Last: 90}, {First: 300, Last: 301}}, 1) }
	build := func() error {
		for _, id := range x.Missing() {
			if err := x.Build(ctx, id, m.part(id)); err != nil {
				return err
			}
		}
		return nil
	}
	steps := []func() error{
		func() error { return feed(end / 2) },
		forget,
		build,
		func() error { return x.Drop(ctx, []uint32{9}, 2) },
		func() error { return feed(end) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// TestFaultsLeaveNothingWrong lets each durable step of a life fail in some way,
// asks the index that met it and the one that is opened after it, with or
// without a power cut, and lets both live on.
func TestFaultsLeaveNothingWrong(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(4, 1))}
	m.grow(330)
	var dry fault.Plan
	must(t, m.life(open(t, config(memfs.New(&dry), &keyring{}))))
	steps := dry.Steps()
	if len(steps) < 50 {
		t.Fatalf("only %d steps: %v", len(steps), steps)
	}
	for i, step := range steps {
		if testing.Short() && i%4 > 0 {
			continue
		}
		op, outcomes := strings.Fields(step)[0], fault.Outcomes()
		if op != "write" && op != "sync" { // it has no parts
			outcomes = []fault.Outcome{fault.Failed, fault.Persisted}
		}
		o := outcomes[m.rng.IntN(len(outcomes))] // each kind of step meets each of them
		t.Run(fmt.Sprintf("%d %s %v", i, op, o), func(t *testing.T) {
			m := &model{entries: m.entries, rng: rand.New(rand.NewPCG(uint64(i), uint64(o)))}
			m.strike(t, i, o)
		})
	}
}

func (m *model) strike(t *testing.T, step int, o fault.Outcome) {
	t.Helper()
	plan, k := &fault.Plan{Seed: uint64(step)}, &keyring{}
	plan.At(step, o)
	fsys := memfs.New(plan)
	x := open(t, config(fsys, k))
	err := m.life(x)
	if plan.Struck() == 0 {
		t.Fatal("the fault did not strike")
	}
	if err != nil && !errors.Is(err, fault.ErrInjected) {
		t.Fatal(err)
	}
	plan.Heal()
	m.askMuch(t, x, 2)
	left := []*memfs.FS{fsys.Restart(), fsys.Crash(nil), fsys.Crash(m.rng)}[m.rng.IntN(3)]
	again := m.reopen(t, left, k)
	m.askMuch(t, again, 2)
	must(t, m.feed(again))
	must(t, m.rebuild(again))
	m.askMuch(t, again, 1)
	if gaps := again.Missing(); len(gaps) > 0 {
		t.Errorf("missing: %v", gaps)
	}
	if err == nil || errors.Is(err, search.ErrFailed) {
		return
	}
	// What was refused can be repeated.
	must(t, m.feed(x))
	must(t, m.rebuild(x))
	m.askMuch(t, x, 2)
	if gaps := x.Missing(); len(gaps) > 0 {
		t.Errorf("after a refusal, missing: %v", gaps)
	}
}

// TestForgettingHoldsThoughItFails lets each step of forgetting fail: nothing of
// it is found any more all the same, and repeating it makes it so at rest.
func TestForgettingHoldsThoughItFails(t *testing.T) {
	t.Parallel()
	for _, o := range fault.Outcomes() {
		for step := 0; ; step++ {
			plan, k := &fault.Plan{}, &keyring{}
			fsys := memfs.New(plan)
			m := &model{rng: rand.New(rand.NewPCG(5, 1))}
			m.grow(150)
			x := open(t, config(fsys, k))
			must(t, m.feed(x))
			runs := []proofs.Run{{First: 20, Last: 40}}
			plan.At(len(plan.Steps())+step, o)
			err := x.Forget(context.Background(), runs, 1)
			if plan.Struck() == 0 {
				break
			}
			if err == nil {
				t.Fatalf("step %d, %v: no error", step, o)
			}
			for i := range 64 {
				m.erase(i)
			}
			m.askMuch(t, x, 5)
			plan.Heal()
			if errors.Is(err, search.ErrFailed) {
				fsys = fsys.Restart()
				x = m.reopen(t, fsys, k)
			}
			must(t, x.Forget(context.Background(), runs, 1))
			k.destroyed = 1
			must(t, m.rebuild(x))
			m.askMuch(t, x, 5)
			if x = m.reopen(t, fsys.Crash(nil), k); x.Anew() != nil {
				t.Fatalf("step %d, %v: begun anew: %v", step, o, x.Anew())
			}
		}
	}
}
