package ledger

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// TestAnActMissesNoEntry: it has all entries, in as many runs as it can have, and
// few that it need not have.
func TestAnActMissesNoEntry(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var indices []uint64
		for at := r.Uint64N(10); len(indices) < 2000; at += 1 + r.Uint64N(1+r.Uint64N(100)) {
			indices = append(indices, at)
		}
		all := proofs.RunsOf(indices)
		few := all[:min(len(all), proofs.MaxActRuns)]
		if got := actRuns(few); !slices.Equal(got, few) {
			t.Fatalf("of %d runs got %d", len(few), len(got))
		}
		got := actRuns(all)
		if len(got) != min(len(all), proofs.MaxActRuns) {
			t.Fatalf("of %d runs got %d", len(all), len(got))
		}
		for _, index := range indices {
			if !proofs.InRuns(got, index) {
				t.Fatalf("%v misses entry %d", got, index)
			}
		}
		if _, err := proofs.FormatAct(proofs.Act{What: proofs.ActSearch, Entries: got, Outcome: proofs.OutcomeDone}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := actRuns(append(everyOther(proofs.MaxActRuns), proofs.Run{First: 10_000, Last: 10_000})), proofs.MaxActRuns; len(got) != want || got[want-1].First != 10_000 || got[0].Last != 2 {
		t.Errorf("it ends with %v and begins with %v", got[len(got)-1], got[0])
	}
}

// everyOther returns n runs of one entry, with one between them.
func everyOther(n uint64) (runs []proofs.Run) {
	for i := range n {
		runs = append(runs, proofs.Run{First: 2 * i, Last: 2 * i})
	}
	return runs
}
