package search

import (
	"math/bits"
)

// In an outline positions lie as bits, from the lowest of a byte on, which takes
// less room than a posting, and more time:
//
//	gamma(how many), then what each exceeds the one before it by, less 1:
//	what remains of it below 2^k in k bits, after one zero for each 2^k and a one
//
// where gamma(v) is v in binary without its highest bit, after one zero for each
// bit that is left and a one, and 2^k is at most two thirds of span divided by
// how many there are, or 1 (Rice's code, which is as good as can be where
// positions lie by chance; and where k is 0, no more than a bit for each).

// riceBits returns k for n of span positions.
func riceBits(n, span int) int {
	return max(bits.Len(uint(span*2/3/n))-1, 0)
}

// A bitWriter appends bits.
type bitWriter struct {
	b    []byte
	open uint64 // bits not yet in b
	n    int    // how many
}

// put appends the lowest n bits of v, at most 32, where all others are zero.
func (w *bitWriter) put(v uint64, n int) {
	w.open |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.b = append(w.b, byte(w.open))
		w.open >>= 8
	}
}

// unary appends n zeros and a one.
func (w *bitWriter) unary(n int) {
	for ; n >= 32; n -= 32 {
		w.put(0, 32)
	}
	w.put(1<<n, n+1)
}

func (w *bitWriter) gamma(v uint64) {
	n := bits.Len64(v) - 1
	w.unary(n)
	w.put(v&(1<<n-1), n)
}

// positions appends rising positions, of which there is at least one.
func (w *bitWriter) positions(list []uint16, span int) {
	w.gamma(uint64(len(list)))
	k, last := riceBits(len(list), span), -1
	for _, p := range list {
		d := uint64(int(p) - last - 1)
		w.unary(int(d >> k))
		w.put(d&(1<<k-1), k)
		last = int(p)
	}
}

// bytes returns what was written, up to a whole byte.
func (w *bitWriter) bytes() []byte {
	if w.n > 0 {
		w.put(0, 8-w.n)
	}
	return w.b
}

// A bitReader reads what a bitWriter has written.
type bitReader struct {
	b    []byte
	open uint64
	n    int
	bad  bool // there was less than was asked for
}

func (r *bitReader) fill() {
	for r.n <= 56 && len(r.b) > 0 {
		r.open |= uint64(r.b[0]) << r.n
		r.b, r.n = r.b[1:], r.n+8
	}
}

// take returns the next n bits, at most 32.
func (r *bitReader) take(n int) uint64 {
	if r.n < n {
		r.fill()
	}
	if r.n < n {
		r.bad = true
		return 0
	}
	v := r.open & (1<<n - 1)
	r.open, r.n = r.open>>n, r.n-n
	return v
}

// unary returns how many zeros there are before a one, at most limit.
func (r *bitReader) unary(limit int) (zeros int) {
	for zeros <= limit {
		if r.n == 0 {
			r.fill()
		}
		if r.n == 0 {
			break
		}
		n := bits.TrailingZeros64(r.open)
		if n < r.n {
			r.open, r.n = r.open>>(n+1), r.n-n-1
			if zeros+n > limit {
				break
			}
			return zeros + n
		}
		zeros, r.open, r.n = zeros+r.n, 0, 0
	}
	r.bad = true
	return 0
}

// positions reads positions, all below span.
func (r *bitReader) positions(span int) ([]uint16, error) {
	n := r.unary(bits.Len(uint(span)))
	count := int(1<<n | r.take(n))
	if r.bad || count > span {
		return nil, malformed("outline: how many positions there are")
	}
	list := make([]uint16, 0, count)
	k, last := riceBits(count, span), -1
	for range count {
		last += 1 + r.unary(span>>k)<<k
		if last += int(r.take(k)); r.bad || last >= span {
			return nil, malformed("outline: positions")
		}
		list = append(list, uint16(last))
	}
	return list, nil
}
