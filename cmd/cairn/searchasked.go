package main

import (
	"math"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// An eventQuery is what search, without a proof, is to find.
type eventQuery struct {
	client.SearchQuery
	provable bool // that an answer is complete could be proven
	mixed    bool // for a part of the query, the rest being judged here
	pinned   bool // it names a stream
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
	proven, rest, unprovable := query.Split(q)
	asked = eventQuery{provable: unprovable == nil, mixed: !isAll(rest), pinned: o.stream != "" || proven.Stream != "", SearchQuery: client.SearchQuery{
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
	list := []query.Expr{e}
	if t.since > 0 {
		list = append(list, query.After{Time: t.since})
	}
	if t.until < math.MaxUint64 {
		list = append(list, query.Before{Time: t.until})
	}
	return query.Conjunction(list...)
}
