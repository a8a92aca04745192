package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// TestWhatIsNewWaitsWhileAnErasureIsAnnounced: nothing is closed with the keys
// that are about to go, and nothing with the next ones before the log says that
// these are used.
func TestWhatIsNewWaitsWhileAnErasureIsAnnounced(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	target, err := a.l.erasure(Erasure{Stream: "people", Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	a.l.keys.pause(target.stream, target.refs)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	events := []client.Event{{Data: []byte(`{"actor":"alice"}`)}}
	if got, err := a.as("app").Append(ctx, "people", events, client.Sequenced); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %+v, %v, want that it waits", got, err)
	}
	a.record("people", "bob")
	var late []uint64
	var waiting sync.WaitGroup
	waiting.Go(func() { late = a.record("people", "alice") })
	time.Sleep(10 * time.Millisecond)
	a.l.keys.resume()
	waiting.Wait()
	plan, err := a.as("custodian").PlanErasure(t.Context(), Erasure{Stream: "people", Subject: "alice"})
	if err != nil || plan.Entries != 1 || plan.Closes[0].First != late[0] {
		t.Errorf("got the plan %+v, %v, want entry %d", plan, err, late[0])
	}
}

// TestAnErasureThatFailsLeavesNothingBehind: what is recorded about somebody
// after an erasure that came to nothing is closed by the next, also where the
// ledger was started again in between.
func TestAnErasureThatFailsLeavesNothingBehind(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	first := a.record("people", "alice")
	if _, _, err := a.as("operator").SetCustody(t.Context(), CustodyConfig{Custodians: 2}); err != nil {
		t.Fatal(err)
	}
	e := Erasure{Stream: "people", Subject: "alice", Reason: "she asked"}
	act := Caller{Name: "eve"}.act(proofs.ActErase)
	act.Stream, act.Subject = e.Stream, e.Subject
	if _, err := a.l.erase(t.Context(), e, act); err == nil {
		t.Fatal("erased without a second custodian")
	}
	second := a.record("people", "alice")
	a.restart()
	plan, err := a.as("carla").Erase(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	a.gone(first[0])
	a.gone(second[0])
}

// TestSeveralErasuresOfOnePersonLeaveNoName: whoever asks for the same at the
// same time, no act names the person when all is done.
func TestSeveralErasuresOfOnePersonLeaveNoName(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob", "alice")
	var erasures sync.WaitGroup
	for range 6 {
		erasures.Go(func() {
			if _, err := a.as("custodian").Erase(context.Background(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"}); err != nil {
				t.Error(err)
			}
		})
		erasures.Go(func() { a.record("people", "alice") })
	}
	erasures.Wait()
	a.gone(all[0])
	a.gone(all[2])
	a.readable(all[1])
	a.nobodyNames("alice")
}

// TestAHoldDoesNotNameAnErasedSubject: neither by a hold about the person nor by
// a value of a field that names her.
func TestAHoldDoesNotNameAnErasedSubject(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob")
	for _, c := range []HoldConfig{
		{Stream: "people", Fields: map[string]string{"actor": "alice", "n": "0"}, Reason: "r"},
		{Stream: "people", Subject: "alice", Reason: "r"},
		{Stream: "people", Fields: map[string]string{"actor": "alice", "no such field": "alice"}, Reason: "r"},
		{Stream: "no such stream", Fields: map[string]string{"actor": "alice"}, Reason: "r"},
	} {
		h, err := a.as("custodian").Hold(t.Context(), c)
		if c.Stream != "people" || len(c.Fields) == 2 && c.Fields["n"] == "" {
			if err == nil {
				t.Errorf("%+v: it is held", c)
			}
			continue
		}
		if err != nil || len(h.Entries) != 1 || h.Entries[0].First != all[0] {
			t.Fatalf("%+v: got %+v, %v", c, h, err)
		}
	}
	h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{What: proofs.ActHold})
	if err != nil || len(h.Acts) != 4 || h.Acts[1].Act.Subject != "alice" || h.Acts[0].Act.Query != `actor n="0"` {
		t.Errorf("got %+v, %v", h.Acts, err)
	}
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"}); err != nil {
		t.Fatal(err)
	}
	for _, h := range a.l.retain.Holds() {
		if _, err := a.as("custodian").Release(t.Context(), Release{Hold: h.Index, Reason: "r"}); err != nil {
			t.Fatal(err)
		}
	}
	a.gone(all[0])
	a.nobodyNames("alice")
}

// nobodyNames checks that no act has a text in it.
func (a *archive) nobodyNames(text string) {
	a.t.Helper()
	h, err := a.as("auditor").History(context.Background(), client.HistoryQuery{})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, r := range h.Acts {
		if b, _ := json.Marshal(r.Act); strings.Contains(string(b), text) {
			a.t.Errorf("entry %d still has the act %s", r.Index, b)
		}
	}
}
