package audit_test

import (
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

func TestReceipts(t *testing.T) {
	l := aLedger(t)
	fork := newLedger(t)
	fork.grow(300)
	leaf := check(proofs.ParseLeaf(fork.leaves[17]))
	leaf.C[0] ^= 1
	fork.leaves[17] = check(proofs.FormatLeaf(leaf))
	fork.rehash()
	// The forked log has the same keys; it makes receipts of its own.
	fork.policy, fork.witnesses, fork.log = l.policy, l.witnesses, l.log
	write := func(change func(r *proofs.Receipt)) fstest.MapFS {
		files := l.copy()
		r := check(proofs.ParseReceipt(files["receipts/255-512.tlog-proof"].Data))
		change(&r)
		files["receipts/changed.tlog-proof"] = &fstest.MapFile{Data: check(proofs.FormatReceipt(r))}
		return files
	}
	forked := l.copy()
	path := fork.receipt(17, 300)
	forked[path] = fork.files[path]
	const changed = "receipts/changed.tlog-proof"
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []want
	}{
		{"without its leaf", write(func(r *proofs.Receipt) { r.Extra = nil }), nil},
		{"of another index", write(func(r *proofs.Receipt) { r.Index = 254 }), []want{{audit.ReceiptInvalid, changed, 254}}},
		{"of another index, without its leaf", write(func(r *proofs.Receipt) { r.Index, r.Extra = 254, nil }), []want{{audit.ReceiptInvalid, changed, 254}}},
		{"of an index beyond its checkpoint", write(func(r *proofs.Receipt) { r.Index, r.Extra = 512, nil }), []want{{audit.ReceiptInvalid, changed, 512}}},
		{"of another leaf", write(func(r *proofs.Receipt) { r.Extra = l.leaves[254] }), []want{{audit.ReceiptInvalid, changed, 255}}},
		{"with fewer cosignatures than the quorum", write(func(r *proofs.Receipt) { r.Checkpoint = l.sign(512, l.root(512), 1) }), []want{{audit.ReceiptInvalid, changed, 255}}},
		{"of another history", forked, []want{{audit.ReceiptForeign, path, 17}}},
	} {
		t.Run(tt.name, func(t *testing.T) { demand(t, l.audit(tt.files, nil), tt.want...) })
	}
}
