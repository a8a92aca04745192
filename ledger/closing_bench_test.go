package ledger

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// A stopwatch is a logger that keeps how long the last closing took, from when
// its announcement was published.
type stopwatch struct {
	slog.Handler
	mu   sync.Mutex
	last time.Duration
}

func (w *stopwatch) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "closed" {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "took" {
			w.mu.Lock()
			w.last = a.Value.Duration()
			w.mu.Unlock()
		}
		return true
	})
	return nil
}

func (w *stopwatch) report(b *testing.B) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b.ReportMetric(w.last.Seconds(), "s/closing")
}

// newDiskArchive is an archive whose vault is on the disk. The tree is the one
// of tests, in memory, whose proofs are slow: what counts is s/closing.
func newDiskArchive(b *testing.B, took *stopwatch) *archive {
	a := &archive{world: newWorld(b), calendar: new(calendar), places: []*memfs.FS{memfs.New(nil), memfs.New(nil)}}
	for _, tw := range a.witnesses {
		tw.clock = a.now
	}
	dir, err := disk.Open(b.TempDir(), disk.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	vault, err := dir.Vault("vault")
	if err != nil {
		b.Fatal(err)
	}
	store, err := keystate.Create(context.Background(), a.keystate(), a.secrets.Tree)
	if err != nil {
		b.Fatal(err)
	}
	c := a.config()
	c.Vault, c.Heartbeat, c.Logger = vault, time.Second, slog.New(took)
	if err := Create(context.Background(), c); err != nil {
		b.Fatal(err)
	}
	c.Keystate, c.Secrets.Tree = store, store.Tree()
	if a.l, err = Open(context.Background(), c); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { a.l.Close(); dir.Close() })
	a.short("week", 7)
	return a
}

// fill appends n events, each one of every about alice and the others about bob.
func (a *archive) fill(n, every int) (last uint64) {
	a.t.Helper()
	const batch = 1000
	for start := 0; start < n; start += batch {
		var events []client.Event
		for i := start; i < min(start+batch, n); i++ {
			who := "bob"
			if i%every == 0 {
				who = "alice"
			}
			events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":%q,"n":%d}`, who, i)})
		}
		got, err := a.as("app").Append(context.Background(), "week", events, client.Integrated)
		if err != nil || got[0].Err != nil {
			a.t.Fatal(err, got[0].Err)
		}
		last = got[len(got)-1].Index
	}
	return last
}

// closed waits until closings that were announced are done.
func (a *archive) closed(index uint64) {
	a.t.Helper()
	if err := a.as("custodian").AwaitDone(context.Background(), index); err != nil {
		a.t.Fatal(err)
	}
}

// BenchmarkExpiry lets a bucket expire. To fill the largest takes minutes:
//
//	go test -run '^$' -bench Expiry -benchtime 1x -timeout 30m ./ledger
func BenchmarkExpiry(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			took := &stopwatch{Handler: slog.NewTextHandler(io.Discard, nil)}
			a := newDiskArchive(b, took)
			for b.Loop() {
				b.StopTimer()
				last := a.fill(n, 10)
				for range 3 { // published, kept, and at its age
					a.later(9)
				}
				b.StartTimer()
				a.gone(last)
				took.report(b)
			}
		})
	}
}

// BenchmarkErasure erases a subject with 100,000 entries, of all and of a tenth
// of those of its bucket:
//
//	go test -run '^$' -bench Erasure -benchtime 1x ./ledger
func BenchmarkErasure(b *testing.B) {
	for _, every := range []int{1, 10} {
		b.Run(fmt.Sprintf("of=%d", 100_000*every), func(b *testing.B) {
			took := &stopwatch{Handler: slog.NewTextHandler(io.Discard, nil)}
			a := newDiskArchive(b, took)
			for b.Loop() {
				b.StopTimer()
				a.fill(100_000*every, every)
				a.record(DefaultStream, "")
				b.StartTimer()
				began := time.Now()
				plan, err := a.as("custodian").Erase(context.Background(), Erasure{Stream: "week", Subject: "alice", Reason: "r"})
				if err != nil || plan.Entries != 100_000 {
					b.Fatal(plan, err)
				}
				b.ReportMetric(time.Since(began).Seconds(), "s/announce")
				a.closed(plan.Announced)
				took.report(b)
			}
		})
	}
}
