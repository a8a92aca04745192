package local_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
)

// filled returns a ledger with so many events of 256 bytes and more, all of them
// published, and the index of the first.
func filled(b *testing.B, events int) (d *local.Directory, first uint64) {
	b.Helper()
	d = openTemp(b)
	log := d.Ledger.As(ledger.Caller{Name: "bench"})
	for done := 0; done < events; {
		var batch []client.Event
		for range min(1000, events-done) {
			batch = append(batch, payload(int64(done+len(batch)), 256))
		}
		got, err := log.Append(b.Context(), ledger.DefaultStream, batch, client.Witnessed)
		if err != nil {
			b.Fatal(err)
		}
		if done == 0 {
			first = got[0].Index
		}
		done += len(batch)
	}
	return d, first
}

// BenchmarkRead reads entries on a real disk, each recorded before it is handed
// out. One operation is one entry.
func BenchmarkRead(b *testing.B) {
	const events = 8_000 // behind which there are directories between them
	d, first := filled(b, events)
	session := d.Ledger.As(ledger.Caller{Name: "reader", Role: "reader", From: "192.0.2.1", Because: "a benchmark"})
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			b.SetParallelism((callers + 1) / 2) // on two processors
			var next atomic.Uint64
			b.ResetTimer()
			if callers == 1 {
				for b.Loop() {
					mustRead(b, session, first+next.Add(7919)%events)
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						mustRead(b, session, first+next.Add(7919)%events)
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
		})
	}
}

func mustRead(b *testing.B, log client.Log, index uint64) {
	e, err := log.Entry(context.Background(), index)
	if err != nil {
		b.Fatal(err)
	}
	if len(e.Disclosure.Parts[0].Data) == 0 {
		b.Fatalf("entry %d has no payload", index)
	}
}

// BenchmarkTail follows events that are there, recorded in runs. One operation
// is one event.
func BenchmarkTail(b *testing.B) {
	const events = 20_000
	d, first := filled(b, events)
	session := d.Ledger.As(ledger.Caller{Name: "reader", Role: "reader", From: "192.0.2.1"})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ResetTimer()
	for n := 0; n < b.N; {
		for e, err := range session.Tail(ctx, client.TailQuery{From: first}) {
			if err != nil {
				b.Fatal(err)
			}
			if len(e.Disclosure.Parts[0].Data) == 0 {
				b.Fatalf("entry %d has no payload", e.Index)
			}
			if n++; n == b.N || n%events == 0 {
				break
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkHistory reads the acts of one reader among those of many, a thousand
// in a page with what proves them. One operation is one act that was looked at.
func BenchmarkHistory(b *testing.B) {
	const acts = 5_000
	d, first := filled(b, 1000)
	for i := range 5 {
		session := d.Ledger.As(ledger.Caller{Name: fmt.Sprint("reader-", i), From: "192.0.2.1", Because: "a benchmark"})
		done := make(chan struct{})
		for range 50 {
			go func() {
				for range acts / 5 / 50 {
					mustRead(b, session, first)
				}
				done <- struct{}{}
			}()
		}
		for range 50 {
			<-done
		}
	}
	auditor := d.Ledger.As(ledger.Caller{Name: "auditor"})
	for _, who := range []string{"", "reader-3"} {
		b.Run("who="+who, func(b *testing.B) {
			looked := 0
			for b.Loop() {
				for q := (client.HistoryQuery{Who: who, Before: first + acts}); ; {
					h, err := auditor.ProvenHistory(b.Context(), q)
					if err != nil {
						b.Fatal(err)
					}
					if h.Next == nil {
						break
					}
					q.From = *h.Next
				}
				looked += acts
			}
			b.ReportMetric(float64(looked)/b.Elapsed().Seconds(), "acts/s")
		})
	}
}
