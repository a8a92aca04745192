package identity_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
)

// A login is an issuer and an authenticator that knows it.
type login struct {
	*identity.Authenticator
	*identitytest.Issuer
	identitytest.Signer
	clock *clock
}

func newLogin(t testing.TB, change func(*identity.Config)) *login {
	t.Helper()
	l := &login{Signer: identitytest.NewSigner(t, "key-1", "ES256"), clock: &clock{now: start}}
	l.Issuer = identitytest.NewIssuer(t, l.Signer)
	c := issuer(l.Server.URL)
	if change != nil {
		change(&c)
	}
	l.Authenticator = authenticator(t, c, l.clock)
	return l
}

func (l *login) who(t testing.TB, token string) (identity.Identity, error) {
	t.Helper()
	return l.Identify(t.Context(), identity.Credentials{Authorization: bearerOf(token)})
}

// rotate changes the keys, a day after those of before were fetched.
func (l *login) rotate(t testing.TB, keys ...identitytest.Signer) {
	t.Helper()
	if _, err := l.who(t, l.Token(t, l.claims(nil))); err != nil {
		t.Fatal(err)
	}
	l.Serve(keys...)
	l.clock.advance(24 * time.Hour)
}

// claims returns the claims of a token that is good for an hour, with changes.
func (l *login) claims(changes identitytest.Claims) identitytest.Claims {
	return identitytest.ClaimsOf(l.Server.URL, l.clock.Now(), changes)
}

func TestTokenOfAnIssuerSaysWhoItIs(t *testing.T) {
	for _, algorithm := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		l := newLogin(t, nil)
		s := identitytest.NewSigner(t, "other", algorithm)
		l.rotate(t, s)
		i, err := l.who(t, s.Token(t, l.claims(nil)))
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		if i.Name != "oidc:corp:alice" || i.Kind != identity.ByIssuer || i.Credential != "id-1" || !i.Expires.Equal(l.clock.Now().Add(time.Hour)) {
			t.Errorf("%s: got %+v", algorithm, i)
		}
		if !i.May(identity.Read, "web") || i.May(identity.Read, "other") || i.May(identity.ReadSealed, "") {
			t.Errorf("%s: got the rights %+v", algorithm, i.Rights)
		}
	}
}

func TestGoodTokensOfManyForms(t *testing.T) {
	l := newLogin(t, nil)
	for what, token := range map[string]string{
		"with several audiences":      l.Token(t, l.claims(identitytest.Claims{"aud": []string{"other", "cairn"}})),
		"an access token of RFC 9068": l.Sign(t, identitytest.Claims{"alg": "ES256", "typ": "at+jwt", "kid": "key-1"}, l.claims(nil)),
		"typed in full":               l.Sign(t, identitytest.Claims{"alg": "ES256", "typ": "application/at+JWT", "kid": "key-1"}, l.claims(nil)),
		"without a type or a key ID":  l.Sign(t, identitytest.Claims{"alg": "ES256"}, l.claims(nil)),
		"with half seconds":           l.Token(t, l.claims(identitytest.Claims{"exp": float64(start.Unix()) + 60.5})),
		"without times but its end":   l.Token(t, l.claims(identitytest.Claims{"iat": nil})),
		"that has just ended":         l.Token(t, l.claims(identitytest.Claims{"exp": start.Add(-29 * time.Second).Unix()})),
		"that is about to begin":      l.Token(t, l.claims(identitytest.Claims{"nbf": start.Add(30 * time.Second).Unix(), "iat": start.Add(30 * time.Second).Unix()})),
		"of the longest life":         l.Token(t, l.claims(identitytest.Claims{"exp": start.Add(24 * time.Hour).Unix()})),
	} {
		if i, err := l.who(t, token); err != nil || i.Name != "oidc:corp:alice" {
			t.Errorf("%s: got %+v and error %v", what, i, err)
		}
	}
}

func TestRightsComeFromClaims(t *testing.T) {
	l := newLogin(t, func(c *identity.Config) {
		is := &c.Issuers[0]
		is.NameClaim = "email"
		is.Refused = []string{"lost@example.com"}
		is.Grants = []identity.ClaimGrant{
			{Claim: "/realm_access/roles", Value: "audit", Role: identity.Auditor},
			{Claim: "https://example.com/streams", Value: "web-*", Role: identity.Reader, Streams: []string{"web"}},
			{Claim: "/a~1b/~0", Value: "x", Role: identity.Operator},
			{Claim: "admin", Value: "true", Role: identity.Custodian},
		}
	})
	for what, c := range map[string]struct {
		claims identitytest.Claims
		want   string // roles, or the outcome
	}{
		"a claim below another":           {identitytest.Claims{"realm_access": identitytest.Claims{"roles": []string{"x", "audit"}}}, "an auditor"},
		"a claim that is not below":       {identitytest.Claims{"realm_access": []string{"roles"}}, "nothing"},
		"a claim that is null":            {identitytest.Claims{"realm_access": nil, "https://example.com/streams": json.RawMessage("null")}, "nothing"},
		"a claim whose name is a URL":     {identitytest.Claims{"https://example.com/streams": "web-1"}, "a reader"},
		"a claim with escapes":            {identitytest.Claims{"a/b": identitytest.Claims{"~": "x"}}, "an operator"},
		"a claim that is true":            {identitytest.Claims{"admin": true}, "a custodian"},
		"two of them":                     {identitytest.Claims{"admin": true, "realm_access": identitytest.Claims{"roles": "audit"}}, "an auditor and a custodian"},
		"an address that is not verified": {identitytest.Claims{"admin": true, "email_verified": false}, "nothing"},
		"an address nobody speaks of":     {identitytest.Claims{"admin": true, "email_verified": nil}, "nothing"},
		"an address verified in words":    {identitytest.Claims{"admin": true, "email_verified": "true"}, "nothing"},
		"an address that is refused":      {identitytest.Claims{"admin": true, "email": "lost@example.com"}, "revoked"},
	} {
		changes := identitytest.Claims{"email": "alice@example.com", "email_verified": true, "groups": nil}
		for name, value := range c.claims {
			changes[name] = value
		}
		i, err := l.who(t, l.Token(t, l.claims(changes)))
		var r *identity.Refusal
		if got := i.Roles(); errors.As(err, &r) && string(r.Outcome) != c.want || err == nil && got != c.want {
			t.Errorf("%s: got %q and error %v, want %s", what, got, err, c.want)
		}
		if err == nil && i.Name != "oidc:corp:alice@example.com" {
			t.Errorf("%s: got %s", what, i.Name)
		}
	}
}

func TestTokenBoundToACertificate(t *testing.T) {
	l := newLogin(t, nil)
	f := newFleet(t, false)
	c := f.config
	c.Issuers = issuer(l.Server.URL).Issuers
	if err := f.Set(c); err != nil {
		t.Fatal(err)
	}
	cert, other := f.ca.Client(t, "web-1"), f.ca.Client(t, "web-1")
	sum := sha256.Sum256(cert.Certificate[0])
	hash := base64.RawURLEncoding.EncodeToString(sum[:])
	bound := bearerOf(l.Token(t, l.claims(identitytest.Claims{"cnf": identitytest.Claims{"x5t#S256": hash}})))
	for what, c := range map[string]struct {
		authorization []string
		show          []tls.Certificate
		good          bool
	}{
		"with its certificate":    {bound, []tls.Certificate{cert}, true},
		"with another":            {bound, []tls.Certificate{other}, false},
		"without one":             {bound, nil, false},
		"bound to two things":     {bearerOf(l.Token(t, l.claims(identitytest.Claims{"cnf": identitytest.Claims{"x5t#S256": hash, "jkt": "a"}}))), []tls.Certificate{cert}, false},
		"bound to nothing at all": {bearerOf(l.Token(t, l.claims(identitytest.Claims{"cnf": "x"}))), []tls.Certificate{cert}, false},
	} {
		state, err := connect(t, f.Authenticator, false, c.show...)
		if err != nil {
			t.Fatal(err)
		}
		i, err := f.Identify(t.Context(), identity.Credentials{Authorization: c.authorization, TLS: state})
		if (err == nil) != c.good || c.good && i.Name != "oidc:corp:alice" {
			t.Errorf("%s: got %+v and error %v", what, i, err)
		}
	}
}
