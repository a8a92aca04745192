package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestOfErasuresThatOverlapTheOneThatClosedItIsTheReason(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob", "alice")
	var announced []uint64
	for _, subject := range []string{"alice", "bob"} {
		plan, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: subject, Reason: "as asked for"})
		if err != nil {
			t.Fatal(err)
		}
		announced = append(announced, plan.Announced)
	}
	for i, index := range all {
		want := announced[i%2]
		p := a.gone(index)
		if !slices.Equal(p.Reasons, []uint64{want}) || !strings.HasPrefix(p.Hint, fmt.Sprintf("entry %d says why", want)) {
			t.Errorf("entry %d is gone for the reasons %d, %q; want %d", index, p.Reasons, p.Hint, want)
		}
	}
}

func TestWhereManyErasuresOverlapNoneIsSaidToBeTheReason(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	names := []string{"alice"}
	for i := range maxReasons + 1 {
		names = append(names, fmt.Sprint("somebody", i))
	}
	a.record("people", names...)
	last := a.record("people", names...)
	var announced []uint64
	for _, subject := range names {
		plan, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: subject, Reason: "as asked for"})
		if err != nil {
			t.Fatal(err)
		}
		announced = append(announced, plan.Announced)
	}
	for _, index := range announced { // they are many, and take as long as they take
		if err := a.as("custodian").AwaitDone(t.Context(), index); err != nil {
			t.Fatal(err)
		}
	}
	if p := a.gone(last[0]); len(p.Reasons) <= maxReasons || !strings.HasPrefix(p.Hint, fmt.Sprintf("one of %d entries says why", len(p.Reasons))) {
		t.Errorf("got %d reasons, %q", len(p.Reasons), p.Hint)
	}
}
