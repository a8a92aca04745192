package cmd

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// A metric is what is known of one: its type, and its labels in order.
type metric struct{ kind, labels string }

// servedMetrics returns what a ledger, its HTTP API and a witness serve at
// /metrics once each of them has done something.
func servedMetrics(t *testing.T) map[string]metric {
	t.Helper()
	ctx := context.Background()
	registry := prometheus.NewRegistry()
	d := witnessedLedger(t, registry)
	events := []client.Event{{Data: []byte(`{"a":1}`)}, {Data: []byte(`not JSON`)}}
	results, err := d.Ledger.As(ledger.Caller{Name: "alice"}).Append(ctx, ledger.DefaultStream, events, client.Witnessed)
	if err != nil || results[0].Err != nil || results[1].Err == nil {
		t.Fatalf("append: %+v, %v", results, err)
	}
	tokens, err := identity.OpenTokens(ctx, identity.TokensConfig{Register: d.Tokens})
	if err != nil {
		t.Fatal(err)
	}
	identities := newIdentities(t, tokens, registry)
	api, err := httpapi.New(httpapi.Config{Ledger: d.Ledger, Identities: identities, Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	refuseEvent(t, api, tokens)
	stranger := d.Ledger.As(ledger.Caller{Name: "eve", May: func(proofs.Kind, string) bool { return false }})
	if _, err := stranger.Entry(ctx, 0); err == nil {
		t.Fatal("somebody reads what they may not")
	}
	answer := httptest.NewRecorder()
	api.Handler(httpapi.Health).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	served := make(map[string]metric)
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+) (\w+)$`).FindAllStringSubmatch(answer.Body.String(), -1) {
		served[m[1]] = metric{kind: m[2]}
	}
	addLabels(t, registry, served)
	return served
}

// newIdentities returns an authenticator that has asked an issuer for its keys.
func newIdentities(t *testing.T, tokens *identity.Tokens, registry *prometheus.Registry) *identity.Authenticator {
	t.Helper()
	identities, err := identity.New(identity.Options{Tokens: tokens, Metrics: registry, Config: identity.Config{Issuers: []identity.Issuer{{
		Name: "corp", URL: "http://127.0.0.1:1", Audience: "cairn", Grants: []identity.ClaimGrant{{Claim: "sub", Value: "*", Role: identity.Auditor}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := identities.Close(); err != nil {
			t.Error(err)
		}
	})
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xOjEifQ.AAAA" // {"alg":"ES256"}, {"iss":"http://127.0.0.1:1"}
	if _, err := identities.Identify(t.Context(), identity.Credentials{Authorization: []string{"Bearer " + token}}); err == nil {
		t.Fatal("a token that nobody signed is good")
	}
	return identities
}

// refuseEvent sends a batch of which the API refuses one event by itself.
func refuseEvent(t *testing.T, api *httpapi.API, tokens *identity.Tokens) {
	t.Helper()
	token, _, err := tokens.Issue(t.Context(), identity.Grant{Name: "app", Role: identity.Writer, Streams: []string{identity.EveryStream}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/v1/streams/default/entries?idempotency-field=id", strings.NewReader("{\"id\":1}\n{}\n"))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer := httptest.NewRecorder()
	if api.Handler(httpapi.Write).ServeHTTP(answer, r); answer.Code >= 300 {
		t.Fatalf("append: %d %s", answer.Code, answer.Body)
	}
}

// witnessedLedger opens a new ledger and the one witness that it asks.
func witnessedLedger(t *testing.T, registry *prometheus.Registry) *local.Directory {
	t.Helper()
	ctx := context.Background()
	key, err := proofs.GenerateKey("witness.example.net", proofs.Ed25519Cosignature, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.New(ctx, witness.Config{Keys: []proofs.SigningKey{key}, Registers: memory.New(nil).Registers("witness"), Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	o := local.Options{Witnesses: []ledger.Witness{{Names: []string{"w"}, Cosigner: w}}}
	dir := filepath.Join(t.TempDir(), "ledger")
	err = local.Init(ctx, dir, local.InitOptions{Origin: "log.example.com", Policy: "witness w " + key.Key().String() + "\nquorum w\n", Options: o})
	if err != nil {
		t.Fatal(err)
	}
	o.Metrics = registry
	d, err := local.Open(ctx, dir, local.Config{}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, l := range d.Policy.Logs {
		if err := w.SetLogs([]witness.Log{{Origin: l.Key.Name(), Key: l.Key, QPD: 1, Contact: "nobody"}}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// addLabels adds the labels of all metrics that are registered. One that was
// not served has none to be added to, and fails the test.
func addLabels(t *testing.T, registry *prometheus.Registry, served map[string]metric) {
	t.Helper()
	described := make(chan *prometheus.Desc, 1024)
	registry.Describe(described)
	close(described)
	form := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{(.*?)\}`)
	for d := range described {
		m := form.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("no name in %s", d)
		}
		known, ok := served[m[1]]
		if !ok {
			t.Errorf("%s is registered, and this test does nothing that makes it show", m[1])
			continue
		}
		known.labels = m[2]
		served[m[1]] = known
	}
}

func TestEveryMetricStandsInTheTable(t *testing.T) {
	page := readDoc(t, integrationsPage)
	documented := make(map[string]metric)
	for _, m := range regexp.MustCompile(`(?m)^\.It Cm (cairn_\w+)(?: Brq (.+))?\n(\w+)\.$`).FindAllStringSubmatch(page, -1) {
		documented[m[1]] = metric{strings.ToLower(m[3]), strings.ReplaceAll(m[2], " ", "")}
	}
	served := servedMetrics(t)
	for _, name := range slices.Sorted(maps.Keys(served)) {
		if got := documented[name]; got != served[name] {
			t.Errorf("cairn-integrations(7) has %s as %+v, want %+v", name, got, served[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if _, ok := served[name]; !ok {
			t.Errorf("cairn-integrations(7) has %s, and nobody serves it", name)
		}
	}
	for _, path := range integrationFiles(t) {
		checkMetricsIn(t, path, served)
	}
	checkMetricsIn(t, integrationsPage, served)
	checkMetricsIn(t, "../doc/man/cairn-troubleshooting.7", served)
}

// checkMetricsIn checks the names of metrics in a file, and the labels that
// select among them.
func checkMetricsIn(t *testing.T, path string, served map[string]metric) {
	t.Helper()
	text := strings.ReplaceAll(readDoc(t, path), `\"`, `"`)
	for _, m := range regexp.MustCompile(`\b(cairn_[a-z]\w*)(?:\{([^}]*)\})?`).FindAllStringSubmatch(text, -1) {
		name, selected := m[1], m[2]
		known, ok := served[name]
		if !ok {
			base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if known = served[base]; known.kind != "histogram" {
				t.Errorf("%s: there is no metric %s", path, name)
			}
		}
		labels := append(strings.Split(known.labels, ","), "job", "instance", "le")
		for _, l := range regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`).FindAllStringSubmatch(selected, -1) {
			if !slices.Contains(labels, l[1]) {
				t.Errorf("%s: %s has no label %s", path, name, l[1])
			}
		}
	}
}
