package main

import (
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// TestAnExportIsFewReads: what a file of evidence holds is recorded in runs.
func TestAnExportIsFewReads(t *testing.T) {
	a := newArchive(t)
	const events = 3*readTogether - 1
	var batch []client.Event
	for i := range events {
		batch = append(batch, client.Event{Data: fmt.Appendf(nil, `{"who":"user-%d"}`, i)})
	}
	if _, err := a.as("app").Append(t.Context(), "logins", batch, client.Witnessed); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := a.run("reader", "export", "--evidence", a.in("e"), "--stream", "logins"); status != command.Yes {
		t.Fatalf("status %d: %s", status, stderr)
	}
	h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{What: proofs.ActRead, Stream: "logins"})
	if err != nil {
		t.Fatal(err)
	}
	read, acts := uint64(0), 0
	for _, r := range h.Acts {
		if read += r.Act.Results; r.Act.Results > 1 {
			acts++
		}
	}
	if acts != 3 || read < events || read > events+10 {
		t.Errorf("%d acts tell of %d entries, want 3 of %d, and some that explain them", acts, read, events)
	}
}
