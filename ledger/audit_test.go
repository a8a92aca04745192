package ledger

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
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
	add("log")
	for path, err := range l.KeptCheckpoints(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		add(path)
	}
	add("checkpoint") // later: meanwhile more may be published
	c, err := proofs.ParseSignedCheckpoint(files["checkpoint"].Data)
	if err != nil {
		t.Fatal(err)
	}
	for level := uint8(0); c.Size>>(proofs.TileHeight*level) > 0; level++ {
		for tile, ok := proofs.TileIn(c.Size, level, 0); ok; tile, ok = proofs.TileIn(c.Size, level, tile.Index+1) {
			add(tile.Path())
		}
	}
	for b, ok := proofs.BundleIn(c.Size, 0); ok; b, ok = proofs.BundleIn(c.Size, b.Index+1) {
		if _, err := l.ReadFile(ctx, b.Path()); errors.Is(err, errPruned) {
			continue
		}
		add(b.Path())
		var records [][]byte
		for record, err := range operator(l).SealedRecords(ctx, b) {
			if errors.Is(err, storage.ErrCorrupt) { // as package httpapi does
				record, err = audit.FormatNotice(b.Index*proofs.TileWidth+uint64(len(records))), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, record)
		}
		files[audit.VaultPath(b)] = &fstest.MapFile{Data: audit.FormatVault(records)}
	}
	return files
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

// Law 6: a payload is missing only if an entry says why.
func TestALedgerThatLostRecordsFailsItsAudit(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	a := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1), event(2))
	leaf, err := proofs.ParseLeaf(a[0].Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.mem.Vault("vault").Drop(t.Context(), leaf.Bucket); err != nil {
		t.Fatal(err)
	}
	r, err := audit.Run(t.Context(), exported(t, l), audit.Options{Policy: w.policy})
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{int64(a[0].Index), int64(a[1].Index)}
	if len(r.Findings) != 1 || r.Findings[0].Kind != audit.RecordMissing || r.Findings[0].Index != want[0] || r.Findings[0].Last != want[1] || r.State != nil {
		t.Errorf("found %+v, want that the records of the entries %d are missing", r.Findings, want)
	}
}

func TestSealedRecordsAreReadOneByOne(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	a := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1), event(2), event(3))
	leaf, err := proofs.ParseLeaf(a[0].Leaf)
	if err != nil {
		t.Fatal(err)
	}
	index := uint64(0)
	for record, err := range operator(l).SealedRecords(t.Context(), proofs.Bundle{Width: int(a[2].Index) + 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if there := len(record) > 0; index >= a[0].Index && there != (index == a[0].Index) {
			t.Errorf("entry %d: there is a record: %v; the bucket was dropped after entry %d", index, there, a[0].Index)
		}
		if index == a[0].Index {
			if err := w.mem.Vault("vault").Drop(t.Context(), leaf.Bucket); err != nil {
				t.Fatal(err)
			}
		}
		index++
	}
	if index != a[2].Index+1 {
		t.Errorf("got %d records, want %d", index, a[2].Index+1)
	}
	for _, err := range operator(l).SealedRecords(t.Context(), proofs.Bundle{Width: 200}) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of a bundle that is not published: got error %v", err)
		}
	}
}
