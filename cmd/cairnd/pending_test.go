package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

// The status is asked for every minute, and says what is pending.
func TestNothingIsRecordedOfAStatus(t *testing.T) {
	a := newArchive(t)
	a.run("", command.Yes, "custody set --custodians 2")
	a.run("", command.Yes, "hold add --stream people --reason 'case 7'")
	a.run("", command.Yes, "erase --stream people --subject alice --reason 'ticket 42' --yes")
	sequenced := func() string { return a.index(a.run("", command.Yes, "status"), `(?m)^sequenced +(\d+)$`) }
	before := sequenced()
	a.wants(a.run("", command.Yes, "status --json"), `"custodians": 2`, `"holds": \[\s+\d+`, `"kind": "erasure"`, `"closings": \[\]`)
	said := a.run("", command.Yes, "status")
	if after := sequenced(); after != before {
		t.Errorf("the ledger grew from %s to %s entries", before, after)
	}
	for _, private := range []string{"alice", "case 7", "ticket 42", "people"} {
		if strings.Contains(said, private) {
			t.Errorf("got %q in %s", private, said)
		}
	}
}

func TestPendingIsShownInFewWords(t *testing.T) {
	p := ledger.Pending{Custody: ledger.CustodyConfig{Custodians: 2, Grace: 86400}}
	now := time.Unix(1_700_000_000, 0)
	for i := range 10 {
		p.Requests = append(p.Requests, ledger.PendingRequest{Request: uint64(i), Kind: "erasure", Approved: 7, From: uint64(now.UnixMicro()) + 1e6})
		p.Closings = append(p.Closings, ledger.ClosingInfo{Closing: uint64(i), Kind: "release", Hold: 3, Waits: ledger.WaitsForKeys, Trouble: "why"})
	}
	var b bytes.Buffer
	table := command.NewTable(&b)
	printPending(table, p, now)
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"two custodians, with a grace of 24h\n", "7, erasure: approved in entry 7, done after 2023-11-14T22:13:21Z", "2 more, see: cairnd request list",
		"release of hold 3, announced in entry 7: waits, because keys cannot be destroyed: why", "2 more, see: cairnd retention status",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got %s, want %q in it", &b, want)
		}
	}
	if strings.Count(b.String(), "\n") > 20 {
		t.Errorf("got %s", &b)
	}
}
