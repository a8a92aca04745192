package ledger

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/storage"
)

// A sharedRegister is a register that somebody else changes right after it was
// first loaded.
type sharedRegister struct {
	storage.Register
	once  sync.Once
	other func()
}

func (r *sharedRegister) Load(ctx context.Context) ([]byte, error) {
	value, err := r.Register.Load(ctx)
	r.once.Do(r.other)
	return value, err
}

func TestCopyThatAnotherLedgerChangesDuringAStartIsRefused(t *testing.T) {
	w := newWorld(t)
	w.create()
	ctx := context.Background()
	copied := w.mem.Register("signed-copy")
	raw, err := copied.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSigned(raw, w.keys)
	if err != nil {
		t.Fatal(err)
	}
	e := s.edge.clone()
	e.append([]byte("foreign"))
	foreign := formatSigned(w.signedTree(t, e.size, e.root()), e)
	c := w.config()
	c.SignedCopy = &sharedRegister{Register: copied, other: func() {
		if err := copied.Swap(ctx, raw, foreign); err != nil {
			t.Error(err)
		}
	}}
	l, err := Open(ctx, c)
	if err == nil { // there was nothing to bring up to date: it shows with the first signature
		_, _ = l.As(Caller{Name: "alice"}).Append(ctx, DefaultStream, []client.Event{event(1)}, client.Sequenced)
		defer l.Close()
		select {
		case <-l.Failed():
			err = l.Stopped()
		case <-time.After(time.Minute):
			t.Fatal("it signs where another ledger has signed")
		}
	}
	var restored *RestoredError
	if !errors.As(err, &restored) {
		t.Errorf("got %v, want a RestoredError", err)
	}
	if now, err := copied.Load(ctx); err != nil || string(now) != string(foreign) {
		t.Errorf("the copy of the other ledger was overwritten, error %v", err)
	}
}

func TestStateOfALaterLedgerIsRefused(t *testing.T) {
	w := newWorld(t)
	w.create()
	w.copied = false
	old, oldTree := w.mem.Crash(nil), w.tree.crash(nil)
	l := w.open()
	ctx := context.Background()
	if _, err := operator(l).AddStream(ctx, StreamConfig{Name: "later"}); err != nil {
		t.Fatal(err)
	}
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	later, err := w.mem.Registers("registers").Register(registerState).Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.mem, w.tree = old, oldTree
	if err := w.mem.Registers("registers").Register(registerState).Swap(ctx, nil, later); err != nil {
		t.Fatal(err)
	}
	var restored *RestoredError
	l, err = Open(ctx, w.config())
	if !errors.As(err, &restored) {
		t.Errorf("got %v, want a RestoredError", err)
	}
	if err == nil {
		l.Close()
	}
}
