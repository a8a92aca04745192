package main

import (
	"math"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// An eventQuery is what search, without a proof, is to find.
type eventQuery struct {
	client.SearchQuery
	provable bool // an answer to it could be proven to be complete
}

// eventsAskedFor reads what search is to find from its arguments and flags. Ages
// become times, so that all pages are of one query.
func (p *program) eventsAskedFor(args []string, o searchFlags) (asked eventQuery, err error) {
	q, err := p.parseQuery(args)
	if err != nil {
		return asked, err
	}
	between, err := p.timesOf(o.since, o.until)
	if err != nil {
		return asked, err
	}
	_, unprovable := query.Prove(q)
	asked = eventQuery{provable: unprovable == nil, SearchQuery: client.SearchQuery{
		Query: query.Format(within(q.Expr, between)), Stream: o.stream, First: o.first, End: o.end, Oldest: o.oldest,
	}}
	switch {
	case o.goesOn && o.oldest:
		asked.First = max(asked.First, o.cursor)
	case o.goesOn:
		asked.End = least(asked.End, o.cursor)
	}
	if asked.End > 0 && asked.First >= asked.End {
		return asked, command.Usage("the range ends before it begins")
	}
	return asked, nil
}

// within returns an expression that fits only what was recorded between two times.
func within(e query.Expr, t times) query.Expr {
	var list []query.Expr
	switch e := e.(type) {
	case query.All:
	case query.And:
		list = slices.Clone(e.List)
	default:
		list = append(list, e)
	}
	if t.since > 0 {
		list = append(list, query.After{Time: t.since})
	}
	if t.until < math.MaxUint64 {
		list = append(list, query.Before{Time: t.until})
	}
	switch len(list) {
	case 0:
		return query.All{}
	case 1:
		return list[0]
	}
	return query.And{List: list}
}
