package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// A Page says which hits are wanted.
type Page struct {
	Limit  int  // at most so many; at least 1
	Oldest bool // the oldest first, else the newest
}

// An Answer is one page of hits.
type Answer struct {
	Scope // of what was searched for this page

	Hits []uint64 // indices of entries, in the order that was asked for

	// More says that there may be more hits. They are found by the same request
	// with Next as its End, or with oldest first as its First, whatever was
	// added meanwhile.
	More bool
	Next uint64
}

// Find returns the first hits. It walks the segments in the order that is asked
// for, and no further than it has to.
func (x *Index) Find(ctx context.Context, r Request, page Page) (*Answer, error) {
	if page.Limit < 1 {
		return nil, fmt.Errorf("search: %w: a limit of %d", ErrInvalid, page.Limit)
	}
	a := &Answer{}
	scope, err := x.do(ctx, r, func(s *search) error {
		*a = Answer{}
		return s.page(page, a)
	})
	if err != nil {
		return nil, err
	}
	a.Scope = scope
	return a, nil
}

func (s *search) page(page Page, a *Answer) error {
	for len(s.parts) > 0 {
		group := s.takeGroup(page.Oldest)
		fits := make([]placed, 0, len(group))
		for _, p := range group {
			f, err := s.matching(p)
			if err != nil {
				return err
			}
			if f.maybe.n > 0 {
				fits = append(fits, newPlaced(p, f, page.Oldest))
			}
		}
		done, err := s.walk(fits, page, a)
		if done || err != nil {
			s.walked(page.Oldest, a)
			return err
		}
	}
	return nil
}

// takeGroup takes the places of the next segments: one, or a large one with the
// small ones in it.
func (s *search) takeGroup(oldest bool) []*place {
	if oldest {
		end, n := s.parts[0].id.End, 0
		for ; n < len(s.parts) && s.parts[n].id.First < end; n++ {
			end = max(end, s.parts[n].id.End)
		}
		group := s.parts[:n]
		s.parts = s.parts[n:]
		return group
	}
	last := s.parts[len(s.parts)-1].id
	large := s.shape.of(last.First, s.shape.large, last.Bucket)
	n, _ := slices.BinarySearchFunc(s.parts, large.First, func(p *place, first uint64) int { return cmp.Compare(p.id.First, first) })
	if s.parts[n].id.End < large.End { // all are small: those of the last are enough
		n, _ = slices.BinarySearchFunc(s.parts, last.First, func(p *place, first uint64) int { return cmp.Compare(p.id.First, first) })
	}
	group := s.parts[n:]
	s.parts = s.parts[:n]
	return group
}

// A placed is the fits of one place, on the way through them.
type placed struct {
	*place
	fit
	at int // the next position, or -1
}

func newPlaced(p *place, f fit, oldest bool) placed {
	if oldest {
		return placed{p, f, f.maybe.next(0)}
	}
	return placed{p, f, f.maybe.previous(p.span())}
}

func (p *placed) step(oldest bool) {
	if oldest {
		p.at = p.maybe.next(p.at + 1)
	} else {
		p.at = p.maybe.previous(p.at)
	}
}

func (p *placed) index() uint64 { return p.id.First + uint64(p.at) }

// walk goes through the fits of a group in order. It is true when the page is
// full, or no more can be checked.
func (s *search) walk(fits []placed, page Page, a *Answer) (done bool, err error) {
	for {
		var best *placed
		for i := range fits {
			p := &fits[i]
			if p.at >= 0 && (best == nil || page.Oldest == (p.index() < best.index())) {
				best = p
			}
		}
		if best == nil {
			return false, nil
		}
		index := best.index()
		fits := best.exact() || best.sure.has(uint16(best.at))
		switch {
		case len(a.Hits) == page.Limit, !fits && s.Check != nil && s.spent():
			a.More = true
			return true, nil
		case !fits:
			if fits, err = s.check(index); err != nil {
				return true, err
			}
		}
		if fits {
			a.Hits = append(a.Hits, index)
		}
		a.Next = index
		if page.Oldest {
			a.Next++
		}
		best.step(page.Oldest)
	}
}

// walked narrows the gaps to what this page has gone through.
func (s *search) walked(oldest bool, a *Answer) {
	first, last := uint64(0), uint64(math.MaxUint64)
	if oldest {
		last = a.Next - 1
	} else {
		first = a.Next
	}
	gaps := s.scope.Gaps[:0]
	for _, g := range s.scope.Gaps {
		if g.First, g.Last = max(g.First, first), min(g.Last, last); g.First <= g.Last {
			gaps = append(gaps, g)
		}
	}
	s.scope.Gaps = gaps
}
