package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
)

// approved has another custodian approve a request, and waits until it is done.
func (a *archive) approved(request uint64) {
	a.t.Helper()
	if _, err := a.as("cato").Approve(a.t.Context(), request); err != nil {
		a.t.Fatal(err)
	}
	if err := a.as("cato").AwaitDone(a.t.Context(), request); err != nil {
		a.t.Fatal(err)
	}
}

// moots returns what the list of requests says of those that nothing ended.
func (a *archive) moots() map[uint64]*Moot {
	a.t.Helper()
	list, err := a.as("carla").Requests(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	moots := make(map[uint64]*Moot)
	for _, r := range list {
		moots[r.Request] = r.Moot
	}
	return moots
}

// usedBy returns the entry that a request allowed.
func (a *archive) usedBy(request uint64) uint64 {
	a.t.Helper()
	r, ok := a.l.Requested(request)
	if !ok || r.Used == 0 {
		a.t.Fatalf("request %d is %+v, want it used", request, r)
	}
	return r.Used
}

// asked returns the request that a session made.
func (a *archive) asked(request uint64, err error) uint64 {
	a.t.Helper()
	if err != nil || request == 0 {
		a.t.Fatalf("got %d, %v, want a request", request, err)
	}
	return request
}

func wantMoot(t *testing.T, what string, got *Moot, why string, entry uint64) {
	t.Helper()
	if got == nil || !strings.Contains(got.Why, why) || got.Entry != entry {
		t.Errorf("%s: got %+v, want that %s, by entry %d", what, got, why, entry)
	}
}

// TestWhatWasAskedForTwiceIsMootOnceItIsDone: it cannot be done again.
func TestWhatWasAskedForTwiceIsMootOnceItIsDone(t *testing.T) {
	a, less := newCustody(t, 0)
	a.record("people", "alice", "bob")
	less.Reason = false
	carla := a.as("carla")
	var holds, releases, erasures, sets [2]uint64
	for i := range holds {
		h, err := carla.Hold(t.Context(), HoldConfig{Stream: "people", Reason: "a lawsuit"})
		if err != nil {
			t.Fatal(err)
		}
		holds[i] = h.Hold
	}
	for i := range 2 {
		r, err := carla.Release(t.Context(), Release{Hold: holds[0], Reason: "it is settled"})
		releases[i] = a.asked(r.Requested, err)
		plan, err := carla.Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"})
		erasures[i] = a.asked(plan.Requested, err)
		set, _, err := carla.SetStream(t.Context(), less)
		sets[i] = a.asked(set, err)
	}
	r, err := carla.Release(t.Context(), Release{Hold: holds[1], Reason: "it is settled"})
	other := a.asked(r.Requested, err)
	for request, m := range a.moots() {
		if m != nil {
			t.Errorf("request %d is moot before anything was done: %+v", request, m)
		}
	}
	for _, request := range []uint64{releases[0], erasures[1], sets[1]} {
		a.approved(request)
	}
	moots := a.moots()
	wantMoot(t, "the release", moots[releases[1]], fmt.Sprintf("hold %d is released", holds[0]), a.usedBy(releases[0]))
	wantMoot(t, "the erasure", moots[erasures[0]], "whom it names was erased", 0)
	wantMoot(t, "the stream", moots[sets[0]], "the stream was changed", a.usedBy(sets[1]))
	if m, ok := moots[other]; m != nil || !ok || len(moots) != 4 {
		t.Errorf("got %v, want three moot, and that the other hold can be released", moots)
	}
	delete(moots, other)
	for request := range moots {
		r, _ := a.l.retain.Request(request)
		var p *client.Problem
		if err := a.l.doRequest(t.Context(), r); !errors.As(err, &p) || !strings.Contains(p.Hint, "withdraw") {
			t.Errorf("request %d: got %v, want that it cannot be done", request, err)
		}
		if info, err := carla.Withdraw(t.Context(), request); err != nil || info.Moot != nil {
			t.Errorf("withdrawn: got %+v, %v", info, err)
		}
	}
	a.approved(other)
	if left := a.moots(); len(left) > 0 {
		t.Errorf("got %v after all is ended", left)
	}
}

// TestTheOtherRequestIsOfSomebodyElse: that one was erased does not make the
// erasure of another moot.
func TestTheOtherRequestIsOfSomebodyElse(t *testing.T) {
	a, _ := newCustody(t, 0)
	a.record("people", "alice", "bob")
	var requests []uint64
	for _, subject := range []string{"alice", "bob"} {
		plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: subject, Reason: "r"})
		requests = append(requests, a.asked(plan.Requested, err))
	}
	a.approved(requests[0])
	if moots := a.moots(); len(moots) != 1 || moots[requests[1]] != nil {
		t.Errorf("got %v, want that bob's can be done", moots)
	}
	a.approved(requests[1])
	if moots := a.moots(); len(moots) > 0 {
		t.Errorf("got %v after both are erased", moots)
	}
}
