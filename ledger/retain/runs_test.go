package retain

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// Sets of the numbers 0 to 15, and of the last 16 there are, as bits.
type bits uint16

func (b bits) has(i int) bool { return b>>i&1 == 1 }

// runs returns the set, moved up by an offset.
func (b bits) runs(offset uint64) (runs []proofs.Run) {
	for i := range 16 {
		at := offset + uint64(i)
		switch {
		case !b.has(i):
		case i > 0 && b.has(i-1):
			runs[len(runs)-1].Last = at
		default:
			runs = append(runs, proofs.Run{First: at, Last: at})
		}
	}
	return runs
}

func TestSetsOfRunsAreThoseOfTheirNumbers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := bits(rnd.Uint32()), bits(rnd.Uint32())
		first := rnd.IntN(16)
		last := first + rnd.IntN(16-first)
		for _, offset := range []uint64{0, math.MaxUint64 - 15} {
			x, y := a.runs(offset), b.runs(offset)
			for _, op := range []struct {
				name string
				got  []proofs.Run
				want bits
			}{
				{"intersect", Intersect(x, y), a & b},
				{"subtract", Subtract(x, y), a &^ b},
				{"union", union(x, y), a | b},
			} {
				if want := op.want.runs(offset); !slices.Equal(op.got, want) {
					t.Fatalf("%s of %v and %v is %v, want %v", op.name, x, y, op.got, want)
				}
			}
			if got := meets(x, y); got != (a&b != 0) {
				t.Fatalf("%v and %v meet: %v", x, y, got)
			}
			from, to := offset+uint64(first), offset+uint64(last)
			var want []proofs.Run
			for _, r := range x {
				if r.Last >= from && r.First <= to {
					want = append(want, r)
				}
			}
			if got := touching(x, from, to); !slices.Equal(got, want) {
				t.Fatalf("of %v within %d and %d: %v, want %v", x, from, to, got, want)
			}
			if got := proofs.InRuns(x, from); got != a.has(first) {
				t.Fatalf("%v contains %d: %v", x, from, got)
			}
			if back, err := saveRuns(x).load(); err != nil || !slices.Equal(back, x) {
				t.Fatalf("%v is saved as %v and loaded as %v: %v", x, saveRuns(x), back, err)
			}
		}
	}
}

func TestSavedRunsThatAreRefused(t *testing.T) {
	for name, saved := range map[string]savedRuns{
		"half a run":                            {1},
		"a run right behind the one before":     {1, 1, 1, 1},
		"a run that begins in another":          {1, 1, 0, 1},
		"a run that ends beyond the last index": {math.MaxUint64, 1},
		"a run that begins beyond it":           {math.MaxUint64, 0, 2, 0},
	} {
		if runs, err := saved.load(); err == nil {
			t.Errorf("%s: loaded as %v", name, runs)
		}
	}
}
