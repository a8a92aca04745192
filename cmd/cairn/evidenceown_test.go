package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger"
)

// What the ledger's own entries said of somebody who was erased is gone with
// the erasure, which an evidence file of them says.
func TestEvidenceOfActsThatNamedAnErasedSubject(t *testing.T) {
	a := newArchive(t)
	event := a.record("calls", `{"from":"alice","to":"bob","seconds":61}`)
	custodian := a.as("custodian")
	if _, err := custodian.PlanErasure(t.Context(), ledger.Erasure{Stream: "calls", Subject: "alice"}); err != nil {
		t.Fatal(err)
	}
	erased, err := custodian.Erase(t.Context(), ledger.Erasure{Stream: "calls", Subject: "alice", Reason: "asked to"})
	if err != nil {
		t.Fatal(err)
	}
	if err := custodian.AwaitDone(t.Context(), erased.Announced); err != nil {
		t.Fatal(err)
	}
	a.record("calls", `{"from":"carol"}`)
	entries, f := a.evidence("auditor", "acts.evidence", fmt.Sprintf("%d..%d", event+1, erased.Announced))
	if f.Counts.Gone != 2 || f.Counts.Possibly != 1 || f.Counts.Partly != 2 {
		t.Errorf("got %+v, want that two acts name her no more", f.Counts)
	}
	for index, e := range entries {
		if e.Missing == "gone" && (len(e.Closings) != 1 || e.Closings[0].Announced != erased.Announced || e.Closings[0].Possible != (index < erased.Announced)) {
			t.Errorf("entry %d: got %+v", index, e.Closings)
		}
	}
	text := a.must("", "verify", filepath.Join(a.dir, "acts.evidence"))
	if !strings.Contains(text, "1 entry of the ledger's own does not say any more whom it named") {
		t.Errorf("got\n%s", text)
	}
}
