package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// loggingAPI returns another API of a ledger, which logs everything.
func loggingAPI(t *testing.T, s *served, w io.Writer) *httpapi.API {
	t.Helper()
	api, err := httpapi.New(httpapi.Config{
		Ledger: s.Ledger, Identities: s.identities, Metrics: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestFacesWithTokensNeedTLSBeyondLoopback(t *testing.T) {
	tcp := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }
	tests := []struct {
		name  string
		at    httpapi.Address
		bound net.Addr
		ok    bool
	}{
		{"loopback", httpapi.Address{Faces: httpapi.Every}, tcp("127.0.0.5"), true},
		{"loopback of IPv6", httpapi.Address{Faces: httpapi.Every}, tcp("::1"), true},
		{"every address", httpapi.Address{Faces: httpapi.Write}, tcp("0.0.0.0"), false},
		{"every address of IPv6", httpapi.Address{Faces: httpapi.Read}, tcp("::"), false},
		{"a private network", httpapi.Address{Faces: httpapi.Admin}, tcp("10.0.0.1"), false},
		{"the public face anywhere", httpapi.Address{Faces: httpapi.Public | httpapi.Health}, tcp("0.0.0.0"), true},
		{"with TLS", httpapi.Address{Faces: httpapi.Every, TLS: &tls.Config{}}, tcp("0.0.0.0"), true},
		{"behind a proxy", httpapi.Address{Faces: httpapi.Every, BehindProxy: true}, tcp("0.0.0.0"), true},
		{"no address of the network", httpapi.Address{Faces: httpapi.Write}, &net.UnixAddr{Name: "x", Net: "unix"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.at.Check(tt.bound); (err == nil) != tt.ok || err != nil && !errors.Is(err, httpapi.ErrNoTLS) {
				t.Errorf("got error %v, want it allowed: %v", err, tt.ok)
			}
		})
	}
	s := serve(t, local.Config{}, httpapi.Limits{})
	if server, err := s.api.Listen(httpapi.Address{Address: ":0", Faces: httpapi.Write}); !errors.Is(err, httpapi.ErrNoTLS) {
		t.Errorf("listen everywhere: got %v and error %v, want %v", server, err, httpapi.ErrNoTLS)
	}
	server, err := s.api.Listen(httpapi.Address{Address: "localhost:0", Faces: httpapi.Write})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func TestShutdownLetsRequestsEnd(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	server, err := s.api.Listen(httpapi.Address{Address: "127.0.0.1:0", Faces: httpapi.Every})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- httpapi.Serve(ctx, 10*time.Second, server) }()
	s.Witness.Silence(true) // so that the append waits
	other := *s
	other.url = "http://" + server.Addr().String()
	answered := make(chan reply, 1)
	go func() { answered <- other.post(t, "?timeout=10s", "{}") }()
	for s.Ledger.Status().Sizes.Integrated < 9 {
		time.Sleep(time.Millisecond)
	}
	stop()
	for { // until it takes no more connections
		c, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	s.Witness.Silence(false)
	if got := <-answered; got.status != http.StatusCreated {
		t.Errorf("the request under way: got %d %s, want 201", got.status, got.body)
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestRequestsAreLoggedWithoutSecretsAndTricks(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	var logged bytes.Buffer
	h := loggingAPI(t, s, &logged).Handler(httpapi.Every)
	handle(h, "POST", toEntries+"?idempotency-field=secret-query", "X: y", s.token(identity.Writer))
	handle(h, "GET", "/v1/%0aforged=\u202eline", "User-Agent: \x1b[31mred\u202e", "Authorization: Bearer nonsense-token")
	log := logged.String()
	for _, want := range []string{"who=test-writer", "method=POST", "path=" + toEntries, "status=422", "%0Aforged=%E2%80%AEline"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	for _, bad := range []string{s.bearer[identity.Writer], "secret-query", "nonsense-token", "\x1b", "\u202e"} {
		if strings.Contains(log, bad) {
			t.Errorf("the log holds %q: %s", bad, log)
		}
	}
	if n := strings.Count(log, "\n"); n != 2 {
		t.Errorf("two requests make %d lines: %s", n, log)
	}
}

func TestServerRefusesHugeHeaders(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /checkpoint HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 21<<10))
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 431 ") {
		t.Errorf("got %q and error %v, want 431", line, err)
	}
	if got := s.request(t, "GET", "/checkpoint", "a body"); problem(t, got).Code() != client.BadRequest {
		t.Errorf("a GET with a body: got %d, want 400", got.status)
	}
}

func TestWhatIsTooMuchAtOnceIsRefused(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{Requests: 2, Body: 1 << 20, Bodies: 1 << 20})
	s.Witness.Silence(true)
	wait := func() chan reply {
		done := make(chan reply, 1)
		before := s.Ledger.Status().Sizes.Integrated
		go func() { done <- s.post(t, "?timeout=1m", "{}") }()
		for s.Ledger.Status().Sizes.Integrated == before {
			time.Sleep(time.Millisecond)
		}
		return done
	}
	first := wait()
	full := s.post(t, "", strings.Repeat(" ", 1<<20), "Content-Type: text/plain")
	if p := problem(t, full); p.Code() != client.Overloaded || full.header.Get("Retry-After") != "1" {
		t.Errorf("too many bytes: got %+v, want 503 with Retry-After", p)
	}
	second := wait()
	if p := problem(t, s.post(t, "", "{}")); p.Code() != client.Overloaded {
		t.Errorf("too many requests: got %+v, want 503", p)
	}
	if got := s.request(t, "GET", "/checkpoint", ""); got.status != 200 {
		t.Errorf("another face: got %d, want 200", got.status)
	}
	s.Witness.Silence(false)
	for _, done := range []chan reply{first, second} {
		if got := <-done; got.status != http.StatusCreated {
			t.Errorf("got %d %s, want 201", got.status, got.body)
		}
	}
	if got := s.post(t, "", "{}"); got.status != http.StatusCreated {
		t.Errorf("when there is room again: got %d %s, want 201", got.status, got.body)
	}
}

// A panic is our own fault: it must be seen, and not as an answer that went well.
func TestAPanicIsCountedAndLogged(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, begun := range []bool{false, true} {
		var logged bytes.Buffer
		registry := prometheus.NewRegistry()
		api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Identities: s.identities, Metrics: registry, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the server does not learn of the panic")
				}
			}()
			handle(api.Frame(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if begun {
					w.WriteHeader(http.StatusOK)
				}
				panic("our arithmetic is wrong")
			})), "GET", "/v1/x")
		}()
		metrics := handle(api.Handler(httpapi.Health), "GET", "/metrics").body
		if want := `cairn_http_requests_total{route="none",status="cut"} 1`; !strings.Contains(metrics, want) {
			t.Errorf("begun %v: the metrics lack %s", begun, want)
		}
		if log := logged.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "our arithmetic") || !strings.Contains(log, "server_test.go") {
			t.Errorf("begun %v: the log has %s, want the panic and where it was", begun, log)
		}
	}
}
