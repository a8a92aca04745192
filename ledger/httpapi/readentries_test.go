package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// TestEntriesAreReadTogether, and what a connection lost is asked for again.
func TestEntriesAreReadTogether(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	all := s.addPeople(t, "alice", "bob", "carol", "dave")
	runs := []proofs.Run{{First: 0, Last: 0}, {First: all[0], Last: all[3]}}
	var requests atomic.Int32
	inner := s.api.Handler(httpapi.Every)
	cutting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w = &cutWriter{ResponseWriter: w, lines: 2}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(cutting.Close)
	log, err := client.Dial(cutting.URL, client.Options{Token: s.bearer[identity.Reader]})
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	for e, err := range log.Entries(t.Context(), runs) {
		if err != nil {
			t.Fatal(err)
		}
		if (e.Index == 0) != (e.Problem != nil && e.Problem.Code() == client.Forbidden) {
			t.Errorf("entry %d: got %+v and %v", e.Index, e.Entry, e.Problem)
		}
		got = append(got, e.Index)
	}
	if len(got) != 5 || got[0] != 0 || got[4] != all[3] || requests.Load() != 2 {
		t.Errorf("got the entries %d in %d requests, want five in two", got, requests.Load())
	}
	if acts := s.acts(t, client.HistoryQuery{What: proofs.ActRead, Stream: "people"}); len(acts) != 2 {
		t.Errorf("got the acts %+v, want one for each request", acts)
	}
}

// A cutWriter breaks the connection off after some lines.
type cutWriter struct {
	http.ResponseWriter
	lines int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	for i, x := range b {
		if x != '\n' {
			continue
		}
		if c.lines--; c.lines == 0 {
			_, _ = c.ResponseWriter.Write(b[:i+1])
			_ = http.NewResponseController(c.ResponseWriter).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	return c.ResponseWriter.Write(b)
}
