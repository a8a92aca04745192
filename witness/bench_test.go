package witness_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness"
)

// BenchmarkAddCheckpoint has 16 clients submit, over HTTP on loopback, the
// growing checkpoints of many logs, durable on disk (in TMPDIR).
func BenchmarkAddCheckpoint(b *testing.B) {
	keys := witnessKeys(b)
	for _, logs := range []int{1, 1000} {
		b.Run(fmt.Sprintf("logs=%d/keys=ed25519", logs), func(b *testing.B) { benchmarkAdd(b, logs, keys[:1]) })
		b.Run(fmt.Sprintf("logs=%d/keys=mldsa", logs), func(b *testing.B) { benchmarkAdd(b, logs, keys[1:]) })
		b.Run(fmt.Sprintf("logs=%d/keys=both", logs), func(b *testing.B) { benchmarkAdd(b, logs, keys) })
	}
}

func benchmarkAdd(b *testing.B, logs int, keys []proofs.SigningKey) {
	const clients = 16
	d, err := disk.Open(b.TempDir(), disk.Options{Create: true})
	must(b, err)
	defer d.Close()
	registers, err := d.Registers("cosigned")
	must(b, err)
	w, err := witness.New(b.Context(), witness.Config{Keys: keys, Registers: registers, Logs: benchLogs(b, logs)})
	must(b, err)
	server := httptest.NewServer(w.Handler())
	defer server.Close()

	requests := benchRequests(b, logs, b.N)
	seconds := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for i := range clients {
		client := witness.NewClient(server.URL, nil)
		wg.Go(func() {
			// Each client has logs of its own, so that their sizes rise.
			for n := i; n < b.N && (logs > 1 || i == 0); n = after(n, logs, clients) {
				start := time.Now()
				if _, err := client.AddCheckpoint(context.Background(), requests[n]); err != nil {
					b.Error(err)
					return
				}
				seconds[n] = time.Since(start)
				next.Add(1)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	if int(next.Load()) != b.N {
		b.Fatalf("%d requests were cosigned, want %d", next.Load(), b.N)
	}
	slices.Sort(seconds)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cosigned/s")
	b.ReportMetric(float64(seconds[b.N*99/100].Microseconds())/1000, "ms-p99")
}

// after returns the request that a client sends after the nth: of its next
// log, and then of its first log again.
func after(n, logs, clients int) int {
	if logs == 1 {
		return n + 1
	}
	if n%logs+clients < logs {
		return n + clients
	}
	return n - n%logs + logs + n%logs%clients
}

func benchOrigin(i int) string { return fmt.Sprintf("log.example/%d", i) }

func benchLogs(b *testing.B, n int) (logs []witness.Log) {
	for i := range n {
		logs = append(logs, trust(key(b, benchOrigin(i), proofs.Ed25519))...)
	}
	return logs
}

// benchRequests returns the requests of logs that grow in turn, one entry at
// a time. All logs have the same entries.
func benchRequests(b *testing.B, logs, n int) []witness.Request {
	h := newHistory(1<<40, "")
	keys := make([]proofs.SigningKey, min(logs, n))
	for i := range keys {
		keys[i] = key(b, benchOrigin(i), proofs.Ed25519)
	}
	requests := make([]witness.Request, 0, n)
	for old := uint64(0); len(requests) < n; old++ {
		root, proof := h.root(b, old+1), h.proof(b, old, old+1)
		for i := 0; i < logs && len(requests) < n; i++ {
			text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: benchOrigin(i), Size: old + 1, Root: root})
			must(b, err)
			requests = append(requests, witness.Request{Old: old, Proof: proof, Checkpoint: sign(b, text, keys[i])})
		}
	}
	return requests
}
