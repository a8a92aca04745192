package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A Request is what a query asks, and of what.
type Request struct {
	Expr query.Expr

	// Buckets are those that whoever asks may read. Nothing else is touched.
	Buckets []uint32

	// First and End bound the entries: those from First on and below End. An
	// End of 0 means all there are.
	First, End uint64

	// Except are entries that are not searched. They rise.
	Except []proofs.Run

	// Fields returns the numbers under which documents of a bucket have the
	// values of a field, named or by its path. It is false for a path whose values
	// they do not have: then Check has to tell. A name that the bucket's stream
	// does not have has no numbers, and no values.
	Fields func(bucket uint32, f query.Field) (numbers []uint16, ok bool)

	// Stream returns the name of the stream that a bucket is of.
	Stream func(bucket uint32) string

	// Check tells whether an entry fits Expr, by its payload. It is called for
	// entries of which the index cannot tell: for phrases, paths, and values that
	// are longer than what is indexed. Without it such a query is ErrUndecided.
	Check func(ctx context.Context, index uint64) (bool, error)

	// MaxChecks bounds the calls of Check. 0: no bound. A Find that has come so
	// far ends there, and goes on from its Next; any other query is ErrUndecided.
	MaxChecks int
}

// ErrUndecided means that a query cannot be answered from the index alone: Check
// is needed, more often than is allowed.
var ErrUndecided = errors.New("the index cannot tell which entries fit")

// A Scope is what an answer is about.
type Scope struct {
	// Size is how far the index had come: later entries were not searched.
	Size uint64

	// Gaps are what was not searched below that, in order: the index does not
	// have these parts now.
	Gaps []Gap

	// Checked is how often Check was called.
	Checked int
}

// A Gap is entries of a bucket that were not searched.
type Gap struct {
	Bucket uint32
	proofs.Run
}

// A search is one query over one snapshot.
type search struct {
	Request
	ctx   context.Context
	shape shape
	scope Scope
	parts []*place
}

// A part is the documents of a bucket in a segment, at rest or in memory.
// Positions are relative to the segment's first entry.
type part interface {
	span() int
	// all returns the positions of the documents.
	all() (*set, error)
	// before returns the position of the first document at or after a time, or
	// the span if there is none.
	before(time uint64) (int, error)
	// find returns the row of a key.
	find(id section, key []byte) (p posting, ok bool, err error)
	// rows returns the rows from a key on and before another; nil is none.
	rows(id section, from, to []byte) (rowSource, error)
}

// A place is a part, with what of it is asked for.
type place struct {
	part
	id         FileID
	file       *file // nil in memory
	start, end int   // positions
}

// do runs a query, and again where a file has left the index meanwhile or turned
// out not to be what was written.
func (x *Index) do(ctx context.Context, r Request, run func(*search) error) (Scope, error) {
	for {
		s, err := x.begin(ctx, r)
		if err == nil {
			err = run(s)
		}
		if errors.Is(err, errGone) || errors.Is(err, errLost) {
			if err = ctx.Err(); err == nil {
				continue
			}
		}
		if err != nil {
			return Scope{}, fmt.Errorf("search: %w", err)
		}
		return s.scope, nil
	}
}

var errLost = errors.New("a file is not what was written")

func (x *Index) begin(ctx context.Context, r Request) (*search, error) {
	now := x.now.Load()
	if now.closed {
		return nil, storage.ErrClosed
	}
	if r.End == 0 || r.End > now.size {
		r.End = now.size
	}
	s := &search{Request: r, ctx: ctx, shape: x.shape, scope: Scope{Size: now.size}}
	if r.Expr == nil {
		return nil, fmt.Errorf("%w: no expression", ErrInvalid)
	}
	s.narrow(r.Expr)
	s.Buckets = slices.Compact(slices.Sorted(slices.Values(r.Buckets)))
	for _, bucket := range s.Buckets {
		for _, f := range now.files[bucket] {
			s.addFile(f)
		}
		if o, ok := now.open[bucket]; ok {
			s.addOpen(o)
		}
	}
	for _, id := range now.missing {
		if slices.Contains(s.Buckets, id.Bucket) {
			s.gap(id)
		}
	}
	slices.SortFunc(s.parts, func(a, b *place) int { return compareIDs(a.id, b.id) })
	slices.SortFunc(s.scope.Gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Bucket, b.Bucket))
	})
	return s, nil
}

// narrow narrows the range to what an expression asks for at its top.
func (s *search) narrow(e query.Expr) {
	switch e := e.(type) {
	case query.And:
		for _, e := range e.List {
			s.narrow(e)
		}
	case query.Indices:
		s.First = max(s.First, e.First)
		if e.Last < s.End {
			s.End = e.Last + 1
		}
	}
}

// inside returns which entries of a segment are asked for.
func (s *search) inside(id FileID) (first, end uint64) {
	return max(s.First, id.First), min(s.End, id.End)
}

// addFile adds a file, unless it is not what was written.
func (s *search) addFile(f *file) {
	if f.lost.Load() {
		s.gap(f.FileID)
		return
	}
	s.add(&place{part: f, id: f.FileID, file: f})
}

// addOpen adds what is open, or nothing of it if what was put aside is not what
// was written.
func (s *search) addOpen(o opened) {
	if slices.ContainsFunc(o.aside, func(f *file) bool { return f.lost.Load() }) {
		s.gap(o.id)
		return
	}
	for _, f := range o.aside {
		s.addFile(f)
	}
	if s.scope.Size > o.id.First {
		s.add(&place{part: view{o.memory, int(s.scope.Size - o.id.First)}, id: o.id})
	}
}

func (s *search) add(p *place) {
	if first, end := s.inside(p.id); first < end {
		p.start, p.end = int(first-p.id.First), int(end-p.id.First)
		s.parts = append(s.parts, p)
	}
}

func (s *search) gap(id FileID) {
	if first, end := s.inside(id); first < end {
		s.scope.Gaps = append(s.scope.Gaps, Gap{id.Bucket, proofs.Run{First: first, Last: end - 1}})
	}
}

// matching returns the positions in a place that fit, and those that may.
func (s *search) matching(p *place) (f fit, err error) {
	if err := s.ctx.Err(); err != nil {
		return f, err
	}
	e := evaluator{search: s, place: p}
	f, err = e.eval(s.Expr)
	if err == nil && (p.start > 0 || p.end < p.span()) {
		f = f.and(exactly(rangeSet(p.start, p.end, p.span())))
	}
	if err == nil {
		f = s.except(p, f)
	}
	return f, s.judge(p, err)
}

// except takes what is not searched from what fits.
func (s *search) except(p *place, f fit) fit {
	at, _ := slices.BinarySearchFunc(s.Except, p.id.First, func(r proofs.Run, first uint64) int { return cmp.Compare(r.Last, first) })
	var words []uint64
	for _, r := range s.Except[at:] {
		if r.First >= p.id.End {
			break
		}
		if words == nil {
			words = make([]uint64, p.span()/64)
		}
		start, end := int(max(r.First, p.id.First)-p.id.First), int(min(r.Last, p.id.End-1)-p.id.First)+1
		for w := start / 64; w <= (end-1)/64; w++ {
			words[w] |= wordMask(w, start, end)
		}
	}
	if words == nil {
		return f
	}
	not := bitSet(words)
	if f.exact() {
		return exactly(f.sure.without(not, p.span()))
	}
	return fit{f.sure.without(not, p.span()), f.maybe.without(not, p.span())}
}

// judge makes an error of a file that is not what was written errLost.
func (s *search) judge(p *place, err error) error {
	if err != nil && p.file != nil && lost(err) {
		p.file.lost.Store(true)
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return err
}

// check asks whether an entry fits.
func (s *search) check(index uint64) (bool, error) {
	if s.Check == nil {
		return false, fmt.Errorf("%w without the payload of entry %d", ErrUndecided, index)
	}
	if s.spent() {
		return false, fmt.Errorf("%w without the payloads of more than %d", ErrUndecided, s.MaxChecks)
	}
	s.scope.Checked++
	return s.Check(s.ctx, index)
}

// spent reports whether no entry can be checked any more.
func (s *search) spent() bool { return s.MaxChecks > 0 && s.scope.Checked >= s.MaxChecks }

// decided returns the positions in a place that fit, after checking those that
// may.
func (s *search) decided(p *place) (*set, error) {
	f, err := s.matching(p)
	if err != nil || f.exact() {
		return f.sure, err
	}
	open := f.maybe.without(f.sure, p.span())
	var fits []uint16
	for at := open.next(0); at >= 0; at = open.next(at + 1) {
		ok, err := s.check(p.id.First + uint64(at))
		if err != nil {
			return nil, err
		}
		if ok {
			fits = append(fits, uint16(at))
		}
	}
	return f.sure.or(listSet(fits), p.span()), nil
}
