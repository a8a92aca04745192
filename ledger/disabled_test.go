package ledger

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// read reads an entry as somebody who says why.
func (a *archive) read(index uint64) error {
	_, err := a.l.As(Caller{Name: "reader", Because: "r"}).Entry(context.Background(), index)
	return err
}

// disabledBy checks that entries are disabled because of another.
func (a *archive) disabledBy(why uint64, indices ...uint64) {
	a.t.Helper()
	for _, index := range indices {
		var p *client.Problem
		if err := a.read(index); !errors.As(err, &p) || p.Code() != client.Disabled || p.Status != 410 || !slices.Equal(p.Reasons, []uint64{why}) {
			a.t.Errorf("entry %d: got %v, want that it is disabled by %d", index, err, why)
		}
	}
}

func (a *archive) enabled(indices ...uint64) {
	a.t.Helper()
	for _, index := range indices {
		if err := a.read(index); err != nil {
			a.t.Errorf("entry %d: %v", index, err)
		}
	}
}

// TestWithinTheGraceTheKeyIsDisabled: an approved erasure is first one that
// can be taken back.
func TestWithinTheGraceTheKeyIsDisabled(t *testing.T) {
	a, _ := newCustody(t, 3600)
	all := a.record("people", "alice", "bob", "alice")
	if _, err := a.as("carla").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[2], Last: all[2]}}, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	a.enabled(all...) // nobody has approved it
	approve := func() {
		t.Helper()
		if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
			t.Fatal(err)
		}
	}
	approve()
	late := a.record("people", "alice")[0]
	a.disabledBy(plan.Requested, all[0], late)
	a.enabled(all[1], all[2]) // of somebody else, and held
	a.restart()
	a.disabledBy(plan.Requested, all[0], late)
	tail, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var seen []uint64
	for e, err := range a.l.As(Caller{Name: "reader", Because: "r"}).Tail(tail, client.TailQuery{Stream: "people", From: all[0]}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, e.Index); len(seen) == 2 {
			break
		}
	}
	if !slices.Equal(seen, all[1:]) {
		t.Errorf("a tail has the entries %d, want %d", seen, all[1:])
	}
	if _, err := a.as("cato").Withdraw(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	a.enabled(append(all, late)...)
	approve()
	a.disabledBy(plan.Requested, all[0], late)
	if _, err := a.as("carla").Withdraw(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	a.enabled(append(all, late)...)
	a.restart()
	a.enabled(append(all, late)...)
}

// TestWithinTheGraceNothingIsFound: a search would say who is in an event, and
// what. A hold still finds what it may keep.
func TestWithinTheGraceNothingIsFound(t *testing.T) {
	a, _ := newCustody(t, 3600)
	all := a.record("people", "alice", "bob", "alice", "alice")
	if _, err := a.as("carla").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{run(all[3], all[3])}, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	var why []uint64
	finds := func(want ...proofs.Run) {
		t.Helper()
		for _, q := range []client.FindQuery{{Subject: "alice"}, {Fields: []client.FieldValue{{Name: "actor", Value: "alice"}}}} {
			q.Stream = "people"
			found, err := a.l.As(Caller{Name: "reader", Because: "r"}).Find(t.Context(), q)
			if err == nil && !slices.Equal(found.Disabled, why) {
				t.Errorf("%+v: got that %v disable something, want %v", q, found.Disabled, why)
			}
			if err != nil || !slices.Equal(found.Entries, want) {
				t.Errorf("%+v: got %+v, %v, want %v", q, found, err, want)
			}
		}
	}
	finds(run(all[0], all[0]), run(all[2], all[3]))
	if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	why = []uint64{plan.Requested}
	finds(run(all[3], all[3]))
	n := client.FindQuery{Stream: "people", Fields: []client.FieldValue{{Name: "n", Value: "0"}}}
	if found, err := a.l.As(Caller{Name: "reader", Because: "r"}).Find(t.Context(), n); err != nil || found.Entries == nil || len(found.Entries) > 0 {
		t.Errorf("by what concerns nobody: got %+v, %v", found, err)
	}
	held, err := a.as("carla").Hold(t.Context(), HoldConfig{Stream: "people", Subject: "alice", Reason: "r"})
	if want := []proofs.Run{run(all[0], all[0]), run(all[2], all[3])}; err != nil || !slices.Equal(held.Entries, want) {
		t.Errorf("a hold keeps %+v, %v, want %v", held, err, want)
	}
	finds(run(all[0], all[0]), run(all[2], all[3]))
}

// TestWhatIsAnnouncedIsNotReadUntilItIsGone: also while witnesses keep silent.
func TestWhatIsAnnouncedIsNotReadUntilItIsGone(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "alice")
	if _, err := a.as("carla").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[1], Last: all[1]}}, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	a.silence(true)
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	a.disabledBy(plan.Announced, all[0])
	a.enabled(all[1])
	a.l.closer.mu.Lock()
	noted := a.l.closer.erasing
	a.l.closer.erasing = nil // as in the moment after it was announced
	a.l.closer.mu.Unlock()
	a.disabledBy(plan.Announced, all[0])
	a.enabled(all[1])
	a.l.closer.mu.Lock()
	a.l.closer.erasing = noted
	a.l.closer.mu.Unlock()

	// A hold that comes too late says so.
	late, err := a.as("carla").Hold(t.Context(), HoldConfig{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []proofs.Run{{First: all[1], Last: all[1]}}; !slices.Equal(late.Entries, want) {
		t.Errorf("the hold reports %v, want %v", late.Entries, want)
	}
	if holds := a.l.retain.Holds(); !slices.Equal(holds[len(holds)-1].Runs, late.Entries) {
		t.Errorf("the hold is %+v, want %v", holds, late.Entries)
	}
	a.silence(false)
	a.gone(all[0])
	a.enabled(all[1])
}

// silence lets witnesses say nothing, or speak again.
func (a *archive) silence(on bool) {
	for _, w := range a.witnesses {
		w.misbehave(nil)
		if on {
			w.misbehave(func(witness.Request) ([]byte, error) { return nil, errors.New("the test made it silent") })
		}
	}
}
