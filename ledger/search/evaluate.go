package search

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client/query"
)

// A fit is which positions fit an expression: sure ones, and those that may,
// among which the sure ones are. They are the same set where the index can tell.
type fit struct{ sure, maybe *set }

func exactly(s *set) fit { return fit{s, s} }

func (f fit) exact() bool { return f.sure == f.maybe || f.sure.n == f.maybe.n }

func (f fit) and(o fit) fit {
	maybe := f.maybe.and(o.maybe)
	if f.exact() && o.exact() {
		return exactly(maybe)
	}
	return fit{f.sure.and(o.sure), maybe}
}

func (f fit) or(o fit, span int) fit {
	maybe := f.maybe.or(o.maybe, span)
	if f.exact() && o.exact() {
		return exactly(maybe)
	}
	return fit{f.sure.or(o.sure, span), maybe}
}

// An evaluator evaluates expressions over one place.
type evaluator struct {
	*search
	*place
}

func (e *evaluator) eval(expr query.Expr) (fit, error) {
	switch expr := expr.(type) {
	case query.All:
		return e.everything()
	case query.And:
		return e.and(expr.List)
	case query.Or:
		return e.or(expr.List)
	case query.Not:
		return e.not(expr.Of)
	case query.Field:
		return e.field(expr)
	case query.Word:
		return e.word(expr)
	case query.Phrase:
		return e.phrase(expr)
	case query.After, query.Before, query.Indices:
		return e.and([]query.Expr{expr})
	case query.Stream:
		if e.Stream(e.id.Bucket) == expr.Name {
			return e.everything()
		}
		return exactly(none()), nil
	case query.Source:
		return e.equal([]uint16{SourceField}, expr.Name)
	}
	return fit{}, fmt.Errorf("%w: an expression of type %T", ErrInvalid, expr)
}

func (e *evaluator) everything() (fit, error) {
	all, err := e.all()
	return exactly(all), err
}

// bounds narrows a range of positions to what a condition on the place or time
// of entries leaves. It is false for another condition.
func (e *evaluator) bounds(expr query.Expr, start, end *int) (ok bool, err error) {
	var at int
	switch expr := expr.(type) {
	case query.After:
		at, err = e.before(expr.Time)
		*start = max(*start, at)
	case query.Before:
		at, err = e.before(expr.Time)
		*end = min(*end, at)
	case query.Indices:
		if expr.Last < e.id.First {
			*end = 0
		} else if expr.Last < e.id.End {
			*end = min(*end, int(expr.Last-e.id.First)+1)
		}
		if expr.First >= e.id.End {
			*start = e.span()
		} else if expr.First > e.id.First {
			*start = max(*start, int(expr.First-e.id.First))
		}
	default:
		return false, nil
	}
	return true, err
}

// and begins with what costs least: the bounds of the entries, then rows in the
// order of how many entries they have. It ends when nothing is left.
func (e *evaluator) and(list []query.Expr) (fit, error) {
	start, end := 0, e.span()
	var rows []posting
	var rest []query.Expr
	for _, expr := range list {
		if ok, err := e.bounds(expr, &start, &end); ok || err != nil {
			if err != nil || start >= end {
				return exactly(none()), err
			}
			continue
		}
		p, found, simple, err := e.single(expr)
		switch {
		case err != nil || simple && !found:
			return exactly(none()), err
		case simple:
			rows = append(rows, p)
		default:
			rest = append(rest, expr)
		}
	}
	var within *set // nil: all positions
	if start > 0 || end < e.span() {
		within = rangeSet(start, end, e.span())
	}
	within, err := joinRows(rows, within)
	if err != nil {
		return fit{}, err
	}
	if len(rows)+len(rest) == 0 { // a range has positions that are no documents
		rest = append(rest, query.All{})
	}
	return e.join(rest, within)
}

// joinRows returns the positions that are in all rows, of which there may be
// none, and within a set, if that is not nil.
func joinRows(rows []posting, within *set) (s *set, err error) {
	slices.SortStableFunc(rows, func(a, b posting) int { return cmp.Compare(a.n, b.n) })
	s = within
	for _, p := range rows {
		switch {
		case s == nil:
			s, err = p.set()
		case s.n == 0:
			return s, nil
		case s.bits == nil:
			s, err = p.keep(s.list)
		default:
			var o *set
			if o, err = p.set(); err == nil {
				s = s.and(o)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// join returns what fits each of a list, and is within a set, if that is not
// nil; one of the two there is.
func (e *evaluator) join(list []query.Expr, within *set) (fit, error) {
	f := exactly(within)
	for _, expr := range list {
		if f.maybe != nil && f.maybe.n == 0 {
			break
		}
		o, err := e.eval(expr)
		if err != nil {
			return f, err
		}
		if f.maybe != nil {
			o = f.and(o)
		}
		f = o
	}
	return f, nil
}

// single returns the row that an expression stands for, if it is of one row.
func (e *evaluator) single(expr query.Expr) (p posting, found, simple bool, err error) {
	switch expr := expr.(type) {
	case query.Word:
		if !expr.Prefix {
			p, found, err = e.find(wordSection(), []byte(expr.Text))
			return p, found, true, err
		}
	case query.Source:
		return e.value(SourceField, expr.Name)
	case query.Field:
		if expr.Op != query.Equal {
			break
		}
		switch numbers, ok := e.Fields(e.id.Bucket, expr); {
		case ok && len(numbers) == 0:
			return p, false, true, nil
		case ok && len(numbers) == 1:
			return e.value(numbers[0], expr.Value)
		}
	}
	return p, false, false, nil
}

// value returns the row of a value, if the value is not too long for that.
func (e *evaluator) value(number uint16, value string) (p posting, found, simple bool, err error) {
	if len(value) > MaxValue {
		return p, false, false, nil
	}
	p, found, err = e.find(section{fieldKind, number}, appendKey(nil, []byte(value)))
	return p, found, true, err
}

func (e *evaluator) or(list []query.Expr) (fit, error) {
	f := exactly(none())
	for _, expr := range list {
		o, err := e.eval(expr)
		if err != nil {
			return f, err
		}
		f = f.or(o, e.span())
	}
	return f, nil
}

func (e *evaluator) not(of query.Expr) (fit, error) {
	f, err := e.eval(of)
	if err != nil {
		return f, err
	}
	all, err := e.all()
	if err != nil {
		return f, err
	}
	if f.exact() {
		return exactly(all.without(f.sure, e.span())), nil
	}
	return fit{all.without(f.maybe, e.span()), all.without(f.sure, e.span())}, nil
}

// word returns where a word is, or words that begin so.
func (e *evaluator) word(w query.Word) (fit, error) {
	if !w.Prefix {
		return e.row(wordSection(), []byte(w.Text))
	}
	var u union
	err := e.gather(wordSection(), []byte(w.Text), prefixEnd([]byte(w.Text)), func([]byte) *union { return &u })
	return exactly(u.set()), err
}

// phrase returns what has all words of a phrase.
func (e *evaluator) phrase(p query.Phrase) (fit, error) {
	list := make([]query.Expr, len(p.Words))
	for i, w := range p.Words {
		list[i] = query.Word{Text: w, Prefix: p.Prefix && i == len(p.Words)-1}
	}
	f, err := e.and(list)
	return fit{none(), f.maybe}, err
}

// row returns the positions of one row.
func (e *evaluator) row(id section, key []byte) (fit, error) {
	p, ok, err := e.find(id, key)
	if !ok || err != nil {
		return exactly(none()), err
	}
	s, err := p.set()
	return exactly(s), err
}
