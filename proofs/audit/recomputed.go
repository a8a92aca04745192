package audit

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// maxUnjudged bounds the sentences about directories that are not judged.
const maxUnjudged = 10

// report counts a directory, and adds what is wrong to the findings.
func (r *recomputing) report(x *RecomputedDirectory, by *retention) {
	r.outcome.Sampled++
	switch {
	case len(x.Findings) > 0:
		r.outcome.Wrong++
		r.found.add(gathered(x.Findings)...)
	case x.NotJudged != "":
		r.outcome.NotJudged++
		if r.told++; r.told <= maxUnjudged {
			r.notJudged("%s.", x.NotJudged)
		}
	default:
		r.outcome.Right++
		hash, _ := by.directories.of(x.Segment)
		r.auditor.report.Directories = append(r.auditor.report.Directories, proofs.MadeDirectory{Segment: x.Segment, Hash: hash})
	}
	if len(x.expired) > 0 {
		r.outcome.Expired++
	}
}

// gathered returns findings of a directory: that entries are not shown is one,
// however many they are.
func gathered(list []Finding) (few []Finding) {
	var unshown []Finding
	for _, f := range list {
		if f.Kind == DirectoryUnshown && f.Last == 0 {
			unshown = append(unshown, f)
		} else {
			few = append(few, f)
		}
	}
	if len(unshown) > 1 {
		first, last := &unshown[0], unshown[len(unshown)-1]
		first.Last, first.Entries = last.Index, uint64(len(unshown))
		first.Detail += fmt.Sprintf(" So it is, or alike, with %d more up to entry %d.", len(unshown)-1, last.Index)
		unshown = unshown[:1]
	}
	return append(unshown, few...)
}

// Recomputed is what became of a [Recomputing].
type Recomputed struct {
	Seed        string `json:"seed,omitempty"`       // of a sample
	Directories uint64 `json:"directories"`          // that there are, of small and large segments
	Sampled     uint64 `json:"sampled"`              // those of them that were to be made again
	Right       uint64 `json:"right"`                // and are what their tags make
	Wrong       uint64 `json:"wrong"`                // and are not, or not all was shown
	NotJudged   uint64 `json:"not_judged,omitempty"` // and could not be now

	// Expired is how many of them have entries that have expired, of whose rows
	// nobody can tell any more.
	Expired uint64 `json:"with_expired,omitempty"`
}

// String returns what was made again in a sentence or two.
func (r *Recomputed) String() string {
	if r.Directories == 0 {
		return "Directories made again: none, since there is none yet."
	}
	s := fmt.Sprintf("Directories made again of their tags: all %d: %d are right", r.Directories, r.Right)
	if r.Sampled < r.Directories {
		s = fmt.Sprintf("Directories made again of their tags: %d of %d, with the seed %q: %d are right", r.Sampled, r.Directories, r.Seed, r.Right)
	}
	if r.Wrong > 0 {
		s += fmt.Sprintf(", %d are wrong or not shown", r.Wrong)
	}
	if r.NotJudged > 0 {
		s += fmt.Sprintf(", of %d nobody can tell now", r.NotJudged)
	}
	if r.Expired > 0 {
		s += fmt.Sprintf(". In %d of them something has expired, of which nobody can tell any more", r.Expired)
	}
	return s + "."
}
