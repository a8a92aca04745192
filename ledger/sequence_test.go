package ledger

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/cairnlog/cairn/client"
)

func key(i uint64) (k streamKey) {
	binary.BigEndian.PutUint64(k.key[:], i)
	return k
}

func TestRecentKeysCoverAllFromTheirStart(t *testing.T) {
	r := newRecentKeys(10)
	const n = maxRecent + 500
	for i := uint64(10); i < 10+n; i++ {
		r.add(key(i), i)
	}
	r.trim(200)
	if r.from != 200 {
		t.Errorf("got from %d, want 200: what is not in the index stays", r.from)
	}
	r.trim(10 + n)
	if r.from != 510 || len(r.keys) != maxRecent || len(r.order) != maxRecent {
		t.Errorf("got from %d with %d keys, want 510 with %d", r.from, len(r.keys), maxRecent)
	}
	for i := r.from; i < 10+n; i++ {
		if index, ok := r.keys[key(i)]; !ok || index != i {
			t.Fatalf("key %d: got %d, %v", i, index, ok)
		}
	}
}

// TestEventThatWaitedForLongIsLookedUpAgain admits an event, records the same
// event by another way, forgets the recent keys, and only then sequences it.
func TestEventThatWaitedForLongIsLookedUpAgain(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(0))
	late, err := l.admitAll(context.Background(), "alice", DefaultStream, []client.Event{event(1)})
	if err != nil {
		t.Fatal(err)
	}
	first := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))[0]
	s := &sequencer{l: l, next: first.Index + 1, recent: newRecentKeys(first.Index + 1)}
	isNew, err := s.isNew(context.Background(), late[0], nil)
	if err != nil || isNew || late[0].index != first.Index || !late[0].duplicate {
		t.Errorf("got new %v, index %d, %v, want a repeat of %d", isNew, late[0].index, err, first.Index)
	}
}
