package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

const (
	windowsArchive = "../../events/windows-persistence.zip"
	documents      = 4200 // more than Cairn's index keeps in memory
	queries        = 20   // of each kind
)

// small makes a plan over a source, whose documents it keeps.
func small(t *testing.T, s source) plan {
	t.Helper()
	var kept []searchtest.Document
	for d, err := range s.all() {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, d)
	}
	s.all = func() iter.Seq2[searchtest.Document, error] {
		return func(yield func(searchtest.Document, error) bool) {
			for _, d := range kept {
				if !yield(d, nil) {
					return
				}
			}
		}
	}
	p := plan{source: s, batch: 1500, patience: time.Minute}
	var err error
	if p.queries, err = draw(s, 1, queries); err != nil {
		t.Fatal(err)
	}
	if p.answers, err = answers(s, p.queries); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPeersAnswerAsTheDocumentsSay has every peer answer every kind of query
// about synthetic and real documents. PostgreSQL is left out, and the test says
// so, where its server is not installed.
func TestPeersAnswerAsTheDocumentsSay(t *testing.T) {
	real, err := windows(windowsArchive, documents)
	if err != nil {
		t.Fatal(err)
	}
	for name, plan := range map[string]plan{"synthetic": small(t, synthetic(1, documents)), "windows": small(t, real)} {
		for _, peer := range peers() {
			t.Run(name+"/"+peer.Name, func(t *testing.T) {
				if peer.Ready != nil {
					if err := peer.Ready(); err != nil {
						t.Skip(err)
					}
				}
				f, err := measureIn(t.Context(), os.TempDir(), peer, plan)
				if err != nil {
					t.Fatal(err)
				}
				if f.Documents != documents || f.Size < 100_000 || f.Memory < 1<<20 || f.CPU <= 0 {
					t.Errorf("figures that can't be: %+v", f)
				}
				for _, k := range kinds() {
					if len(f.Latencies[k]) != queries {
						t.Errorf("%d of %d queries of %q were measured", len(f.Latencies[k]), queries, k)
					}
				}
			})
		}
	}
}

// A liar leaves the last number of every answer out.
type liar struct{ Index }

func (l liar) Query(q Query) ([]uint64, error) {
	all, err := l.Index.Query(q)
	return all[:max(0, len(all)-1)], err
}

func TestPeerThatAnswersWronglyIsNotMeasured(t *testing.T) {
	honest := sqlitePeer()
	peer := Peer{Name: "liar", Open: func(dir string, declared []searchtest.Declaration) (Index, error) {
		x, err := honest.Open(dir, declared)
		return liar{x}, err
	}}
	if _, err := measureIn(t.Context(), os.TempDir(), peer, small(t, synthetic(1, 300))); !errors.Is(err, errWrong) {
		t.Errorf("error %v, want that of a wrong answer", err)
	}
}

func TestMeasuringStopsWhenItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := measureIn(ctx, os.TempDir(), sqlitePeer(), small(t, synthetic(1, 300))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}

func TestTableComparesWithTheFirst(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-n", "500", "-queries", "20", "-json", "-peers", "sqlite"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit status %d:\n%s", code, &stderr)
	}
	var first figure
	if err := json.Unmarshal(stdout.Bytes(), &first); err != nil {
		t.Fatal(err)
	}
	second := first
	second.Peer, second.Latencies = "half", map[Kind][]time.Duration{}
	for k, all := range first.Latencies {
		second.Latencies[k] = []time.Duration{2 * percentile(all, 50)}
	}
	stdout.Reset()
	table(&stdout, small(t, synthetic(1, 500)), []figure{first, second})
	lines := strings.Split(stdout.String(), "\n")
	if lines[0] != "|  | sqlite | half |" || strings.Count(stdout.String(), "(×2.0) of 1 |\n") != len(kinds()) {
		t.Errorf("the table is\n%s", &stdout)
	}
}

func TestPercentileIsOneOfThem(t *testing.T) {
	var durations []time.Duration
	for i := range 300 {
		durations = append(durations, time.Duration(300-i))
	}
	if p50, p95 := percentile(durations, 50), percentile(durations, 95); p50 != 150 || p95 != 285 {
		t.Errorf("p50 %d, p95 %d of 1 to 300; want 150 and 285", p50, p95)
	}
	if one := percentile(durations[:1], 95); one != 300 {
		t.Errorf("p95 %d of 300 alone", one)
	}
}
