package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// wantCode checks that an error is a problem of a kind.
func wantCode(t *testing.T, err error, want client.ProblemCode) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != want {
		t.Errorf("got error %v, want problem %q", err, want)
	}
}

// dialSocket returns the ledger behind a unix socket.
func dialSocket(t *testing.T, path string) *client.HTTP {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	h, err := client.Dial("http://cairnd", client.Options{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSocketAdministersWithoutAToken(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	path := filepath.Join(t.TempDir(), "cairnd.sock")
	if err := os.WriteFile(path, []byte("left behind"), 0o666); err != nil {
		t.Fatal(err)
	}
	server, err := s.api.ListenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("the socket has mode %v, want one for its owner alone (%v)", info.Mode(), err)
	}
	run(t, server)
	admin, ctx := dialSocket(t, path), t.Context()
	var recorded httpapi.Recorded
	err = admin.Call(ctx, "POST", "/v1/streams", ledger.StreamConfig{Name: "billing", Fields: []ledger.FieldConfig{{Name: "actor", Path: "user.id"}}}, &recorded)
	if err != nil || recorded.Index == 0 {
		t.Fatalf("add stream: got %+v and error %v", recorded, err)
	}
	err = admin.Call(ctx, "PUT", "/v1/streams/billing", ledger.StreamConfig{Closed: true, Fields: []ledger.FieldConfig{}}, nil)
	if err != nil {
		t.Errorf("set stream: %v", err)
	}
	var streams []ledger.StreamConfig
	if err := admin.Call(ctx, "GET", "/v1/streams", nil, &streams); err != nil || len(streams) != 2 || !streams[1].Closed {
		t.Errorf("streams: got %+v and error %v", streams, err)
	}
	wantCode(t, admin.Call(ctx, "POST", "/v1/streams", ledger.StreamConfig{Name: "billing"}, nil), client.AlreadyExists)
	var issued httpapi.Issued
	err = admin.Call(ctx, "POST", "/v1/tokens", identity.Grant{Name: "alice", Role: identity.Auditor}, &issued)
	if err != nil {
		t.Fatalf("issue token: %v", err)
	}
	auditor := s.with(t, issued.Token)
	if err := auditor.Call(ctx, "GET", "/v1/classes", nil, nil); err != nil {
		t.Errorf("with the new token: %v", err)
	}
	if err := admin.Call(ctx, "DELETE", "/v1/tokens/"+issued.About.ID, nil, nil); err != nil {
		t.Errorf("revoke token: %v", err)
	}
	wantCode(t, auditor.Call(ctx, "GET", "/v1/classes", nil, nil), client.Unauthorized)
	var status httpapi.Status
	if err := admin.Call(ctx, "GET", "/v1/status", nil, &status); err != nil || !status.Ready || status.Origin == "" || status.Custody.Custodians != 1 {
		t.Errorf("status: got %+v and error %v", status, err)
	}
	if err := admin.Call(ctx, "GET", "/healthz", nil, nil); err != nil {
		t.Errorf("health: %v", err)
	}
	// It is for the operator, who reads no payload.
	if _, err := admin.Entry(ctx, 0); err == nil {
		t.Error("the socket gives away an entry")
	}
}

func TestAdministrationIsReadStrictly(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{Body: 100_000})
	tests := []struct {
		name, contentType, body string
		want                    client.ProblemCode
	}{
		{"an unknown name", "application/json", `{"name":"a","clas":"b"}`, client.BadRequest},
		{"a name twice", "application/json", `{"name":"a","name":"b"}`, client.BadRequest},
		{"a name in other letters", "application/json", `{"Name":"a"}`, client.BadRequest},
		{"a name again in other letters", "application/json", `{"name":"a","CLASS":"standard"}`, client.BadRequest},
		{"a name within in other letters", "application/json", `{"name":"a","fields":[{"name":"f","path":"f","ſubject":true}]}`, client.BadRequest},
		{"a wrong type", "application/json", `{"name":7}`, client.BadRequest},
		{"two values", "application/json", `{"name":"a"}{}`, client.BadRequest},
		{"nothing", "application/json", ``, client.BadRequest},
		{"no JSON", "text/plain", `name=a`, client.UnsupportedType},
		{"too much", "application/json", strings.Repeat(" ", 100_001), client.TooLarge},
		{"a path that is none", "application/json", `{"name":"a","fields":[{"name":"f","path":"a[["}]}`, client.BadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.request(t, "POST", "/v1/streams", tt.body, "Content-Type: "+tt.contentType, s.token(identity.Operator))
			p := problem(t, got)
			if p.Code() != tt.want {
				t.Errorf("got %+v, want %q", p, tt.want)
			}
			if strings.Contains(p.Detail, "ledger.") || strings.Contains(p.Detail, "Go ") {
				t.Errorf("the problem speaks of our code: %s", p.Detail)
			}
		})
	}
}

// Whoever checks a request before the server does, by a proxy or by eye, must
// not be shown another token than the one that is issued.
func TestATokenIsIssuedAsItWasAskedFor(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for name, body := range map[string]string{
		"a role twice, in two spellings":  `{"name":"x","role":"auditor","ROLE":"operator"}`,
		"a letter that folds to another":  `{"name":"x","role":"reader","streams":["default"],"\u017ftreams":["*"]}`,
		"an end in the year 10000 in UTC": `{"name":"x","role":"auditor","expires":"9999-12-31T23:59:59-01:00"}`,
		"an end before there were years":  `{"name":"x","role":"auditor","expires":"0000-01-01T00:00:00+01:00"}`,
		"an idempotency key":              `{"name":"x","role":"auditor"}`,
	} {
		headers := []string{"Content-Type: application/json", s.token(identity.Operator)}
		if name == "an idempotency key" {
			headers = append(headers, "Idempotency-Key: k") // which nobody would remember
		}
		before := len(s.tokens.List())
		if p := problem(t, s.request(t, "POST", "/v1/tokens", body, headers...)); p.Code() != client.BadRequest || p.Detail == "" {
			t.Errorf("%s: got %+v, want 400 with a reason", name, p)
		}
		if now := len(s.tokens.List()); now != before {
			t.Errorf("%s: a token was issued", name)
		}
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	if got := s.request(t, "GET", "/readyz", ""); got.status != 200 || got.body != "ok\n" {
		t.Errorf("got %d %q, want ok", got.status, got.body)
	}
	if err := s.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if p := problem(t, s.request(t, "GET", "/readyz", "")); p.Code() != client.Unavailable || p.Detail != "the ledger is closed" {
		t.Errorf("of a closed ledger: got %+v", p)
	}
	if got := s.request(t, "GET", "/healthz", ""); got.status != 200 {
		t.Errorf("the process is said not to live: got %d", got.status)
	}
	// What is public stays so.
	if got := s.request(t, "GET", "/checkpoint", ""); got.status != 200 {
		t.Errorf("the checkpoint of a closed ledger: got %d, want 200", got.status)
	}
	if p := problem(t, s.post(t, "", "{}")); p.Code() != client.Unavailable {
		t.Errorf("append to a closed ledger: got %+v", p)
	}
}

func TestEachReasonWhyALedgerIsNotReadyHasItsOwnWords(t *testing.T) {
	tests := []struct {
		status  ledger.Status
		stopped error
		want    string // empty: it is ready
		retry   bool
	}{
		{ledger.Status{Ready: true, ClockAhead: -60}, nil, "", false},
		{ledger.Status{}, nil, "still waits for its witnesses", true},
		{ledger.Status{ClockAhead: 3661}, nil, "clock is 1h1m1s ahead of its witnesses'", true},
		{ledger.Status{ClockAhead: -90}, nil, "clock is 1m30s behind its witnesses'", true},
		{ledger.Status{ClockAhead: 90, Stopped: "the disk is /gone"}, errors.New("the disk is /gone"), "has stopped by itself", false},
		{ledger.Status{Stopped: "it is closed"}, nil, "is closed", false},
	}
	for _, tt := range tests {
		p := httpapi.NotReady(tt.status, tt.stopped)
		switch {
		case p == nil && tt.want == "":
		case p == nil || tt.want == "" || !strings.Contains(p.Detail, tt.want) || p.Code() != client.Unavailable || (p.RetryAfter > 0) != tt.retry:
			t.Errorf("%+v: got %+v, want %q", tt.status, p, tt.want)
		}
	}
}

func TestMetricsCountRequestsByRoute(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.post(t, "", "{}")
	s.post(t, "?idempotency-field=id", "{\"id\":1}\n{}\n", "Content-Type: application/x-ndjson")
	s.request(t, "GET", "/nothing/at/all", "")
	got := s.request(t, "GET", "/metrics", "")
	for _, want := range []string{
		`cairn_http_requests_total{route="/v1/streams/{stream}/entries",status="201"} 1`,
		`cairn_http_requests_total{route="none",status="404"} 1`,
		`cairn_http_request_seconds_count{route="/v1/streams/{stream}/entries"} 2`,
		`cairn_http_events_refused_total{problem="invalid"} 1`,
		"cairn_http_requests_under_way 1", "cairn_http_tails 0", "cairn_size_published ",
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(got.body, "/nothing/at/all") {
		t.Error("a path that a client made up is a label")
	}
	if _, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities, Metrics: s.Metrics}); err == nil {
		t.Error("two of them measure into the same metrics")
	}
}

// A blocked is a metric that takes its time.
type blocked struct{ entered, leave chan struct{} }

func (b blocked) Describe(d chan<- *prometheus.Desc) {
	d <- prometheus.NewDesc("blocked", "x", nil, nil)
}

func (b blocked) Collect(chan<- prometheus.Metric) { b.entered <- struct{}{}; <-b.leave }

func TestScrapesAreBoundedAndRefusedWithAProblem(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	registry, b := prometheus.NewRegistry(), blocked{make(chan struct{}), make(chan struct{})}
	registry.MustRegister(b)
	api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities, Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	h := api.Handler(httpapi.Health)
	var under sync.WaitGroup
	for range 4 {
		under.Go(func() {
			if got := handle(h, "GET", "/metrics"); got.status != http.StatusOK {
				t.Errorf("got %d %s, want 200", got.status, got.body)
			}
		})
		<-b.entered
	}
	if p := problem(t, handle(h, "GET", "/metrics")); p.Code() != client.Overloaded || p.RetryAfter == 0 {
		t.Errorf("a fifth: got %+v, want 503 with Retry-After", p)
	}
	if got := handle(h, "GET", "/healthz"); got.status != http.StatusOK {
		t.Errorf("the health meanwhile: got %d, want 200", got.status)
	}
	close(b.leave)
	under.Wait()
}

func TestInternalErrorsStayInside(t *testing.T) {
	var logged strings.Builder
	s := serve(t, local.Config{}, httpapi.Limits{})
	api := loggingAPI(t, s, &logged)
	// Without its tree nothing can be read any more.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := handle(api.Handler(httpapi.Read), "GET", "/v1/receipts/1", s.token(identity.Auditor))
	var p client.Problem
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatal(err)
	}
	if got.status != http.StatusInternalServerError || strings.Contains(got.body, "tree") || strings.Contains(got.body, "/") {
		t.Errorf("got %d %s, want nothing told", got.status, got.body)
	}
	id := strings.TrimPrefix(p.Instance, "urn:cairn:request:")
	if !strings.Contains(logged.String(), id) || !strings.Contains(logged.String(), "closed") {
		t.Errorf("the log has %s, want the reason under %s", logged.String(), id)
	}
}

func TestInternalProblemsOfTheLedgerStayInside(t *testing.T) {
	p := client.NewProblem(client.Internal, "open /var/lib/cairn/x: no space left on device", "look at /var/lib")
	if got := httpapi.PublicProblem(p); got.Code() != client.Internal || strings.Contains(got.Error()+got.Hint, "/var") {
		t.Errorf("told %+v", got)
	}
}

// An operator who could make custodians could be two of them.
func TestCustodiansAreNamedByCustodians(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const json = "Content-Type: application/json"
	for _, c := range []struct {
		who, role identity.Role
		want      int
	}{
		{identity.Operator, identity.Auditor, http.StatusCreated}, {identity.Operator, identity.Operator, http.StatusCreated},
		{identity.Operator, identity.Custodian, http.StatusForbidden}, {identity.Custodian, identity.Custodian, http.StatusCreated},
		{identity.Custodian, identity.Auditor, http.StatusForbidden}, {identity.Auditor, identity.Custodian, http.StatusForbidden},
	} {
		got := s.request(t, "POST", "/v1/tokens", `{"name":"new","role":"`+string(c.role)+`"}`, json, s.token(c.who))
		if got.status != c.want {
			t.Errorf("a token of a %s by a %s: got %d %s, want %d", c.role, c.who, got.status, got.body, c.want)
		}
	}
	for _, role := range []identity.Role{identity.Auditor, identity.Custodian} {
		request := httptest.NewRequest("POST", "/v1/tokens", strings.NewReader(`{"name":"new","role":"`+string(role)+`"}`))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		s.api.Local().ServeHTTP(answer, request)
		if answer.Code != http.StatusCreated {
			t.Errorf("a token of a %s by the local operator: got %d %s", role, answer.Code, answer.Body)
		}
	}
}
