package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
)

// What nobody can set is that to custodians too, and not something for others.
func TestWhatCannotBeSetIsSaidToWhoeverAsks(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t)
	if _, _, err := s.Ledger.As(ledger.Caller{Name: "operator"}).SetCustody(t.Context(), ledger.CustodyConfig{Custodians: 2}); err != nil {
		t.Fatal(err)
	}
	people := s.stream(t, "people")
	set := func(change func(*ledger.StreamConfig)) ledger.StreamConfig {
		c := people
		change(&c)
		return c
	}
	three, two, never, long := uint8(3), uint8(2), uint32(0), uint32(ledger.MaxGrace+1)
	for name, c := range map[string]struct {
		path   string
		change any
		want   string
	}{
		"a class that is not there":        {"/v1/streams/people", set(func(c *ledger.StreamConfig) { c.Class = "nope" }), `there is no retention class "nope"`},
		"parts without people":             {"/v1/streams/people", set(func(c *ledger.StreamConfig) { c.Split, c.Fields = true, nil }), "no field of the stream names any"},
		"a field about one that is not":    {"/v1/streams/people", set(func(c *ledger.StreamConfig) { c.Fields = []ledger.FieldConfig{{Name: "a", Path: "a", About: "b"}} }), `field "a" is about "b"`},
		"a path that is none":              {"/v1/streams/people", set(func(c *ledger.StreamConfig) { c.Fields = []ledger.FieldConfig{{Name: "a", Path: "a[["}} }), `field "a"`},
		"a stream that is not there":       {"/v1/streams/nope", ledger.StreamConfig{Fields: []ledger.FieldConfig{}}, `there is no stream "nope"`},
		"days of a class that is not":      {"/v1/classes/nope", days(7), `there is no class "nope"`},
		"three custodians":                 {"/v1/custody", httpapi.CustodyChange{Custodians: &three, Grace: &never}, "one custodian or two"},
		"a grace that is too long":         {"/v1/custody", httpapi.CustodyChange{Custodians: &two, Grace: &long}, "longer than 14 days"},
		"one custodian who is named alone": {"/v1/custodians", ledger.CustodiansConfig{Names: []string{"carla"}}, "none, or 2 to"},
	} {
		for _, role := range []identity.Role{identity.Custodian, identity.Operator} {
			var p *client.Problem
			err := s.as(t, role).Call(t.Context(), "PUT", c.path, c.change, nil)
			if !errors.As(err, &p) || p.Code() == client.Forbidden || !strings.Contains(p.Detail, c.want) {
				t.Errorf("%s, set by %s: got %v, want that %s", name, role, err, c.want)
			}
		}
	}
	if refused := s.acts(t, client.HistoryQuery{What: "refused"}); len(refused) > 0 {
		t.Errorf("got %+v refused, want nothing: whoever asked may do so", refused)
	}
}

// Nobody waits for a request that cannot be done any more.
func TestARequestThatCannotBeDoneIsAnsweredAtOnce(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{Wait: time.Hour})
	s.addPeople(t, "alice")
	if _, _, err := s.Ledger.As(ledger.Caller{Name: "operator"}).SetCustody(t.Context(), ledger.CustodyConfig{Custodians: 2}); err != nil {
		t.Fatal(err)
	}
	carla, cato, ctx := s.custodian(t, "carla"), s.custodian(t, "cato"), t.Context()
	var requests [2]string
	for i := range requests {
		var e httpapi.Erasing
		if err := carla.Call(ctx, "POST", "/v1/erasures", erasureOf("alice"), &e); err != nil || e.Requested == 0 {
			t.Fatalf("got %+v, %v, want a request", e, err)
		}
		requests[i] = fmt.Sprintf("/v1/requests/%d", e.Requested)
	}
	if err := cato.Call(ctx, "POST", requests[0]+"/approval?wait=done", nil, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var r httpapi.Requested
	if err := cato.Call(ctx, "GET", requests[1]+"?wait=done", nil, &r); err != nil || r.Done || r.Moot == nil || r.Moot.Why == "" {
		t.Errorf("got %+v, %v, want why it cannot be done", r, err)
	}
	var done httpapi.Requested
	if err := cato.Call(ctx, "GET", requests[0]+"?wait=done", nil, &done); err != nil || !done.Done || done.Moot != nil {
		t.Errorf("got %+v, %v, want that it is done", done, err)
	}
}
