package main

import (
	"math"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// A search of a file that leaves something open is no answer of yes, and no
// failure.
func TestSearchesThatAreNoWholeAnswers(t *testing.T) {
	shows := func(v proofs.SearchVerdict) evidence.SearchReport {
		v.Checkpoint.Size = 9
		return evidence.SearchReport{Query: proofs.SearchQuery{Stream: 1, End: math.MaxUint64}, Verdict: v}
	}
	for _, tt := range []struct {
		name string
		last evidence.SearchReport
		want string // empty: it is one
	}{
		{"everything was looked through", shows(proofs.SearchVerdict{Stop: 9}), ""},
		{"there is more behind it", shows(proofs.SearchVerdict{Stop: 7, More: true}), ""},
		{"it does not verify", evidence.SearchReport{Wrong: "a fork"}, ""},
		{"nothing was looked through", shows(proofs.SearchVerdict{More: true}), "case.evidence: search 2: no entry was looked through"},
		{"something could not be read", shows(proofs.SearchVerdict{Stop: 9, Unread: []proofs.Run{{First: 3, Last: 4}}}),
			"case.evidence: search 2: the answer is not complete: the ledger could not read entries 3..4, which may fit too"},
	} {
		err := judgeSearches("case.evidence", &evidence.Report{Searches: []evidence.SearchReport{shows(proofs.SearchVerdict{Stop: 9}), tt.last}})
		if (err == nil) != (tt.want == "") || err != nil && (statusOf(err) != command.Unknown || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q and that nobody can tell", tt.name, err, tt.want)
		}
	}
}
