package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/proofs"
)

// An asking is a request that somebody may make, and what of it is recorded.
type asking struct {
	role identity.Role
	path string
	body string // JSON
	what string // the word of the act; empty: none is
	why  string // none is
}

// askings has one for every route that needs a right. A route that is not here
// fails the test: what it answers must be recorded first, or there is a reason
// why not.
var askings = map[string]asking{
	"GET /v1/entries/{index}":  {role: identity.Auditor, path: "/v1/entries/0", what: proofs.ActRead},
	"GET /v1/entries":          {role: identity.Auditor, path: "/v1/entries?entries=0-1", what: proofs.ActRead},
	"GET /v1/entries:tail":     {role: identity.Reader, path: "/v1/entries:tail?from=0&stream=people", what: proofs.ActTail},
	"POST /v1/entries:tail":    {role: identity.Reader, path: "/v1/entries:tail", body: `{"stream":"people","query":"actor:bob"}`, what: proofs.ActTail},
	"POST /v1/entries:search":  {role: identity.Reader, path: "/v1/entries:search", body: `{"query":"actor:bob"}`, what: proofs.ActSearch},
	"POST /v1/entries:count":   {role: identity.Reader, path: "/v1/entries:count", body: `{"query":"actor:bob","facets":["actor"],"every":"day"}`, what: proofs.ActSearch},
	"POST /v1/entries:find":    {role: identity.Reader, path: "/v1/entries:find", body: `{"stream":"people","subject":"bob"}`, what: proofs.ActSearch},
	"POST /v1/entries:prove":   {role: identity.Reader, path: "/v1/entries:prove", body: `{"stream":"people","fields":[{"name":"actor","value":"bob"}],"now":true}`, what: proofs.ActSearch},
	"GET /v1/vault/{place...}": {role: identity.Auditor, path: "/v1/vault/000.p/1", what: proofs.ActExport},
	"GET /v1/history":          {role: identity.Auditor, path: "/v1/history?limit=1", what: proofs.ActHistory},
	"POST /v1/streams":         {role: identity.Operator, path: "/v1/streams", body: `{"name":"s"}`, what: proofs.ActStreamAdd},
	"PUT /v1/streams/{stream}": {role: identity.Operator, path: "/v1/streams/default", body: `{"fields":[]}`, what: proofs.ActStreamSet},
	"POST /v1/classes":         {role: identity.Operator, path: "/v1/classes", body: `{"name":"year","days":365}`, what: proofs.ActClassAdd},
	"POST /v1/tokens":          {role: identity.Operator, path: "/v1/tokens", body: `{"name":"new","role":"auditor"}`, what: proofs.ActTokenIssue},
	"DELETE /v1/tokens/{id}":   {role: identity.Operator, path: "/v1/tokens/{id}", what: proofs.ActTokenRevoke},

	"POST /v1/index:rebuild":               {role: identity.Operator, path: "/v1/index:rebuild", what: proofs.ActIndexRebuild},
	"PUT /v1/classes/{class}":              {role: identity.Operator, path: "/v1/classes/people", body: `{"days":4000}`, what: proofs.ActClassSet},
	"POST /v1/erasures":                    {role: identity.Custodian, path: "/v1/erasures", body: `{"stream":"people","subject":"bob","reason":"r"}`, what: proofs.ActErase},
	"POST /v1/erasures:plan":               {role: identity.Custodian, path: "/v1/erasures:plan", body: `{"stream":"people","subject":"bob"}`, what: proofs.ActSearch},
	"GET /v1/holds":                        {role: identity.Auditor, path: "/v1/holds", what: proofs.ActHistory},
	"POST /v1/holds":                       {role: identity.Custodian, path: "/v1/holds", body: `{"stream":"people","reason":"r"}`, what: proofs.ActHold},
	"POST /v1/holds/{hold}/release":        {role: identity.Custodian, path: "/v1/holds/{hold}/release", body: `{"reason":"r"}`, what: proofs.ActRelease},
	"GET /v1/requests":                     {role: identity.Auditor, path: "/v1/requests", what: proofs.ActHistory},
	"GET /v1/requests/{index}":             {role: identity.Auditor, path: "/v1/requests/{others}", what: proofs.ActHistory},
	"POST /v1/requests/{index}/approval":   {role: identity.Custodian, path: "/v1/requests/{others}/approval", what: proofs.ActApprove},
	"POST /v1/requests/{index}/withdrawal": {role: identity.Custodian, path: "/v1/requests/{own}/withdrawal", what: proofs.ActWithdraw},
	"PUT /v1/custodians":                   {role: identity.Operator, path: "/v1/custodians", body: `{"names":[]}`, what: proofs.ActCustodiansSet},
	"PUT /v1/custody":                      {role: identity.Operator, path: "/v1/custody", body: `{"custodians":2,"grace":60}`, what: proofs.ActLedgerSet},
	"PUT /v1/pruning":                      {role: identity.Operator, path: "/v1/pruning", body: `{"days":0}`, what: proofs.ActPruningSet},

	"POST /v1/streams/{stream}/entries":                    {role: identity.Writer, path: "/v1/streams/default/entries", body: `{}`, why: "the entry itself says who appended it"},
	"GET /v1/directories/{size}/{number}":                  {role: identity.Auditor, path: "/v1/directories/small/0?rows=true", what: proofs.ActExport},
	"GET /v1/streams/{stream}/directories/{size}/{number}": {role: identity.Reader, path: "/v1/streams/default/directories/small/0", what: proofs.ActExport},

	"GET /v1/receipts/{index}":   {role: identity.Reader, path: "/v1/receipts/0", why: "a receipt is public"},
	"GET /v1/proofs/inclusion":   {role: identity.Reader, path: "/v1/proofs/inclusion?index=0&size=1", why: "a proof is public"},
	"GET /v1/proofs/consistency": {role: identity.Reader, path: "/v1/proofs/consistency?from=1", why: "a proof is public"},
	"GET /v1/streams":            {role: identity.Auditor, path: "/v1/streams", why: "settings are no payload"},
	"GET /v1/classes":            {role: identity.Auditor, path: "/v1/classes", why: "settings are no payload"},
	"GET /v1/tokens":             {role: identity.Operator, path: "/v1/tokens", why: "the list holds no token"},
	"GET /v1/status":             {role: identity.Operator, path: "/v1/status", why: "it says nothing of entries"},
	"GET /v1/retention":          {role: identity.Auditor, path: "/v1/retention", why: "settings are no payload"},
	"GET /v1/custodians":         {role: identity.Auditor, path: "/v1/custodians", why: "settings are no payload"},
	"GET /v1/custody":            {role: identity.Auditor, path: "/v1/custody", why: "settings are no payload"},
	"GET /v1/pruning":            {role: identity.Auditor, path: "/v1/pruning", why: "settings are no payload"},
	"POST /v1/retention:run":     {role: identity.Operator, path: "/v1/retention:run", why: "what expires is recorded as it does"},
	"GET /v1/closings":           {role: identity.Auditor, path: "/v1/closings", why: "what is announced is public"},
	"GET /v1/closings/{index}":   {role: identity.Auditor, path: "/v1/closings/{closing}", why: "what is announced is public"},
}

// An inhabited ledger has everything that the askings ask for.
type inhabited struct {
	*served
	names *strings.Replacer // of what the paths name
}

func inhabit(t *testing.T) inhabited {
	t.Helper()
	s := serve(t, destroys(), httpapi.Limits{})
	s.addPeople(t, "alice", "bob")
	ctx := t.Context()
	as := func(name string) *ledger.Session {
		return s.Ledger.As(ledger.Caller{Name: name, Role: "custodian", Because: "r"})
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	hold, err := as("another").Hold(ctx, ledger.HoldConfig{Stream: "people", Reason: "r"})
	must(err)
	erased, err := as("another").Erase(ctx, ledger.Erasure{Stream: "people", Subject: "carol", Reason: "r"})
	must(err)
	must(as("another").AwaitDone(ctx, erased.Announced))
	_, _, err = as("another").SetCustody(ctx, ledger.CustodyConfig{Custodians: 2})
	must(err)
	others, err := as("another").Erase(ctx, ledger.Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	must(err)
	own, err := as("test-custodian").Erase(ctx, ledger.Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	must(err)
	s.issue(t, identity.Grant{Name: "somebody", Role: identity.Auditor})
	tokens := s.tokens.List()
	return inhabited{s, strings.NewReplacer("{id}", tokens[len(tokens)-1].ID, "{hold}", fmt.Sprint(hold.Hold), "{closing}", fmt.Sprint(erased.Announced),
		"{others}", fmt.Sprint(others.Requested), "{own}", fmt.Sprint(own.Requested))}
}

// ask makes the request, and reads the answer up to where it shows something.
func (s inhabited) ask(t *testing.T, name string, a asking) reply {
	t.Helper()
	method, _, _ := strings.Cut(name, " ")
	path := s.names.Replace(a.path)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.body == "" {
		req.Body = nil
	}
	req.Header.Set("Content-Type", "application/json")
	_, token, _ := strings.Cut(s.token(a.role), ": ")
	req.Header.Set("Authorization", token)
	res, err := s.hc.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer res.Body.Close()
	first, _ := bufio.NewReader(res.Body).ReadString('\n') // of a tail there is no end
	return reply{res.StatusCode, res.Header, first}
}

// TestEveryRouteRecordsWhatItAnswers asks each route as somebody who may, and
// compares the history with a table that is not the server's.
func TestEveryRouteRecordsWhatItAnswers(t *testing.T) {
	s := inhabit(t)
	recorded := make(map[string]int) // acts of whom
	for _, role := range identity.Roles() {
		who := "test-" + string(role)
		recorded[who] = len(s.acts(t, client.HistoryQuery{Who: who}))
	}
	for _, rt := range s.api.Routes() {
		if rt.Needs == 0 {
			continue
		}
		name := rt.Method + " " + rt.Path
		a, ok := askings[name]
		if !ok || (a.what == "") == (a.why == "") {
			t.Errorf("is what %s answers recorded before? Say so in the table", name)
			continue
		}
		who := "test-" + string(a.role)
		if got := s.ask(t, name, a); got.status/100 != 2 || got.body == "" {
			t.Errorf("%s: got %d %q", name, got.status, got.body)
		}
		acts := s.acts(t, client.HistoryQuery{Who: who})
		before := recorded[who]
		recorded[who] = len(acts)
		switch acts = acts[before:]; {
		case a.what == "" && len(acts) > 0:
			t.Errorf("%s: got %+v, want nothing recorded: %s", name, acts, a.why)
		case a.what != "" && !recordedAs(acts, a.what):
			t.Errorf("%s: got %+v, want one %s", name, acts, a.what)
		}
	}
	s.restart(t)
	for who, want := range recorded {
		if got := len(s.acts(t, client.HistoryQuery{Who: who})); got != want {
			t.Errorf("after a restart there are %d acts of %s, want %d", got, who, want)
		}
	}
}

// recordedAs reports whether acts are one of a kind, done. That the answer says
// what is known of it afterwards may be recorded too.
func recordedAs(acts []proofs.Act, what string) bool {
	for _, act := range acts[min(1, len(acts)):] {
		if act.What != proofs.ActHistory {
			return false
		}
	}
	return len(acts) > 0 && acts[0].What == what && acts[0].Outcome == proofs.OutcomeDone
}

// TestNoRouteAnswersWhatItCannotRecord asks a ledger that takes no entries any
// more. What is not recorded it still answers.
func TestNoRouteAnswersWhatItCannotRecord(t *testing.T) {
	s := inhabit(t)
	if err := s.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	for name, a := range askings {
		got := s.ask(t, name, a)
		switch {
		case name == "DELETE /v1/tokens/{id}": // which is kept, see TestTokensOfALedgerThatTakesNoEntries
			if got.status != http.StatusOK || !strings.Contains(got.body, `"recorded":false`) {
				t.Errorf("%s: got %d %s, want that it is done and not recorded", name, got.status, got.body)
			}
		case strings.HasSuffix(name, " /v1/entries:tail"): // whose answer has begun before there is anything to record
			if want := "event: problem\n"; got.body != want {
				t.Errorf("%s: got %q, want %q", name, got.body, want)
			}
		case a.what == "" && name != "POST /v1/streams/{stream}/entries":
			if got.status/100 != 2 {
				t.Errorf("%s: got %d %s, want an answer: %s", name, got.status, got.body, a.why)
			}
		case got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `"urn:cairn:problem:unavailable"`):
			t.Errorf("%s: got %d %s, want 503 and nothing else", name, got.status, got.body)
		}
	}
}
