package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// payload returns an event of 256 bytes, different for each i.
func payload(i int64) []byte {
	b := fmt.Appendf(nil, `{"n":%d,"pad":"`, i)
	return append(append(b, strings.Repeat("x", 256-2-len(b))...), `"}`...)
}

// BenchmarkAppendOne appends one event a request over 64 connections that
// are kept alive, on a real disk. One operation is one event.
func BenchmarkAppendOne(b *testing.B) {
	for _, wait := range []client.State{client.Sequenced, client.Integrated, client.Witnessed} {
		b.Run(string(wait), func(b *testing.B) {
			s := serve(b, local.Config{}, httpapi.Limits{})
			b.SetParallelism(32) // on two processors
			var next atomic.Int64
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := next.Add(1)
					s.mustPost(b, "?wait="+string(wait), "application/json", payload(i), http.StatusCreated, i)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAppendLines appends a thousand events a request, over four
// connections. One operation is one event.
func BenchmarkAppendLines(b *testing.B) {
	for _, full := range []bool{true, false} {
		b.Run(map[bool]string{true: "full answers", false: "short answers"}[full], func(b *testing.B) {
			s := serve(b, local.Config{}, httpapi.Limits{})
			b.SetParallelism(2) // on two processors
			var next atomic.Int64
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for more := true; more; {
					var body bytes.Buffer
					n := 0
					for ; n < 1000; n++ {
						if more = pb.Next(); !more {
							break
						}
						body.Write(append(payload(next.Add(1)), '\n'))
					}
					if n == 0 {
						return
					}
					prefer := "return=minimal"
					if full {
						prefer = ""
					}
					s.mustPost(b, "?wait=integrated&idempotency-field=n", "application/x-ndjson", body.Bytes(), http.StatusOK, 0, "Prefer", prefer)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAppendClient appends a thousand events at once as a Go program does.
func BenchmarkAppendClient(b *testing.B) {
	s := serve(b, local.Config{}, httpapi.Limits{})
	log := s.as(b, identity.Writer)
	b.SetParallelism(2) // on two processors
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for more := true; more; {
			var events []client.Event
			for len(events) < 1000 {
				if more = pb.Next(); !more {
					break
				}
				i := next.Add(1)
				events = append(events, client.Event{Data: payload(i), IdempotencyKey: fmt.Sprint(i)})
			}
			if len(events) == 0 {
				return
			}
			got, err := log.Append(b.Context(), "default", events, client.Integrated)
			if err != nil {
				b.Error(err)
				return
			}
			for _, a := range got {
				if a.Err != nil {
					b.Error(a.Err)
				}
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkCheckpoint reads the latest checkpoint over kept connections.
func BenchmarkCheckpoint(b *testing.B) {
	s := serve(b, local.Config{}, httpapi.Limits{})
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			res, err := s.hc.Get(s.url + "/checkpoint")
			if err != nil {
				b.Error(err)
				return
			}
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// mustPost appends and wants a status. A key that is not zero makes the
// event happen once.
func (s *served) mustPost(b *testing.B, query, contentType string, body []byte, want int, key int64, header ...string) {
	req, err := http.NewRequest("POST", s.url+toEntries+query, bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+s.bearer[identity.Writer])
	if key != 0 {
		req.Header.Set("Idempotency-Key", fmt.Sprint(key))
	}
	if len(header) == 2 {
		req.Header.Set(header[0], header[1])
	}
	res, err := s.hc.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != want {
		b.Errorf("got %d and error %v, want %d", res.StatusCode, err, want)
	}
}
