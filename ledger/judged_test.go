package ledger

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// What is gone that a hold keeps, what is gone without a reason, and what is
// still there that should be gone: the auditor finds it in what a ledger serves.
func TestAnAuditFindsWhatALedgerHides(t *testing.T) {
	a := newArchive(t)
	a.short("week", 7)
	old := a.record("week", "alice", "bob", "carol")
	before := exported(t, a.l)
	if _, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: old[1], Last: old[1]}}, Reason: "a lawsuit"}); err != nil {
		t.Fatal(err)
	}
	a.later(9)
	fresh := a.record("week", "erin")[0]
	a.gone(old[0])
	a.record(DefaultStream, "") // published: that it is done, too
	after := exported(t, a.l)
	for _, tt := range []struct {
		name  string
		index uint64
		from  fstest.MapFS // the record is that of these files; nil: there is none
		want  audit.FindingKind
	}{
		{"nothing is hidden", fresh, after, ""},
		{"what is held is gone", old[1], nil, audit.RecordHeld},
		{"what is new is gone", fresh, nil, audit.RecordMissing},
		{"what expired is there again", old[0], before, audit.RecordRemains},
		{"another record is in its place", fresh, before, audit.RecordAltered},
	} {
		files := fstest.MapFS{}
		for path, f := range after {
			files[path] = f
		}
		var record []byte
		switch {
		case tt.want == audit.RecordAltered:
			record = recordsOf(t, tt.from)[old[0]]
		case tt.from != nil:
			record = recordsOf(t, tt.from)[tt.index]
		}
		records := recordsOf(t, after)
		records[tt.index] = record
		files[vaultFile(t, after)] = &fstest.MapFile{Data: audit.FormatVault(records)}
		r, err := audit.Run(t.Context(), files, audit.Options{Policy: a.policy})
		if err != nil {
			t.Fatal(err)
		}
		var got audit.FindingKind
		if len(r.Findings) > 0 {
			got = r.Findings[0].Kind
		}
		if got != tt.want || len(r.Findings) > 1 || tt.want != "" && r.Findings[0].Index != int64(tt.index) {
			t.Errorf("%s: found %+v, want %s of entry %d", tt.name, r.Findings, tt.want, tt.index)
		}
	}
}

// vaultFile returns the path of the one file of sealed records in an export.
func vaultFile(t *testing.T, files fstest.MapFS) string {
	t.Helper()
	c, err := proofs.ParseSignedCheckpoint(files[audit.CheckpointFile].Data)
	if err != nil {
		t.Fatal(err)
	}
	b, ok := proofs.BundleIn(c.Size, 0)
	if !ok || c.Size > proofs.TileWidth {
		t.Fatalf("there are %d entries, and one bundle is expected", c.Size)
	}
	return audit.VaultPath(b)
}

// recordsOf returns the sealed records of an export in one file.
func recordsOf(t *testing.T, files fstest.MapFS) [][]byte {
	t.Helper()
	file, err := files.Open(vaultFile(t, files))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var records [][]byte
	for r := audit.NewRecordReader(file); ; {
		record, err := r.Next()
		if err != nil {
			return records
		}
		records = append(records, slices.Clone(record))
	}
}
