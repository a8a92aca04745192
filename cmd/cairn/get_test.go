package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

func TestGetGoesOnWithoutWhatIsGone(t *testing.T) {
	a := newArchive(t)
	alice, bob := a.record("logins", `{"who":"alice"}`), a.record("logins", `{"who":"bob"}`)
	plan, err := a.as("custodian").Erase(t.Context(), ledger.Erasure{Stream: "logins", Subject: "alice", Reason: "asked to"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.as("custodian").AwaitDone(t.Context(), plan.Announced); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := a.run("reader", "get", "--json", fmt.Sprint(alice), fmt.Sprint(bob), fmt.Sprint(alice))
	if status != command.No || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, fmt.Sprintf(`"index":%d`, bob)) ||
		strings.Count(stderr, fmt.Sprintf("entries/%d", alice)) != 2 {
		t.Errorf("got exit status %d\n%s\n%s\nwant entry %d, and that %d is gone, twice", status, stdout, stderr, bob, alice)
	}
}
