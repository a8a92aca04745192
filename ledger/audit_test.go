package ledger

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// exported returns everything that a ledger serves, as the files that an
// auditor judges.
func exported(t testing.TB, l *Ledger) fstest.MapFS {
	t.Helper()
	ctx := context.Background()
	files := fstest.MapFS{}
	add := func(path string) {
		data, err := l.ReadFile(ctx, path)
		if err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		files[path] = &fstest.MapFile{Data: data}
	}
	add("checkpoint")
	for path, err := range l.KeptCheckpoints(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		add(path)
	}
	_, c, _ := l.progress.publishedCheckpoint()
	for level := uint8(0); c.Size>>(8*level) > 0; level++ {
		for _, tile := range tilesOf(c.Size >> (8 * level)) {
			add(proofs.Tile{Level: level, Index: tile.Index, Width: tile.Width}.Path())
		}
	}
	for _, b := range tilesOf(c.Size) {
		add(b.Path())
		data, err := l.VaultBundle(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		files[audit.VaultPath(b)] = &fstest.MapFile{Data: data}
	}
	return files
}

// tilesOf returns the places of n things in tiles.
func tilesOf(n uint64) (places []proofs.Bundle) {
	for i := uint64(0); i*256 < n; i++ {
		places = append(places, proofs.Bundle{Index: i, Width: int(min(256, n-i*256))})
	}
	return places
}

// judged lets the auditor judge everything that a ledger serves.
func judged(t testing.TB, l *Ledger, p *proofs.Policy) *audit.Report {
	t.Helper()
	report, err := audit.Run(context.Background(), exported(t, l), audit.Options{Policy: p})
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	for _, f := range report.Findings {
		t.Errorf("audit: %v", f)
	}
	return report
}
