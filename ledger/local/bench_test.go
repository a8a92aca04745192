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

// openTemp makes and opens a ledger in a temporary directory.
func openTemp(t testing.TB) *local.Directory {
	t.Helper()
	return openWith(t, local.Config{})
}

// openWith opens a new ledger with a configuration.
func openWith(t testing.TB, c local.Config) *local.Directory {
	t.Helper()
	dir := t.TempDir()
	o := local.InitOptions{Origin: "example.com/bench"}
	if err := local.Init(context.Background(), dir, o); err != nil {
		t.Fatal(err)
	}
	d, err := local.Open(context.Background(), dir, c, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// payload returns an event of about n bytes, different for each i.
func payload(i int64, n int) client.Event {
	data := fmt.Appendf(nil, `{"n":%d,"pad":"`, i)
	for len(data) < n-2 {
		data = append(data, 'x')
	}
	return client.Event{Data: append(data, `"}`...), IdempotencyKey: fmt.Sprintf("key-%d", i)}
}

// BenchmarkAppend appends sealed, deduplicated events on a real disk and waits
// until they are integrated and both roots agree. One operation is one event.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{256, 1024} {
		for _, batch := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("%dB/batch=%d", size, batch), func(b *testing.B) {
				d := openTemp(b)
				log := d.Ledger.As(ledger.Caller{Name: "bench"})
				callers := map[int]int{1: 256, 100: 16, 1000: 2}[batch] // a processor
				b.SetParallelism(callers)
				var next atomic.Int64
				b.SetBytes(int64(size))
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for more := true; more; {
						var events []client.Event
						for range batch {
							if more = pb.Next(); !more {
								break
							}
							events = append(events, payload(next.Add(1), size))
						}
						if len(events) > 0 {
							mustAppend(b, log, events)
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

func mustAppend(b *testing.B, log client.Log, events []client.Event) {
	got, err := log.Append(context.Background(), ledger.DefaultStream, events, client.Integrated)
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range got {
		if a.Err != nil {
			b.Fatal(a.Err)
		}
	}
}
