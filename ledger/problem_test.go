package ledger

import (
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cairnlog/cairn/client"
)

// A source of randomness that fails on demand.
type failingRand struct {
	fails atomic.Bool
	err   error
}

func (r *failingRand) Read(b []byte) (int, error) {
	if r.fails.Load() {
		return 0, r.err
	}
	return io.ReadFull(rand.Reader, b)
}

func TestAnErrorIsNotTakenForTheEndOfTheLedger(t *testing.T) {
	w := newWorld(t)
	w.create()
	c := w.config()
	random := &failingRand{err: errors.New("no randomness")}
	c.Rand = random
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	random.fails.Store(true)
	_, err = l.As(Caller{Name: "alice"}).Append(t.Context(), DefaultStream, []client.Event{event(2)}, client.Witnessed)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Internal || !strings.Contains(p.Detail, "no randomness") || l.Stopped() != nil {
		t.Errorf("got error %v, want an internal one of a ledger that goes on", err)
	}
	random.fails.Store(false)
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(2))
	l.stop(errors.New("a disk is gone"))
	_, err = l.As(Caller{Name: "alice"}).Append(t.Context(), DefaultStream, []client.Event{event(3)}, client.Witnessed)
	if !errors.As(err, &p) || p.Code() != client.Unavailable || !strings.Contains(p.Detail, "a disk is gone") {
		t.Errorf("got error %v, want that the ledger has stopped", err)
	}
}
