package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairnlog/cairn/client"
)

// sends answers with events of these indices and then breaks or goes silent.
func sends(silent bool, extra string, indices ...uint64) func(*http.Request) (*http.Response, error) {
	var b strings.Builder
	for _, i := range indices {
		fmt.Fprintf(&b, "id: %d\nevent: entry\ndata: {\"index\":%d}\n\n", i, i)
	}
	b.WriteString(extra)
	return func(r *http.Request) (*http.Response, error) {
		body := io.Reader(strings.NewReader(b.String()))
		if silent {
			body = io.MultiReader(body, waiting{r.Context()})
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
	}
}

// waiting gives nothing until its context ends.
type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

// tailed collects what a tail yields, up to n entries.
func tailed(ctx context.Context, h *client.HTTP, q client.TailQuery, n int) (indices []uint64, err error) {
	for e, err := range h.Tail(ctx, q) {
		if err != nil {
			return indices, err
		}
		if indices = append(indices, e.Index); len(indices) == n {
			break
		}
	}
	return indices, nil
}

func TestTailResumesWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := dial(t,
			sends(false, "", 3, 4),
			fails(errBroken),
			answers(503, "", "Retry-After: 1"),
			sends(false, "id: 9\n\n", 6),
			sends(true, ": keep-alive\n\n", 11),
			sends(false, "", 12),
		)
		start := time.Now()
		got, err := tailed(t.Context(), h, client.TailQuery{Stream: "a", From: 3}, 5)
		if want := []uint64{3, 4, 6, 11, 12}; err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %v and error %v, want %v", got, err, want)
		}
		var from []string
		for _, r := range s.requests {
			from = append(from, r.URL.Query().Get("from"))
			if r.URL.Query().Get("stream") != "a" {
				t.Errorf("got %s, want stream a", r.URL)
			}
		}
		if want := []string{"3", "5", "5", "5", "10", "12"}; !slices.Equal(from, want) {
			t.Errorf("got requests from %v, want %v", from, want)
		}
		if took := time.Since(start); took < time.Minute || took > 2*time.Minute {
			t.Errorf("it took %v, want a minute for the connection that fell silent", took)
		}
	})
}

// TestATailOfAQueryAsksByPost, and resumes: nothing of the query is in the URL.
func TestATailOfAQueryAsksByPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		keep := func(answer func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
			return func(r *http.Request) (*http.Response, error) {
				body, err := r.GetBody() // that which was sent is read already
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(body)
				if err != nil || r.Method != "POST" || r.URL.RawQuery != "" || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("got %s %s of %s, %v", r.Method, r.URL, r.Header.Get("Content-Type"), err)
				}
				bodies = append(bodies, string(b))
				return answer(r)
			}
		}
		h, _ := dial(t, keep(sends(false, "", 3)), keep(fails(errBroken)), keep(sends(false, "", 7)))
		got, err := tailed(t.Context(), h, client.TailQuery{Stream: "a", From: 2, Query: "actor:alice"}, 2)
		if want := []uint64{3, 7}; err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %v and error %v, want %v", got, err, want)
		}
		want := []string{`{"stream":"a","from":2,"query":"actor:alice"}`, `{"stream":"a","from":4,"query":"actor:alice"}`, `{"stream":"a","from":4,"query":"actor:alice"}`}
		if !slices.Equal(bodies, want) {
			t.Errorf("got %q, want %q", bodies, want)
		}
	})
}

func TestTailEndsWhenItMustNotGoOn(t *testing.T) {
	tests := []struct {
		name  string
		first func(*http.Request) (*http.Response, error)
		want  string
	}{
		{"the ledger says why", sends(false, "event: problem\ndata: {\"type\":\"urn:cairn:problem:internal\",\"title\":\"t\",\"status\":500}\n\n", 3), "t"},
		{"the token does not allow it", problem(client.Forbidden, 403), "t"},
		{"an index goes back", sends(false, "", 3, 2), "does not follow"},
		{"an index comes again", sends(false, "", 3, 3), "does not follow"},
		{"an index is none", sends(false, "id: x\ndata: {}\n\n"), "does not follow"},
		{"an event holds another entry", sends(false, "id: 4\ndata: {\"index\":5}\n\n"), "holds entry 5"},
		{"an event has no id", sends(false, "data: {}\n\n"), "without an id"},
		{"an event is no JSON", sends(false, "id: 4\ndata: {\n\n"), "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, s := dial(t, tt.first, sends(false, "", 7))
				got, err := tailed(t.Context(), h, client.TailQuery{From: 3}, 2)
				if err == nil || !strings.Contains(err.Error(), tt.want) || len(s.requests) != 1 {
					t.Errorf("got %v after %d requests, error %v, want one with %q", got, len(s.requests), err, tt.want)
				}
			})
		})
	}
}

func TestTailGivesUpWhereNothingComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := slices.Repeat([]func(*http.Request) (*http.Response, error){sends(false, "")}, 20)
		h, s := dial(t, steps...)
		_, err := tailed(t.Context(), h, client.TailQuery{}, 1)
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(s.requests) != 16 {
			t.Errorf("got error %v after %d requests, want %v after 16", err, len(s.requests), io.ErrUnexpectedEOF)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		h, _ = dial(t, sends(true, ""))
		if got, err := tailed(ctx, h, client.TailQuery{}, 1); err != nil || len(got) > 0 {
			t.Errorf("with a context that ends: got %v and error %v, want nothing", got, err)
		}
	})
}
