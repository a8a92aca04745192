package audit_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// What the log and the witnesses signed.
func TestCheckpoints(t *testing.T) {
	l := aLedger(t)
	other := newLedger(t)
	other.log = check(proofs.GenerateKey("ledger.example/other", proofs.Ed25519, randomness(7)))
	unsigned := func(size int) []byte {
		c := check(proofs.ParseSignedCheckpoint(l.sign(size, l.root(size))))
		c.Note.Signatures = c.Note.Signatures[1:]
		return proofs.FormatSignedCheckpoint(c)
	}
	wrongRoot := l.root(512)
	wrongRoot[3] ^= 1
	put := func(path string, b []byte) func(fstest.MapFS) {
		return func(files fstest.MapFS) { files[path] = &fstest.MapFile{Data: b} }
	}
	for _, tt := range []struct {
		name   string
		change func(files fstest.MapFS)
		want   []want
	}{
		{"there is no checkpoint", remove(audit.CheckpointFile), []want{{audit.CheckpointMissing, "checkpoint", none}}},
		{"it is something else", put("checkpoint", []byte("hello\n")), []want{{audit.CheckpointMalformed, "checkpoint", none}}},
		{"the log has not signed", put("checkpoint", unsigned(1000)), []want{{audit.CheckpointSignature, "checkpoint", none}}},
		{"one witness has cosigned, two are a quorum", put("checkpoint", l.sign(1000, l.root(1000), 1)),
			[]want{{audit.CheckpointQuorum, "checkpoint", none}}},
		{"an earlier one is published again", put("checkpoint", l.sign(777, l.root(777))),
			[]want{{audit.ReceiptRollback, "receipts/600-1000.tlog-proof", 600}, {audit.CheckpointRollback, "checkpoints/x001/000", none}}},
		{"it is of another tree", put("checkpoint", l.sign(1000, wrongRoot)),
			[]want{{audit.RootMismatch, "checkpoint", none}, {audit.CheckpointFork, "checkpoints/x001/000", none}}},
		{"a kept one is of another tree", put("checkpoints/512", l.sign(512, wrongRoot)),
			[]want{{audit.CheckpointFork, "checkpoints/512", none}}},
		{"a kept one has no quorum", put("checkpoints/512", l.sign(512, l.root(512), 0)), nil},
		{"a kept one is not signed", put("checkpoints/512", unsigned(512)), []want{{audit.CheckpointSignature, "checkpoints/512", none}}},
		{"a kept one is another one", put("checkpoints/512", l.sign(777, l.root(777))),
			[]want{{audit.CheckpointMisplaced, "checkpoints/512", none}}},
		{"a kept one is beyond the published one", put("checkpoints/x001/001", l.sign(1001, wrongRoot)),
			[]want{{audit.CheckpointRollback, "checkpoints/x001/001", none}}},
		{"a kept one of size 0 has a root", put("checkpoints/000", l.sign(0, wrongRoot)),
			[]want{{audit.CheckpointFork, "checkpoints/000", none}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := l.copy()
			tt.change(files)
			r := l.audit(files, nil)
			slices.SortStableFunc(tt.want, func(a, b want) int { return int(a.index - b.index) })
			demand(t, r, tt.want...)
			if r.OK() != (r.State != nil) {
				t.Errorf("the state to go on from is %v", r.State)
			}
		})
	}
}

// Without a published checkpoint that is believed, the last kept one serves, so
// that all faults are seen at once.
func TestKeptCheckpointsServeWhereThePublishedOneIsDamaged(t *testing.T) {
	l := aLedger(t)
	files := l.flipped("tile/entries/002", 999*8)
	files["checkpoint"] = &fstest.MapFile{Data: []byte("gone")}
	r := l.audit(files, nil)
	if !named(r, "checkpoint", none) || !named(r, "tile/entries/002", none) || r.Total != 2 || r.Checkpoint.Size != 1000 {
		t.Errorf("by size %d: found %v", r.Checkpoint.Size, r.Findings)
	}
	for path := range files {
		if strings.HasPrefix(path, audit.CheckpointsDir) {
			delete(files, path)
		}
	}
	r = l.audit(files, nil)
	if r.Total != 1 || len(r.Summary.NotJudged) != 1 || r.State != nil || !strings.HasPrefix(r.Summary.String(), "Not judged: anything") {
		t.Errorf("without any: found %v, not judged %v", r.Findings, r.Summary.NotJudged)
	}
}
