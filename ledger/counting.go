package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
)

// Count counts published events; see [client.CountQuery]. It is recorded as a
// search.
func (s *Session) Count(ctx context.Context, q client.CountQuery) (*client.Counts, error) {
	k, err := s.lookup(q.Query, q.Stream)
	if err != nil {
		return nil, s.answered(ctx, s.actOn(q.Stream), err)
	}
	act := k.act()
	act.Query += countedBy(q)
	counts, err := k.count(ctx, q)
	if err == nil {
		act.Results = counts.Entries
	}
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return counts, nil
}

// countedBy says by what entries are counted, for the record.
func countedBy(q client.CountQuery) string {
	by := q.Facets
	if q.Every != "" {
		by = append(slices.Clip(by), "every "+q.Every)
	}
	if len(by) == 0 {
		return " | count"
	}
	return " | count by " + strings.Join(by, ", ")
}

func (k *lookup) count(ctx context.Context, q client.CountQuery) (*client.Counts, error) {
	if err := k.checkCount(&q); err != nil {
		return nil, err
	}
	a, err := k.ask(ctx, q.First, q.End)
	if err != nil {
		return nil, err
	}
	for range 3 {
		counts, same, err := a.count(ctx, q)
		if err != nil {
			return nil, a.problem(err)
		}
		if same {
			return counts, nil
		}
	}
	return nil, client.NewProblem(client.Unavailable, "the search index changed while it was asked", "ask again")
}

// checkCount refuses what cannot be counted, and fills in the default.
func (k *lookup) checkCount(q *client.CountQuery) error {
	switch {
	case q.Top < 0 || q.Top > client.MaxTop:
		return client.NewProblem(client.BadRequest, fmt.Sprintf("the top %d values", q.Top), fmt.Sprintf("from 1 to %d", client.MaxTop))
	case len(q.Facets) > client.MaxFacets:
		return client.NewProblem(client.BadRequest, fmt.Sprintf("%d facets", len(q.Facets)), fmt.Sprintf("at most %d", client.MaxFacets))
	case q.Every != "" && !slices.Contains(steps(), q.Every):
		return client.NewProblem(client.BadRequest, fmt.Sprintf("a histogram of every %.40q", q.Every), "one of "+strings.Join(steps(), ", "))
	}
	for _, name := range q.Facets {
		if err := k.checkFacet(name); err != nil {
			return err
		}
	}
	if q.Top == 0 {
		q.Top = defaultTop
	}
	return nil
}

// checkFacet refuses a name that is not of a declared field.
func (k *lookup) checkFacet(name string) error {
	names := k.fieldNames()
	if slices.Contains(names, name) {
		return nil
	}
	hint := ""
	if q, err := query.Parse(name+":*", time.Time{}); err == nil {
		var unknown *query.Error
		if errors.As(query.CheckFields(q, names), &unknown) {
			hint = unknown.Hint
		}
	}
	return client.NewProblem(client.BadRequest, fmt.Sprintf("no stream that is searched declares a field %.40q", name), hint)
}

// defaultTop is how many values a facet has where the caller does not say.
const defaultTop = 10

// count puts all questions to the index. It is false if the index was not the
// same for all of them.
func (a *asked) count(ctx context.Context, q client.CountQuery) (_ *client.Counts, same bool, err error) {
	n, scope, err := a.index.Count(ctx, a.request)
	if err != nil {
		return nil, false, err
	}
	counts := &client.Counts{Entries: n}
	r := a.request
	if r.End == 0 || r.End > scope.Size {
		r.End = scope.Size // for all that follows
	}
	alike := func(o search.Scope) bool { return o.Size >= scope.Size && slices.Equal(o.Gaps, scope.Gaps) }
	for _, name := range q.Facets {
		f, err := a.index.Facet(ctx, r, query.Field{Name: name, Op: query.Present}, q.Top)
		if err != nil || !alike(f.Scope) {
			return nil, false, err
		}
		counts.Facets = append(counts.Facets, facetCounts(name, f))
	}
	if q.Every != "" && n > 0 {
		times, err := a.stepsOf(ctx, r, q.Every)
		if err != nil {
			return nil, false, err
		}
		c, s, err := a.index.Histogram(ctx, r, times)
		if err != nil || !alike(s) {
			return nil, false, err
		}
		for i, entries := range c {
			counts.Histogram = append(counts.Histogram, client.StepCount{Time: times[i], Entries: entries})
		}
	}
	a.answered(scope)
	counts.SearchScope = a.scope
	return counts, true, nil
}

func facetCounts(name string, f *search.Facet) client.FacetCounts {
	c := client.FacetCounts{Field: name, Values: f.Values, Top: []client.ValueCount{}}
	for _, v := range f.Top {
		c.Top = append(c.Top, client.ValueCount{Value: v.Value, Cut: v.Cut, Entries: v.Entries})
	}
	return c
}

// stepsOf returns the times at which the steps begin, from that of the first
// entry that fits to that of the last, and the end of the last one.
func (a *asked) stepsOf(ctx context.Context, r search.Request, every string) ([]uint64, error) {
	var ends [2]time.Time
	for i, oldest := range []bool{true, false} {
		found, err := a.index.Find(ctx, r, search.Page{Limit: 1, Oldest: oldest})
		if err != nil {
			return nil, err
		}
		if len(found.Hits) == 0 { // it was forgotten just now
			return []uint64{0, 1}, nil
		}
		leaf, err := a.s.l.leaf(ctx, found.Hits[0])
		if err != nil {
			return nil, err
		}
		ends[i] = time.UnixMicro(int64(leaf.Time)).UTC()
	}
	var times []uint64
	for at := stepOf(ends[0], every, 0); ; at = stepOf(at, every, 1) {
		times = append(times, uint64(max(at.UnixMicro(), 0)))
		if at.After(ends[1]) {
			return times, nil
		}
		if len(times) > client.MaxSteps {
			return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("from %s to %s are more than %d steps of a %s", ends[0].Format(time.DateOnly), ends[1].Format(time.DateOnly), client.MaxSteps, every), "take longer steps, or a shorter time")
		}
	}
}

// steps are what a histogram can have.
func steps() []string { return []string{"minute", "hour", "day", "week", "month", "year"} }

// stepOf returns the beginning of a time's step, or of the n-th one after it.
func stepOf(t time.Time, every string, n int) time.Time {
	switch every {
	case "minute":
		return t.Truncate(time.Minute).Add(time.Duration(n) * time.Minute)
	case "hour":
		return t.Truncate(time.Hour).Add(time.Duration(n) * time.Hour)
	case "day":
		return time.Date(t.Year(), t.Month(), t.Day()+n, 0, 0, 0, 0, time.UTC)
	case "week":
		monday := (int(t.Weekday()) + 6) % 7
		return time.Date(t.Year(), t.Month(), t.Day()-monday+7*n, 0, 0, 0, 0, time.UTC)
	case "month":
		return time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(t.Year()+n, 1, 1, 0, 0, 0, 0, time.UTC)
}
