package ledger

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// What is pending is told as often as anybody asks, and nothing is recorded of
// that: it says nothing that the log does not say in clear.
func TestWhatIsPendingIsToldWithoutARecord(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	a.record("people", "alice")
	hold := func() uint64 {
		h, err := a.as("custodian").Hold(t.Context(), HoldConfig{Stream: "people", Reason: "a lawsuit"})
		if err != nil {
			t.Fatal(err)
		}
		return h.Hold
	}
	kept, over := hold(), hold()
	if _, _, err := a.as("custodian").SetCustody(t.Context(), CustodyConfig{Custodians: 2, Grace: 3600}); err != nil {
		t.Fatal(err)
	}
	asked, err := a.as("carla").Release(t.Context(), Release{Hold: over, Reason: "it is settled"})
	if err != nil {
		t.Fatal(err)
	}
	before := a.l.Status().Sizes.Sequenced
	p := a.l.Pending()
	if !slices.Equal(p.Holds, []uint64{kept, over}) || p.Custody != (CustodyConfig{Custodians: 2, Grace: 3600}) || len(p.Closings) != 0 {
		t.Errorf("got %+v, want holds %d and %d and two custodians", p, kept, over)
	}
	if want := []PendingRequest{{Request: asked.Requested, Kind: proofs.Release.String()}}; !slices.Equal(p.Requests, want) {
		t.Errorf("got requests %+v, want %+v", p.Requests, want)
	}
	approved, err := a.as("cato").Approve(t.Context(), asked.Requested)
	if err != nil {
		t.Fatal(err)
	}
	p = a.l.Pending()
	if want := []PendingRequest{{Request: asked.Requested, Kind: proofs.Release.String(), Approved: approved.Approved, From: approved.From}}; !slices.Equal(p.Requests, want) {
		t.Errorf("got requests %+v, want %+v", p.Requests, want)
	}
	if after := a.l.Status().Sizes.Sequenced; after != before+1 {
		t.Errorf("the ledger grew from %d to %d, want by the approval alone", before, after)
	}
}
