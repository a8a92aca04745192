package evidence_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// A file takes the memory of one entry, however many it has.
func TestALargeFileTakesLittleMemory(t *testing.T) {
	entries := 5000
	if long {
		entries = 100_000
	}
	path := filepath.Join(t.TempDir(), "large.evidence")
	policy := writeLarge(t, path, entries)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before, most := heap(), uint64(0)
	report, err := evidence.Verify(file, evidence.Options{Policy: policy, Entry: func(e *evidence.EntryReport) error {
		if e.Index%uint64(entries/10) == 0 {
			most = max(most, heap())
		}
		return nil
	}})
	if err != nil || !report.OK() || report.Tagged != uint64(entries) || len(report.Runs) != 1 {
		t.Fatalf("got %+v and error %v, want %d events whose tags were computed again", report, err, entries)
	}
	if most > before && most-before > 1<<20 {
		t.Errorf("verifying %d entries takes %d bytes of memory", entries, most-before)
	}
}

// heap returns how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// writeLarge writes a file of events.
func writeLarge(t testing.TB, path string, entries int) *proofs.Policy {
	t.Helper()
	l := newLedger()
	set := l.stream(1, stream{name: "s", fields: []proofs.Field{{Number: 1, Name: "n", Path: "$.n"}}})
	opened := l.open(1, 1)
	first := l.size()
	for i := range entries {
		l.event(1, 1, fmt.Sprintf(`{"n":%d,"text":"a sentence as events have it"}`, i%100))
	}
	last := l.publish()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	w := must(evidence.NewWriter(out, evidence.Header{Origin: origin, Policy: string(proofs.FormatPolicy(l.policy))}))
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.Checkpoint(evidence.Checkpoint{Note: string(last.note)}))
	check(w.Context(l.asContext(set)))
	check(w.Context(l.asContext(opened)))
	for index := first; index < l.size(); index++ {
		check(w.Entry(l.entry(index)))
	}
	check(w.Close())
	check(out.Flush())
	check(file.Close())
	return l.policy
}

// BenchmarkVerify verifies a file of 2,000 events with a tag each.
func BenchmarkVerify(b *testing.B) {
	const entries = 2000
	path := filepath.Join(b.TempDir(), "file.evidence")
	policy := writeLarge(b, path, entries)
	data := must(os.ReadFile(path))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		report, err := evidence.Verify(bytes.NewReader(data), evidence.Options{Policy: policy})
		if err != nil || report.Tagged != entries {
			b.Fatalf("got %+v and error %v", report, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*entries), "µs/entry")
}

// BenchmarkFormatLine writes the line of an event with two tags.
func BenchmarkFormatLine(b *testing.B) {
	l := sample()
	e := l.entry(sampleEvent)
	for b.Loop() {
		if _, err := evidence.FormatLine(evidence.Line{Entry: &e}); err != nil {
			b.Fatal(err)
		}
	}
}
