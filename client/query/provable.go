package query

import (
	"fmt"
	"math"
	"slices"
)

// A Provable is what a query asks for whose answer can be proven to be complete:
// the entries of a stream that have all of some values of declared fields, and of
// some lists of values one each, within a range of indices and of the ledger's time.
// The Op of all Fields is Equal, and they have a Name.
type Provable struct {
	Stream      string    // empty: the query names none
	Fields      []Field   // each once
	Any         [][]Field // lists of two or more, each once; if there are none there is one of Fields
	First, Last uint64    // indices; those of all entries are from 0 to [math.MaxUint64]
	From, Until uint64    // from From on, and before Until, in microseconds since 1970; Until is 0 where there is no bound
}

// Prove returns what a query that [Parse] made asks for, if an answer to it can be
// proven to be complete. Its error is an [*Error] that shows what cannot.
func Prove(q *Query) (Provable, error) {
	p := prover{query: q, asked: Provable{Last: math.MaxUint64}}
	err := p.and(q.Expr)
	switch {
	case p.unprovable != nil:
		return Provable{}, p.unprovable
	case err != nil:
		return Provable{}, err
	case !p.asked.hasValues():
		return Provable{}, p.noValues(whatIsProvable)
	}
	return p.asked, nil
}

// Split divides a query that [Parse] made into what can be proven and the rest: an
// entry fits the query if it fits both, which [Match] says of the rest. That is [All]
// where all can be proven. What is negated, and alternatives of which one cannot be
// proven, are in the rest as a whole. Where no value can be proven the error is an
// [*Error] that shows what cannot.
func Split(q *Query) (proven Provable, rest Expr, err error) {
	p := prover{query: q, asked: Provable{Last: math.MaxUint64}}
	if err := p.and(q.Expr); err != nil {
		return Provable{}, nil, err
	}
	const hint = whatIsProvable + "; whatever else is beside one of these values is judged on the events that have it"
	switch {
	case p.asked.hasValues():
		return p.asked, Conjunction(p.rest...), nil
	case p.unprovable != nil:
		p.unprovable.Hint = hint
		return Provable{}, nil, p.unprovable
	}
	return Provable{}, nil, p.noValues(hint)
}

func (a *Provable) hasValues() bool { return len(a.Fields)+len(a.Any) > 0 }

// Expr returns the expression that asks for the same.
func (p Provable) Expr() Expr {
	var list []Expr
	if p.Stream != "" {
		list = append(list, Stream{p.Stream})
	}
	for _, f := range p.Fields {
		list = append(list, f)
	}
	for _, fields := range p.Any {
		var either Or
		for _, f := range fields {
			either.List = append(either.List, f)
		}
		list = append(list, either)
	}
	if p.First > 0 || p.Last < math.MaxUint64 {
		list = append(list, Indices{p.First, p.Last})
	}
	if p.From > 0 {
		list = append(list, After{p.From})
	}
	if p.Until > 0 {
		list = append(list, Before{p.Until})
	}
	return Conjunction(list...)
}

// whatIsProvable is the hint of errors of [Prove] and [Split].
const whatIsProvable = "what can be proven to be complete are values of fields, as in (a:b or c:d) e:f, with stream:, index:, after: and before:"

// A prover goes through an expression from its front.
type prover struct {
	query *Query
	next  int // of the query's spans
	asked Provable

	rest       []Expr // what cannot be proven
	unprovable *Error // what says so of the first of it; nil: there is none
}

func (p *prover) fail(s span, problem, hint string) *Error {
	parser := parser{text: p.query.text}
	return parser.fail(s.offset, s.length, problem, hint)
}

func (p *prover) noValues(hint string) *Error {
	return p.fail(span{0, max(len(p.query.text), 1)}, "no value of a declared field is asked for", hint)
}

// leave leaves what comes next to the rest.
func (p *prover) leave(e Expr, at span, problem string) {
	p.next += leaves(e)
	p.rest = append(p.rest, e)
	if p.unprovable == nil {
		p.unprovable = p.fail(at, problem, whatIsProvable)
	}
}

// leaves returns how many spans an expression has.
func leaves(e Expr) (n int) {
	Map(e, func(e Expr) Expr { n++; return e })
	return n
}

// and takes what all has to fit. The error is that nothing can.
func (p *prover) and(e Expr) error {
	if and, ok := e.(And); ok {
		for _, in := range and.List {
			if err := p.and(in); err != nil {
				return err
			}
		}
		return nil
	}
	if or, ok := e.(Or); ok {
		p.or(or)
		return nil
	}
	if len(p.query.spans) == 0 {
		return nil // the query is empty
	}
	at := p.query.spans[p.next]
	if problem := notProvable(e); problem != "" {
		p.leave(e, at, problem)
		return nil
	}
	p.next++
	if problem := p.asked.narrow(e); problem != "" {
		return p.fail(at, problem, whatIsProvable)
	}
	return nil
}

// or takes alternatives, which have to be values.
func (p *prover) or(e Or) {
	var fields []Field
	at := p.next
	for _, e1 := range e.List {
		f, ok := e1.(Field)
		problem := "alternatives can be proven where each is a value of a field"
		if ok {
			problem = notProvable(f)
		}
		if problem != "" {
			p.leave(e, p.query.spans[at], problem)
			return
		}
		at++
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	p.next = at
	if len(fields) == 1 {
		p.asked.add(fields[0])
	} else if !slices.ContainsFunc(p.asked.Any, func(o []Field) bool { return slices.Equal(o, fields) }) {
		p.asked.Any = append(p.asked.Any, fields)
	}
}

// add adds a value.
func (a *Provable) add(f Field) {
	if !slices.Contains(a.Fields, f) {
		a.Fields = append(a.Fields, f)
	}
}

// narrow adds a condition that can be proven, or says that nothing fits it and those
// before.
func (a *Provable) narrow(e Expr) (problem string) {
	switch e := e.(type) {
	case Field:
		a.add(e)
	case Stream:
		if a.Stream != "" && a.Stream != e.Name {
			return fmt.Sprintf("no entry is of the stream %s too", a.Stream)
		}
		a.Stream = e.Name
	case Indices:
		a.First, a.Last = max(a.First, e.First), min(a.Last, e.Last)
	case After:
		a.From = max(a.From, e.Time)
	case Before:
		if e.Time == 0 {
			return "no entry is older than that"
		}
		if a.Until == 0 || e.Time < a.Until {
			a.Until = e.Time
		}
	}
	if a.First > a.Last || a.Until > 0 && a.From >= a.Until {
		return "no entry is in this range and in those before"
	}
	return ""
}

// notProvable says why a condition, which is no And or Or, cannot be proven; empty: it
// can.
func notProvable(e Expr) string {
	switch e := e.(type) {
	case All, Stream, Indices, After, Before:
		return ""
	case Not:
		return "of what is excluded nothing can be proven"
	case Source:
		return "sources cannot be proven: they are in no tag"
	case Field:
		return notProvableField(e)
	}
	return "words cannot be proven: they are in no tag"
}

func notProvableField(f Field) string {
	switch {
	case f.Path != "":
		return "members that are not declared cannot be proven: they are in no tag"
	case f.Op == Equal:
		return ""
	case f.Op == Prefix || f.Op == Present:
		return "beginnings of values cannot be proven: tags are of whole values"
	case f.Op == Within:
		return "networks cannot be proven: tags are of single values"
	}
	return "ranges of values cannot be proven: tags are of single values"
}
