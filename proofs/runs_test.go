package proofs

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Sets of indices are tried as bits, at both ends of what an index can be.
func TestRunsAreTheSetOfTheirIndices(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		set := rnd.Uint32() & 0xffff
		for _, offset := range []uint64{0, math.MaxUint64 - 15} {
			var indices []uint64
			for i := range uint64(16) {
				if set>>i&1 == 1 {
					indices = append(indices, offset+i)
				}
			}
			runs := RunsOf(indices)
			if !runsRise(runs) {
				t.Fatalf("%v are the runs %v, which could be fewer", indices, runs)
			}
			if got := slices.Collect(IndicesOf(runs)); !slices.Equal(got, indices) {
				t.Fatalf("%v are the runs %v, and these are %v", indices, runs, got)
			}
			if got := CountEntries(runs); got != uint64(len(indices)) {
				t.Fatalf("%v have %d entries", runs, got)
			}
			for i := range uint64(16) {
				if got := InRuns(runs, offset+i); got != slices.Contains(indices, offset+i) {
					t.Fatalf("%d in %v: %v", offset+i, runs, got)
				}
			}
		}
	}
}

func TestJoinedRunsHaveTheEntriesOfAll(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		for _, offset := range []uint64{0, math.MaxUint64 - 15} {
			var parts []Run
			want := map[uint64]bool{}
			for range rnd.IntN(6) {
				first := rnd.Uint64N(16)
				last := first + rnd.Uint64N(16-first)
				parts = append(parts, Run{First: offset + first, Last: offset + last})
				for i := first; i <= last; i++ {
					want[offset+i] = true
				}
			}
			before := slices.Clone(parts)
			joined := JoinRuns(parts)
			if !slices.Equal(parts, before) {
				t.Fatalf("joining %v made it %v", before, parts)
			}
			if !runsRise(joined) || CountEntries(joined) != uint64(len(want)) {
				t.Fatalf("%v were joined to %v", parts, joined)
			}
			for index := range want {
				if !InRuns(joined, index) {
					t.Fatalf("%v were joined to %v, without %d", parts, joined, index)
				}
			}
		}
	}
}

func TestIndicesStopWhereTheReaderDoes(t *testing.T) {
	n := 0
	for range IndicesOf([]Run{{First: 0, Last: math.MaxUint64}, {First: 5, Last: 9}}) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d indices were read, and not 3", n)
	}
}
