package audit

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// orders are in which orders a source may send its numbers, of 0 to n-1 or
// with gaps between them.
func orders(n int) map[string][]uint64 {
	all := map[string][]uint64{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range uint64(n) {
		all["rising"] = append(all["rising"], i)
		all["falling"] = append(all["falling"], uint64(n)-1-i)
		all["falling by two"] = append(all["falling by two"], 2*(uint64(n)-i))
		all["rising by two, and then those between"] = append(all["rising by two, and then those between"], 2*i%uint64(n|1))
		all["any"] = append(all["any"], rnd.Uint64N(uint64(n)))
		all["any, far apart"] = append(all["any, far apart"], rnd.Uint64())
		all["rising by two for a while, and then falling by two"] = append(all["rising by two for a while, and then falling by two"], risesAndFalls(i))
	}
	return all
}

// risesAndFalls fills a block, and then comes down on it from far above.
func risesAndFalls(i uint64) uint64 {
	if i < runBlock {
		return 2 * i
	}
	return 1<<40 - 2*i
}

// runsOf returns the runs of a set of numbers, found the slow way.
func runsOf(numbers []uint64) (runs []seqRun, repeats int) {
	seen := map[uint64]uint64{}
	for i, n := range numbers {
		if _, ok := seen[n]; ok {
			repeats++
			continue
		}
		seen[n] = uint64(i)
	}
	for i, n := range slices.Sorted(maps.Keys(seen)) {
		if last := len(runs) - 1; i > 0 && n == runs[last].hi+1 {
			runs[last].hi = n
			continue
		}
		runs = append(runs, seqRun{n, n, seen[n]})
	}
	return runs, repeats
}

// Whatever order numbers come in, what is known of them is what a set knows.
func TestRunsAreThoseOfASet(t *testing.T) {
	for name, numbers := range orders(10_000) {
		s := newSources(len(numbers))
		key, repeats := sourceKey{1, 2}, 0
		for i, n := range numbers {
			if !s.add(key, n, uint64(i)) {
				repeats++
			}
		}
		want, wantRepeats := runsOf(numbers)
		got := slices.Collect(s.runs[key].all())
		if !slices.Equal(got, want) || repeats != wantRepeats || s.count != len(want) || s.gapCount() != len(want)-1 {
			t.Errorf("%s: %d runs (%d counted) and %d repeats, want %d and %d", name, len(got), s.count, repeats, len(want), wantRepeats)
		}
		if again := slices.Collect(s.runs[key].clone().all()); !slices.Equal(again, want) {
			t.Errorf("%s: a copy has %d runs, want %d", name, len(again), len(want))
		}
		n := 0
		for range s.gaps() {
			if n++; n == 3 {
				break
			}
		}
	}
}

// A writer chooses the order of its numbers; it must not choose how long an
// audit takes. A number costs a search, and room in a block and in the list of
// blocks: so none is long, and there is one for a hundred numbers at most. In a
// plain list half a million runs took minutes.
func TestNoOrderOfNumbersIsSlow(t *testing.T) {
	for name, numbers := range orders(500_000) {
		s := newSources(len(numbers))
		for i, n := range numbers {
			s.add(sourceKey{1, 2}, n, uint64(i))
			if blocks := len(s.lastRuns.blocks); blocks > 1+i/100 {
				t.Fatalf("%s: there are %d blocks of %d numbers", name, blocks, i+1)
			}
		}
		for _, b := range s.lastRuns.blocks {
			if len(b) > runBlock {
				t.Fatalf("%s: a block has %d runs, want at most %d", name, len(b), runBlock)
			}
		}
	}
}

func BenchmarkSources(b *testing.B) {
	const n = 1 << 20
	for name, numbers := range orders(n) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s := newSources(n)
				for i, number := range numbers {
					s.add(sourceKey{1, 2}, number, uint64(i))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/number")
		})
	}
}
