package local_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// BenchmarkAppendFields appends events of about 470 B with 13 declared fields,
// whose tags are sealed, committed to and listed in directories. One operation
// is one event.
func BenchmarkAppendFields(b *testing.B) {
	d := openTemp(b)
	var fields []ledger.FieldConfig
	for _, f := range searchtest.Declared() {
		fields = append(fields, ledger.FieldConfig{Name: f.Name, Path: f.Path})
	}
	operator := d.Ledger.As(ledger.Caller{Name: "operator"})
	if _, err := operator.AddStream(context.Background(), ledger.StreamConfig{Name: "audit", Fields: fields}); err != nil {
		b.Fatal(err)
	}
	const batch = 1000
	next, stop := iter.Pull(searchtest.Documents(1, b.N))
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
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
