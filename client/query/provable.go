package query

import (
	"fmt"
	"math"
	"slices"
)

// A Provable is what a query asks for whose answer can be proven to be complete:
// the entries of a stream that have all of some values of declared fields, within
// a range of indices and of the ledger's time.
type Provable struct {
	Stream      string  // empty: the query names none
	Fields      []Field // one or more, each once; their Op is Equal, and they have a Name
	First, Last uint64  // indices; those of all entries are from 0 to [math.MaxUint64]
	From, Until uint64  // from From on, and before Until, in microseconds since 1970; Until is 0 where there is no bound
}

// Prove returns what a query that [Parse] made asks for, if an answer to it can be
// proven to be complete. Its error is an [*Error] that shows what cannot.
func Prove(q *Query) (Provable, error) {
	p := prover{query: q, asked: Provable{Last: math.MaxUint64}}
	if err := p.and(q.Expr); err != nil {
		return Provable{}, err
	}
	if len(p.asked.Fields) == 0 {
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
const whatIsProvable = "what can be proven to be complete is field:value, once or several times, with stream:, index:, after: and before:"

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
		p.next += leaves(e.List[0])
		return p.fail(p.query.spans[p.next], "no one proof shows the answer to alternatives: ask for each of them")
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

// leaves returns how many parts of an expression are no And, Or or Not.
func leaves(e Expr) (n int) {
	Map(e, func(e Expr) Expr {
		n++
		return e
	})
	return n
}

// narrow adds a condition, or says why that cannot be.
func (a *Provable) narrow(e Expr) (problem string) {
	switch e := e.(type) {
	case All:
	case Field:
		if problem := notProvable(e); problem != "" {
			return problem
		}
		if !slices.Contains(a.Fields, e) {
			a.Fields = append(a.Fields, e)
		}
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
