package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairnlog/cairn/client"
)

// A script is a transport that answers one request after the other.
type script struct {
	steps    []func(*http.Request) (*http.Response, error)
	requests []*http.Request
	times    []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	s.requests, s.times = append(s.requests, r), append(s.times, time.Now())
	if len(s.requests) > len(s.steps) {
		return nil, errors.New("script: no more answers")
	}
	return s.steps[len(s.requests)-1](r)
}

// dial returns a log whose server follows a script.
func dial(t *testing.T, steps ...func(*http.Request) (*http.Response, error)) (*client.HTTP, *script) {
	t.Helper()
	s := &script{steps: steps}
	h, err := client.Dial("https://log.example.com/prefix", client.Options{Token: "cairn_x", HTTPClient: &http.Client{Transport: s}})
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

// answers makes an answer. Header lines follow as "Name: value".
func answers(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			h.Add(name, value)
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

const isProblem = "Content-Type: application/problem+json"

func problem(code client.ProblemCode, status int, headers ...string) func(*http.Request) (*http.Response, error) {
	return answers(status, fmt.Sprintf(`{"type":"urn:cairn:problem:%s","title":"t","status":%d}`, code, status), append(headers, isProblem)...)
}

func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

const recorded = `{"index":7,"state":"witnessed","leaf":"AA=="}` + "\n"

var (
	withKey   = []client.Event{{Data: []byte("{}"), IdempotencyKey: "k"}}
	without   = []client.Event{{Data: []byte("{}")}}
	errBroken = errors.New("connection reset")
)

func TestRequestsAreSentAgainWhereThatIsSafe(t *testing.T) {
	overloaded := problem(client.Overloaded, 503, "Retry-After: 3")
	tests := []struct {
		name   string
		events []client.Event // nil: a receipt is read
		first  func(*http.Request) (*http.Response, error)
		again  bool
		waits  time.Duration // at least
	}{
		{"reading, the connection breaks", nil, fails(errBroken), true, 0},
		{"reading, a proxy has trouble", nil, answers(502, "<html>"), true, 0},
		{"reading, too many requests", nil, answers(429, "", "Retry-After: 10"), true, 10 * time.Second},
		{"reading, the ledger is overloaded", nil, overloaded, true, 3 * time.Second},
		{"reading, the ledger has stopped", nil, problem(client.Unavailable, 503), false, 0},
		{"reading, not published yet", nil, problem(client.NotYetPublished, 404, "Retry-After: 1"), false, 0},
		{"reading, an internal error", nil, problem(client.Internal, 500), false, 0},
		{"reading, a server that asks for too much patience", nil, answers(503, "", "Retry-After: 3600"), false, 0},
		{"reading, a redirect", nil, answers(302, "", "Location: https://evil.example/"), false, 0},
		{"appending with keys, the connection breaks", withKey, fails(errBroken), true, 0},
		{"appending with keys, it is undecided", withKey, problem(client.Undecided, 503, "Retry-After: 1"), true, time.Second},
		{"appending with keys, the answer is cut off", withKey, cutOff(recorded), true, 0},
		{"appending with a source, the connection breaks", []client.Event{{Source: "s", Sequence: 1}}, fails(errBroken), true, 0},
		{"appending without keys, the connection breaks", without, fails(errBroken), false, 0},
		{"appending without keys, it is undecided", without, problem(client.Undecided, 503, "Retry-After: 1"), false, 0},
		{"appending without keys, a proxy has trouble", without, answers(502, ""), false, 0},
		{"appending without keys, nothing was taken", without, overloaded, true, 3 * time.Second},
		{"appending with a key in one of two", append(withKey, without...), fails(errBroken), false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, s := dial(t, tt.first, answers(200, strings.Repeat(recorded, max(len(tt.events), 1))))
				var err error
				if tt.events == nil {
					_, err = h.Receipt(t.Context(), 7)
				} else {
					_, err = h.Append(t.Context(), "default", tt.events, client.Witnessed)
				}
				if (len(s.requests) == 2) != tt.again || (err == nil) != tt.again {
					t.Fatalf("got %d requests and error %v, want it sent again: %v", len(s.requests), err, tt.again)
				}
				if waited := s.times[len(s.times)-1].Sub(s.times[0]); waited < tt.waits || waited > tt.waits+time.Second {
					t.Errorf("waited %v, want %v and a little", waited, tt.waits)
				}
			})
		})
	}
}

// cutOff answers with a part of the body, and then an error.
func cutOff(body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		rest := io.MultiReader(strings.NewReader(body[:len(body)/2]), &endless{err: io.ErrUnexpectedEOF})
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(rest), Request: r}, nil
	}
}

func TestTheReasonGoesWithWhatIsRecorded(t *testing.T) {
	synctest.Test(t, testTheReason)
}

func testTheReason(t *testing.T) {
	s := &script{}
	const reason = "case 12: Zoë's 100 %"
	h, err := client.Dial("https://log.example.com", client.Options{Token: "cairn_x", Reason: reason, Attempts: 1, HTTPClient: &http.Client{Transport: s}})
	if err != nil {
		t.Fatal(err)
	}
	h.Entry(t.Context(), 7)
	h.ReadFile(t.Context(), "checkpoint")
	for range h.Tail(t.Context(), client.TailQuery{}) {
		break
	}
	want := []string{"case%2012:%20Zo%C3%AB%27s%20100%20%25", "", "case%2012:%20Zo%C3%AB%27s%20100%20%25"}
	for i, want := range want {
		if got := s.requests[i].Header.Get("Cairn-Reason"); got != want {
			t.Errorf("%s: got the reason %q, want %q", s.requests[i].URL.Path, got, want)
		}
	}
	if _, err := client.Dial("https://log.example.com", client.Options{Reason: strings.Repeat("r", client.MaxReason+1)}); err == nil {
		t.Error("a reason that is too long for any ledger is taken")
	}
}

// An endless reader never ends, or fails.
type endless struct{ err error }

func (e *endless) Read(b []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	return copy(b, bytes.Repeat([]byte("x"), len(b))), nil
}

func TestAttemptsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := dial(t, fails(errBroken), fails(errBroken), fails(errBroken), fails(errBroken), fails(errBroken))
		if _, err := h.Receipt(t.Context(), 1); !errors.Is(err, errBroken) || len(s.requests) != 4 {
			t.Errorf("got %d requests and error %v, want 4 and %v", len(s.requests), err, errBroken)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		h, s = dial(t, answers(503, "", "Retry-After: 30"), answers(200, ""))
		if _, err := h.Receipt(ctx, 1); err == nil || len(s.requests) != 1 || time.Since(start) > 0 {
			t.Errorf("with too little time: got %d requests and error %v after %v, want one and no waiting", len(s.requests), err, time.Since(start))
		}
	})
}

func TestAppendTellsTheServerHowLongItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			deadline time.Duration
			want     string
		}{{0, "5m0s"}, {100 * time.Millisecond, "90ms"}, {30 * time.Second, "29s"}, {time.Hour, "5m0s"}, {time.Microsecond, "1ms"}} {
			ctx := t.Context()
			if tt.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				defer cancel()
			}
			h, s := dial(t, answers(200, recorded))
			if _, err := h.Append(ctx, "default", withKey, client.Integrated); err != nil {
				t.Fatal(err)
			}
			r := s.requests[0]
			if got := r.URL.Query(); got.Get("timeout") != tt.want || got.Get("wait") != "integrated" || r.URL.Path != "/prefix/v1/streams/default/entries" {
				t.Errorf("with a deadline of %v: got %s, want timeout %s", tt.deadline, r.URL, tt.want)
			}
			if r.Header.Get("Authorization") != "Bearer cairn_x" {
				t.Errorf("got authorization %q", r.Header.Get("Authorization"))
			}
		}
	})
}

func TestHostileAnswersAreErrors(t *testing.T) {
	ctx := t.Context()
	appendOne := func(h *client.HTTP) error {
		_, err := h.Append(ctx, "default", withKey, client.Witnessed)
		return err
	}
	entry := func(h *client.HTTP) error { _, err := h.Entry(ctx, 7); return err }
	file := func(h *client.HTTP) error { _, err := h.ReadFile(ctx, "checkpoint"); return err }
	kept := func(h *client.HTTP) error {
		for _, err := range h.KeptCheckpoints(ctx) {
			return err
		}
		return nil
	}
	endlessly := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(&endless{}), Request: r}, nil
	}
	tests := []struct {
		name   string
		do     func(*client.HTTP) error
		answer func(*http.Request) (*http.Response, error)
		want   string
	}{
		{"too few results", appendOne, answers(200, ""), "another number"},
		{"too many results", appendOne, answers(200, recorded+recorded), "another number"},
		{"a result that says nothing", appendOne, answers(200, "{}\n"), "neither a state nor a problem"},
		{"a result that is no JSON", appendOne, answers(200, "x\n"), "result 0"},
		{"another entry", entry, answers(200, `{"index":8}`), "gives entry 8"},
		{"an entry that is no JSON", entry, answers(200, `<html>`), "answer"},
		{"a file without an end", file, endlessly, "too large"},
		{"a list of other things", kept, answers(200, "checkpoints/../../etc/passwd\n"), "not the path"},
		{"a list without an end", kept, endlessly, "too long"},
		{"a page of a proxy", entry, answers(403, "<html>no</html>", "Content-Type: text/html"), "403 Forbidden, and not as a ledger does"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, _ := dial(t, tt.answer)
			if err := tt.do(h); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestProblemsArriveWhole(t *testing.T) {
	h, _ := dial(t, answers(422, `{"type":"urn:cairn:problem:conflict","title":"t","status":200,"detail":"d","hint":"h","index":9,"instance":"i","retry_after":2}`, isProblem))
	_, err := h.Entry(t.Context(), 7)
	var p *client.Problem
	if !errors.As(err, &p) {
		t.Fatalf("got error %v, want a problem", err)
	}
	want := client.Problem{Type: "urn:cairn:problem:conflict", Title: "t", Status: 422, Detail: "d", Hint: "h", Index: 9, Instance: "i", RetryAfter: 2 * time.Second}
	if !reflect.DeepEqual(*p, want) {
		t.Errorf("got %+v, want %+v with the status that was answered", *p, want)
	}
	h, _ = dial(t, problem(client.NotFound, 404), answers(404, "<html>"))
	for range 2 {
		if _, err := h.ReadFile(t.Context(), "tile/0/000"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not there: got error %v, want fs.ErrNotExist", err)
		}
	}
}

func TestDialRefusesWhatWouldLeak(t *testing.T) {
	show := func() (*tls.Certificate, error) { return nil, errors.New("it is not there") }
	tests := []struct {
		url     string
		options client.Options
		ok      bool
	}{
		{"https://log.example.com", client.Options{Token: "t"}, true},
		{"https://log.example.com/a/b", client.Options{}, true},
		{"http://log.example.com", client.Options{}, true},
		{"http://log.example.com", client.Options{Token: "t"}, false},
		{"http://log.example.com", client.Options{Token: "t", Plain: true}, true},
		{"http://127.0.0.1:8480", client.Options{Token: "t"}, true},
		{"http://[::1]:8480", client.Options{Token: "t"}, true},
		{"http://localhost", client.Options{Token: "t"}, true},
		{"http://127.0.0.1.example.com", client.Options{Token: "t"}, false},
		{"ftp://log.example.com", client.Options{}, false},
		{"log.example.com", client.Options{}, false},
		{"https://", client.Options{}, false},
		{"https://user:secret@log.example.com", client.Options{}, false},
		{"https://log.example.com?x=1", client.Options{}, false},
		{"https://log.example.com", client.Options{Token: "a\r\nX: y"}, false},
		{"https://log.example.com", client.Options{Certificate: show}, true},
		{"http://localhost", client.Options{Certificate: show}, false},
		{"https://log.example.com", client.Options{Certificate: show, HTTPClient: &http.Client{}}, false},
	}
	for _, tt := range tests {
		_, err := client.Dial(tt.url, tt.options)
		if (err == nil) != tt.ok {
			t.Errorf("%s with %+v: got error %v, want ok: %v", tt.url, tt.options, err, tt.ok)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}
