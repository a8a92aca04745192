package local_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// appendFields appends n events of about 470 B with 13 declared fields to a new
// stream, from four callers at once.
func appendFields(b *testing.B, d *local.Directory, n int) {
	var fields []ledger.FieldConfig
	for _, f := range searchtest.Declared() {
		fields = append(fields, ledger.FieldConfig{Name: f.Name, Path: f.Path})
	}
	operator := d.Ledger.As(ledger.Caller{Name: "operator"})
	if _, err := operator.AddStream(context.Background(), ledger.StreamConfig{Name: "audit", Fields: fields}); err != nil {
		b.Fatal(err)
	}
	const batch = 1000
	next, stop := iter.Pull(searchtest.Documents(1, n))
	defer stop()
	var mu sync.Mutex
	take := func() (events []client.Event) {
		mu.Lock()
		defer mu.Unlock()
		for len(events) < batch {
			doc, ok := next()
			if !ok {
				break
			}
			events = append(events, client.Event{Data: doc.JSON})
		}
		return events
	}
	log := d.Ledger.As(ledger.Caller{Name: "bench"})
	b.ResetTimer()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for events := take(); len(events) > 0; events = take() {
				if got, err := log.Append(context.Background(), "audit", events, client.Integrated); err != nil || got[0].Err != nil {
					panic(fmt.Sprint(err, got))
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkAppendFields appends events whose tags are sealed, committed to and
// listed in directories, without a search index and with one, which tells how
// much of them it had when the last was appended. One operation is one event.
func BenchmarkAppendFields(b *testing.B) {
	for _, off := range []bool{true, false} {
		b.Run(map[bool]string{true: "index=off", false: "index=on"}[off], func(b *testing.B) {
			d := openWith(b, local.Config{Search: local.Search{Off: off}})
			appendFields(b, d, b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.StopTimer()
			if i := d.Ledger.Status().Search; i != nil {
				b.ReportMetric(100*float64(i.Next)/float64(b.N), "%indexed")
			}
		})
	}
}

// BenchmarkRebuildIndex begins the search index anew, and waits until it has
// come to the end. One operation is one event.
func BenchmarkRebuildIndex(b *testing.B) {
	d := openTemp(b)
	appendFields(b, d, b.N)
	caughtUp := func() {
		for s := d.Ledger.Status(); s.Search.Next < s.Sizes.Sequenced; s = d.Ledger.Status() {
			time.Sleep(time.Millisecond)
		}
	}
	caughtUp()
	b.ResetTimer()
	if _, err := d.Ledger.As(ledger.Caller{Name: "operator"}).RebuildIndex(context.Background()); err != nil {
		b.Fatal(err)
	}
	caughtUp()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(d.Ledger.Status().Search.Bytes)/float64(b.N), "B/event")
}
