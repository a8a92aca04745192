package httpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// TestEachRoleDoesItsOwnAndNothingElse asks every route with every token, and
// compares with a table that is not the server's.
func TestEachRoleDoesItsOwnAndNothingElse(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const w, r, a, o, u = identity.Writer, identity.Reader, identity.Auditor, identity.Operator, identity.Custodian
	may := map[string][]identity.Role{
		"POST /v1/streams/{stream}/entries":    {w},
		"GET /v1/history":                      {a},
		"GET /v1/entries/{index}":              {r, a},
		"GET /v1/entries":                      {r, a},
		"GET /v1/entries:tail":                 {r},
		"POST /v1/entries:find":                {r},
		"POST /v1/entries:search":              {r},
		"POST /v1/entries:count":               {r},
		"POST /v1/entries:tail":                {r},
		"POST /v1/entries:prove":               {r},
		"GET /v1/receipts/{index}":             {r, a},
		"GET /v1/proofs/inclusion":             {r, a},
		"GET /v1/proofs/consistency":           {r, a},
		"GET /v1/vault/{place...}":             {a},
		"GET /v1/directories/{size}/{number}":  {a},
		"GET /v1/streams":                      {a, o, u},
		"GET /v1/classes":                      {a, o, u},
		"POST /v1/streams":                     {o},
		"PUT /v1/streams/{stream}":             {o, u}, // more and less, see closing_test.go
		"POST /v1/classes":                     {o},
		"PUT /v1/classes/{class}":              {o, u}, // longer and shorter, see below
		"GET /v1/retention":                    {a, o, u},
		"POST /v1/retention:run":               {o, u},
		"POST /v1/erasures":                    {u},
		"POST /v1/erasures:plan":               {u},
		"GET /v1/holds":                        {a, u},
		"POST /v1/holds":                       {u},
		"POST /v1/holds/{hold}/release":        {u},
		"GET /v1/closings":                     {a, u},
		"GET /v1/closings/{index}":             {a, u},
		"GET /v1/requests":                     {a, u},
		"GET /v1/requests/{index}":             {a, u},
		"POST /v1/requests/{index}/approval":   {u},
		"POST /v1/requests/{index}/withdrawal": {u},
		"GET /v1/custody":                      {a, o, u},
		"PUT /v1/custody":                      {o, u}, // more and less, see below
		"GET /v1/custodians":                   {a, o, u},
		"PUT /v1/custodians":                   {o, u}, // as long as one is enough, see tokens_test.go
		"GET /v1/pruning":                      {a, o, u},
		"PUT /v1/pruning":                      {o, u}, // earlier and later
		"GET /v1/tokens":                       {o},
		"POST /v1/tokens":                      {o, u}, // of roles apart, see below
		"DELETE /v1/tokens/{id}":               {o},
		"GET /v1/status":                       {o},
		"POST /v1/index:rebuild":               {o},

		"GET /v1/streams/{stream}/directories/{size}/{number}": {r},
	}
	for _, rt := range s.api.Routes() {
		name := rt.Method + " " + rt.Path
		if !strings.HasPrefix(rt.Path, "/v1/") {
			if rt.Needs != 0 {
				t.Errorf("%s needs a token", name)
			}
			continue
		}
		if may[name] == nil {
			t.Errorf("%s is in no table", name)
		}
		// A query that no route takes: whoever may ask is told so, and nothing happens.
		url := strings.NewReplacer("{stream}", "default", "{index}", "0", "{id}", "0", "{hold}", "0", "{class}", "standard", "{place...}", "000", "{size}", "small", "{number}", "0").Replace(rt.Path) + "?nonsense=1"
		for _, role := range identity.Roles() {
			want := http.StatusForbidden
			if slices.Contains(may[name], role) {
				want = http.StatusBadRequest
			}
			if got := s.request(t, rt.Method, url, "", s.token(role)); got.status != want {
				t.Errorf("%s as %s: got %d, want %d", name, role, got.status, want)
			}
		}
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x", "Basic " + s.bearer[o], "Bearer " + strings.ToUpper(s.bearer[o]), s.bearer[o]} {
			got := s.request(t, rt.Method, url, "", "Authorization: "+header)
			if got.status != http.StatusUnauthorized || !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s with authorization %.10q: got %d, want 401 with a challenge", name, header, got.status)
			}
		}
	}
}

func TestTwoTokensAreNone(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	got := s.request(t, "GET", "/v1/status", "", s.token(identity.Operator), s.token(identity.Operator))
	if got.status != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", got.status)
	}
	if got := s.request(t, "GET", "/v1/status", "", "Authorization: bEaReR "+s.bearer[identity.Operator]); got.status != http.StatusOK {
		t.Errorf("with the scheme in other letters: got %d, want 200", got.status)
	}
}

func TestTokenIsForItsStreamsAlone(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.addStream(t, ledger.StreamConfig{Name: "other"})
	for _, role := range []identity.Role{identity.Writer, identity.Reader} {
		s.bearer[role+" of other"] = s.issue(t, identity.Grant{Name: "o", Role: role, Streams: []string{"other"}})
	}
	to := func(stream string, role identity.Role) reply {
		return s.request(t, "POST", "/v1/streams/"+stream+"/entries", "{}", s.token(role))
	}
	if got := to("other", "writer of other"); got.status != http.StatusCreated {
		t.Errorf("append to its own stream: got %d %s, want 201", got.status, got.body)
	}
	if got := to("default", "writer of other"); got.status != http.StatusForbidden {
		t.Errorf("append to another stream: got %d, want 403", got.status)
	}
	if got := to("nope", "writer of other"); got.status != http.StatusForbidden {
		t.Errorf("append to a stream that is not there: got %d, want 403", got.status)
	}
	mine := to("other", identity.Writer)
	theirs := to("default", identity.Writer)
	if got := s.request(t, "GET", mine.header.Get("Location"), "", s.token("reader of other")); got.status != http.StatusOK {
		t.Errorf("read from its own stream: got %d, want 200", got.status)
	}
	for what, path := range map[string]string{"another stream": theirs.header.Get("Location"), "control entries": "/v1/entries/0"} {
		got := s.request(t, "GET", path, "", s.token("reader of other"))
		if got.status != http.StatusForbidden || strings.Contains(got.body, "disclosure") {
			t.Errorf("read from %s: got %d, want 403", what, got.status)
		}
	}
	if got := s.request(t, "GET", "/v1/entries:tail?stream=default", "", s.token("reader of other")); got.status != http.StatusForbidden {
		t.Errorf("follow another stream: got %d, want 403", got.status)
	}
	for role, want := range map[identity.Role]int{identity.Reader: http.StatusForbidden, identity.Auditor: http.StatusOK} {
		if got := s.request(t, "GET", "/v1/entries/0", "", s.token(role)); got.status != want {
			t.Errorf("a control entry is read by the %s of everything: got %d, want %d", role, got.status, want)
		}
	}
	if got := s.request(t, "GET", mine.header.Get("Location"), "", s.token(identity.Auditor)); got.status != http.StatusForbidden {
		t.Errorf("an event is read by an auditor: got %d, want 403", got.status)
	}
}

func TestEntryRecordsWhoAppended(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	token := s.issue(t, identity.Grant{Name: "billing@example.com", Role: identity.Writer, Streams: []string{"default"}})
	ev := []client.Event{{Data: []byte("{}"), IdempotencyKey: "k"}}
	first, err := s.with(t, token).Append(t.Context(), "default", ev, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.as(t, identity.Reader).Entry(t.Context(), first[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	part, err := e.Disclosure.Parts[0].Part()
	if err != nil || part.Appender != "billing@example.com" {
		t.Errorf("got appender %q and error %v", part.Appender, err)
	}
	// A new token of the same name is the same identity; another name is another.
	renewed := s.issue(t, identity.Grant{Name: "billing@example.com", Role: identity.Writer, Streams: []string{"*"}})
	again, err := s.with(t, renewed).Append(t.Context(), "default", ev, client.Witnessed)
	if err != nil || !again[0].Duplicate || again[0].Index != first[0].Index {
		t.Errorf("with a renewed token: got %+v and error %v, want entry %d again", again, err, first[0].Index)
	}
	other, err := s.as(t, identity.Writer).Append(t.Context(), "default", ev, client.Witnessed)
	if err != nil || other[0].Duplicate {
		t.Errorf("as another identity: got %+v and error %v, want another entry", other, err)
	}
}

func TestFacesAreApart(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, rt := range s.api.Routes() {
		for _, face := range []httpapi.Face{httpapi.Public, httpapi.Write, httpapi.Read, httpapi.Admin, httpapi.Health} {
			path := strings.NewReplacer("{stream}", "s", "{index}", "0", "{id}", "0", "{hold}", "0", "{class}", "standard", "{place...}", "000", "{size}", "small", "{number}", "0").Replace(rt.Path)
			got := handle(s.api.Handler(face), rt.Method, path)
			var p client.Problem
			isElsewhere := got.status == http.StatusNotFound && json.Unmarshal([]byte(got.body), &p) == nil && strings.HasPrefix(p.Detail, "there is nothing at this path")
			isElsewhere = isElsewhere || got.status == http.StatusMethodNotAllowed
			if isElsewhere == (rt.Faces&face != 0) {
				t.Errorf("face %b: %s %s: got %d, and its faces are %b", face, rt.Method, rt.Path, got.status, rt.Faces)
			}
		}
	}
}

// What stands in a header that a request does not take would be believed to
// count. Nobody is misunderstood but by an answer.
func TestHeadersThatSayNothingAreRefused(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, tt := range []struct{ method, path, header string }{
		{"GET", "/v1/entries/4", "Cairn-Subject: alice"},
		{"GET", "/v1/entries/4", "cairn-stream: default"},
		{"GET", "/v1/entries:tail?from=99", "Cairn-Class: standard"},
		{"GET", "/v1/status", "Cairn-Role: operator"},
		{"DELETE", "/v1/tokens/0", "Idempotency-Key: k"},
	} {
		role := identity.Operator
		if strings.HasPrefix(tt.path, "/v1/entries") {
			role = identity.Reader
		}
		got := s.request(t, tt.method, tt.path, "", tt.header, s.token(role))
		if p := problem(t, got); p.Code() != client.BadRequest {
			t.Errorf("%s %s with %s: got %+v, want 400", tt.method, tt.path, tt.header, p)
		}
	}
	got := s.request(t, "GET", "/v1/entries:tail", "", "Last-Event-ID: 3", "Last-Event-ID: 7", s.token(identity.Reader))
	if p := problem(t, got); p.Code() != client.BadRequest {
		t.Errorf("a tail from two places: got %+v, want 400", p)
	}
}
