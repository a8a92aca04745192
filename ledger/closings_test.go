package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

func TestAClosingSaysWhatItWaitsFor(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob")
	silent := func(witness.Request) ([]byte, error) { return nil, errors.New("the test made it silent") }
	for _, w := range a.witnesses {
		w.misbehave(silent)
	}
	plan, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"})
	if err != nil {
		t.Fatal(err)
	}
	hold, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[1], Last: all[1]}}, Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	release, err := a.as("custodian").Release(t.Context(), Release{Hold: hold.Hold, Reason: "it is settled"})
	if err != nil {
		t.Fatal(err)
	}
	open, err := a.as("auditor").Closings(t.Context())
	if err != nil || len(open) != 2 {
		t.Fatalf("got %+v, %v, want two", open, err)
	}
	if got := open[0]; got.Closing != plan.Announced || got.Kind != "erasure" || got.Stream != "people" || got.Waits != WaitsForPublication || got.Done {
		t.Errorf("got %+v", got)
	}
	if got := open[1]; got.Closing != release.Announced || got.Kind != "release" || got.Hold != hold.Hold || got.Waits != WaitsForPublication {
		t.Errorf("got %+v", got)
	}
	soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := a.as("custodian").AwaitDone(soon, plan.Announced); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that the time is up", err)
	}
	for _, w := range a.witnesses {
		w.misbehave(nil)
	}
	for _, index := range []uint64{plan.Announced, release.Announced} {
		if err := a.as("custodian").AwaitDone(t.Context(), index); err != nil {
			t.Fatal(err)
		}
		if c, err := a.as("auditor").Closing(t.Context(), index); err != nil || !c.Done || c.Closing != index || c.Waits != "" {
			t.Errorf("got %+v, %v, want that it is done", c, err)
		}
	}
	for index, want := range map[uint64]client.ProblemCode{all[0]: client.NotFound, hold.Hold: client.NotFound, 1 << 40: client.NoSuchEntry} {
		var p *client.Problem
		if _, err := a.as("auditor").Closing(t.Context(), index); !errors.As(err, &p) || p.Code() != want {
			t.Errorf("entry %d: got %v, want %s", index, err, want)
		}
	}
}

func TestARequestSaysWhatBecameOfIt(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice")
	if _, _, err := a.as("operator").SetCustody(t.Context(), CustodyConfig{Custodians: 2, Grace: 1}); err != nil {
		t.Fatal(err)
	}
	erasure := Erasure{Stream: "people", Subject: "alice", Reason: "she asked"}
	first, err := a.as("carla").Erase(t.Context(), erasure)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.as("carla").Withdraw(t.Context(), first.Requested); err != nil || r.Withdrawn == 0 || r.Used != 0 {
		t.Errorf("got %+v, %v, want that it is withdrawn", r, err)
	}
	if err := a.as("carla").AwaitDone(t.Context(), first.Requested); err != nil {
		t.Errorf("of a request that is withdrawn: %v", err)
	}
	second, err := a.as("carla").Erase(t.Context(), erasure)
	if err != nil {
		t.Fatal(err)
	}
	var p *client.Problem
	if _, err := a.as("carla").Approve(t.Context(), second.Requested); !errors.As(err, &p) || p.Code() != client.NotNow {
		t.Errorf("approved by who asked: got %v", err)
	}
	r, err := a.as("cato").Approve(t.Context(), second.Requested)
	if err != nil || r.Approved == 0 || r.Act.Subject != "alice" || r.Act.Who != "carla" {
		t.Fatalf("got %+v, %v", r, err)
	}
	// Nobody looks again but the ledger itself, when the grace is over.
	if err := a.as("auditor").AwaitDone(t.Context(), second.Requested); err != nil {
		t.Fatal(err)
	}
	if r, err = a.as("auditor").Request(t.Context(), second.Requested); err != nil || r.Used <= r.Approved || r.Act.Subject != "" {
		t.Errorf("got %+v, %v, want that it is used and names nobody any more", r, err)
	}
	if c, err := a.as("auditor").Closing(t.Context(), r.Used); err != nil || !c.Done {
		t.Errorf("got %+v, %v", c, err)
	}
	if p := a.gone(all[0]); len(p.Reasons) != 1 || p.Reasons[0] != r.Used {
		t.Errorf("the entry is gone for the reasons %d, want %d", p.Reasons, r.Used)
	}
	h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{What: proofs.ActApprove, Who: "carla"})
	if err != nil || len(h.Acts) != 1 || h.Acts[0].Act.Outcome == proofs.OutcomeDone {
		t.Errorf("the history has %+v, %v, want the approval that was not taken", h.Acts, err)
	}
}

func TestOneCopyOfTheKeysIsNotDestroyed(t *testing.T) {
	a := newArchive(t)
	a.places = a.places[:1]
	a.restart()
	a.short("people", 7)
	kept := a.record("people", "alice")
	_, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"})
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.NotNow || !strings.Contains(p.Hint, "on another disk") {
		t.Errorf("got %v, want that it cannot be, and what to do", err)
	}
	a.later(9)
	if err := a.as("operator").Retain(t.Context()); !errors.As(err, &p) || p.Code() != client.NotNow {
		t.Errorf("got %v, want that nothing expires", err)
	}
	if err := a.l.closer.turn(t.Context()); err != nil || len(a.l.retain.Open()) > 0 {
		t.Errorf("got %v and %+v open, want that nothing is announced that could not be done", err, a.l.retain.Open())
	}
	if k, _ := a.kept("people"); k.Overdue != 1 {
		t.Errorf("got %+v, want one bucket that has reached its age", k)
	}
	a.readable(kept...)
}
