package searchtest_test

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
	"github.com/cairnlog/cairn/proofs"
)

const windows = "../../../testdata/events/windows-persistence.zip"

// TestDocumentsStayTheSame pins all that the first 1,000 documents of a seed
// say, so that figures measured with them can be compared.
func TestDocumentsStayTheSame(t *testing.T) {
	h := sha256.New()
	for d := range searchtest.Documents(1, 1000) {
		fmt.Fprintf(h, "%d %s %q", d.Time, d.JSON, d.Text)
		for _, f := range d.Fields {
			fmt.Fprintf(h, " %s %d %q %v", f.Name, f.Kind, f.Value, f.Number)
		}
		fmt.Fprintln(h)
	}
	const want = "b160a2dc25a760e820c7c700301942183009d408a4cba22fa9d74eae27b0f4a5"
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
		t.Errorf("the first 1,000 documents have SHA-256 %s, want %s", got, want)
	}
}

func TestFewerDocumentsAreTheFirstOfMore(t *testing.T) {
	more, stop := iter.Pull(searchtest.Documents(7, 300))
	defer stop()
	n := 0
	for d := range searchtest.Documents(7, 200) {
		if other, _ := more(); string(d.JSON) != string(other.JSON) {
			t.Fatalf("document %d of 200 is\n%s\nand of 300\n%s", n, d.JSON, other.JSON)
		}
		n++
	}
	if n != 200 {
		t.Errorf("%d documents, want 200", n)
	}
	for d := range searchtest.Documents(8, 1) {
		if first, _ := more(); string(d.JSON) == string(first.JSON) {
			t.Error("another seed makes the same document")
		}
	}
}

// judge holds documents to what [searchtest.Document] says, with the extractor
// of fields that the ledger uses.
func judge(t *testing.T, documents iter.Seq[searchtest.Document], declared []searchtest.Declaration, text string) {
	t.Helper()
	fields := []proofs.Field{{Number: 100, Name: "text", Path: text}}
	for i, d := range declared {
		fields = append(fields, proofs.Field{Number: uint16(i + 1), Name: d.Name, Path: d.Path})
	}
	x, err := proofs.NewExtractor(fields)
	if err != nil {
		t.Fatal(err)
	}
	var last uint64
	for d := range documents {
		if d.Time <= last {
			t.Fatalf("time %d after %d:\n%s", d.Time, last, d.JSON)
		}
		last = d.Time
		var want, got []string
		values, err := x.Extract(d.JSON)
		if err != nil {
			t.Fatalf("%v:\n%s", err, d.JSON)
		}
		for _, v := range values {
			i := slices.IndexFunc(fields, func(f proofs.Field) bool { return f.Number == v.Number })
			want = append(want, fields[i].Name+"="+string(v.Value))
		}
		if got = append(got, "text="+d.Text); d.Text == "" {
			got = nil
		}
		for _, f := range d.Fields {
			got = append(got, f.Name+"="+f.Value)
		}
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Fatalf("fields\n%q\nwant\n%q", got, want)
		}
	}
}

func TestDocumentsHaveWhatTheirJSONSays(t *testing.T) {
	judge(t, searchtest.Documents(2, 3000), searchtest.Declared(), "$.message")
}

func TestWindowsEventsHaveWhatTheirJSONSays(t *testing.T) {
	n := 0
	judge(t, func(yield func(searchtest.Document) bool) {
		for d, err := range searchtest.Windows(windows) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if n%10 == 1 && !yield(d) {
				return
			}
		}
	}, searchtest.DeclaredWindows(), "$.Message")
	if n != 40569 {
		t.Errorf("%d events, want 40,569", n)
	}
}

func TestWindowsSaysWhatIsWrong(t *testing.T) {
	for _, err := range searchtest.Windows("searchtest_test.go") {
		if err == nil {
			t.Error("a file that is no archive has events")
		}
	}
}

// TestDocumentsAreAsVariousAsTheirDescription counts the values of 40,000
// documents: of fields drawn by the law of Zipf, the most frequent value's share
// is near 1/H(n), the reciprocal of the n-th harmonic number.
func TestDocumentsAreAsVariousAsTheirDescription(t *testing.T) {
	const n = 40_000
	counts := map[string]map[string]int{"word": {}}
	bytes := 0
	for d := range searchtest.Documents(3, n) {
		bytes += len(d.JSON)
		for _, f := range d.Fields {
			if counts[f.Name] == nil {
				counts[f.Name] = map[string]int{}
			}
			counts[f.Name][f.Value]++
		}
		words := strings.Split(d.Text, " ")
		if len(words) != 12 {
			t.Fatalf("%d words: %s", len(words), d.Text)
		}
		for _, w := range words {
			counts["word"][w]++
		}
	}
	if mean := bytes / n; mean < 460 || mean > 480 {
		t.Errorf("an event has %d bytes on average, want about 470", mean)
	}
	for _, want := range []struct {
		field      string
		least      int     // values
		most       int     // values
		share, off float64 // of the most frequent
	}{
		{"actor", 800, 2200, 0.095, 0.02},
		{"action", 40, 40, 0.234, 0.01},
		{"outcome", 3, 3, 0.90, 0.01},
		{"resource", 12_000, 25_000, 0.083, 0.005},
		{"address", 800, 2200, 0.088, 0.02},
		{"user_agent", 180, 200, 0.170, 0.03},
		{"region", 12, 12, 1. / 12, 0.03},
		{"service", 60, 60, 0.214, 0.01},
		{"session", 2000, 2500, 0.003, 0.003},
		{"status", 12, 12, 0.15, 0.01},
		{"host", 500, 500, 0.003, 0.002},
		{"request_id", n, n, 0, 0.001},
		{"duration_ms", n * 3 / 5, n, 0, 0.001},
		{"word", 19_000, 20_000, 0.095 * 12, 0.02},
	} {
		values, top := counts[want.field], 0
		for _, c := range values {
			top = max(top, c)
		}
		share := float64(top) / n
		if len(values) < want.least || len(values) > want.most || share < want.share-want.off || share > want.share+want.off {
			t.Errorf("%s has %d values, of which the most frequent in %.3f of all; want %d to %d and %.3f±%.3f",
				want.field, len(values), share, want.least, want.most, want.share, want.off)
		}
	}
}

func BenchmarkDocuments(b *testing.B) {
	bytes := 0
	b.ReportAllocs()
	for d := range searchtest.Documents(1, b.N) {
		bytes += len(d.JSON)
	}
	b.SetBytes(int64(bytes / b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "documents/s")
}
