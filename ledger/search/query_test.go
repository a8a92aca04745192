package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// expression returns a random expression.
func (m *model) expression(depth int) query.Expr {
	if depth > 0 {
		switch m.rng.IntN(4) {
		case 0:
			return query.And{List: m.expressions(depth)}
		case 1:
			return query.Or{List: m.expressions(depth)}
		case 2:
			return query.Not{Of: m.expression(depth - 1)}
		}
	}
	switch m.rng.IntN(12) {
	case 0:
		return query.All{}
	case 1:
		return query.Stream{Name: m.pick("main", "other")}
	case 2:
		return query.Source{Name: m.pick("web", "db", "10", "none")}
	case 3:
		first := m.rng.Uint64N(uint64(len(m.entries)))
		return query.Indices{First: first, Last: first + m.rng.Uint64N(300)}
	case 4:
		return query.After{Time: m.time()}
	case 5:
		return query.Before{Time: m.time()}
	case 6:
		return query.Phrase{Words: []string{m.pick("disk", "error"), m.pick("full", "error", "co")}, Prefix: m.rng.IntN(2) == 0}
	case 7, 8:
		return query.Word{Text: m.pick("error", "disk", "österreich", "nothing", "e"), Prefix: m.rng.IntN(2) == 0}
	}
	return m.field()
}

func (m *model) expressions(depth int) (list []query.Expr) {
	for range 2 + m.rng.IntN(2) {
		list = append(list, m.expression(depth-1))
	}
	return list
}

func (m *model) time() uint64 { return m.entries[m.rng.IntN(len(m.entries))].Time }

// field returns a random condition on a field, often one that some entry fits.
func (m *model) field() query.Expr {
	if m.rng.IntN(10) == 0 {
		return query.Field{Path: "$.level", Op: query.GreaterEqual, Value: "3"}
	}
	name := m.pick(append(fieldNames()[1:], "unknown")...)
	value := m.pick("al", "10", "2026-01-05", "1.5")
	if e := m.entries[m.rng.IntN(len(m.entries))]; len(e.Fields[name]) > 0 {
		value = m.pick(e.Fields[name]...)
	}
	f := query.Field{Name: name, Op: query.Op(1 + m.rng.IntN(8)), Value: value}
	switch f.Op {
	case query.Prefix:
		f.Value = value[:m.rng.IntN(len(value)+1)]
	case query.Present:
		f.Value = ""
	case query.Within:
		f.Value = m.pick("10.0.0.0/8", "10.0.0.0/16", "::/0", "0.0.0.0/0", "192.168.0.1/32")
	}
	return f
}

// ask puts a random question to an index and judges all its answers.
func (m *model) ask(t *testing.T, x *search.Index) {
	t.Helper()
	e := m.expression(m.rng.IntN(4))
	r := m.request(e, [][]uint32{{1}, {3}, {1, 2}, {2, 3}, {1, 2, 3}}[m.rng.IntN(5)]...)
	if m.rng.IntN(3) == 0 {
		r.First = m.rng.Uint64N(uint64(len(m.entries)))
		r.End = r.First + m.rng.Uint64N(uint64(len(m.entries)))
	}
	if m.rng.IntN(3) == 0 {
		r.Except = m.runs()
	}
	m.judgeFind(t, x, r)
	m.judgeCounts(t, x, r)
}

// runs returns random runs of entries, some of which are not there.
func (m *model) runs() []proofs.Run {
	var indices []uint64
	for at := m.rng.Uint64N(uint64(len(m.entries))); len(indices) < 100; at += 1 + m.rng.Uint64N(1+m.rng.Uint64N(200)) {
		indices = append(indices, at)
	}
	return proofs.RunsOf(indices)
}

// judgeFind walks through all pages in both orders, and judges each.
func (m *model) judgeFind(t *testing.T, x *search.Index, r search.Request) {
	t.Helper()
	for _, oldest := range []bool{false, true} {
		page := search.Page{Limit: 1 + m.rng.IntN(200), Oldest: oldest}
		left := r
		left.MaxChecks = m.rng.IntN(100)
		for more := true; more; {
			a, err := x.Find(context.Background(), left, page)
			must(t, err)
			walked := left
			if more = a.More; more && oldest {
				walked.End, left.First = a.Next, a.Next
			} else if more {
				walked.First, left.End = a.Next, a.Next
			}
			m.judgePage(t, walked, page, a)
		}
	}
}

// judgePage judges an answer by what of the entries it has walked through.
func (m *model) judgePage(t *testing.T, walked search.Request, page search.Page, a *search.Answer) {
	t.Helper()
	if len(a.Hits) > page.Limit || walked.MaxChecks > 0 && a.Checked > walked.MaxChecks {
		t.Fatalf("%v: %d hits of %d, %d checks of %d", walked.Expr, len(a.Hits), page.Limit, a.Checked, walked.MaxChecks)
	}
	if a.More && len(a.Hits) < page.Limit && a.Checked < walked.MaxChecks {
		t.Fatalf("%v: a page ends after %d hits of %d, and %d checks of %d", walked.Expr, len(a.Hits), page.Limit, a.Checked, walked.MaxChecks)
	}
	want := m.matching(walked, a.Scope)
	if !page.Oldest {
		slices.Reverse(want)
	}
	if !slices.Equal(a.Hits, want) {
		t.Fatalf("%#v in buckets %v, entries %d-%d of %d, without %v:\n got %d\nwant %d",
			walked.Expr, walked.Buckets, walked.First, walked.End, a.Size, a.Gaps, a.Hits, want)
	}
}

// judgeCounts asks for the count, a histogram and a facet.
func (m *model) judgeCounts(t *testing.T, x *search.Index, r search.Request) {
	t.Helper()
	n, scope, err := x.Count(context.Background(), r)
	must(t, err)
	want := m.matching(r, scope)
	if n != uint64(len(want)) {
		t.Fatalf("%#v: %d entries, want %d", r.Expr, n, len(want))
	}
	times := []uint64{m.time(), m.time(), m.time(), 0, 1 << 60}
	slices.Sort(times)
	counts, _, err := x.Histogram(context.Background(), r, times)
	must(t, err)
	name := m.pick(fieldNames()[1:]...)
	f, err := x.Facet(context.Background(), r, query.Field{Name: name}, 5)
	must(t, err)
	values := map[string]uint64{}
	wantCounts := make([]uint64, len(times)-1)
	for _, i := range want {
		for j := range wantCounts {
			if e := m.entries[i]; times[j] <= e.Time && e.Time < times[j+1] {
				wantCounts[j]++
			}
		}
		seen := map[string]bool{}
		for _, v := range m.entries[i].Fields[name] {
			if len(v) > search.MaxValue {
				v = v[:search.MaxValue] + cut
			}
			if !seen[v] {
				values[v]++
				seen[v] = true
			}
		}
	}
	if !slices.Equal(counts, wantCounts) {
		t.Fatalf("%#v: histogram of %d: %d, want %d", r.Expr, times, counts, wantCounts)
	}
	judgeFacet(t, f, len(want), values)
}

const cut = "…" // follows what there is of a value that is not indexed as a whole

func judgeFacet(t *testing.T, f *search.Facet, entries int, values map[string]uint64) {
	t.Helper()
	if f.Entries != uint64(entries) || f.Values != uint64(len(values)) || len(f.Top) != min(5, len(values)) {
		t.Fatalf("a facet of %d entries and %d values, %d on top; want %d and %d", f.Entries, f.Values, len(f.Top), entries, len(values))
	}
	least := ^uint64(0)
	for _, v := range f.Top {
		if v.Cut {
			v.Value += cut
		}
		if v.Entries != values[v.Value] || v.Entries > least {
			t.Fatalf("%.20q is in %d entries, want %d", v.Value, v.Entries, values[v.Value])
		}
		least = v.Entries
		delete(values, v.Value)
	}
	for v, n := range values {
		if n > least {
			t.Fatalf("%.20q is in %d entries and not on top", v, n)
		}
	}
}

func TestAnswersAreThoseOfMatch(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := &model{rng: rand.New(rand.NewPCG(seed, 1)), whole: seed == 0}
			x := open(t, config(memfs.New(nil), &keyring{}))
			for range 30 {
				m.grow(m.rng.IntN(80))
				must(t, m.feed(x))
				if len(m.entries) == 0 {
					continue
				}
				m.askMuch(t, x, 8)
			}
			if gaps := x.Missing(); len(gaps) > 0 {
				t.Errorf("missing: %v", gaps)
			}
		})
	}
}

func TestWhatTheIndexCannotTellNeedsCheck(t *testing.T) {
	m := &model{rng: rand.New(rand.NewPCG(1, 1))}
	m.grow(100)
	x := open(t, config(memfs.New(nil), &keyring{}))
	must(t, m.feed(x))
	r := m.request(query.Phrase{Words: []string{"disk", "full"}}, 1, 2, 3)
	r.Check = nil
	if _, err := x.Find(context.Background(), r, search.Page{Limit: 10}); !errors.Is(err, search.ErrUndecided) {
		t.Errorf("a phrase without payloads: %v", err)
	}
	r = m.request(r.Expr, 1, 2, 3)
	r.MaxChecks = 1
	if _, _, err := x.Count(context.Background(), r); !errors.Is(err, search.ErrUndecided) {
		t.Errorf("the count of a phrase, with one payload: %v", err)
	}
	if _, err := x.Facet(context.Background(), m.request(query.All{}, 1), query.Field{Path: "$.level"}, 3); !errors.Is(err, search.ErrUndecided) {
		t.Errorf("the values of a path: %v", err)
	}
}

func TestQueriesOutsideTheirBounds(t *testing.T) {
	m := &model{rng: rand.New(rand.NewPCG(1, 1))}
	x := open(t, config(memfs.New(nil), &keyring{}))
	ctx, r := context.Background(), m.request(query.All{}, 1)
	_, err1 := x.Find(ctx, r, search.Page{})
	_, err2 := x.Facet(ctx, r, query.Field{Name: "actor"}, 0)
	_, _, err3 := x.Histogram(ctx, r, []uint64{2, 1})
	_, _, err4 := x.Count(ctx, search.Request{})
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, search.ErrInvalid) {
			t.Errorf("case %d: %v", i+1, err)
		}
	}
	must(t, x.Close())
	if _, _, err := x.Count(ctx, r); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a closed index: %v", err)
	}
}
