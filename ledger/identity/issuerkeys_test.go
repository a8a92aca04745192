package identity_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
)

func TestKeysOfAnIssuerChange(t *testing.T) {
	l := newLogin(t, nil)
	second := identitytest.NewSigner(t, "key-2", "RS256")
	token := func(s identitytest.Signer) string {
		return s.Token(t, l.claims(nil))
	}
	if _, err := l.who(t, token(l.Signer)); err != nil {
		t.Fatal(err)
	}
	l.Serve(l.Signer, second)
	_, err := l.who(t, token(second))
	wantOutcome(t, "a new key just after the keys were fetched", err, identity.Unknown)
	l.clock.advance(10 * time.Second)
	if _, err := l.who(t, token(second)); err != nil {
		t.Errorf("a new key: %v", err)
	}
	// The old key is withdrawn: it is good until the keys are fetched again.
	l.Serve(second)
	asked := l.TimesAsked()
	l.clock.advance(10 * time.Minute)
	if _, err := l.who(t, token(l.Signer)); err != nil {
		t.Errorf("an old key while the keys are fetched: %v", err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err = l.who(t, token(l.Signer)); err != nil || time.Now().After(deadline) {
			break
		}
	}
	wantOutcome(t, "a key that was withdrawn", err, identity.Unknown)
	if got := l.TimesAsked() - asked; got != 1 {
		t.Errorf("the issuer was asked %d times more, want once", got)
	}
}

func TestIssuerIsAway(t *testing.T) {
	l := newLogin(t, nil)
	token := func(s identitytest.Signer) string {
		return s.Token(t, l.claims(nil))
	}
	if _, err := l.who(t, token(l.Signer)); err != nil {
		t.Fatal(err)
	}
	l.Change(func() { l.Down = true })
	l.clock.advance(23 * time.Hour)
	if _, err := l.who(t, token(l.Signer)); err != nil {
		t.Errorf("a day after it was asked: %v", err)
	}
	l.clock.advance(time.Minute)
	_, err := l.who(t, token(identitytest.NewSigner(t, "key-2", "ES256")))
	wantOutcome(t, "a new key", err, identity.Unavailable)
	var r *identity.Refusal
	if errors.As(err, &r) && (r.Problem().Status != http.StatusServiceUnavailable || r.Problem().RetryAfter <= 0) {
		t.Errorf("got %+v, want that it can be tried again", r.Problem())
	}
	l.clock.advance(time.Hour)
	_, err = l.who(t, token(l.Signer))
	wantOutcome(t, "more than a day after it was asked", err, identity.Unavailable)

	// Nobody else needs the issuer.
	own, _ := issue(t, l.Tokens(), identity.Grant{Name: "a", Role: identity.Auditor})
	if _, err := l.who(t, own); err != nil {
		t.Errorf("a token of the ledger: %v", err)
	}
	l.Change(func() { l.Down = false })
	l.clock.advance(10 * time.Second)
	if _, err := l.who(t, token(l.Signer)); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestIssuerThatAnswersBadly(t *testing.T) {
	answer := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	for what, change := range map[string]func(d *identitytest.Issuer){
		"a document of another issuer": func(d *identitytest.Issuer) {
			d.Document = answer(`{"issuer":"https://a.example","jwks_uri":"` + d.Server.URL + `/keys"}`)
		},
		"a document without keys": func(d *identitytest.Issuer) { d.Document = answer(`{"issuer":"` + d.Server.URL + `"}`) },
		"keys in plain text elsewhere": func(d *identitytest.Issuer) {
			d.Document = answer(`{"issuer":"` + d.Server.URL + `","jwks_uri":"http://keys.example/keys"}`)
		},
		"keys at no URL": func(d *identitytest.Issuer) {
			d.Document = answer(`{"issuer":"` + d.Server.URL + `","jwks_uri":"keys"}`)
		},
		"an issuer twice": func(d *identitytest.Issuer) {
			d.Document = answer(`{"issuer":"a","issuer":"` + d.Server.URL + `","jwks_uri":"` + d.Server.URL + `/keys"}`)
		},
		"a page":           func(d *identitytest.Issuer) { d.Document = answer("<html>") },
		"a document twice": func(d *identitytest.Issuer) { d.Document = answer(strings.Repeat(" ", 300<<10)) },
		"another place": func(d *identitytest.Issuer) {
			d.Document = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) }
		},
		"keys without end": func(d *identitytest.Issuer) { d.KeySet = answer(`{"keys":[` + strings.Repeat(" ", 300<<10)) },
		"no keys":          func(d *identitytest.Issuer) { d.KeySet = answer(`{"keys":[]}`) },
		"a secret as key": func(d *identitytest.Issuer) {
			d.KeySet = answer(`{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"key-1"}]}`)
		},
		"too many keys": func(d *identitytest.Issuer) {
			d.KeySet = answer(`{"keys":[` + strings.Repeat(`{"kty":"x"},`, 64) + `{"kty":"x"}]}`)
		},
		"keys that are no list": func(d *identitytest.Issuer) { d.KeySet = answer(`{"keys":7}`) },
		"an error": func(d *identitytest.Issuer) {
			d.KeySet = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }
		},
	} {
		l := newLogin(t, nil)
		if _, err := l.who(t, l.Token(t, l.claims(nil))); err != nil {
			t.Fatal(err)
		}
		l.Change(func() { change(l.Issuer) })
		l.clock.advance(25 * time.Hour)
		_, err := l.who(t, l.Token(t, l.claims(nil)))
		wantOutcome(t, what, err, identity.Unavailable)
	}
}

func TestIssuerThatIsNotThereStopsNobody(t *testing.T) {
	c := issuer("http://127.0.0.1:1")
	a := authenticator(t, c, &clock{now: start})
	own, _ := issue(t, a.Tokens(), identity.Grant{Name: "a", Role: identity.Auditor})
	if i, err := a.Identify(t.Context(), identity.Credentials{Authorization: bearerOf(own)}); err != nil || i.Name != "a" {
		t.Errorf("got %+v and error %v", i, err)
	}
	s := identitytest.NewSigner(t, "key-1", "ES256")
	_, err := a.Identify(t.Context(), identity.Credentials{Authorization: bearerOf(s.Token(t, identitytest.ClaimsOf("http://127.0.0.1:1", start, nil)))})
	wantOutcome(t, "a token of it", err, identity.Unavailable)
}

func TestIssuerWithACertificateOfItsOwn(t *testing.T) {
	l := newLogin(t, nil)
	l.Issuer = identitytest.Unstarted(t, l.Signer)
	l.Server.StartTLS()
	dir := t.TempDir()
	file := dir + "/ca.pem"
	writeFile(t, file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Server.Certificate().Raw}))
	c := issuer(l.Server.URL)
	if err := l.Set(c); err != nil {
		t.Fatal(err)
	}
	_, err := l.who(t, l.Token(t, l.claims(nil)))
	wantOutcome(t, "a server that nobody vouches for", err, identity.Unavailable)
	c.Issuers[0].Certificates = file
	if err := l.Set(c); err != nil {
		t.Fatal(err)
	}
	if _, err := l.who(t, l.Token(t, l.claims(nil))); err != nil {
		t.Error(err)
	}
	c.Issuers[0].Certificates = dir + "/none.pem"
	if err := l.Set(c); err == nil || !strings.Contains(err.Error(), `oidc "corp": ca: `) {
		t.Errorf("got error %v, want that there is no file", err)
	}
}

// The configuration changes while requests come, and what stays keeps its keys.
func TestConfigurationChangesUnderWay(t *testing.T) {
	l := newLogin(t, nil)
	token := l.Token(t, l.claims(nil))
	if _, err := l.who(t, token); err != nil {
		t.Fatal(err)
	}
	l.Change(func() { l.Down = true })
	with, without := issuer(l.Server.URL), issuer(l.Server.URL)
	without.Issuers[0].Refused = []string{"alice"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			if err := l.Set([]identity.Config{without, with}[i%2]); err != nil {
				t.Error(err)
			}
		}
	}()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		_, err := l.who(t, token)
		var r *identity.Refusal
		if err != nil && (!errors.As(err, &r) || r.Outcome != identity.Revoked) {
			t.Fatal(err)
		}
	}
	if _, err := l.who(t, token); err != nil {
		t.Error(err)
	}
	if err := l.Set(identity.Config{}); err != nil {
		t.Fatal(err)
	}
	_, err := l.who(t, token)
	wantOutcome(t, "an issuer that was taken out", err, identity.Unknown)
}
