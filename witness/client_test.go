package witness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

func TestClientAsksAWitness(t *testing.T) {
	log, h := key(t, origin, proofs.Ed25519), newHistory(3, "")
	b := newBench(t, trust(log)...)
	server := httptest.NewServer(http.StripPrefix("/some/prefix", b.Handler()))
	defer server.Close()
	client := witness.NewClient(server.URL+"/some/prefix/", nil)
	ask := func(old uint64, h history, size uint64) ([]byte, error) {
		return client.AddCheckpoint(t.Context(), witness.Request{Old: old, Proof: h.proof(t, old, size),
			Checkpoint: sign(t, h.text(t, origin, size), log)})
	}
	answer, err := ask(0, h, 5)
	must(t, err)
	checkAnswer(t, answer, h.text(t, origin, 5))
	answer, err = ask(5, h, 8)
	must(t, err)
	checkAnswer(t, answer, h.text(t, origin, 8))

	var refused *witness.Error
	if _, err := ask(5, h, 9); !errors.As(err, &refused) || refused.Status != 409 || refused.Size != 8 {
		t.Errorf("error %v, want one of status 409 and size 8", err)
	}
	_, err = ask(8, newHistory(3, "other"), 9)
	wantStatus(t, err, 422)
	_, err = client.AddCheckpoint(t.Context(), witness.Request{Old: 9, Checkpoint: sign(t, h.text(t, origin, 8), log)})
	wantStatus(t, err, 400)
	_, err = client.AddCheckpoint(t.Context(), witness.Request{Checkpoint: sign(t, h.text(t, "x", 8), log)})
	wantStatus(t, err, 404)
	_, err = client.AddCheckpoint(t.Context(), witness.Request{Old: 8, Checkpoint: forge(t, sign(t, h.text(t, origin, 8), log), log)})
	wantStatus(t, err, 403)
}

// Whatever a server says, a client believes nothing that it cannot read.
func TestClientReadsAnswers(t *testing.T) {
	signature := string(line(key(t, "w", proofs.Ed25519Cosignature), []byte("signature")))
	for _, row := range []struct {
		name   string
		status int
		header string // one of "Name: value"
		body   string
		want   string // the error, of which an *Error begins with "witness answers"
	}{
		{"signature lines", 200, "", signature + signature, ""},
		{"no signature line", 200, "", "", "malformed"},
		{"a page", 200, "", "<html>\n", "malformed"},
		{"a line without its end", 200, "", strings.TrimSuffix(signature, "\n"), "malformed"},
		{"more than is ever necessary", 200, "", strings.Repeat(signature, 10000), "too large"},

		{"a conflict", 409, "Content-Type: text/x.tlog.size", "17\n", "witness answers 409 size 17"},
		{"a conflict with a parameter", 409, "Content-Type: text/x.tlog.size; charset=utf-8", "0\n", "witness answers 409 size 0"},
		{"a conflict of another type", 409, "Content-Type: text/plain", "17\n", "malformed"},
		{"a conflict without a type", 409, "Content-Type;", "17\n", "malformed"},
		{"a conflict without a size", 409, "Content-Type: text/x.tlog.size", "\n", "malformed"},
		{"a conflict without a newline", 409, "Content-Type: text/x.tlog.size", "17", "malformed"},
		{"a conflict with two lines", 409, "Content-Type: text/x.tlog.size", "17\n18\n", "malformed"},
		{"a conflict with a size of 2^63", 409, "Content-Type: text/x.tlog.size", "9223372036854775808\n", "malformed"},
		{"a conflict with a leading zero", 409, "Content-Type: text/x.tlog.size", "017\n", "malformed"},

		{"an unknown log", 404, "", "unknown log\n", "witness answers 404 unknown log"},
		{"a refusal without a reason", 422, "", "", "witness answers 422 "},
		{"a reason that would obey no terminal", 403, "", "a\x1b[2J\n\u202eb\xff", "witness answers 403 a?[2J ?b?"},
		{"a reason without an end", 500, "", strings.Repeat("x", 100000), "witness answers 500 " + strings.Repeat("x", 200)},
		{"too many requests", 429, "Retry-After: 7", "", "witness answers 429  after 7s"},
		{"too many requests until a date", 429, "Retry-After: Mon, 23 Nov 2026 12:01:00 GMT", "", "witness answers 429  after 1m0s"},
		{"too many requests until a date in the past", 429, "Retry-After: Mon, 23 Nov 2026 11:00:00 GMT", "", "witness answers 429 "},
		{"too many requests for a negative time", 429, "Retry-After: -7", "", "witness answers 429 "},
		{"trouble", 503, "Retry-After: 60", "no space left\n", "witness answers 503 no space left after 1m0s"},
		{"a redirect, which nobody follows", 307, "Location: /elsewhere", "", "witness answers 307 "},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/add-checkpoint" {
					t.Errorf("asked for %s", r.URL)
				}
				rw.Header().Set("Date", "Mon, 23 Nov 2026 12:00:00 GMT")
				if name, value, ok := strings.Cut(row.header, ": "); ok {
					rw.Header().Set(name, value)
				} else if row.header != "" {
					rw.Header()["Content-Type"] = nil
				}
				rw.WriteHeader(row.status)
				_, _ = rw.Write([]byte(row.body))
			}))
			defer server.Close()
			body, err := witness.NewClient(server.URL, server.Client()).AddCheckpoint(t.Context(), witness.Request{Checkpoint: []byte("x")})
			if row.want == "" {
				must(t, err)
				if string(body) != row.body {
					t.Errorf("cosignatures %q, want %q", body, row.body)
				}
				return
			}
			if got := describe(err); !strings.Contains(got, row.want) || strings.HasPrefix(row.want, "witness") && got != row.want {
				t.Errorf("error %q, want %q", got, row.want)
			}
		})
	}
}

// describe writes an error, and all that there is to an *Error.
func describe(err error) string {
	var refused *witness.Error
	if !errors.As(err, &refused) {
		return fmt.Sprint(err)
	}
	s := fmt.Sprintf("witness answers %d %s", refused.Status, refused.Reason)
	if refused.Status == 409 {
		s = fmt.Sprintf("witness answers 409 size %d", refused.Size)
	}
	if refused.RetryAfter > 0 {
		s += fmt.Sprintf(" after %v", refused.RetryAfter)
	}
	return s
}

func TestClientShowsWhatAWitnessCosigned(t *testing.T) {
	const body = "example.com/log\n5\nAAAA\n"
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /prefix/" + witness.OriginHash("example.com/log") + "/checkpoint":
			_, _ = rw.Write([]byte(body))
		case "GET /prefix/" + witness.OriginHash("example.com/large") + "/checkpoint":
			_, _ = rw.Write(bytes.Repeat([]byte("x"), 1<<20))
		default:
			http.NotFound(rw, r)
		}
	}))
	defer server.Close()
	client := witness.NewClient(server.URL+"/prefix/", server.Client())
	got, err := client.Checkpoint(t.Context(), "example.com/log")
	must(t, err)
	if string(got) != body {
		t.Errorf("checkpoint %q, want %q", got, body)
	}
	var refused *witness.Error
	if _, err := client.Checkpoint(t.Context(), "example.com/other"); !errors.As(err, &refused) || refused.Status != 404 {
		t.Errorf("error %v, want a refusal with status 404", err)
	}
	if _, err := client.Checkpoint(t.Context(), "example.com/large"); err == nil {
		t.Error("a checkpoint of 1 MiB is read")
	}
}

func TestClientKeepsConnectionsAlive(t *testing.T) {
	statuses := []int{200, 409, 404, 500, 200}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(statuses[0])
		statuses = statuses[1:]
		_, _ = rw.Write([]byte("some text\n"))
	}))
	defer server.Close()
	client := witness.NewClient(server.URL, nil)
	for i := range 5 {
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
			if info.Reused != (i > 0) {
				t.Errorf("request %d: the connection is used again: %v", i, info.Reused)
			}
		}})
		if _, err := client.AddCheckpoint(ctx, witness.Request{}); err == nil {
			t.Errorf("request %d: no error", i)
		}
	}
}

func TestClientWaitsNoLongerThanItsContext(t *testing.T) {
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(200)
		rw.(http.Flusher).Flush()
		<-done
	}))
	defer server.Close()
	defer close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := witness.NewClient(server.URL, nil).AddCheckpoint(ctx, witness.Request{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestClientOfNobody(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:1", "::", "ftp://example.com"} {
		_, err := witness.NewClient(url, nil).AddCheckpoint(t.Context(), witness.Request{})
		var refused *witness.Error
		if err == nil || errors.As(err, &refused) {
			t.Errorf("%s: error %v, want one that is no refusal", url, err)
		}
	}
}
