package search_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/ledger/search/searchtest"
	"github.com/cairnlog/cairn/storage/disk"
)

var size = flag.Int("documents", 100_000, "how many documents the benchmarks index")

// A corpus is synthetic documents, made as they are needed, and an index of
// them in files.
type corpus struct {
	dir   string
	index *search.Index
	took  time.Duration // in the index alone
}

// synthetic returns the documents of an index in batches.
func synthetic(n, batch int, fn func(next uint64, docs []search.Document)) {
	var docs []search.Document
	i := uint64(0)
	for d := range searchtest.Documents(1, n) {
		doc := search.Document{Index: i, Time: d.Time, Bucket: 1}
		for number, f := range d.Fields {
			doc.Fields = append(doc.Fields, search.Value{Number: uint16(number + 1), Value: []byte(f.Value)})
		}
		for _, w := range query.Words(d.JSON) {
			doc.Words = append(doc.Words, string(w))
		}
		if docs, i = append(docs, doc), i+1; len(docs) == batch || i == uint64(n) {
			fn(i, docs)
			docs = docs[:0]
		}
	}
}

func fileConfig(b testing.TB, dir string) search.Config {
	b.Helper()
	fsys, err := disk.OpenOS(dir)
	must(b, err)
	b.Cleanup(func() { must(b, fsys.Close()) })
	return search.Config{FS: fsys, Key: (&keyring{}).key, Rand: rand.Reader}
}

func newCorpus(b testing.TB) *corpus {
	b.Helper()
	c := &corpus{dir: b.TempDir()}
	c.index = open(b, fileConfig(b, c.dir))
	synthetic(*size, 1000, func(next uint64, docs []search.Document) {
		start := time.Now()
		must(b, c.index.Add(context.Background(), next, docs))
		c.took += time.Since(start)
	})
	return c
}

func syntheticRequest(b testing.TB, text string) search.Request {
	b.Helper()
	q, err := query.Parse(text, time.Unix(0, 0))
	must(b, err)
	return search.Request{Expr: q.Expr, Buckets: []uint32{1}, Fields: func(_ uint32, f query.Field) ([]uint16, bool) {
		i := slices.IndexFunc(searchtest.Declared(), func(d searchtest.Declaration) bool { return d.Name == f.Name })
		return []uint16{uint16(i + 1)}, i >= 0
	}}
}

func memoryInUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// BenchmarkAdd indexes the documents once for each operation.
func BenchmarkAdd(b *testing.B) {
	for b.Loop() {
		c := newCorpus(b)
		s := c.index.Stats()
		b.ReportMetric(float64(*size)/c.took.Seconds(), "docs/s")
		b.ReportMetric(float64(s.Bytes)/float64(s.Documents), "B/doc")
		b.ReportMetric(memoryInUse(), "MB")
		must(b, c.index.Close())
	}
}

// values returns values of a field: the k-th most frequent ones.
func (c *corpus) values(b testing.TB, field string, n int) []string {
	b.Helper()
	f, err := c.index.Facet(context.Background(), syntheticRequest(b, ""), query.Field{Name: field}, n)
	must(b, err)
	values := make([]string, len(f.Top))
	for i, v := range f.Top {
		values[i] = v.Value
	}
	return values
}

// BenchmarkQueries asks one index each kind of question.
func BenchmarkQueries(b *testing.B) {
	c := newCorpus(b)
	ctx := context.Background()
	actors, actions := c.values(b, "actor", 1000), c.values(b, "action", 1000)
	newest := search.Page{Limit: 50}
	find := func(text string) error {
		_, err := c.index.Find(ctx, syntheticRequest(b, text), newest)
		return err
	}
	i := 0
	for _, q := range []struct {
		name string
		ask  func() error
	}{
		{"two fields", func() error {
			i++
			return find(fmt.Sprintf("actor:%q action:%q", actors[i%len(actors)], actions[i*7%len(actions)]))
		}},
		{"no hit", func() error { return find("actor:nobody action:" + actions[0]) }},
		{"word and word", func() error { return find("failed user") }},
		{"prefix", func() error { return find("con*") }},
		{"count", func() error {
			_, _, err := c.index.Count(ctx, syntheticRequest(b, fmt.Sprintf("actor:%q action:%q", actors[0], actions[0])))
			return err
		}},
		{"facet", func() error {
			_, err := c.index.Facet(ctx, syntheticRequest(b, "outcome:denied"), query.Field{Name: "action"}, 10)
			return err
		}},
		{"facet of many", func() error {
			_, err := c.index.Facet(ctx, syntheticRequest(b, fmt.Sprintf("action:%q", actions[0])), query.Field{Name: "actor"}, 10)
			return err
		}},
		{"histogram", func() error {
			times := make([]uint64, 0, 101)
			for i := range uint64(101) {
				times = append(times, 1_767_225_600_000_000+i*uint64(*size)*10_000)
			}
			_, _, err := c.index.Histogram(ctx, syntheticRequest(b, fmt.Sprintf("action:%q", actions[0])), times)
			return err
		}},
		{"range", func() error { return find("duration_ms>=900 status<300") }},
	} {
		b.Run(q.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				must(b, q.ask())
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e6, "ms-p50")
			b.ReportMetric(float64(took[len(took)*95/100].Nanoseconds())/1e6, "ms-p95")
		})
	}
}

// BenchmarkOpen opens an index.
func BenchmarkOpen(b *testing.B) {
	c := newCorpus(b)
	for b.Loop() {
		must(b, open(b, fileConfig(b, c.dir)).Close())
	}
	b.ReportMetric(memoryInUse(), "MB")
}
