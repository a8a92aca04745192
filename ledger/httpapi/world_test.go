package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
)

// A served ledger is one with all its faces at one address, and a token of
// each role.
type served struct {
	*ledgertest.World
	dir        string // of the ledger
	config     local.Config
	api        *httpapi.API
	tokens     *identity.Tokens
	identities *identity.Authenticator
	bearer     map[identity.Role]string
	url        string
	hc         *http.Client
}

// serve opens a ledger and serves it until the test ends. Tests mostly wait
// for disks, so that many can at the same time.
func serve(t testing.TB, c local.Config, limits httpapi.Limits) *served {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	return open(t, c, limits)
}

// open opens a ledger and serves it until the test ends.
func open(t testing.TB, c local.Config, limits httpapi.Limits) *served {
	t.Helper()
	s := &served{dir: t.TempDir(), config: c, bearer: make(map[identity.Role]string), hc: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	var err error
	if s.World, err = ledgertest.Make(t.Context(), s.dir, c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.World.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.tokens, err = identity.OpenTokens(t.Context(), identity.TokensConfig{Register: s.Tokens}); err != nil {
		t.Fatal(err)
	}
	if s.identities, err = identity.New(identity.Options{Tokens: s.tokens, Metrics: s.Metrics}); err != nil {
		t.Fatal(err)
	}
	s.api, err = httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities, Metrics: s.Metrics, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range identity.Roles() {
		g := identity.Grant{Name: "test-" + string(role), Role: role}
		if role.HasStreams() {
			g.Streams = []string{identity.EveryStream}
		}
		s.bearer[role] = s.issue(t, g)
	}
	server, err := s.api.Listen(httpapi.Address{Address: "127.0.0.1:0", Faces: httpapi.Every})
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + server.Addr().String()
	run(t, server)
	t.Cleanup(s.hc.CloseIdleConnections)
	s.waitPublished(t)
	return s
}

// waitPublished waits until the start is over and all is published, and the
// first of it is kept.
func (s *served) waitPublished(t testing.TB) {
	t.Helper()
	kept := func() bool {
		for _, err := range s.Ledger.KeptCheckpoints(t.Context()) {
			return err == nil
		}
		return false
	}
	settled := func() bool {
		now := s.Ledger.Status()
		return now.Ready && now.Sizes.Published == now.Sizes.Sequenced
	}
	for start := time.Now(); !settled() || !kept(); time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("nothing was published")
		}
	}
}

// run serves servers until the test ends.
func run(t testing.TB, servers ...*httpapi.Server) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- httpapi.Serve(ctx, 10*time.Second, servers...) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// issue returns a new token.
func (s *served) issue(t testing.TB, g identity.Grant) string {
	t.Helper()
	token, _, err := s.tokens.Issue(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// as returns the log as the bearer of a role's token has it.
func (s *served) as(t testing.TB, role identity.Role) *client.HTTP {
	t.Helper()
	return s.with(t, s.bearer[role])
}

func (s *served) with(t testing.TB, token string) *client.HTTP {
	t.Helper()
	h, err := client.Dial(s.url, client.Options{Token: token, HTTPClient: s.hc})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// addStream adds a stream to the ledger.
func (s *served) addStream(t testing.TB, c ledger.StreamConfig) {
	t.Helper()
	if _, err := s.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// A reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// request makes a request. Header lines follow as "Name: value".
func (s *served) request(t testing.TB, method, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		req.Body = nil
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	res, err := s.hc.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{res.StatusCode, res.Header, string(data)}
}

// handle asks a handler without a network.
func handle(h http.Handler, method, path string, headers ...string) reply {
	req := httptest.NewRequest(method, path, nil)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// token returns the header line with the token of a role.
func (s *served) token(role identity.Role) string { return "Authorization: Bearer " + s.bearer[role] }
