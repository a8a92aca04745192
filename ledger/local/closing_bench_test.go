package local_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// A closingBench is a ledger on the disk whose clock jumps, with a stream that
// is kept for a week.
type closingBench struct {
	*testing.B
	*ledgertest.World
	passed atomic.Int64 // nanoseconds
}

func newClosingBench(b *testing.B) *closingBench {
	c := &closingBench{B: b}
	now := func() time.Time { return time.Now().Add(time.Duration(c.passed.Load())) }
	config := local.Config{Heartbeat: "1s", KeepCheckpoint: "1s", KeyState: local.KeyState{Places: []string{"here", "there"}}}
	var err error
	if c.World, err = ledgertest.MakeAt(b.Context(), b.TempDir(), config, now); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.World.Close() })
	operator := c.as("operator")
	if _, err := operator.AddClass(b.Context(), ledger.ClassConfig{Name: "week", Days: 7, Period: "day"}); err != nil {
		b.Fatal(err)
	}
	fields := []ledger.FieldConfig{{Name: "actor", Path: "actor", Subject: true}, {Name: "n", Path: "n"}}
	if _, err := operator.AddStream(b.Context(), ledger.StreamConfig{Name: "week", Class: "week", Fields: fields}); err != nil {
		b.Fatal(err)
	}
	return c
}

func (c *closingBench) as(name string) *ledger.Session {
	return c.Ledger.As(ledger.Caller{Name: name})
}

// fill appends n events of about 250 bytes, each one of every about alice and
// the others about bob.
func (c *closingBench) fill(n, every int) (last uint64) {
	c.Helper()
	const batch = 2000
	for start := 0; start < n; start += batch {
		events := make([]client.Event, 0, batch)
		for i := start; i < min(start+batch, n); i++ {
			who := "bob"
			if i%every == 0 {
				who = "alice"
			}
			events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":%q,"n":%d,"note":"%0200d"}`, who, i, i)})
		}
		got, err := c.as("app").Append(context.Background(), "week", events, client.Integrated)
		if err != nil || got[0].Err != nil {
			c.Fatal(err, got)
		}
		last = got[len(got)-1].Index
	}
	c.settle()
	return last
}

// settle appends an event elsewhere, and returns once it is witnessed.
func (c *closingBench) settle() {
	c.Helper()
	if _, err := c.as("app").Append(context.Background(), ledger.DefaultStream, []client.Event{{Data: []byte(`{}`)}}, client.Witnessed); err != nil {
		c.Fatal(err)
	}
}

// closing returns how many seconds the ledger says that all closings of a kind
// took, from when their announcement was published.
func (c *closingBench) closing(kind proofs.Kind) float64 {
	c.Helper()
	families, err := c.Metrics.Gather()
	if err != nil {
		c.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "cairn_closing_seconds" && m.GetLabel()[0].GetValue() == kind.String() {
				return m.GetHistogram().GetSampleSum()
			}
		}
	}
	return 0
}

// BenchmarkExpiry lets a bucket expire. s/closing is from its published
// announcement to its destroyed keys.
//
//	go test -run '^$' -bench Expiry -benchtime 1x -timeout 30m ./ledger/local
func BenchmarkExpiry(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := newClosingBench(b)
			for b.Loop() {
				b.StopTimer()
				last, before := c.fill(n, 10), c.closing(proofs.Expiry)
				time.Sleep(2 * time.Second) // a checkpoint is kept that covers all
				c.settle()
				c.passed.Add(int64(9 * 24 * time.Hour))
				for !c.Ledger.Status().Ready {
					time.Sleep(10 * time.Millisecond)
				}
				b.StartTimer()
				for !isGone(c, last) {
					c.settle()
					if err := c.as("custodian").Retain(b.Context()); err != nil {
						b.Fatal(err)
					}
					time.Sleep(50 * time.Millisecond)
				}
				b.ReportMetric(c.closing(proofs.Expiry)-before, "s/closing")
			}
		})
	}
}

func isGone(c *closingBench, index uint64) bool {
	c.Helper()
	_, err := c.as("reader").Entry(context.Background(), index)
	closings, errClosings := c.as("auditor").Closings(context.Background())
	return err != nil && errClosings == nil && len(closings) == 0
}

// BenchmarkErasure erases a subject with 100,000 entries, which are all of those
// of its bucket, or a tenth. s/announce is until its announcement is durable,
// s/closing as for expiry.
//
//	go test -run '^$' -bench Erasure -benchtime 1x -timeout 30m ./ledger/local
func BenchmarkErasure(b *testing.B) {
	for _, every := range []int{1, 10} {
		b.Run(fmt.Sprintf("of=%d", 100_000*every), func(b *testing.B) {
			c := newClosingBench(b)
			for b.Loop() {
				b.StopTimer()
				c.fill(100_000*every, every)
				before := c.closing(proofs.Erasure)
				b.StartTimer()
				began := time.Now()
				plan, err := c.as("custodian").Erase(b.Context(), ledger.Erasure{Stream: "week", Subject: "alice", Reason: "r"})
				if err != nil || plan.Entries != 100_000 {
					b.Fatal(plan, err)
				}
				b.ReportMetric(time.Since(began).Seconds(), "s/announce")
				if err := c.as("custodian").AwaitDone(b.Context(), plan.Announced); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(c.closing(proofs.Erasure)-before, "s/closing")
			}
		})
	}
}
