package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

// wanted lets two custodians want an erasure, whose grace is not over.
func (a *archive) wanted(stream, subject string) (request uint64) {
	a.t.Helper()
	if _, _, err := a.as("operator").SetCustody(a.t.Context(), ledger.CustodyConfig{Custodians: 2, Grace: 14 * 24 * 3600}); err != nil {
		a.t.Fatal(err)
	}
	plan, err := a.as("carla").Erase(a.t.Context(), ledger.Erasure{Stream: stream, Subject: subject, Reason: "asked to"})
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.as("cato").Approve(a.t.Context(), plan.Requested); err != nil {
		a.t.Fatal(err)
	}
	return plan.Requested
}

// TestAnAuditWithinTheGraceOfAnErasure: what is disabled is no fault, and keeps nobody
// from the rest.
func TestAnAuditWithinTheGraceOfAnErasure(t *testing.T) {
	a := newArchive(t)
	alice := a.record("calls", `{"from":"alice","to":"bob"}`)
	a.record("calls", `{"from":"carol","to":"bob"}`)
	request := a.wanted("calls", "alice")
	a.record("calls", `{"from":"carol","to":"dave"}`)
	stdout := a.must("reader", "audit", "--open", "all")
	if want := "2 opened, 1 are disabled, says the ledger, by an erasure that is approved and not done."; !strings.Contains(stdout, want) {
		t.Errorf("got\n%s\nwant %q", stdout, want)
	}
	status, _, stderr := a.run("reader", "get", fmt.Sprint(alice))
	if status != command.No || !strings.Contains(stderr, fmt.Sprintf("entry %d says why", request)) {
		t.Errorf("got status %d and %s", status, stderr)
	}
	if _, err := a.as("cato").Withdraw(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if stdout := a.must("reader", "audit", "--open", "all"); !strings.Contains(stdout, "all opened") {
		t.Errorf("after it was taken back: got\n%s", stdout)
	}
}
