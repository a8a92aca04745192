package search

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client/query"
)

// A Facet is how often a field has its values among the entries that fit.
type Facet struct {
	Scope
	Entries uint64       // that fit
	Values  uint64       // different ones that they have
	Top     []FacetValue // those that most entries have; of equal counts in the values' order
}

// A FacetValue is one value of a field.
type FacetValue struct {
	Value   string
	Cut     bool   // it is the beginning of values that are longer than what is indexed
	Entries uint64 // that have it
}

// MaxTop bounds the values of a facet.
const MaxTop = 10_000

// Facet returns the n values of a field that most of the entries that fit have.
// The values need not be held at once, however many there are.
func (x *Index) Facet(ctx context.Context, r Request, field query.Field, n int) (*Facet, error) {
	if n < 1 || n > MaxTop {
		return nil, fmt.Errorf("search: %w: %d values, at most %d", ErrInvalid, n, MaxTop)
	}
	a := &Facet{}
	scope, err := x.do(ctx, r, func(s *search) error {
		*a = Facet{}
		return s.facet(field, n, a)
	})
	if err != nil {
		return nil, err
	}
	a.Scope = scope
	return a, nil
}

// A faceted is the rows of a field in one place, among what fits.
type faceted struct {
	*place
	fits []uint64 // as bits; nil if all documents fit
}

func (s *search) facet(field query.Field, n int, a *Facet) error {
	var of []faceted
	var sources []rowSource
	for _, p := range s.parts {
		fits, err := s.decided(p)
		if err != nil {
			return err
		}
		if a.Entries += uint64(fits.n); fits.n == 0 {
			continue
		}
		all, err := p.all()
		if err != nil {
			return s.judge(p, err)
		}
		f := faceted{place: p}
		if fits.n < all.n {
			f.fits = fits.asBits(p.span())
		}
		numbers, ok := s.Fields(p.id.Bucket, field)
		if !ok {
			return fmt.Errorf("%w: the values of %s%s are not indexed", ErrUndecided, field.Name, field.Path)
		}
		for _, number := range numbers {
			rows, err := p.rows(section{fieldKind, number}, nil, nil)
			if err != nil {
				return s.judge(p, err)
			}
			of, sources = append(of, f), append(sources, rows)
		}
	}
	return s.countValues(of, sources, n, a)
}

func (s *search) countValues(of []faceted, sources []rowSource, n int, a *Facet) error {
	m, err := newMerger(sources)
	if err != nil {
		return s.blame(of, err)
	}
	var top topValues
	count := func(key []byte, hits []hit) error {
		entries := uint64(0)
		for _, h := range hits {
			c, err := of[h.source].count(h.post)
			if err != nil {
				return err
			}
			entries += uint64(c)
		}
		if entries == 0 {
			return nil
		}
		if a.Values++; a.Values%1024 == 0 && s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		top.offer(key, entries, n)
		return nil
	}
	for {
		ok, err := m.next(count)
		if err != nil {
			return s.blame(of, err)
		}
		if !ok {
			a.Top = top.values()
			return nil
		}
	}
}

// blame finds out whose rows an error is about.
func (s *search) blame(of []faceted, err error) error {
	if !lost(err) {
		return err
	}
	for _, f := range of {
		if f.file != nil && f.file.lost.Load() {
			return errLost
		}
	}
	for _, f := range of { // one has rows that nobody has written
		if f.file != nil {
			f.file.lost.Store(true)
		}
	}
	return errLost
}

// count returns how many of a row's entries fit.
func (f *faceted) count(p posting) (int, error) {
	if f.fits == nil {
		return p.n, nil
	}
	return p.countAmong(f.fits)
}

// topValues holds the values that most entries have, the least first.
type topValues []topValue

type topValue struct {
	key     []byte
	entries uint64
}

func compareTop(a, b topValue) int {
	if c := cmp.Compare(a.entries, b.entries); c != 0 {
		return c
	}
	return bytes.Compare(b.key, a.key)
}

func (t topValues) Len() int           { return len(t) }
func (t topValues) Less(i, j int) bool { return compareTop(t[i], t[j]) < 0 }
func (t topValues) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *topValues) Push(v any)        { *t = append(*t, v.(topValue)) }
func (t *topValues) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// offer takes a value, whose key is behind those of all before, if it is one
// of the n of most entries.
func (t *topValues) offer(key []byte, entries uint64, n int) {
	if len(*t) == n {
		if (*t)[0].entries >= entries {
			return
		}
		heap.Pop(t)
	}
	heap.Push(t, topValue{bytes.Clone(key), entries})
}

func (t topValues) values() []FacetValue {
	slices.SortFunc(t, func(a, b topValue) int { return compareTop(b, a) })
	values := make([]FacetValue, len(t))
	for i, v := range t {
		value, whole := keyValue(v.key)
		values[i] = FacetValue{Value: string(value), Cut: !whole, Entries: v.entries}
	}
	return values
}
