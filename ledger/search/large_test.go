package search_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// TestSegmentsOfTheirRealSizes fills a large segment, some small ones, and an
// open one.
func TestSegmentsOfTheirRealSizes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const entries = search.LargeSegment + 2*search.SmallSegment + 100
	k, fsys := &keyring{}, memfs.New(nil)
	cfg := search.Config{FS: fsys, Key: k.key, Rand: k}
	x := open(t, cfg)
	var docs []search.Document
	for i := range uint64(entries) {
		docs = append(docs, search.Document{Index: i, Time: i, Bucket: 1, Words: []string{fmt.Sprint("w", i%300)}, Fields: []search.Value{
			{Number: 1, Value: fmt.Append(nil, i%7)}, {Number: 2, Value: fmt.Append(nil, i)},
		}})
	}
	must(t, x.Add(ctx, entries, docs))
	if s := x.Stats(); s.Files != 3 || s.Documents != entries-100 {
		t.Fatalf("%+v", s)
	}
	fields := func(_ uint32, f query.Field) ([]uint16, bool) {
		return map[string][]uint16{"digit": {1}, "number": {2}}[f.Name], true
	}
	field := func(name string, op query.Op, value string) query.Expr {
		return query.Field{Name: name, Op: op, Value: value}
	}
	for name, try := range map[string]struct {
		expr query.Expr
		fits func(i uint64) bool
	}{
		"all":                    {query.All{}, func(uint64) bool { return true }},
		"a frequent value":       {field("digit", query.Equal, "3"), func(i uint64) bool { return i%7 == 3 }},
		"the last of a segment":  {field("number", query.Equal, "65535"), func(i uint64) bool { return i == 65535 }},
		"the first of the next":  {field("number", query.Equal, "65536"), func(i uint64) bool { return i == 65536 }},
		"the first":              {field("number", query.Equal, "0"), func(i uint64) bool { return i == 0 }},
		"a range":                {field("number", query.Greater, "65533"), func(i uint64) bool { return i > 65533 }},
		"a word and a value":     {query.And{List: []query.Expr{query.Word{Text: "w7"}, field("digit", query.Equal, "0")}}, func(i uint64) bool { return i%300 == 7 && i%7 == 0 }},
		"no value":               {query.Not{Of: field("digit", query.Equal, "3")}, func(i uint64) bool { return i%7 != 3 }},
		"a time":                 {query.After{Time: 65_535}, func(i uint64) bool { return i >= 65_535 }},
		"values that begin so":   {field("number", query.Prefix, "6553"), func(i uint64) bool { return i == 6553 || i/10 == 6553 }},
		"entries by their place": {query.Indices{First: 65_535, Last: 65_536}, func(i uint64) bool { return i == 65_535 || i == 65_536 }},
	} {
		var want []uint64
		for i := range uint64(entries) {
			if try.fits(i) {
				want = append(want, i)
			}
		}
		r := search.Request{Expr: try.expr, Buckets: []uint32{1}, Fields: fields}
		a, err := x.Find(ctx, r, search.Page{Limit: entries, Oldest: true})
		must(t, err)
		if !slices.Equal(a.Hits, want) {
			t.Errorf("%s: %d hits, want %d", name, len(a.Hits), len(want))
		}
		slices.Reverse(want)
		a, err = x.Find(ctx, r, search.Page{Limit: 50})
		must(t, err)
		if want = want[:min(50, len(want))]; !slices.Equal(a.Hits, want) {
			t.Errorf("%s: the newest are %d, want %d", name, a.Hits, want)
		}
	}
	if again := open(t, search.Config{FS: fsys.Restart(), Key: k.key, Rand: k}); again.Next() != entries-100 {
		t.Errorf("after an opening Next = %d", again.Next())
	}
}
