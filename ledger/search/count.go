package search

import (
	"context"
	"fmt"
	"slices"
)

// Count returns how many entries fit.
func (x *Index) Count(ctx context.Context, r Request) (n uint64, scope Scope, err error) {
	scope, err = x.do(ctx, r, func(s *search) error {
		n = 0
		for _, p := range s.parts {
			fits, err := s.decided(p)
			if err != nil {
				return err
			}
			n += uint64(fits.n)
		}
		return nil
	})
	return n, scope, err
}

// MaxTimes bounds the times of a histogram.
const MaxTimes = 10_000

// Histogram returns how many entries that fit have their time between two of the
// rising times: counts[i] is of those from times[i] on and before times[i+1],
// in microseconds since 1970.
func (x *Index) Histogram(ctx context.Context, r Request, times []uint64) (counts []uint64, scope Scope, err error) {
	if len(times) < 2 || len(times) > MaxTimes || !slices.IsSorted(times) {
		return nil, scope, fmt.Errorf("search: %w: a histogram has 2 to %d times that rise", ErrInvalid, MaxTimes)
	}
	scope, err = x.do(ctx, r, func(s *search) error {
		counts = make([]uint64, len(times)-1)
		for _, p := range s.parts {
			if err := s.histogram(p, times, counts); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, scope, err
}

func (s *search) histogram(p *place, times, counts []uint64) error {
	fits, err := s.decided(p)
	if err != nil || fits.n == 0 {
		return err
	}
	start, err := p.before(times[0])
	if err != nil {
		return s.judge(p, err)
	}
	for i := range counts {
		end, err := p.before(times[i+1])
		if err != nil {
			return s.judge(p, err)
		}
		counts[i] += uint64(fits.countIn(start, end))
		start = end
	}
	return nil
}
