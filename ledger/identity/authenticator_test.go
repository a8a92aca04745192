package identity_test

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
	"github.com/cairnlog/cairn/storage/memory"
)

// A certificate never helps a token, and a token never a certificate.
func TestTokenAndCertificateAreNotAddedUp(t *testing.T) {
	f := newFleet(t, true)
	own, about := issue(t, f.Tokens(), identity.Grant{Name: "billing", Role: identity.Auditor})
	cert, stolen := f.ca.Client(t, "web-1"), f.ca.Client(t, "web-2")
	unmapped := f.ca.Client(t, "somebody")
	state, err := connect(t, f.Authenticator, false, cert)
	if err != nil {
		t.Fatal(err)
	}
	with := func(authorization ...string) (identity.Identity, error) {
		return f.Identify(t.Context(), identity.Credentials{Authorization: authorization, TLS: state})
	}
	if i, err := with("Bearer " + own); err != nil || i.Name != "billing" || i.May(identity.Append, "web") {
		t.Errorf("with both: got %+v and error %v, want the token alone", i, err)
	}
	for what, values := range map[string][]string{
		"empty": {""}, "of another scheme": {"Basic d2ViOng="}, "of a token that there is not": {"Bearer x"},
		"twice": {"Bearer " + own, "Bearer " + own}, "of an issuer that there is not": bearerOf("e30.e30.AA"),
	} {
		_, err := with(values...)
		wantOutcome(t, "with an authorization "+what, err, identity.Unknown)
	}
	if err := f.Tokens().Revoke(t.Context(), about.ID, nil); err != nil {
		t.Fatal(err)
	}
	_, err = with("Bearer " + own)
	wantOutcome(t, "with a token that was revoked", err, identity.Unknown)
	if i, err := with(); err != nil || i.Name != "cert:fleet:CN=web-1" {
		t.Errorf("with the certificate alone: got %+v and error %v", i, err)
	}

	// Whatever else is shown, a certificate that is shown must hold.
	own, _ = issue(t, f.Tokens(), identity.Grant{Name: "billing", Role: identity.Auditor})
	if state, err = connect(t, f.Authenticator, false, unmapped); err != nil {
		t.Fatal(err)
	}
	if i, err := with("Bearer " + own); err != nil || i.Name != "billing" {
		t.Errorf("with a certificate that gives nothing: got %+v and error %v", i, err)
	}
	if state, err = connect(t, f.Authenticator, false, stolen); err != nil {
		t.Fatal(err)
	}
	writeFile(t, f.revoked, f.ca.List(t, start, time.Hour, stolen))
	f.clock.advance(time.Second)
	_, err = with("Bearer " + own)
	wantOutcome(t, "with a certificate that is revoked", err, identity.Revoked)
}

func TestRefusalsAreProblems(t *testing.T) {
	for outcome, want := range map[identity.Outcome]int{
		identity.Absent: http.StatusUnauthorized, identity.Unknown: http.StatusUnauthorized, identity.Expired: http.StatusUnauthorized,
		identity.Revoked: http.StatusUnauthorized, identity.Nothing: http.StatusForbidden, identity.Unavailable: http.StatusServiceUnavailable,
	} {
		if got := (&identity.Refusal{Outcome: outcome}).Problem().Status; got != want {
			t.Errorf("%s: got %d, want %d", outcome, got, want)
		}
	}
	// What only the operator may know is not told to whoever asks.
	l := newLogin(t, nil)
	_, err := l.who(t, l.Token(t, l.claims(identitytest.Claims{"aud": "other"})))
	var r *identity.Refusal
	if !errors.As(err, &r) || !strings.Contains(err.Error(), `"other"`) || strings.Contains(r.Problem().Detail+r.Problem().Hint, "other") || r.Problem().Code() != client.Unauthorized {
		t.Errorf("got error %v and the problem %+v", err, r.Problem())
	}
}

func TestLoginsAreCounted(t *testing.T) {
	tokens := openTokens(t, memory.New(nil).Register("tokens"), time.Now)
	registry := prometheus.NewRegistry()
	a, err := identity.New(identity.Options{Tokens: tokens, Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	g := identity.Grant{Name: "a", Role: identity.Auditor, Expires: time.Now().Add(time.Hour)}
	token, _ := issue(t, tokens, g)
	for _, authorization := range [][]string{nil, {"Bearer " + token}, {"Bearer " + token + "0"}, {"Bearer " + token[:8]}, {"Digest x"}} {
		_, err := a.Identify(t.Context(), identity.Credentials{Authorization: authorization})
		if (err == nil) != (len(authorization) > 0 && authorization[0] == "Bearer "+token) {
			t.Errorf("%.20q: got error %v", authorization, err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetValue())
			}
			got[f.GetName()+" "+strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{
		"cairn_logins_total none absent": 1, "cairn_logins_total none unknown": 1,
		"cairn_logins_total token known": 1, "cairn_logins_total token unknown": 2,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := identity.New(identity.Options{Tokens: tokens, Metrics: registry}); err == nil {
		t.Error("two authenticators share their metrics")
	}
}
