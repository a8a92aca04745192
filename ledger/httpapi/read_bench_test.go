package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// fillUp appends so many events of 256 bytes, and returns the index of the first.
func (s *served) fillUp(b *testing.B, events int) (first uint64) {
	b.Helper()
	log := s.as(b, identity.Writer)
	for done := 0; done < events; {
		var batch []client.Event
		for range min(1000, events-done) {
			batch = append(batch, client.Event{Data: payload(int64(done + len(batch))), IdempotencyKey: fmt.Sprint(done + len(batch))})
		}
		got, err := log.Append(b.Context(), "default", batch, client.Witnessed)
		if err != nil {
			b.Fatal(err)
		}
		if done == 0 {
			first = got[0].Index
		}
		done += len(batch)
	}
	return first
}

// BenchmarkReadEntry reads one entry a request over connections that are kept
// alive, on a real disk, each recorded before it is answered.
func BenchmarkReadEntry(b *testing.B) {
	const events = 10_000
	s := serve(b, local.Config{}, httpapi.Limits{})
	first := s.fillUp(b, events)
	for _, connections := range []int{1, 64} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			b.SetParallelism((connections + 1) / 2) // on two processors
			var next atomic.Uint64
			read := func() { s.mustGet(b, fmt.Sprintf("/v1/entries/%d", first+next.Add(7919)%events)) }
			b.ResetTimer()
			if connections == 1 {
				for b.Loop() {
					read()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						read()
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
		})
	}
}

func (s *served) mustGet(b *testing.B, path string) {
	req, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+s.bearer[identity.Reader])
	res, err := s.hc.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		b.Errorf("got %d and error %v", res.StatusCode, err)
	}
}

// BenchmarkTailClient follows events that are there as a Go program does. One
// operation is one event.
func BenchmarkTailClient(b *testing.B) {
	const events = 20_000
	s := serve(b, local.Config{}, httpapi.Limits{})
	first := s.fillUp(b, events)
	log := s.as(b, identity.Reader)
	b.ResetTimer()
	for n := 0; n < b.N; {
		ctx, cancel := context.WithCancel(b.Context())
		for e, err := range log.Tail(ctx, client.TailQuery{From: first}) {
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
		cancel()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
