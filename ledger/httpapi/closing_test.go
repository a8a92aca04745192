package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// custodian returns a new custodian as a client.
func (s *served) custodian(t *testing.T, name string) *client.HTTP {
	t.Helper()
	return s.with(t, s.issue(t, identity.Grant{Name: name, Role: identity.Custodian}))
}

func erasureOf(subject string) ledger.Erasure {
	return ledger.Erasure{Stream: "people", Subject: subject, Reason: "it was asked for"}
}

func TestAHoldSavesAnEntryFromAnErasure(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	all := s.addPeople(t, "alice", "alice", "bob")
	carla, reader, ctx := s.custodian(t, "carla"), s.as(t, identity.Reader), t.Context()
	var hold ledger.HoldInfo
	request := httpapi.HoldRequest{Stream: "people", Subject: "alice", Fields: []client.FieldValue{{Name: "event-4624", Value: "1"}}, Reason: "a lawsuit"}
	if err := carla.Call(ctx, "POST", "/v1/holds", request, &hold); err != nil || len(hold.Entries) != 1 || hold.Entries[0].First != all[1] {
		t.Fatalf("got the hold %+v, %v, want one of entry %d", hold, err, all[1])
	}
	var plan ledger.ErasurePlan
	if err := carla.Call(ctx, "POST", "/v1/erasures:plan", erasureOf("alice"), &plan); err != nil || plan.Entries != 2 || len(plan.Holds) != 1 || plan.Announced != 0 {
		t.Fatalf("got the plan %+v, %v", plan, err)
	}
	if _, err := reader.Entry(ctx, all[0]); err != nil {
		t.Errorf("after a plan: %v", err)
	}
	var done httpapi.Erasing
	if err := carla.Call(ctx, "POST", "/v1/erasures?wait=done&timeout=20s", erasureOf("alice"), &done); err != nil || !done.Done || done.Announced == 0 {
		t.Fatalf("got %+v, %v", done, err)
	}
	_, err := reader.Entry(ctx, all[0])
	wantCode(t, err, client.Gone)
	for _, index := range all[1:] {
		if _, err := reader.Entry(ctx, index); err != nil {
			t.Errorf("entry %d: %v", index, err)
		}
	}
	var released httpapi.Releasing
	path := fmt.Sprintf("/v1/holds/%d/release?wait=done", hold.Hold)
	if err := carla.Call(ctx, "POST", path, httpapi.Reason{Reason: "it is settled"}, &released); err != nil || !released.Done {
		t.Fatalf("got %+v, %v", released, err)
	}
	_, err = reader.Entry(ctx, all[1])
	wantCode(t, err, client.Gone)
	if _, err := reader.Entry(ctx, all[2]); err != nil {
		t.Errorf("of somebody else: %v", err)
	}
}

func TestTwoCustodiansAreTwoIdentities(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	all := s.addPeople(t, "alice")
	carla, cato, ctx := s.custodian(t, "carla"), s.custodian(t, "cato"), t.Context()
	custodians, grace := uint8(2), uint32(0)
	if err := s.as(t, identity.Operator).Call(ctx, "PUT", "/v1/custody", httpapi.CustodyChange{Custodians: &custodians, Grace: &grace}, nil); err != nil {
		t.Fatal(err)
	}
	socket := func(method, path, body string) reply {
		request := httptest.NewRequest(method, path, strings.NewReader(body))
		if body == "" {
			request = httptest.NewRequest(method, path, nil)
		}
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		s.api.Local().ServeHTTP(answer, request)
		return reply{answer.Code, answer.Header(), answer.Body.String()}
	}
	ask := func() string {
		got := socket("POST", "/v1/erasures", `{"stream":"people","subject":"alice","reason":"r"}`)
		var e httpapi.Erasing
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != http.StatusAccepted || e.Requested == 0 || e.Announced != 0 {
			t.Fatalf("got %d %s, want a request", got.status, got.body)
		}
		return got.header.Get("Location")
	}
	at := ask()
	if p := problem(t, socket("POST", at+"/approval", "")); p.Code() != client.NotNow || !strings.Contains(p.Hint, "--token-file") {
		t.Errorf("approved by the socket what the socket asked for: %+v", p)
	}
	var r httpapi.Requested
	if err := cato.Call(ctx, "POST", at+"/withdrawal", nil, nil); err == nil {
		t.Error("somebody else took it back")
	}
	if got := socket("POST", at+"/withdrawal", ""); got.status != http.StatusOK {
		t.Errorf("taken back by who asked: got %d %s", got.status, got.body)
	}
	at = ask()
	if err := carla.Call(ctx, "POST", at+"/approval?wait=done", nil, &r); err != nil || !r.Done || r.Used == 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
	_, err := s.as(t, identity.Reader).Entry(ctx, all[0])
	wantCode(t, err, client.Gone)
	err = carla.Call(ctx, "POST", at+"/approval", nil, nil)
	wantCode(t, err, client.NotNow)
}

// days returns the change of a class.
func days(n uint32) httpapi.ClassChange { return httpapi.ClassChange{Days: &n} }

func TestKeepingForLessIsForCustodiansWhereTwoAreNeeded(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t)
	operator, custodian, ctx := s.as(t, identity.Operator), s.as(t, identity.Custodian), t.Context()
	set := func(who *client.HTTP, n uint32) (c httpapi.Changed, err error) {
		return c, who.Call(ctx, "PUT", "/v1/classes/people", days(n), &c)
	}
	custody := func(who *client.HTTP, custodians uint8, grace uint32) (c httpapi.Changed, err error) {
		return c, who.Call(ctx, "PUT", "/v1/custody", httpapi.CustodyChange{Custodians: &custodians, Grace: &grace}, &c)
	}
	for _, who := range []*client.HTTP{operator, custodian} {
		if c, err := set(who, 1000); err != nil || c.Index == 0 {
			t.Errorf("one custodian is enough: got %+v, %v", c, err)
		}
		if _, err := set(operator, 2000); err != nil {
			t.Error(err)
		}
	}
	_, err := set(custodian, 0)
	wantCode(t, err, client.Forbidden)
	if c, err := custody(operator, 2, 60); err != nil || c.Index == 0 {
		t.Fatalf("got %+v, %v", c, err)
	}
	for _, less := range []func(*client.HTTP) (httpapi.Changed, error){
		func(who *client.HTTP) (httpapi.Changed, error) { return set(who, 1000) },
		func(who *client.HTTP) (httpapi.Changed, error) { return custody(who, 2, 59) },
		func(who *client.HTTP) (httpapi.Changed, error) { return custody(who, 1, 60) },
	} {
		_, err := less(operator)
		wantCode(t, err, client.Forbidden)
		if c, err := less(custodian); err != nil || c.Requested == 0 || c.Index != 0 {
			t.Errorf("got %+v, %v, want a request", c, err)
		}
	}
	if c, err := set(operator, 3000); err != nil || c.Index == 0 {
		t.Errorf("longer: got %+v, %v", c, err)
	}
	h, err := s.as(t, identity.Auditor).History(ctx, client.HistoryQuery{Who: "test-custodian", What: "refused"})
	if err != nil || len(h.Acts) == 0 || h.Acts[0].Act.Object != "PUT /v1/classes/{class}" || h.Acts[0].Act.Outcome != "refused" {
		t.Errorf("the history has %+v, %v, want what the custodian was refused", h.Acts, err)
	}
}

func TestTakingFromAStreamIsForCustodiansWhereTwoAreNeeded(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t)
	operator, custodian, ctx := s.as(t, identity.Operator), s.as(t, identity.Custodian), t.Context()
	set := func(who *client.HTTP, c ledger.StreamConfig) (got httpapi.Changed, err error) {
		return got, who.Call(ctx, "PUT", "/v1/streams/people", c, &got)
	}
	people := s.stream(t, "people")
	people.Reason = true
	less := people
	less.Reason = false
	for _, c := range []ledger.StreamConfig{people, less, people} {
		_, err := set(custodian, c)
		wantCode(t, err, client.Forbidden)
		if got, err := set(operator, c); err != nil || got.Index == 0 {
			t.Fatalf("one custodian is enough: got %+v, %v", got, err)
		}
	}
	if _, _, err := s.Ledger.As(ledger.Caller{Name: "operator"}).SetCustody(ctx, ledger.CustodyConfig{Custodians: 2}); err != nil {
		t.Fatal(err)
	}
	_, err := set(operator, less)
	wantCode(t, err, client.Forbidden)
	_, err = set(custodian, people)
	wantCode(t, err, client.Forbidden)
	got, err := set(custodian, less)
	if err != nil || got.Requested == 0 || got.Index != 0 || !s.stream(t, "people").Reason {
		t.Fatalf("got %+v, %v, want a request", got, err)
	}
	var r httpapi.Requested
	if err := s.custodian(t, "cato").Call(ctx, "POST", fmt.Sprintf("/v1/requests/%d/approval?wait=done", got.Requested), nil, &r); err != nil || !r.Done {
		t.Fatalf("got %+v, %v", r, err)
	}
	if s.stream(t, "people").Reason {
		t.Error("nothing came of it")
	}
}

// stream returns the settings of a stream.
func (s *served) stream(t *testing.T, name string) ledger.StreamConfig {
	t.Helper()
	for _, c := range s.Ledger.Streams() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no stream %q", name)
	return ledger.StreamConfig{}
}

func TestReasonsStandInTheBody(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t, "alice")
	const with, without = `{"stream":"people","subject":"alice","reason":"why"}`, `{"stream":"people","subject":"alice"}`
	for _, path := range []string{"/v1/erasures", "/v1/holds"} {
		for name, c := range map[string]struct{ body, header string }{
			"none":           {without, "Accept: */*"},
			"in the header":  {without, "Cairn-Reason: why"},
			"another":        {with, "Cairn-Reason: other"},
			"too long":       {strings.Replace(with, "why", strings.Repeat("y", 1025), 1), "Accept: */*"},
			"and a name":     {`{"stream":"people","subject":"alice","reason":"why","who":"x"}`, "Accept: */*"},
			"a field twice":  {`{"stream":"people","fields":[{"name":"a","value":"1"},{"name":"a","value":"2"}],"reason":"why"}`, "Accept: */*"},
			"nothing at all": {`{"reason":"why"}`, "Accept: */*"},
		} {
			got := s.request(t, "POST", path, c.body, isJSON, c.header, s.token(identity.Custodian))
			if got.status != http.StatusBadRequest && !(got.status == http.StatusNotFound && name == "nothing at all") {
				t.Errorf("%s: the reason is %s: got %d %s", path, name, got.status, got.body)
			}
		}
	}
	if got := s.request(t, "POST", "/v1/holds", with, isJSON, "Cairn-Reason: why", s.token(identity.Custodian)); got.status != http.StatusCreated {
		t.Errorf("said twice alike: got %d %s", got.status, got.body)
	}
}

func TestWhoWaitsForWhatIsNotDoneIsToldSo(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t, "alice")
	s.Witness.Silence(true)
	carla, ctx := s.custodian(t, "carla"), t.Context()
	var e httpapi.Erasing
	if err := carla.Call(ctx, "POST", "/v1/erasures?wait=done&timeout=10ms", erasureOf("alice"), &e); err != nil || e.Done || e.Announced == 0 {
		t.Fatalf("got %+v, %v, want that it is announced", e, err)
	}
	var list []ledger.ClosingInfo
	if err := carla.Call(ctx, "GET", "/v1/closings", nil, &list); err != nil || len(list) != 1 || list[0].Waits != ledger.WaitsForPublication {
		t.Errorf("got %+v, %v", list, err)
	}
	told := make(chan ledger.ClosingInfo)
	go func() {
		var c ledger.ClosingInfo
		if err := carla.Call(context.WithoutCancel(ctx), "GET", fmt.Sprintf("/v1/closings/%d?wait=done&timeout=5m", e.Announced), nil, &c); err != nil {
			t.Error(err)
		}
		told <- c
	}()
	select {
	case c := <-told:
		t.Errorf("got %+v before it was done", c)
	case <-time.After(50 * time.Millisecond):
	}
	s.api.EndTails() // which the end of a server does
	if c := <-told; c.Done || c.Closing != e.Announced {
		t.Errorf("got %+v, want that it is not done", c)
	}
	s.Witness.Silence(false)
}

// Whom an erasure concerns is in the ledger, closed with its keys, and nowhere
// else.
func TestTheLogOfTheServerNamesNoSubject(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t, "alice-of-the-hill")
	var logged strings.Builder
	h := loggingAPI(t, s, &logged).Handler(httpapi.Every)
	for _, path := range []string{"/v1/erasures:plan", "/v1/holds", "/v1/erasures", "/v1/erasures?wait=alice-of-the-hill", "/v1/erasures"} {
		request := httptest.NewRequest("POST", path, strings.NewReader(`{"stream":"people","subject":"alice-of-the-hill","reason":"r"}`))
		request.Header.Set("Content-Type", "application/json")
		_, token, _ := strings.Cut(s.token(identity.Custodian), ": ")
		request.Header.Set("Authorization", token)
		h.ServeHTTP(httptest.NewRecorder(), request)
	}
	if !strings.Contains(logged.String(), "/v1/erasures:plan") || strings.Contains(logged.String(), "alice-of") {
		t.Errorf("got the log %s", logged.String())
	}
}

func TestALedgerWithOnePlaceOfItsKeysSaysWhatItNeeds(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.addPeople(t, "alice")
	for _, path := range []string{"/v1/erasures", "/v1/retention:run"} {
		var in any
		if path == "/v1/erasures" {
			in = erasureOf("alice")
		}
		var p *client.Problem
		err := s.as(t, identity.Custodian).Call(t.Context(), "POST", path, in, nil)
		wantCode(t, err, client.NotNow)
		if !errors.As(err, &p) || !strings.Contains(p.Detail, "one place only") || !strings.Contains(p.Hint, "key_state") {
			t.Errorf("%s: got %+v, want what to do", path, p)
		}
	}
}
