package audit_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

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
	dir := b.TempDir()
	writeFiles(b, dir, l.files)
	l.files, l.nodes, l.records, l.leaves = nil, nil, nil, nil
	b.ReportAllocs()
	for b.Loop() {
		r, err := audit.Run(b.Context(), os.DirFS(dir), audit.Options{Policy: l.policy})
		if err != nil || !r.OK() || r.Summary.To != size {
			b.Fatalf("%v, %v", r, err)
		}
	}
	b.ReportMetric(float64(b.N)*size/b.Elapsed().Seconds(), "entries/s")
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
