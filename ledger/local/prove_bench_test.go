package local_test

import (
	"context"
	"flag"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/ledger/search/searchtest"
	"github.com/cairnlog/cairn/proofs"
)

var provenEvents = flag.Int("proven", 300_000, "how many events the searches are among that are proven")

// BenchmarkProve proves which of 300,000 events with 13 declared fields have one
// value, which are about 20: without a search index, and with one, which has
// outlines of the rows of directories. One operation is the first proof after the
// ledger was opened, of which nothing is in memory. The metrics are medians, of
// those and of the next one.
func BenchmarkProve(b *testing.B) {
	dir := b.TempDir()
	if err := local.Init(context.Background(), dir, local.InitOptions{Origin: "example.com/bench"}); err != nil {
		b.Fatal(err)
	}
	d := openAt(b, dir, local.Config{})
	appendFields(b, d, *provenEvents)
	for {
		s := d.Ledger.Status()
		made := proofs.DirectoriesAt(s.Sizes.Published)
		if s.Search.Next == s.Sizes.Published && s.Search.Outlines == int(made/proofs.LargeSegments+made%proofs.LargeSegments) {
			b.Logf("the index takes %.1f bytes an event", float64(s.Search.Bytes)/float64(*provenEvents))
			break
		}
		time.Sleep(time.Millisecond)
	}
	closeLedger(b, d)
	q := client.CompleteQuery{Stream: "audit", Fields: []client.FieldValue{rareResource(*provenEvents)}}
	for _, off := range []bool{true, false} {
		b.Run(map[bool]string{true: "index=off", false: "index=on"}[off], func(b *testing.B) {
			var first, next []time.Duration
			for b.Loop() {
				b.StopTimer()
				d := openAt(b, dir, local.Config{Search: local.Search{Off: off}})
				s := d.Ledger.As(ledger.Caller{Name: "reader"})
				if _, err := s.ProveComplete(context.Background(), client.CompleteQuery{Stream: "audit", Fields: q.Fields, End: 1}); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				for _, took := range []*[]time.Duration{&first, &next} {
					started := time.Now()
					if _, err := s.ProveComplete(context.Background(), q); err != nil {
						b.Fatal(err)
					}
					*took = append(*took, time.Since(started))
					b.StopTimer()
				}
				closeLedger(b, d)
				b.StartTimer()
			}
			for unit, took := range map[string][]time.Duration{"ms-first": first, "ms-next": next} {
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, unit)
			}
		})
	}
}

func openAt(b *testing.B, dir string, c local.Config) *local.Directory {
	b.Helper()
	d, err := local.Open(context.Background(), dir, c, local.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

func closeLedger(b *testing.B, d *local.Directory) {
	b.Helper()
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}

// rareResource returns the value of a field that about 20 of n events have.
func rareResource(n int) client.FieldValue {
	count := make(map[string]int)
	for d := range searchtest.Documents(1, n) {
		for _, f := range d.Fields {
			if f.Name == "resource" {
				count[f.Value]++
			}
		}
	}
	far := func(v string) int { return max(count[v]-20, 20-count[v]) }
	rare := slices.MinFunc(slices.Sorted(maps.Keys(count)), func(a, b string) int { return far(a) - far(b) })
	return client.FieldValue{Name: "resource", Value: rare}
}
