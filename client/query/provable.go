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
	if err := p.and(q.Expr); err != nil {
		return Provable{}, err
	}
	if len(p.asked.Fields)+len(p.asked.Any) == 0 {
		return Provable{}, p.fail(span{0, max(len(q.text), 1)}, "no value of a declared field is asked for")
	}
	return p.asked, nil
}

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
	if len(list) == 1 {
		return list[0]
	}
	return And{list}
}

// whatIsProvable is the hint of all errors of [Prove].
const whatIsProvable = "what can be proven to be complete are values of fields, as in (a:b or c:d) e:f, with stream:, index:, after: and before:"

// A prover goes through an expression from its front.
type prover struct {
	query *Query
	next  int // of the query's spans
	asked Provable
}

func (p *prover) fail(s span, problem string) error {
	parser := parser{text: p.query.text}
	return parser.fail(s.offset, s.length, problem, whatIsProvable)
}

// and takes what all has to fit.
func (p *prover) and(e Expr) error {
	switch e := e.(type) {
	case And:
		for _, in := range e.List {
			if err := p.and(in); err != nil {
				return err
			}
		}
		return nil
	case Or:
		return p.or(e.List)
	case Not:
		return p.fail(p.query.spans[p.next], "of what is excluded nothing can be proven")
	}
	if len(p.query.spans) == 0 {
		return nil // the query is empty
	}
	at := p.query.spans[p.next]
	p.next++
	if problem := p.asked.narrow(e); problem != "" {
		return p.fail(at, problem)
	}
	return nil
}

// or takes alternatives, which have to be values.
func (p *prover) or(list []Expr) error {
	var fields []Field
	for _, e := range list {
		at := p.query.spans[p.next]
		p.next++
		f, ok := e.(Field)
		problem := "alternatives can be proven where each is a value of a field"
		if ok {
			problem = notProvable(f)
		}
		if problem != "" {
			return p.fail(at, problem)
		}
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 1 {
		p.asked.add(fields[0])
	} else if !slices.ContainsFunc(p.asked.Any, func(o []Field) bool { return slices.Equal(o, fields) }) {
		p.asked.Any = append(p.asked.Any, fields)
	}
	return nil
}

// add adds a value.
func (a *Provable) add(f Field) {
	if !slices.Contains(a.Fields, f) {
		a.Fields = append(a.Fields, f)
	}
}

// narrow adds a condition, or says why that cannot be.
func (a *Provable) narrow(e Expr) (problem string) {
	switch e := e.(type) {
	case All:
	case Field:
		if problem := notProvable(e); problem != "" {
			return problem
		}
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
	case Source:
		return "sources cannot be proven: they are in no tag"
	default:
		return "words cannot be proven: they are in no tag"
	}
	if a.First > a.Last || a.Until > 0 && a.From >= a.Until {
		return "no entry is in this range and in those before"
	}
	return ""
}

func notProvable(f Field) string {
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
