package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/local"
)

// loggingAPI returns another API of a ledger, which logs everything.
func loggingAPI(t *testing.T, s *served, w io.Writer) *httpapi.API {
	t.Helper()
	api, err := httpapi.New(httpapi.Config{
		Ledger: s.Ledger, Tokens: s.tokens, Metrics: prometheus.NewRegistry(),
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

// writePair writes a certificate for a name and its key.
func writePair(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	writeFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return certFile, keyFile
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateIsReadAgainWhenItChanges(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	dir := t.TempDir()
	certFile, keyFile := writePair(t, dir, "first.example")
	config, err := httpapi.LoadCertificate(certFile, keyFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := s.api.Listen(httpapi.Address{Address: "127.0.0.1:0", Faces: httpapi.Every, TLS: config})
	if err != nil {
		t.Fatal(err)
	}
	run(t, server)
	name := func() string {
		t.Helper()
		// The test looks at the name alone.
		c, err := tls.Dial("tcp", server.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.ConnectionState().NegotiatedProtocol; got != "h2" {
			t.Errorf("got protocol %q, want h2", got)
		}
		return c.ConnectionState().PeerCertificates[0].DNSNames[0]
	}
	if got := name(); got != "first.example" {
		t.Errorf("got the certificate of %s", got)
	}
	writeFile(t, keyFile, []byte("half of a change"))
	if got := name(); got != "first.example" {
		t.Errorf("while the pair is bad: got the certificate of %s, want the old one", got)
	}
	writePair(t, dir, "the-second.example")
	if got := name(); got != "the-second.example" {
		t.Errorf("after the change: got the certificate of %s", got)
	}
	if _, err := httpapi.LoadCertificate(certFile, filepath.Join(dir, "none"), nil); err == nil {
		t.Error("a server starts without its key")
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
	for s.Ledger.Status().Sizes.Integrated < 5 {
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
	handle(h, "POST", toEntries+"?idempotency-field=secret-query", "X: y", s.token(httpapi.Writer))
	handle(h, "GET", "/v1/%0aforged=\u202eline", "User-Agent: \x1b[31mred\u202e", "Authorization: Bearer nonsense-token")
	log := logged.String()
	for _, want := range []string{"who=test-writer", "method=POST", "path=" + toEntries, "status=422", "%0Aforged=%E2%80%AEline"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	for _, bad := range []string{s.bearer[httpapi.Writer], "secret-query", "nonsense-token", "\x1b", "\u202e"} {
		if strings.Contains(log, bad) {
			t.Errorf("the log holds %q: %s", bad, log)
		}
	}
	if n := strings.Count(log, "\n"); n != 2 {
		t.Errorf("two requests make %d lines: %s", n, log)
	}
}

// A pipeListener hands out one connection in memory, with deadlines.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func TestSlowClientsAreCutOff(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	head := func(token, length string) string {
		return "POST " + toEntries + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n" + token + "\r\n\r\n"
	}
	tests := []struct {
		name, send string
		drip       bool // then a byte every nine seconds
		want       string
		within     time.Duration
	}{
		{"a header that does not end", "GET / HTTP/1.1\r\nHost: x\r\n", true, "", 6 * time.Second},
		{"a body that does not come", head(s.token(httpapi.Writer), "100"), false, "HTTP/1.1 408 ", 11 * time.Second},
		{"a body that drips", head(s.token(httpapi.Writer), "100"), true, "HTTP/1.1 408 ", 31 * time.Second},
		{"a body that nobody asked for", head("X: y", "100"), false, "HTTP/1.1 401 ", 11 * time.Second},
		{"a connection without a request", "", false, "", 6 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, err := httpapi.New(httpapi.Config{Ledger: s.Ledger, Tokens: s.tokens})
				if err != nil {
					t.Fatal(err)
				}
				l := &pipeListener{make(chan net.Conn), make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				served := make(chan error)
				go func() { served <- httpapi.Serve(ctx, time.Second, api.ServeOn(l, api.Handler(httpapi.Every))) }()
				near, far := net.Pipe()
				l.conns <- far
				start := time.Now()
				var sender sync.WaitGroup
				sender.Go(func() {
					_, err := io.WriteString(near, tt.send)
					for tt.drip && err == nil {
						time.Sleep(9 * time.Second)
						_, err = near.Write([]byte("x"))
					}
				})
				line, _ := bufio.NewReader(near).ReadString('\n') // what came before the end
				if !strings.HasPrefix(line, tt.want) {
					t.Errorf("got %q, want %q", line, tt.want)
				}
				io.Copy(io.Discard, near)
				if took := time.Since(start); took > tt.within {
					t.Errorf("it was cut off after %v, want at most %v", took, tt.within)
				}
				near.Close()
				sender.Wait()
				stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
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
		go func() { done <- s.post(t, "?timeout=5s", "{}") }()
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
