package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// manyLogins appends enough events to fill two bundles and returns the first.
func (a *archive) manyLogins() uint64 {
	a.t.Helper()
	events := make([]client.Event, 600)
	for i := range events {
		events[i].Data = fmt.Appendf(nil, `{"who":"alice","n":%d}`, i)
	}
	got, err := a.as("app").Append(a.t.Context(), "logins", events, client.Witnessed)
	if err != nil {
		a.t.Fatal(err)
	}
	return got[0].Index
}

// pruned lets the ledger prune all below an index that has been closed for
// days, and waits until it is.
func (a *archive) pruned(days uint32, minimum uint64) {
	a.t.Helper()
	if _, _, err := a.as("operator").SetPruning(a.t.Context(), ledger.PruningConfig{Days: days}); err != nil {
		a.t.Fatal(err)
	}
	a.later(int(days) + 1)
	a.record("calls", `{"after":true}`)
	for deadline := time.Now().Add(time.Minute); a.world.Ledger.Pruning().Minimum != minimum; time.Sleep(50 * time.Millisecond) {
		if err := a.as("custodian").Retain(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("got %+v, want the minimum index %d", a.world.Ledger.Pruning(), minimum)
		}
	}
}

// in returns a path in the archive's directory.
func (a *archive) in(name string) string { return filepath.Join(a.dir, name) }

// TestALedgerThatPrunesProvesEverything: what is pruned changes no answer of any
// command, but that it says what it cannot tell any more.
func TestALedgerThatPrunesProvesEverything(t *testing.T) {
	a := newArchive(t)
	first := a.manyLogins()
	a.must("", "export", a.in("before"))
	a.must("", "audit", "--state", a.in("state"))
	a.must("", "prove", "inclusion", "300", "-o", a.in("300.tlog-proof"))
	a.must("", "prove", "consistency", "100", "-o", a.in("100.proof"))
	checkpoint := a.in("before/checkpoint")
	a.later(33)
	a.gone(first)
	a.pruned(60, 512)

	// The rest, and what was there before.
	call := a.record("calls", `{"from":"carol","to":"dave"}`)
	a.must("", "prove", "inclusion", fmt.Sprint(call), "-o", a.in("call.tlog-proof"))
	a.must("", "verify", a.in("call.tlog-proof"))
	a.must("", "prove", "consistency", checkpoint, "-o", a.in("since.proof"))
	a.must("", "verify", a.in("300.tlog-proof"))
	if out := a.must("reader", "get", "--json", "--settings", fmt.Sprint(call)); strings.Count(out, `"leaf"`) != 3 {
		t.Errorf("got %s, want the entry with those that set its stream and opened its bucket", out)
	}
	a.must("reader", "export", "--evidence", a.in("calls.evidence"), "--stream", "calls", "--since", "1d")
	a.must("", "verify", a.in("calls.evidence"))
	if out := a.must("", "log"); !strings.Contains(out, "minimum index  512, below which entries are pruned (as it says)") {
		t.Errorf("the log says\n%s", out)
	}
	if _, err := a.as("app").Append(context.Background(), "logins", []client.Event{{Data: []byte(`{}`)}}, client.Witnessed); err != nil {
		t.Errorf("nothing is witnessed any more: %v", err)
	}

	// What is pruned: with a token its receipt, and without one why not.
	status, _, talk := a.run("", "prove", "inclusion", "300")
	if status != command.Unknown || !strings.Contains(talk, "entries 256 to 511: the ledger has pruned them, as it says") {
		t.Errorf("got status %d and %q", status, talk)
	}
	a.must("auditor", "prove", "inclusion", "300", "-o", a.in("again.tlog-proof"))
	a.must("", "verify", a.in("again.tlog-proof"))
	before, after := leafIn(t, a.in("300.tlog-proof")), leafIn(t, a.in("again.tlog-proof"))
	if !bytes.Equal(before, after) {
		t.Error("the entry is another one now")
	}
	if _, _, talk := a.run("auditor", "history", "--all", "--complete"); !strings.Contains(talk, "the ledger has pruned 256 of the entries") {
		t.Errorf("the history says %q", talk)
	}
}

func leafIn(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := proofs.ParseReceipt(b)
	if err != nil {
		t.Fatal(err)
	}
	return r.Extra
}

// TestAuditsOfALedgerThatPrunes: of the server and of exports, with and without
// a memory of before.
func TestAuditsOfALedgerThatPrunes(t *testing.T) {
	a := newArchive(t)
	first := a.manyLogins()
	a.must("", "export", a.in("before"))
	a.must("", "audit", "--state", a.in("state"))
	a.later(33)
	a.gone(first)
	a.pruned(60, 512)

	const told = "Not judged: 256 entries that are pruned, below the minimum index 512 that entry "
	tells := func(want bool, role string, args ...string) {
		t.Helper()
		if out := a.must(role, append([]string{"audit"}, args...)...); strings.Contains(out, told) != want {
			t.Errorf("audit %q says\n%s", args, out)
		}
	}
	tells(true, "")
	tells(true, "auditor", "--vault")
	tells(false, "", "--state", a.in("state"))
	tells(false, "", a.in("before"))
	a.must("", "export", a.in("before")) // it goes on, and keeps what it has
	tells(false, "", a.in("before"))
	status, _, talk := a.run("", "export", a.in("after"))
	if status != command.Yes || !strings.Contains(talk, "of 256 entries there are only the hashes") {
		t.Errorf("got status %d and %q", status, talk)
	}
	tells(true, "", a.in("after"))
	a.must("auditor", "export", "--vault", "--receipts", a.in("sealed"))
	tells(true, "", a.in("sealed"))
	a.must("", "export", "--url", a.in("after"), a.in("copy"))
	tells(true, "", a.in("copy"))
	for name, there := range map[string]bool{
		"before/tile/entries/001": true, "after/tile/entries/000": true, "after/tile/entries/001": false, "after/tile/0/001": true,
	} {
		if _, err := os.Stat(a.in(name)); (err == nil) != there {
			t.Errorf("%s: %v, want that it is there: %t", name, err, there)
		}
	}
	if err := os.Remove(a.in("after/log")); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := a.run("", "audit", a.in("after")); status != command.No || !strings.Contains(out, "bundle-missing") {
		t.Errorf("where nothing says that they are pruned: status %d\n%s", status, out)
	}
}
