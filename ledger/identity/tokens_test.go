package identity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
)

// A clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func openTokens(t *testing.T, r storage.Register, now func() time.Time) *identity.Tokens {
	t.Helper()
	tokens, err := identity.OpenTokens(t.Context(), identity.TokensConfig{Register: r, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func issue(t *testing.T, tokens *identity.Tokens, g identity.Grant) (string, identity.Token) {
	t.Helper()
	token, about, err := tokens.Issue(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return token, about
}

func writerOf(streams ...string) identity.Grant {
	return identity.Grant{Name: "billing", Role: identity.Writer, Streams: streams}
}

func TestTokenAuthenticatesUntilItIsRevoked(t *testing.T) {
	register := memory.New(nil).Register("tokens")
	tokens := openTokens(t, register, time.Now)
	token, about := issue(t, tokens, writerOf("default"))
	other, _ := issue(t, tokens, identity.Grant{Name: "alice", Role: identity.Auditor})
	if got, ok := tokens.Authenticate(token); !ok || got.ID != about.ID || got.Name != "billing" || got.Role != identity.Writer {
		t.Errorf("got %+v, %v, want %+v", got, ok, about)
	}
	again := openTokens(t, register, time.Now)
	if _, ok := again.Authenticate(token); !ok {
		t.Error("after a restart the token is unknown")
	}
	if err := tokens.Revoke(t.Context(), about.ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, ok := tokens.Authenticate(token); ok {
		t.Error("the token was revoked and still authenticates")
	}
	if _, ok := openTokens(t, register, time.Now).Authenticate(token); ok {
		t.Error("the token was revoked and authenticates after a restart")
	}
	if _, ok := tokens.Authenticate(other); !ok {
		t.Error("another token was revoked with it")
	}
	var p *client.Problem
	if err := tokens.Revoke(t.Context(), about.ID, nil); !errors.As(err, &p) || p.Code() != client.NotFound {
		t.Errorf("revoked twice: got error %v, want a problem", err)
	}
}

func TestTokenOfEachRoleIsKnownAsThat(t *testing.T) {
	tokens := openTokens(t, memory.New(nil).Register("tokens"), time.Now)
	for _, role := range identity.Roles() {
		g := identity.Grant{Name: "a", Role: role}
		if role.HasStreams() {
			g.Streams = []string{"default"}
		}
		token, about := issue(t, tokens, g)
		if want := "cairn_" + string(role[:1]); !strings.HasPrefix(token, want) {
			t.Errorf("%s: got a token that begins with %.7s, want %s", role, token, want)
		}
		got, _ := tokens.Authenticate(token)
		if i := got.Identity(); i.Name != "a" || i.Credential != about.ID || len(i.Rights) != 1 || i.Rights[0].Role != role {
			t.Errorf("%s: got %+v", role, i)
		}
	}
}

func TestTokenExpires(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	register := memory.New(nil).Register("tokens")
	tokens := openTokens(t, register, c.Now)
	g := writerOf("default")
	g.Expires = c.Now().Add(time.Hour)
	token, _ := issue(t, tokens, g)
	c.advance(time.Hour - time.Second)
	if _, ok := tokens.Authenticate(token); !ok {
		t.Error("the token does not authenticate in its last second")
	}
	c.advance(time.Second)
	if _, ok := tokens.Authenticate(token); ok {
		t.Error("the token authenticates after its time")
	}
	issue(t, tokens, writerOf("default"))
	if got := tokens.List(); len(got) != 1 {
		t.Errorf("got %d tokens, want the expired one forgotten when a new one comes", len(got))
	}
}

// Who has a token hears that it expired. Who knows its ID alone hears nothing.
func TestATokenThatExpiredSaysSo(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	tokens := openTokens(t, memory.New(nil).Register("tokens"), c.Now)
	a, err := identity.New(identity.Options{Tokens: tokens, Clock: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	other, _ := issue(t, tokens, writerOf("default"))
	g := writerOf("default")
	g.Expires = c.Now().Add(time.Hour).In(time.FixedZone("", 7200))
	token, about := issue(t, tokens, g)
	c.advance(time.Hour)
	guess := token[:len("cairn_w")+len(about.ID)+1] + strings.Repeat("0", 64)
	guess += fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(guess)))
	for what, row := range map[string]struct {
		token, detail string
		want          identity.Outcome
	}{
		"the token":                {token, "the token expired at 2026-11-23T13:00:00Z", identity.Expired},
		"another secret of its ID": {guess, "this needs the token of somebody who may do it", identity.Unknown},
	} {
		i, err := a.Identify(t.Context(), identity.Credentials{Authorization: bearerOf(row.token)})
		wantOutcome(t, what, err, row.want)
		var r *identity.Refusal
		if errors.As(err, &r) && (r.Detail != row.detail || r.Who != "" || r.Hint == "") || i.Name != "" {
			t.Errorf("%s: got %+v of %+v, want %s", what, r, i, row.detail)
		}
		if about, ok := tokens.Authenticate(row.token); ok || about.Name != "" {
			t.Errorf("%s: it authenticates, or tells of whom it is: %+v", what, about)
		}
	}
	if _, err := a.Identify(t.Context(), identity.Credentials{Authorization: bearerOf(other)}); err != nil {
		t.Errorf("another token: %v", err)
	}
}

func TestRegisterHoldsNoToken(t *testing.T) {
	register := memory.New(nil).Register("tokens")
	tokens := openTokens(t, register, time.Now)
	token, about := issue(t, tokens, writerOf(identity.EveryStream))
	value, err := register.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listed, err := json.Marshal(tokens.List())
	if err != nil {
		t.Fatal(err)
	}
	secret := token[len("cairn_w")+len(about.ID)+1:]
	for name, text := range map[string]string{"the register": string(value), "the list": string(listed), "a print": fmt.Sprintf("%v %+v %#v", tokens.List(), about, about)} {
		if strings.Contains(text, secret[:16]) {
			t.Errorf("%s holds the secret", name)
		}
	}
	if strings.Contains(string(listed), "hash") {
		t.Errorf("the list shows hashes: %s", listed)
	}
}

func TestTokenOfAnotherShapeIsRefused(t *testing.T) {
	tokens := openTokens(t, memory.New(nil).Register("tokens"), time.Now)
	token, about := issue(t, tokens, writerOf("default"))
	flip := func(at int) string {
		c := byte('0')
		if token[at] == c {
			c = '1'
		}
		return token[:at] + string(c) + token[at+1:]
	}
	secret := len("cairn_w") + len(about.ID) + 1
	for name, wrong := range map[string]string{
		"empty": "", "the prefix alone": "cairn_", "cut off": token[:len(token)-1], "longer": token + "0",
		"with a space": " " + token[1:], "in capitals": strings.ToUpper(token), "of another role": strings.Replace(token, "cairn_w", "cairn_o", 1),
		"with another id": flip(7), "with another secret": flip(secret), "with another checksum": flip(len(token) - 1),
	} {
		if _, ok := tokens.Authenticate(wrong); ok {
			t.Errorf("a token %s authenticates", name)
		}
	}
}

func TestGrantsThatMakeNoSenseAreRefused(t *testing.T) {
	tokens := openTokens(t, memory.New(nil).Register("tokens"), time.Now)
	for name, g := range map[string]identity.Grant{
		"without a name":           {Role: identity.Auditor},
		"with a name of spaces":    {Name: "a b", Role: identity.Auditor},
		"with an escape as name":   {Name: "a\x1b[1m", Role: identity.Auditor},
		"named as by an issuer":    {Name: "oidc:corp:alice", Role: identity.Auditor},
		"named as the local one":   {Name: "local operator", Role: identity.Operator},
		"with a name too long":     {Name: strings.Repeat("a", 129), Role: identity.Auditor},
		"without a role":           {Name: "a"},
		"of an unknown role":       {Name: "a", Role: "root"},
		"a writer of no stream":    {Name: "a", Role: identity.Writer},
		"a custodian of a stream":  {Name: "a", Role: identity.Custodian, Streams: []string{"default"}},
		"an auditor of a stream":   {Name: "a", Role: identity.Auditor, Streams: []string{"default"}},
		"a stream without a name":  {Name: "a", Role: identity.Reader, Streams: []string{""}},
		"expired before it begins": {Name: "a", Role: identity.Auditor, Expires: time.Unix(1, 0)},
	} {
		var p *client.Problem
		if _, about, err := tokens.Issue(t.Context(), g); !errors.As(err, &p) || p.Code() != client.BadRequest {
			t.Errorf("a grant %s: got %+v and error %v, want a problem", name, about, err)
		}
	}
}

func TestTokensOfOneRegisterChangeTogether(t *testing.T) {
	register := memory.New(nil).Register("tokens")
	a, b := openTokens(t, register, time.Now), openTokens(t, register, time.Now)
	var wg sync.WaitGroup
	for _, tokens := range []*identity.Tokens{a, b, a, b} {
		wg.Go(func() {
			for range 20 {
				if _, _, err := tokens.Issue(context.Background(), writerOf("default")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(openTokens(t, register, time.Now).List()); got != 80 {
		t.Errorf("got %d tokens, want 80: changes were lost", got)
	}
}

func TestTokenIsKnownOnlyOnceItIsDurable(t *testing.T) {
	for _, outcome := range []fault.Outcome{fault.Failed, fault.Persisted} {
		plan := &fault.Plan{}
		world := memory.New(plan)
		tokens := openTokens(t, world.Register("tokens"), time.Now)
		token, about := issue(t, tokens, writerOf("default"))
		plan.At(len(plan.Steps()), outcome)
		if err := tokens.Revoke(t.Context(), about.ID, nil); err == nil {
			t.Fatalf("%v: a revocation that failed is reported as done", outcome)
		}
		if _, ok := openTokens(t, world.Restart().Register("tokens"), time.Now).Authenticate(token); ok == (outcome == fault.Persisted) {
			t.Errorf("%v: after a restart the token authenticates: %v", outcome, ok)
		}
	}
}

func TestDamagedTokensDoNotOpen(t *testing.T) {
	for name, value := range map[string]string{
		"no JSON": "x", "an unknown name": `{"version":1,"tokens":[],"more":1}`, "another version": `{"version":2,"tokens":[]}`,
		"a short hash": `{"version":1,"tokens":[{"id":"0","name":"a","role":"auditor","created":"2026-01-01T00:00:00Z","hash":"AA=="}]}`,
	} {
		register := memory.New(nil).Register("tokens")
		if err := register.Swap(t.Context(), nil, []byte(value)); err != nil {
			t.Fatal(err)
		}
		if _, err := identity.OpenTokens(t.Context(), identity.TokensConfig{Register: register}); err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
}

func TestIssueNeedsRandomness(t *testing.T) {
	tokens, err := identity.OpenTokens(t.Context(), identity.TokensConfig{Register: memory.New(nil).Register("tokens"), Rand: bytes.NewReader(make([]byte, 10))})
	if err != nil {
		t.Fatal(err)
	}
	if token, _, err := tokens.Issue(t.Context(), writerOf("default")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got token %q and error %v, want none", token, err)
	}
}
