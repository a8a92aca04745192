package httpapi_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// A login is an issuer that a served ledger knows.
type login struct {
	*identitytest.Issuer
	key    identitytest.Signer
	config identity.Config
}

// knowIssuer has the ledger know an issuer that gives readers and auditors
// their rights by their groups.
func (s *served) knowIssuer(t *testing.T) *login {
	t.Helper()
	l := &login{key: identitytest.NewSigner(t, "key-1", "ES256")}
	l.Issuer = identitytest.NewIssuer(t, l.key)
	l.config = identity.Config{Issuers: []identity.Issuer{{Name: "corp", URL: l.Server.URL, Audience: "cairn", Grants: []identity.ClaimGrant{
		{Claim: "groups", Value: "readers", Role: identity.Reader, Streams: []string{"default"}},
		{Claim: "groups", Value: "auditors", Role: identity.Auditor},
	}}}}
	if err := s.identities.Set(l.config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.identities.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// token returns a token of a login, with changes.
func (l *login) token(t *testing.T, changes identitytest.Claims) string {
	t.Helper()
	return l.key.Token(t, identitytest.ClaimsOf(l.Server.URL, time.Now(), changes))
}

func TestLoginsAreAnswered(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	l := s.knowIssuer(t)
	both := []string{"readers", "auditors"}
	stranger := identitytest.NewSigner(t, "key-2", "ES256")
	for what, c := range map[string]struct {
		path, token string
		want        int
		code        client.ProblemCode
	}{
		"a reader reads a receipt":             {"/v1/receipts/0", l.token(t, nil), 200, ""},
		"a reader asks for sealed records":     {"/v1/vault/000.p/1", l.token(t, nil), 403, client.Forbidden},
		"an auditor who reads asks for them":   {"/v1/vault/000.p/1", l.token(t, identitytest.Claims{"groups": both}), 200, ""},
		"an auditor who reads reads":           {"/v1/streams", l.token(t, identitytest.Claims{"groups": both}), 200, ""},
		"somebody without a right":             {"/v1/receipts/0", l.token(t, identitytest.Claims{"groups": "staff"}), 403, client.Forbidden},
		"somebody whose token has expired":     {"/v1/receipts/0", l.token(t, identitytest.Claims{"exp": time.Now().Add(-time.Hour).Unix()}), 401, client.Unauthorized},
		"somebody of another audience":         {"/v1/receipts/0", l.token(t, identitytest.Claims{"aud": "other"}), 401, client.Unauthorized},
		"a token of a key that there is not":   {"/v1/receipts/0", stranger.Token(t, identitytest.ClaimsOf(l.Server.URL, time.Now(), nil)), 401, client.Unauthorized},
		"something that is no token at all":    {"/v1/receipts/0", "a.b.c", 401, client.Unauthorized},
		"a token of an issuer nobody knows":    {"/v1/receipts/0", l.token(t, identitytest.Claims{"iss": "https://login.example.com"}), 401, client.Unauthorized},
		"a token in the place of ours, broken": {"/v1/receipts/0", s.bearer[identity.Reader] + "0", 401, client.Unauthorized},
	} {
		got := s.request(t, "GET", c.path, "", "Authorization: Bearer "+c.token)
		if got.status != c.want || c.code != "" && !strings.Contains(got.body, string(c.code)) {
			t.Errorf("%s: got %d %s, want %d", what, got.status, got.body, c.want)
		}
		if challenged := got.header.Get("WWW-Authenticate") != ""; challenged != (c.want == 401) {
			t.Errorf("%s: got %d with a challenge: %v", what, got.status, challenged)
		}
	}
	l.Change(func() { l.Down = true })
	other := identity.Config{Issuers: []identity.Issuer{l.config.Issuers[0]}}
	other.Issuers[0].Name = "again" // whose keys are not there yet
	if err := s.identities.Set(other); err != nil {
		t.Fatal(err)
	}
	got := s.request(t, "GET", "/v1/receipts/0", "", "Authorization: Bearer "+l.token(t, nil))
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "cannot be asked for its keys") {
		t.Errorf("while the issuer is away: got %d %s", got.status, got.body)
	}
	if got := s.request(t, "GET", "/v1/receipts/0", "", s.token(identity.Reader)); got.status != http.StatusOK {
		t.Errorf("a token of the ledger while the issuer is away: got %d", got.status)
	}
}

// Whoever has a token that expired hears when, and is refused as anybody else who
// is not known.
func TestATokenThatExpiredIsAnsweredSo(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	then := time.Now().Add(-time.Hour).Truncate(time.Second)
	before, err := identity.OpenTokens(t.Context(), identity.TokensConfig{Register: s.Tokens, Clock: func() time.Time { return then }})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := before.Issue(t.Context(), identity.Grant{Name: "eve", Role: identity.Reader, Streams: []string{"default"}, Expires: then.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if s.tokens, err = identity.OpenTokens(t.Context(), identity.TokensConfig{Register: s.Tokens}); err != nil {
		t.Fatal(err)
	}
	identities, err := identity.New(identity.Options{Tokens: s.tokens})
	if err != nil {
		t.Fatal(err)
	}
	api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: identities})
	if err != nil {
		t.Fatal(err)
	}
	got := handle(api.Handler(httpapi.Every), "GET", "/v1/receipts/0", "Authorization: Bearer "+token)
	p := problem(t, got)
	if want := "the token expired at " + then.Add(time.Minute).UTC().Format(time.RFC3339); p.Code() != client.Unauthorized || p.Detail != want || !strings.Contains(p.Hint, "cairnd token issue") {
		t.Errorf("got %+v, want %s", p, want)
	}
	if got.header.Get("WWW-Authenticate") != `Bearer realm="cairn", error="invalid_token"` {
		t.Errorf("got the challenge %q", got.header.Get("WWW-Authenticate"))
	}
	act := one(t, s.acts(t, client.HistoryQuery{What: proofs.ActRefused}))
	if act.Who != identity.Nobody || act.Object != "GET /v1/receipts/{index}" || act.Detail != string(client.Unauthorized) {
		t.Errorf("got %+v recorded", act)
	}
}

// A tail ends once whoever follows it is no more who it was.
func TestTailEndsWithItsLogin(t *testing.T) {
	for what, c := range map[string]struct {
		claims identitytest.Claims
		change func(*identity.Config)
		want   string
	}{
		"the name is refused":    {nil, func(c *identity.Config) { c.Issuers[0].Refused = []string{"alice"} }, "the operator refuses"},
		"a right is gone":        {nil, func(c *identity.Config) { c.Issuers[0].Grants[0].Value = "others" }, "gives no right"},
		"the streams are others": {nil, func(c *identity.Config) { c.Issuers[0].Grants[0].Streams = []string{"default", "other"} }, "has changed"},
		"there is one more role": {identitytest.Claims{"groups": []string{"readers", "staff"}}, func(c *identity.Config) { c.Issuers[0].Grants[1].Value = "staff" }, "has changed"},
		"the issuer is gone":     {nil, func(c *identity.Config) { c.Issuers = nil }, "needs the token of somebody"},
		"the token ends":         {nil, nil, "does not hold now"},
	} {
		t.Run(what, func(t *testing.T) {
			s := serve(t, local.Config{}, httpapi.Limits{KeepAlive: 10 * time.Millisecond})
			l := s.knowIssuer(t)
			if c.change == nil { // its end and the skew are 3 s away
				c.claims = identitytest.Claims{"exp": time.Now().Add(-27 * time.Second).Unix()}
			}
			follow := s.open(t, "?stream=default", l.token(t, c.claims))
			if c.change != nil {
				if err := s.identities.Set(l.config); err != nil { // the same again changes nothing
					t.Fatal(err)
				}
				changed := identity.Config{Issuers: []identity.Issuer{l.config.Issuers[0]}}
				changed.Issuers[0].Grants = append([]identity.ClaimGrant(nil), l.config.Issuers[0].Grants...)
				c.change(&changed)
				if err := s.identities.Set(changed); err != nil {
					t.Fatal(err)
				}
			}
			for {
				lines := strings.Join(follow.block(), "\n")
				if strings.Contains(lines, "event: problem") && strings.Contains(lines, c.want) {
					break
				}
				if lines == "" || strings.Contains(lines, "event: problem") {
					t.Fatalf("got %q, want a problem: %s", lines, c.want)
				}
			}
		})
	}
}

// The operator learns why somebody is not known, and nobody learns a token.
func TestLogSaysWhyNobodyIsKnown(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	l := s.knowIssuer(t)
	var logged bytes.Buffer
	api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	token := l.token(t, identitytest.Claims{"aud": "another\x1b[2J"})
	answer := handle(api.Handler(httpapi.Read), "GET", "/v1/receipts/0", "Authorization: Bearer "+token)
	if answer.status != http.StatusUnauthorized || strings.Contains(answer.body, "another") {
		t.Errorf("got %d %s", answer.status, answer.body)
	}
	log := logged.String()
	if !strings.Contains(log, "credential_kind=oidc outcome=unknown") || !strings.Contains(log, "another") {
		t.Errorf("got %s, want why", log)
	}
	if strings.Contains(log, "\x1b") || strings.Contains(log, token[:20]) {
		t.Errorf("got %s, want neither escapes nor the token", log)
	}
}

// Whoever opens the socket is asked for nothing more, and nothing that is sent
// along counts.
func TestLocalHandlerAsksNobody(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	request := httptest.NewRequest("GET", "/v1/status", nil)
	request.Header.Set("Authorization", "Bearer nonsense")
	answer := httptest.NewRecorder()
	s.api.Local().ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Errorf("got %d %s, want that the socket is enough", answer.Code, answer.Body)
	}
}
