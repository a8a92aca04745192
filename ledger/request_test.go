package ledger

import (
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// TestARequestWhoseActExpiredStopsNothing: nobody knows what was asked for any
// more, so that it is not done, and everything else is.
func TestARequestWhoseActExpiredStopsNothing(t *testing.T) {
	a := newArchive(t)
	a.short("people", 1)
	all := a.record("people", "alice")
	o := a.as("operator")
	access, ok := a.l.state.class(accessClass)
	if !ok {
		t.Fatal("acts have no class")
	}
	if _, _, err := o.SetClass(t.Context(), ClassConfig{Name: access.Name, Days: 10}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.SetCustody(t.Context(), CustodyConfig{Custodians: 2, Grace: 60}); err != nil {
		t.Fatal(err)
	}
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "nobody", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	a.later(60)
	a.later(60)
	a.gone(all[0])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if act, err := a.l.requestedAct(t.Context(), plan.Requested); isGone(err) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the act is still there: %+v, %v", act, err)
		}
	}
	if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	a.elapse(time.Hour)
	next := a.record("people", "alice")
	a.later(3)
	a.later(3)
	a.gone(next[0])
	list, err := a.as("carla").Requests(t.Context())
	if err != nil || len(list) != 1 || list[0].Act.What != "" || list[0].Approved == 0 || list[0].Moot == nil || list[0].Moot.Entry == 0 {
		t.Errorf("got %+v, %v, want one request of which nothing is known since an expiry", list, err)
	}
	if _, err := a.as("auditor").History(t.Context(), client.HistoryQuery{}); err != nil {
		t.Errorf("the history of which a part has expired: %v", err)
	}
	if _, err := a.as("carla").Withdraw(t.Context(), plan.Requested); err != nil {
		t.Error(err)
	}
}

// TestWhoLooksAtRequestsAndHoldsIsRecorded: what they show was sealed.
func TestWhoLooksAtRequestsAndHoldsIsRecorded(t *testing.T) {
	a := newArchive(t)
	curious := a.as("curious")
	if _, err := curious.Requests(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := curious.Holds(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := curious.Request(t.Context(), 1); err == nil {
		t.Error("entry 1 is a request")
	}
	h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{Who: "curious", What: proofs.ActHistory})
	if err != nil || len(h.Acts) != 3 {
		t.Errorf("got %+v, %v, want three acts", h.Acts, err)
	}
}
