package ledger

import (
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// TestRingsThatWereUsedLastAreAtHand: many small ones are, and few large ones.
func TestRingsThatWereUsedLastAreAtHand(t *testing.T) {
	of := func(n int) ring {
		r := make(ring, n)
		for i := range n {
			r[uint64(i)] = ringKeys{}
		}
		return r
	}
	var r rings
	name := func(i int) retain.RingName { return retain.RingName{Hold: 1, Closing: uint64(i)} }
	for i := range 1000 {
		r.keep(name(i), of(100))
	}
	for i := range 1000 {
		if _, ok := r.find(name(i)); !ok {
			t.Fatalf("ring %d of 1000 is not at hand", i)
		}
	}
	r.find(name(0))
	r.keep(name(1000), of(maxRingEntries-203))
	for i, want := range map[int]bool{0: true, 1: false, 998: false, 999: true, 1000: true} {
		if _, ok := r.find(name(i)); ok != want {
			t.Errorf("ring %d is at hand: %v, want %v", i, ok, want)
		}
	}
	r.keep(name(1001), of(2*maxRingEntries))
	if _, ok := r.find(name(1001)); !ok || len(r.held) != 1 || r.weight != 2*maxRingEntries+1 {
		t.Errorf("got %d rings of %d entries, want the last one", len(r.held), r.weight)
	}
	r.forget()
	if len(r.held) != 0 || r.weight != 0 {
		t.Errorf("got %d rings of %d entries", len(r.held), r.weight)
	}
}

// TestTwentyHeldErasuresAreReadFromTwentyRings, each of which is read once.
func TestTwentyHeldErasuresAreReadFromTwentyRings(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	var names []string
	for i := range 20 {
		names = append(names, string(rune('a'+i)))
	}
	all := a.record("people", names...)
	if _, err := a.as("carla").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: all[0], Last: all[19]}}, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: name, Reason: "r"})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.as("carla").AwaitDone(t.Context(), plan.Announced); err != nil {
			t.Fatal(err)
		}
	}
	a.readable(all...)
	read := a.l.rings.uses
	a.readable(all...)
	if len(a.l.rings.held) != 20 || a.l.rings.uses < read+20 {
		t.Errorf("%d rings are at hand, want 20", len(a.l.rings.held))
	}
}
