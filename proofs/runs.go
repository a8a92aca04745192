package proofs

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// A Run is the entries from one index to another.
//
//	struct { uint64 first; uint64 last; } Run;
//
// Runs in a list rise, and are as few as can be: none begins right behind the
// one before.
type Run struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

const runSize = 16

// MaxRuns is how many runs fit one entry.
const MaxRuns = (MaxControl - 64) / runSize

func appendRuns(b []byte, runs []Run) ([]byte, error) {
	if len(runs) > MaxRuns {
		return nil, fmt.Errorf("%w: %d runs are more than %d", ErrMalformed, len(runs), MaxRuns)
	}
	var list []byte
	for _, r := range runs {
		list = appendUint64s(list, r.First, r.Last)
	}
	return appendVector(b, 2, list), nil
}

func (d *decoder) runs(field string) (runs []Run) {
	list := decoder{format: d.format, rest: d.vector(field, 2, 0, MaxRuns*runSize)}
	for len(list.rest) > 0 {
		runs = append(runs, Run{First: list.uint64(field), Last: list.uint64(field)})
	}
	if list.err == nil && !runsRise(runs) {
		list.fail(field, runsDoNotRise)
	}
	if d.err == nil {
		d.err = list.err
	}
	return runs
}

const runsDoNotRise = "the runs do not rise, or are more than needed"

// runsRise reports whether runs are in the one form that their entries have.
func runsRise(runs []Run) bool {
	for i, r := range runs {
		if r.First > r.Last || i > 0 && (r.First <= runs[i-1].Last || r.First-runs[i-1].Last == 1) {
			return false
		}
	}
	return true
}

// RunsOf returns rising indices as runs.
func RunsOf(indices []uint64) (runs []Run) {
	for _, index := range indices {
		runs = AppendIndex(runs, index)
	}
	return runs
}

// AppendIndex adds an index, larger than all before, to runs.
func AppendIndex(runs []Run, index uint64) []Run {
	if n := len(runs); n > 0 && index-runs[n-1].Last == 1 {
		runs[n-1].Last = index
		return runs
	}
	return append(runs, Run{First: index, Last: index})
}

// JoinRuns returns the entries of runs in any order, which may overlap, as runs
// that rise and are as few as can be. It leaves its argument as it is.
func JoinRuns(runs []Run) (joined []Run) {
	for _, r := range slices.SortedFunc(slices.Values(runs), func(a, b Run) int { return cmp.Compare(a.First, b.First) }) {
		if n := len(joined); n > 0 && (r.First <= joined[n-1].Last || r.First-joined[n-1].Last == 1) {
			joined[n-1].Last = max(joined[n-1].Last, r.Last)
			continue
		}
		joined = append(joined, r)
	}
	return joined
}

// CountEntries returns how many entries runs have, modulo 2^64.
func CountEntries(runs []Run) (n uint64) {
	for _, r := range runs {
		n += r.Last - r.First + 1
	}
	return n
}

// InRuns reports whether an index is in runs that rise.
func InRuns(runs []Run, index uint64) bool {
	_, found := slices.BinarySearchFunc(runs, index, func(r Run, index uint64) int {
		switch {
		case r.Last < index:
			return -1
		case r.First > index:
			return 1
		}
		return 0
	})
	return found
}

// runsMeet reports whether an entry is in two lists of runs that rise.
func runsMeet(a, b []Run) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Last < b[0].First:
			a = a[1:]
		case b[0].Last < a[0].First:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// IndicesOf yields the indices of runs.
func IndicesOf(runs []Run) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, r := range runs {
			for index := r.First; ; index++ {
				if !yield(index) {
					return
				}
				if index == r.Last { // which may be the largest there is
					break
				}
			}
		}
	}
}
