package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A witness that does not know what it remembers is served no longer.
func TestServeEndsWhenTheStoreFails(t *testing.T) {
	log, err := proofs.GenerateKey("log.test/a", proofs.Ed25519, rand.Reader)
	must(t, err)
	own, err := proofs.GenerateKey("witness.test/w", proofs.MLDSA44, rand.Reader)
	must(t, err)
	plan := new(fault.Plan)
	plan.At(0, fault.Failed)
	w, err := witness.New(t.Context(), witness.Config{Keys: []proofs.SigningKey{own}, Registers: memory.New(plan).Registers("r")})
	must(t, err)
	p := &program{Program: command.Program{Stderr: io.Discard}, dir: t.TempDir(), env: func(string) string { return "" }}
	list, err := witness.FormatLogList([]witness.Log{{Origin: log.Key().Name(), Key: log.Key(), QPD: 1, Contact: "x"}})
	must(t, err)
	must(t, os.WriteFile(p.path(logsFile), list, 0o600))

	logger := slog.New(slog.DiscardHandler)
	server := newServer(w, prometheus.NewRegistry(), logger)
	ended := make(chan error, 1)
	go func() { ended <- p.listen(t.Context(), Config{Listen: "127.0.0.1:0"}, w, server, logger) }()
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: log.Key().Name(), Root: proofs.EmptyRoot()})
	must(t, err)
	signature, err := log.SignCheckpoint(text, 0)
	must(t, err)
	note := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{signature}})
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		_, err := w.AddCheckpoint(t.Context(), witness.Request{Checkpoint: note})
		if errors.Is(err, fault.ErrInjected) {
			break // before that the log is not loaded
		}
	}
	err = <-ended
	if !errors.Is(err, errStore) || statusOf(err) != command.Unknown || p.hintFor(err) == "" {
		t.Errorf("serve ends with %v, status %d, hint %q", err, statusOf(err), p.hintFor(err))
	}
	rw := httptest.NewRecorder()
	server.Handler.ServeHTTP(rw, httptest.NewRequest("GET", "/healthz", nil))
	if rw.Code != http.StatusServiceUnavailable {
		t.Errorf("/healthz answers %d, want 503", rw.Code)
	}
}

func TestRequestsBeyondTheLimitAreRefused(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	h := limit(2, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	}))
	status := make(chan int, 2)
	for range 2 {
		go func() {
			rw := httptest.NewRecorder()
			h.ServeHTTP(rw, httptest.NewRequest("GET", "/", nil))
			status <- rw.Code
		}()
		<-entered
	}
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, httptest.NewRequest("GET", "/", nil))
	if rw.Code != http.StatusServiceUnavailable || rw.Header().Get("Retry-After") != "1" {
		t.Errorf("the third request: status %d, %v", rw.Code, rw.Header())
	}
	close(leave)
	if a, b := <-status, <-status; a != 200 || b != 200 {
		t.Errorf("the first requests: status %d and %d", a, b)
	}
	go func() { <-entered }()
	rw = httptest.NewRecorder()
	if h.ServeHTTP(rw, httptest.NewRequest("GET", "/", nil)); rw.Code != 200 {
		t.Errorf("a later request: status %d", rw.Code)
	}
}

// A client that never ends its request does not hold a connection.
func TestSlowClientsAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, err := proofs.GenerateKey("w", proofs.Ed25519Cosignature, rand.Reader)
		must(t, err)
		w, err := witness.New(t.Context(), witness.Config{Keys: []proofs.SigningKey{own}, Registers: memory.New(nil).Registers("r")})
		must(t, err)
		for _, beginning := range []string{"", "GET / HTTP/1.1\r\nHo", "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1000\r\n\r\nold "} {
			server := newServer(w, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
			client, end := net.Pipe()
			l := &oneListener{conn: end, closed: make(chan struct{})}
			go func() { _ = server.Serve(l) }()
			start := time.Now()
			if beginning != "" {
				_, err := io.WriteString(client, beginning)
				must(t, err)
			}
			_, _ = io.ReadAll(client) // until the server closes it
			if d := time.Since(start); d > idleTime {
				t.Errorf("after %q the client is cut off only after %v", beginning, d)
			}
			must(t, server.Close())
		}
	})
}

// A oneListener accepts one connection.
type oneListener struct {
	conn   net.Conn
	closed chan struct{}
}

func (l *oneListener) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneListener) Close() error   { close(l.closed); return nil }
func (l *oneListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestFilesAreLoadedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		var events bytes.Buffer
		var loaded []string
		r := &reloader{log: slog.New(slog.NewTextHandler(&events, nil))}
		load := func() error {
			data, err := os.ReadFile(path)
			if err == nil && string(data) == "broken" {
				err = errors.New("it is broken")
			}
			if err == nil {
				loaded = append(loaded, string(data))
			}
			return err
		}
		if err := r.watch([]string{path}, load); err == nil {
			t.Error("a file that is missing is loaded")
		}
		ctx, stop := context.WithCancel(t.Context())
		go r.run(ctx, time.Second)
		for _, content := range []string{"first", "broken", "second", ""} {
			if content == "" {
				must(t, os.Remove(path))
			} else {
				must(t, command.WriteFile(path, []byte(content), 0o600))
			}
			time.Sleep(10 * time.Second) // in the bubble's time
		}
		stop()
		synctest.Wait()
		if got := strings.Join(loaded, " "); got != "first second" {
			t.Errorf("loaded %q, want each good content once", got)
		}
		if n := strings.Count(events.String(), "level=ERROR"); n != 2 {
			t.Errorf("%d errors, want one for the broken file and one for the missing file:\n%s", n, &events)
		}
	})
}

func TestNotify(t *testing.T) {
	must(t, notify("", "READY=1"))
	t.Chdir(t.TempDir()) // the path of a socket is short
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "notify", Net: "unixgram"})
	must(t, err)
	defer l.Close()
	must(t, notify("notify", "READY=1"))
	var b [16]byte
	n, err := l.Read(b[:])
	if string(b[:n]) != "READY=1" || err != nil {
		t.Errorf("the service manager is told %q, %v", b[:n], err)
	}
	if err := notify("nobody", "READY=1"); err == nil {
		t.Error("a service manager that is not there was told")
	}
}
