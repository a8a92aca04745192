package witness_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// C2SP tlog-witness, "Monitor Retrieval Mechanism".
func TestMonitorRetrieval(t *testing.T) {
	log := key(t, origin, proofs.Ed25519)
	b := newBench(t, trust(log, key(t, "log.example/never", proofs.Ed25519))...)
	b.add(t, 0, newHistory(9, ""), 5, log)
	const (
		hash  = "/b2d3e0cf2e483fbc179ff15f4e95ebef4f0ad5565d228215674c9ee83f0faf1d" // printf log.example/a | sha256sum
		never = "/b9cad57b65ed1b9a0bcf80e5d4dcc15e94c4e5c7b9f0ea6a1b2f0c0b1e4b7f27"
	)
	for _, row := range []struct {
		name, method, path string
		status             int
	}{
		{"the latest checkpoint is under the hash of the origin", "GET", hash + "/checkpoint", 200},
		{"a log that was never cosigned is 404", "GET", "/" + witness.OriginHash("log.example/never") + "/checkpoint", 404},
		{"a log that nobody knows is 404", "GET", never + "/checkpoint", 404},
		{"a hash in upper case is 404", "GET", strings.ToUpper(hash) + "/checkpoint", 404},
		{"what is no hash is 404", "GET", "/" + origin + "/checkpoint", 404},
		{"what no register can be named is 404", "GET", "/a%0Ab/checkpoint", 404},
		{"an empty hash is 404", "GET", "//checkpoint", 404},
		{"another file is 404", "GET", hash + "/tile", 404},
		{"it is a GET", "POST", hash + "/checkpoint", 405},
	} {
		answer := b.do(t, row.method, row.path, nil)
		if answer.StatusCode == http.StatusTemporaryRedirect || answer.StatusCode == http.StatusMovedPermanently {
			answer = b.do(t, row.method, answer.Header.Get("Location"), nil) // of a path that is not clean
		}
		if answer.StatusCode != row.status {
			t.Errorf("%s: status %d, want %d", row.name, answer.StatusCode, row.status)
		}
		if row.status != 200 {
			continue
		}
		if got := answer.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
			t.Errorf("%s: type %q", row.name, got)
		}
		if got := answer.Header.Get("Cache-Control"); got != "max-age=5" {
			t.Errorf("%s: Cache-Control %q", row.name, got)
		}
		direct, err := b.Checkpoint(t.Context(), origin)
		must(t, err)
		if got := read(t, answer); got != string(direct) || !strings.HasPrefix(got, origin+"\n5\n") {
			t.Errorf("%s: body %q", row.name, got)
		}
	}
	select {
	case <-b.Failed():
		t.Error("a path made the witness give up")
	default:
	}
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	b := newBench(t)
	for name, row := range map[string]struct {
		body   io.Reader
		status int
	}{
		"one byte too many":          {strings.NewReader(strings.Repeat("x", witness.MaxRequest+1)), 413},
		"as many bytes as are read":  {strings.NewReader(strings.Repeat("x", witness.MaxRequest)), 400},
		"a connection that breaks":   {iotest.ErrReader(errors.New("broken")), 400},
		"a connection that says 'x'": {io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errors.New("broken"))), 400},
	} {
		rw := httptest.NewRecorder()
		b.Handler().ServeHTTP(rw, httptest.NewRequest("POST", "/add-checkpoint", row.body))
		if rw.Code != row.status {
			t.Errorf("%s: status %d, want %d", name, rw.Code, row.status)
		}
	}
}

func TestStoresThatFail(t *testing.T) {
	log, h := key(t, origin, proofs.Ed25519), newHistory(9, "")
	body := witness.FormatRequest(witness.Request{Checkpoint: sign(t, h.text(t, origin, 5), log)})
	for _, row := range []struct {
		outcome     fault.Outcome
		first, then int
	}{
		{fault.NoSpace, 503, 200}, // there may be room again
		{fault.Failed, 500, 500},  // nobody knows what is durable
		{fault.Persisted, 500, 500},
	} {
		plan := new(fault.Plan)
		plan.At(0, row.outcome)
		b := &bench{clock: newClock(noon), world: memory.New(plan), logs: trust(log)}
		b.open(t)
		for i, want := range []int{row.first, row.then} {
			answer := b.do(t, "POST", "/add-checkpoint", body)
			if answer.StatusCode != want {
				t.Errorf("%v: request %d: status %d, want %d", row.outcome, i, answer.StatusCode, want)
			}
			if text := read(t, answer); strings.Contains(text, "injected") {
				t.Errorf("%v: the client is told %q", row.outcome, text)
			}
			if retry := answer.Header.Get("Retry-After"); (retry != "") != (answer.StatusCode == 503) {
				t.Errorf("%v: status %d with Retry-After %q", row.outcome, answer.StatusCode, retry)
			}
		}
		failed := false
		select {
		case <-b.Failed():
			failed = true
		default:
		}
		if failed != (row.then == 500) {
			t.Errorf("%v: Failed is closed: %v", row.outcome, failed)
		}
	}
}

func TestRequestThatIsGivenUp(t *testing.T) {
	log := key(t, origin, proofs.Ed25519)
	b := newBench(t, trust(log)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := witness.Request{Checkpoint: sign(t, newHistory(9, "").text(t, origin, 5), log)}
	if _, err := b.AddCheckpoint(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	rw := httptest.NewRecorder()
	b.Handler().ServeHTTP(rw, httptest.NewRequestWithContext(ctx, "POST", "/add-checkpoint", strings.NewReader(string(witness.FormatRequest(r)))))
	if rw.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", rw.Code)
	}
	b.add(t, 0, newHistory(9, ""), 5, log) // and the witness goes on
}
