package ledger

import (
	"errors"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// TestWhoHasOnlyTheRoleIsNoCustodian: where custodians are named, nobody else
// is one, whoever gave them the role, and who they are takes two.
func TestWhoHasOnlyTheRoleIsNoCustodian(t *testing.T) {
	a, people := newCustody(t, 0)
	all := a.record("people", "alice")
	forbidden := func(err error) {
		t.Helper()
		var p *client.Problem
		if !errors.As(err, &p) || p.Code() != client.Forbidden {
			t.Errorf("got %v, want that it is forbidden", err)
		}
	}
	named := func(names ...string) uint64 {
		t.Helper()
		request, requested, err := a.as("carla").SetCustodians(t.Context(), CustodiansConfig{Names: names})
		if err != nil || !requested {
			t.Fatalf("got %d, %v, %v, want that it is requested", request, requested, err)
		}
		return request
	}
	approve := func(who string, request uint64) {
		t.Helper()
		if _, err := a.as(who).Approve(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		if err := a.as(who).AwaitDone(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	approve("cato", named("cato", "carla", "oidc:corp:dora"))
	a.restart()
	if got := a.l.Custodians().Names; !slices.Equal(got, []string{"carla", "cato", "oidc:corp:dora"}) {
		t.Fatalf("the custodians are %q", got)
	}

	erasure := Erasure{Stream: "people", Subject: "alice", Reason: "r"}
	_, err := a.as("carla2").Erase(t.Context(), erasure)
	forbidden(err)
	hold, err := a.as("anybody").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[0], Last: all[0]}}, Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.as("carla2").Release(t.Context(), Release{Hold: hold.Hold, Reason: "r"})
	forbidden(err)
	people.Reason = false
	_, _, err = a.as("carla2").SetStream(t.Context(), people)
	forbidden(err)
	_, _, err = a.as("carla2").SetCustodians(t.Context(), CustodiansConfig{Names: []string{"carla", "carla2"}})
	forbidden(err)
	plan, err := a.as("carla").Erase(t.Context(), erasure)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.as("carla2").Approve(t.Context(), plan.Requested)
	forbidden(err)
	h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{Who: "carla2"})
	refused := 0
	for _, act := range h.Acts {
		if act.Act.Outcome == proofs.OutcomeRefused {
			refused++
		}
		if act.Act.Subject != "" {
			t.Errorf("the record of a refusal names the subject: %+v", act)
		}
	}
	if err != nil || refused == 0 {
		t.Errorf("the history has %+v, %v, want that it was refused", h.Acts, err)
	}
	if _, err := a.l.As(Caller{Name: "reader", Because: "r"}).Entry(t.Context(), all[0]); err != nil {
		t.Error(err)
	}
	approve("cato", named("carla", "cato")) // dora leaves
	if _, err := a.as("oidc:corp:dora").Approve(t.Context(), plan.Requested); err == nil {
		t.Error("who was a custodian approved")
	}
}

func TestCustodiansWhoCannotBeNamed(t *testing.T) {
	l := newWorld(t).started()
	for _, names := range [][]string{{"one"}, {"one", "one"}, {"one", ""}, slices.Repeat([]string{"x"}, proofs.MaxNamed+1), {"one", string(make([]byte, 256))}} {
		var p *client.Problem
		if _, _, err := operator(l).SetCustodians(t.Context(), CustodiansConfig{Names: names}); !errors.As(err, &p) || p.Code() != client.BadRequest {
			t.Errorf("%q: got %v", names, err)
		}
	}
	for _, names := range [][]string{{"b", "a"}, nil} { // as long as one is enough, it is free
		if _, requested, err := operator(l).SetCustodians(t.Context(), CustodiansConfig{Names: names}); err != nil || requested || len(l.Custodians().Names) != len(names) {
			t.Errorf("%q: got %v, %v and %+v", names, requested, err, l.Custodians())
		}
	}
}
