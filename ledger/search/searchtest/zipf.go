package searchtest

import "math/bits"

// A choice draws numbers by their weights, each in constant time, with the
// alias method (M. D. Vose, A linear algorithm for generating random numbers
// with a given distribution, 1991). It works with integers alone, so that all
// machines draw the same.
type choice struct {
	keep  []uint64 // of 2^32: how often a column's own number is drawn from it
	alias []int    // the other number of a column
}

// zipf draws numbers in [0, n) by the law of Zipf: k with weight 1/(k+1).
func zipf(n int) choice {
	weights := make([]uint64, n)
	for k := range weights {
		weights[k] = 1 << 40 / uint64(k+1)
	}
	return weighted(weights)
}

// weighted draws the number k with weight weights[k]. Their sum times their
// number is below 2^64.
func weighted(weights []uint64) choice {
	n := uint64(len(weights))
	var sum uint64
	for _, w := range weights {
		sum += w
	}
	c := choice{make([]uint64, n), make([]int, n)}
	rest := make([]uint64, n) // of each number's weight, where a column holds sum
	var small, large []int
	for k, w := range weights {
		if rest[k] = w * n; rest[k] < sum {
			small = append(small, k)
		} else {
			large = append(large, k)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		hi, lo := bits.Mul64(rest[s], 1<<32)
		c.keep[s], _ = bits.Div64(hi, lo, sum)
		c.alias[s] = l
		if rest[l] -= sum - rest[s]; rest[l] < sum {
			large, small = large[:len(large)-1], append(small, l)
		}
	}
	for _, k := range append(small, large...) { // full columns
		c.keep[k], c.alias[k] = 1<<32, k
	}
	return c
}

// draw returns one of the numbers by 64 random bits.
func (c choice) draw(random uint64) int {
	column, fraction := bits.Mul64(random, uint64(len(c.keep)))
	if fraction>>32 < c.keep[column] {
		return int(column)
	}
	return c.alias[column]
}
