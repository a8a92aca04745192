package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// BenchmarkRun judges a million entries in files, as an auditor does.
func BenchmarkRun(b *testing.B) {
	const size = 1 << 20
	l := newLedger(b)
	l.vault = false
	for _, s := range []int{size / 3, size / 2, size} {
		l.publish(s)
	}
	benchmarkRun(b, l)
}

// BenchmarkRunVault judges entries with their sealed records.
func BenchmarkRunVault(b *testing.B) {
	const size = 1 << 18
	l := newLedger(b)
	l.publish(size)
	benchmarkRun(b, l)
}

// BenchmarkRunRetention judges entries of a thousand days in two streams, of
// which all but the last month have expired, but for what is held, and a
// hundred subjects were erased.
func BenchmarkRunRetention(b *testing.B) {
	for _, vault := range []bool{false, true} {
		b.Run(fmt.Sprintf("vault=%v", vault), func(b *testing.B) {
			w := aThousandDays(b, 1<<18)
			w.ledger.vault = vault
			w.publish()
			benchmarkRun(b, w.ledger)
		})
	}
}

// aThousandDays returns a ledger of about a size.
func aThousandDays(b *testing.B, size int) *writer {
	const days, period = 1000, 30
	w := newWriter(b, proofs.Ed25519Cosignature)
	w.class(longClass, period, proofs.Day, 0)
	settings := w.size() - 1
	buckets := make([][2][]uint64, days)
	for d := range days {
		for i := range size / days {
			stream := 1 + uint32(i%2)
			buckets[d][i%2] = append(buckets[d][i%2], w.event(stream, longClass))
		}
		if d%50 == 7 {
			w.hold(0, 0, runs(buckets[d][0][:5]...)...)
		}
		if d%10 == 3 {
			erased := buckets[d][1][:5]
			w.done(w.erase(proofs.ErasedBody{Stream: 2, Closes: runs(erased...)}))
			w.scrub(erased...)
		}
		for s := 0; s < 2 && d > period; s++ {
			old := buckets[d-period-1][s]
			a := w.control(proofs.Expiry, check(proofs.FormatExpiry(proofs.ExpiryBody{Expired: &proofs.ExpiredBody{
				Bucket: w.opened[[3]uint32{1 + uint32(s), longClass, uint32(startTime/day + d - period - 1)}],
				First:  old[0], Last: old[len(old)-1], Count: uint64(len(old)), Settings: settings,
				Closed: w.kept[d-period-1], Now: w.kept[d-1],
			}})))
			held := 0
			if (d-period-1)%50 == 7 && s == 0 {
				held = 5
			}
			w.drop(old[held:]...)
			w.done(a)
		}
		w.keep()
		w.pass(day)
	}
	return w
}

// keep keeps a checkpoint without making the other files.
func (w *writer) keep() {
	signed := w.sign(int(w.size()), w.root(int(w.size())))
	w.write(audit.CheckpointPath(w.size()), signed)
	w.kept = append(w.kept, refOf(w.size(), signed))
}

func benchmarkRun(b *testing.B, l *ledger) {
	dir, size := b.TempDir(), len(l.leaves)
	writeFiles(b, dir, l.files)
	l.files, l.nodes, l.records, l.leaves = nil, nil, nil, nil
	b.ReportAllocs()
	for b.Loop() {
		r, err := audit.Run(b.Context(), os.DirFS(dir), audit.Options{Policy: l.policy})
		if err != nil || !r.OK() || r.Summary.To != uint64(size) {
			b.Fatalf("%v, %v", r, err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "entries/s")
}

func writeFiles(tb testing.TB, dir string, files fstest.MapFS) {
	tb.Helper()
	for path, file := range files {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(name, file.Data, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkRecomputeDirectory makes the directory of a segment again.
func BenchmarkRecomputeDirectory(b *testing.B) {
	w := newTagged(b)
	w.grow(proofs.DirectoryPlace(0) + 1)
	w.publish()
	state, shown, leaves := w.clean(w.files, nil).State, w.show(0), w.segment(0)
	for b.Loop() {
		if r, err := state.RecomputeDirectory(0, leaves, shown); err != nil || len(r.Findings) > 0 {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.N)*proofs.SegmentSize/b.Elapsed().Seconds(), "entries/s")
}
