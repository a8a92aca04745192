package main

import (
	"strings"
	"testing"
)

// TestEvidenceWithinTheGraceOfAnErasure: a file has what is disabled, and says
// so, in the place of there being none.
func TestEvidenceWithinTheGraceOfAnErasure(t *testing.T) {
	a := newArchive(t)
	a.record("calls", `{"from":"alice","to":"bob"}`)
	a.record("calls", `{"from":"carol","to":"bob"}`)
	a.wanted("calls", "alice")
	a.record("calls", `{"from":"carol","to":"dave"}`)
	file := a.in("calls.evidence")
	a.must("reader", "export", "--evidence", file, "--stream", "calls")
	stdout := a.must("", "verify", file)
	if want := "What 1 entry holds in full: it is disabled, says the maker of the file, by an erasure that is approved and not done."; !strings.Contains(stdout, want) {
		t.Errorf("got\n%s\nwant %q", stdout, want)
	}
	stdout = a.must("", "audit", "--open", "all", "--open-from", file)
	if !strings.Contains(stdout, "2 opened, 1 are disabled") {
		t.Errorf("got\n%s", stdout)
	}
}
