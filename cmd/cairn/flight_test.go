package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A server that goes away between its answer and the check of it is asked again
// for the whole batch, not for each event.
func TestAnswersOfAServerThatIsGoneAreNotCheckedOneByOne(t *testing.T) {
	s := newSession(t)
	s.must("writer", "append", "--idempotency-key", "first", "{}") // with what is believed the next checkpoints are compared
	target, err := url.Parse(s.env["CAIRN_URL"])
	if err != nil {
		t.Fatal(err)
	}
	var gone, back atomic.Bool
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() && !back.Load() {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
		if r.ContentLength > 10_000 { // a large batch
			gone.Store(true)
		}
	}))
	defer server.Close()
	s.env["CAIRN_URL"] = server.URL
	dir := t.TempDir()
	lines, progress := filepath.Join(dir, "events"), filepath.Join(dir, "progress")
	if err := command.WriteFile(lines, bytes.Repeat([]byte(`{"text":"`+strings.Repeat("x", 100)+"\"}\n"), 300), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"append", "--ndjson", lines, "--resume", progress, "--in-flight", "1"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	status, stdout, stderr := s.runUntil(ctx, "writer", args...)
	done := doneIn(t, progress)
	if status != command.Unknown || strings.Contains(stderr, "interrupted") || strings.Count(stdout, "unchecked\n") < 50 ||
		strings.Contains(stderr, "canceled") || strings.Count(stderr, ": it could not be checked: ") != 1 || !strings.Contains(stderr, "hint: run the same command again: it goes on behind event ") {
		t.Errorf("got status %d, %d events done and\n%s%s\nwant that the rest could not be checked", status, done, stdout, stderr)
	}
	back.Store(true)
	status, stdout, stderr = s.runUntil(t.Context(), "writer", args...)
	if status != command.Yes || strings.Count(stdout, "(was there)") < 50 || doneIn(t, progress) != 300 {
		t.Errorf("when it is back: got status %d, %d events done and\n%s%s", status, doneIn(t, progress), stdout, stderr)
	}
}
