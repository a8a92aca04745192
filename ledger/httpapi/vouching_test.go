package httpapi_test

import (
	"context"
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

// TestWhoVouchesForIdentitiesIsAnAct: whoever gives a role by the configuration
// is seen to do so, also where that is refused, and at a start.
func TestWhoVouchesForIdentitiesIsAnAct(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	s.request(t, "GET", "/healthz", "") // its start is over, at which nobody else vouched
	config := s.knowIssuer(t).config
	as := ledger.Caller{Name: "local operator", Role: "operator", From: "a test"}
	if err := s.api.SetIdentities(t.Context(), as, config); err != nil {
		t.Fatal(err)
	}
	wrong := identity.Config{ClientCAs: []identity.CA{{Name: "fleet"}}}
	if err := s.api.SetIdentities(t.Context(), as, wrong); err == nil {
		t.Fatal("a CA without certificates is taken")
	}
	ctx, stop := context.WithCancel(t.Context())
	server, err := s.api.ListenLocal(t.TempDir() + "/socket")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- httpapi.Serve(ctx, time.Second, server) }()
	var acts []proofs.Act
	for start := time.Now(); len(acts) < 3 && time.Since(start) < time.Minute; time.Sleep(10 * time.Millisecond) {
		acts = s.acts(t, client.HistoryQuery{What: proofs.ActIdentitiesSet})
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	want := []struct{ from, outcome, settings string }{
		{"a test", "done", `{"name":"oidc:corp","issuer":"` + config.Issuers[0].URL + `","grants":[{"to":"groups=readers","role":"reader","streams":["default"]}`},
		{"a test", "failed", `{"authorities":[{"name":"cert:fleet"`},
		{"start", "done", `"to":"groups=auditors","role":"auditor"`},
	}
	if len(acts) != len(want) {
		t.Fatalf("got the acts %+v, want %d", acts, len(want))
	}
	for i, w := range want {
		if a := acts[i]; a.Who != "local operator" || a.From != w.from || a.Outcome != w.outcome || !strings.Contains(string(a.Settings), w.settings) {
			t.Errorf("got %+v with %s, want %+v", a, a.Settings, w)
		}
	}
}
