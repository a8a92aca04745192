package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

func TestHistorySaysWhatAnActWasAbout(t *testing.T) {
	for want, act := range map[string]proofs.Act{
		"entry 17 of logins subject bob":               {Stream: "logins", Subject: "bob", Query: "a subject", Entries: []proofs.Run{{First: 17, Last: 17}}},
		`stream logins subject bob where outcome="ok"`: {Stream: "logins", Subject: "bob", Query: `a subject outcome="ok"`},
		"stream logins where a subject":                {Stream: "logins", Query: "a subject"},
		`stream logins where outcome="ok"`:             {Stream: "logins", Query: `outcome="ok"`},
		"stream logins subject bob as entry 4711 asks": {Stream: "logins", Subject: "bob", Request: 4711},
	} {
		if got := aboutOf(act); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHistoryTellsWhatWasRequestedFromWhatWasDone(t *testing.T) {
	a := newArchive(t)
	a.record("calls", `{"from":"alice","to":"bob"}`)
	if _, _, err := a.as("operator").SetCustody(t.Context(), ledger.CustodyConfig{Custodians: 2}); err != nil {
		t.Fatal(err)
	}
	plan, err := a.as("carla").Erase(t.Context(), ledger.Erasure{Stream: "calls", Subject: "alice", Reason: "asked to"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	requested := fmt.Sprintf(`\A%d  .* erase +stream calls( subject alice)? +requested +asked to\n`, plan.Requested)
	done := fmt.Sprintf(`\n\d+  .* erase +stream calls( subject alice)? as entry %d asks +done +asked to\n\z`, plan.Requested)
	var stdout, stderr, acts string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		_, stdout, stderr = a.run("auditor", "history", "--what", "erase")
		if _, acts, _ = strings.Cut(stdout, "\n"); strings.Count(acts, "\n") > 1 { // it is done
			break
		}
	}
	if !regexp.MustCompile(requested).MatchString(acts) || !regexp.MustCompile(done).MatchString(acts) {
		t.Errorf("got\n%s%s\nwant a line %q and one %q", stdout, stderr, requested, done)
	}
	if _, stdout, _ := a.run("auditor", "history", "--what", "erase", "--json"); strings.Count(stdout, `"requested":true,"act":`) != 1 {
		t.Errorf("got\n%s\nwant one act that is requested", stdout)
	}
}
