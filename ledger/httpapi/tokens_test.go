package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// acts returns the acts that a query selects, and checks what proves each.
func (s *served) acts(t testing.TB, q client.HistoryQuery) (acts []proofs.Act) {
	t.Helper()
	for {
		h, err := s.Ledger.As(ledger.Caller{Name: "test"}).ProvenHistory(t.Context(), q)
		if err != nil {
			t.Fatalf("history: %v", err)
		}
		for _, r := range h.Acts {
			if err := client.CheckAct(r); err != nil {
				t.Error(err)
			}
			acts = append(acts, r.Act)
		}
		if h.Next == nil {
			return acts
		}
		q.From = *h.Next
	}
}

// restart closes the ledger and opens it again as it is on the disk.
func (s *served) restart(t testing.TB) {
	t.Helper()
	if err := s.Directory.Close(); err != nil {
		t.Fatal(err)
	}
	o := local.Options{Witnesses: []ledger.Witness{{Names: []string{"w"}, Cosigner: s.Witness}}}
	var err error
	if s.Directory, err = local.Open(t.Context(), s.dir, s.config, o); err != nil {
		t.Fatal(err)
	}
	if s.tokens, err = identity.OpenTokens(t.Context(), identity.TokensConfig{Register: s.Tokens}); err != nil {
		t.Fatal(err)
	}
	if s.identities, err = identity.New(identity.Options{Tokens: s.tokens}); err != nil {
		t.Fatal(err)
	}
	if s.api, err = httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities}); err != nil {
		t.Fatal(err)
	}
}

func one(t *testing.T, acts []proofs.Act) proofs.Act {
	t.Helper()
	if len(acts) != 1 {
		t.Fatalf("got the acts %+v, want one", acts)
	}
	return acts[0]
}

func TestWhoIssuesAndRevokesTokensIsRecorded(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const asJSON, why = "Content-Type: application/json", "Cairn-Reason: ticket%2042"
	post := func(body string, want int) reply {
		t.Helper()
		got := s.request(t, "POST", "/v1/tokens", body, asJSON, why, s.token(identity.Operator))
		if got.status != want {
			t.Errorf("%s: got %d %s, want %d", body, got.status, got.body, want)
		}
		return got
	}
	var issued httpapi.Issued
	got := post(`{"name":"alice","role":"reader","streams":["default"],"expires":"2126-01-01T00:00:00Z"}`, http.StatusCreated)
	if err := json.Unmarshal([]byte(got.body), &issued); err != nil {
		t.Fatal(err)
	}
	act := one(t, s.acts(t, client.HistoryQuery{What: proofs.ActTokenIssue}))
	want := `{"id":"` + issued.About.ID + `","role":"reader","streams":["default"],"expires":"2126-01-01T00:00:00Z"}`
	if act.Who != "test-operator" || act.Role != "operator" || act.Because != "ticket 42" || act.Object != "alice" || act.Outcome != proofs.OutcomeDone || string(act.Settings) != want {
		t.Errorf("got %+v with %s, want that the operator issued %s", act, act.Settings, want)
	}
	text, err := proofs.FormatAct(act)
	if secret := issued.Token[len(issued.Token)-72:]; err != nil || strings.Contains(string(text), secret[:16]) {
		t.Errorf("the token is in %s (%v)", text, err)
	}

	post(`{"name":"alice","role":"reader","streams":["nowhere"]}`, http.StatusNotFound)
	post(`{"name":"a b","role":"auditor"}`, http.StatusBadRequest)
	post(`{"name":"eve","role":"custodian"}`, http.StatusForbidden)
	acts := s.acts(t, client.HistoryQuery{What: proofs.ActTokenIssue})
	var outcomes []string
	for _, a := range acts {
		outcomes = append(outcomes, a.Object+" "+a.Outcome+" "+a.Detail)
	}
	if got, want := strings.Join(outcomes, ", "), "alice done , alice failed no-such-stream, a b failed bad-request, eve refused forbidden"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	for _, want := range []int{http.StatusOK, http.StatusNotFound} {
		if got := s.request(t, "DELETE", "/v1/tokens/"+issued.About.ID, "", why, s.token(identity.Operator)); got.status != want {
			t.Errorf("revoke: got %d %s, want %d", got.status, got.body, want)
		}
	}
	acts = s.acts(t, client.HistoryQuery{What: proofs.ActTokenRevoke})
	if len(acts) != 2 || acts[0].Outcome != proofs.OutcomeDone || acts[0].Object != "alice" || acts[0].Because != "ticket 42" ||
		string(acts[0].Settings) != want || acts[1].Outcome != proofs.OutcomeFailed || acts[1].Detail != "not-found" {
		t.Errorf("got %+v, want that it was revoked once, and could not be again", acts)
	}
	if kept := s.tokens.Unrecorded(); len(kept) > 0 {
		t.Errorf("%+v is recorded and kept", kept)
	}
}

// A ledger that takes no entries issues no token, and keeps none good. What was
// done is recorded when it takes entries again.
func TestTokensOfALedgerThatTakesNoEntries(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	about := s.tokens.List()[0]
	if err := s.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.request(t, "POST", "/v1/tokens", `{"name":"bob","role":"auditor"}`, "Content-Type: application/json", s.token(identity.Operator))
	if got.status != http.StatusServiceUnavailable || strings.Contains(got.body, "cairn_") {
		t.Errorf("issue: got %d %s, want 503", got.status, got.body)
	}
	for _, row := range s.tokens.List() {
		if row.Name == "bob" {
			t.Errorf("the token %s is left", row.ID)
		}
	}
	got = s.request(t, "DELETE", "/v1/tokens/"+about.ID, "", "Cairn-Reason: stolen", s.token(identity.Operator))
	if want := `{"id":"` + about.ID + `","recorded":false}` + "\n"; got.status != http.StatusOK || got.body != want {
		t.Errorf("revoke: got %d %s, want %s", got.status, got.body, want)
	}
	if got := s.request(t, "GET", "/v1/entries:tail", "", s.token(about.Role)); got.status != http.StatusUnauthorized {
		t.Errorf("with the revoked token: got %d, want 401", got.status)
	}

	s.restart(t) // as after a crash: nothing is left but what is on the disk
	if kept := s.tokens.Unrecorded(); len(kept) != 2 {
		t.Fatalf("got %+v, want that both are kept", kept)
	}
	server, err := s.api.Listen(httpapi.Address{Address: "127.0.0.1:0", Faces: httpapi.Every})
	if err != nil {
		t.Fatal(err)
	}
	run(t, server) // which records them
	for start := time.Now(); len(s.tokens.Unrecorded()) > 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("they are not recorded")
		}
	}
	acts := s.acts(t, client.HistoryQuery{What: proofs.ActTokenRevoke})
	if len(acts) != 2 || acts[0].Object != "bob" || !strings.Contains(acts[0].Detail, "nobody has seen it") ||
		acts[1].Object != about.Name || acts[1].Who != "test-operator" || acts[1].Because != "stolen" {
		t.Errorf("got %+v, want one token that nobody saw, and the one that was stolen", acts)
	}
}

// A ledger that waits for its witnesses revokes at once, and is not waited for.
func TestRevokingDoesNotWaitForWitnesses(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	about := s.tokens.List()[0]
	s.Witness.Silence(true)
	s.restart(t)
	done := make(chan reply)
	go func() { done <- handle(s.api.Local(), "DELETE", "/v1/tokens/"+about.ID) }()
	for start := time.Now(); len(s.tokens.Unrecorded()) == 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Second {
			t.Fatal("the token is good after a second")
		}
	}
	if got := <-done; got.status != http.StatusOK || !strings.Contains(got.body, `"recorded":false`) {
		t.Errorf("got %d %s, want that it is revoked and not yet recorded", got.status, got.body)
	}
	s.Witness.Silence(false)
	if err := s.api.RecordRevoked(t.Context()); err != nil {
		t.Fatal(err)
	}
	if act := one(t, s.acts(t, client.HistoryQuery{What: proofs.ActTokenRevoke})); act.Who != "local operator" || act.From != "local socket" {
		t.Errorf("got %+v, want who revoked it", act)
	}
	if kept := s.tokens.Unrecorded(); len(kept) > 0 {
		t.Errorf("%+v is recorded and kept", kept)
	}
}

// What a program does for itself is recorded as what it does for others.
func TestATokenThatTheProgramIssuesIsRecorded(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	as := ledger.Caller{Name: "local operator", From: "a test"}
	issued, err := s.api.IssueToken(t.Context(), as, identity.Grant{Name: "carol", Role: identity.Auditor})
	if err != nil {
		t.Fatal(err)
	}
	if about, ok := s.tokens.Authenticate(issued.Token); !ok || about.Name != "carol" {
		t.Errorf("got %+v, %v, want a good token", about, ok)
	}
	if act := one(t, s.acts(t, client.HistoryQuery{What: proofs.ActTokenIssue})); act.Who != as.Name || act.From != as.From || act.Object != "carol" {
		t.Errorf("got %+v, want that the program issued it", act)
	}
}

// TestNobodyMakesAnotherCustodianAlone: where two are needed, the token of a
// custodian is of no use to whoever issues it.
func TestNobodyMakesAnotherCustodianAlone(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t, "alice")
	carla, cato, ctx := s.custodian(t, "carla"), s.custodian(t, "cato"), t.Context()
	issue := func(who *client.HTTP, name string) (*client.HTTP, error) {
		var issued httpapi.Issued
		err := who.Call(ctx, "POST", "/v1/tokens", identity.Grant{Name: name, Role: identity.Custodian}, &issued)
		if err != nil {
			return nil, err
		}
		return s.with(t, issued.Token), nil
	}
	if _, err := issue(carla, "carla2"); err != nil {
		t.Fatalf("where one is enough: %v", err)
	}
	operator := s.as(t, identity.Operator)
	custodians, grace := uint8(2), uint32(0)
	if err := operator.Call(ctx, "PUT", "/v1/custody", httpapi.CustodyChange{Custodians: &custodians, Grace: &grace}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := issue(carla, "carla2")
	wantCode(t, err, client.Forbidden)
	err = operator.Call(ctx, "PUT", "/v1/custodians", ledger.CustodiansConfig{Names: []string{"carla", "carla2"}}, nil)
	wantCode(t, err, client.Forbidden)
	var c httpapi.Changed
	if err := carla.Call(ctx, "PUT", "/v1/custodians", ledger.CustodiansConfig{Names: []string{"carla", "cato"}}, &c); err != nil || c.Requested == 0 {
		t.Fatalf("got %+v, %v, want a request", c, err)
	}
	if err := cato.Call(ctx, "POST", fmt.Sprintf("/v1/requests/%d/approval?wait=done", c.Requested), nil, nil); err != nil {
		t.Fatal(err)
	}
	_, err = issue(carla, "cato")
	wantCode(t, err, client.Forbidden)
	renewed, err := issue(carla, "carla")
	if err != nil {
		t.Fatalf("the own one: %v", err)
	}
	_, err = issue(carla, "dora") // who may be named later
	wantCode(t, err, client.Forbidden)
	other := s.custodian(t, "carla3")
	var e httpapi.Erasing
	err = other.Call(ctx, "POST", "/v1/erasures", erasureOf("alice"), &e)
	wantCode(t, err, client.Forbidden)
	if err := renewed.Call(ctx, "POST", "/v1/erasures", erasureOf("alice"), &e); err != nil || e.Requested == 0 {
		t.Fatalf("got %+v, %v, want a request", e, err)
	}
	approval := fmt.Sprintf("/v1/requests/%d/approval", e.Requested)
	err = other.Call(ctx, "POST", approval, nil, nil)
	wantCode(t, err, client.Forbidden)
	if err := cato.Call(ctx, "POST", approval, nil, nil); err != nil {
		t.Error(err)
	}
}

// TestCustodiansWhomNobodyCanBe: who is named by mistake could keep everybody from
// what takes two, also from naming others.
func TestCustodiansWhomNobodyCanBe(t *testing.T) {
	s := serve(t, destroys(), httpapi.Limits{})
	operator := s.as(t, identity.Operator)
	for _, name := range []string{"oidc:corp", "cert:Staff:carla", "carla smith", "oidc:corp:a b", identity.Nobody, ""} {
		err := operator.Call(t.Context(), "PUT", "/v1/custodians", ledger.CustodiansConfig{Names: []string{"carla", name}}, nil)
		wantCode(t, err, client.BadRequest)
	}
	names := []string{"carla", "cert:staff:cato", "oidc:corp:dora@example.com"}
	if err := operator.Call(t.Context(), "PUT", "/v1/custodians", ledger.CustodiansConfig{Names: names}, nil); err != nil {
		t.Error(err)
	}
}
