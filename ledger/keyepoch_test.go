package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
)

// Keys that are older than the ledger open what was erased since.
func TestALedgerDoesNotOpenWithOldKeys(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	a.record("people", "alice")
	plan, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.as("custodian").AwaitDone(t.Context(), plan.Announced); err != nil {
		t.Fatal(err)
	}
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	c := a.config() // with the keys that the ledger was made with
	if _, err := Open(t.Context(), c); !errors.Is(err, keystate.ErrStale) {
		t.Errorf("got %v, want that the keys are old", err)
	}
	store := func([]byte) error { return nil }
	if err := c.Secrets.Tree.Puncture(store, keytree.Hold(1<<40)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), c); err == nil || errors.Is(err, keystate.ErrStale) || !strings.Contains(err.Error(), "another ledger") {
		t.Errorf("got %v, want that they are another ledger's", err)
	}
}
