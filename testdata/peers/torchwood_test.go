package peers

import (
	"bytes"
	"errors"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cairnlog/cairn/proofs"
)

// torchwoodPolicy has torchwood read a policy that we wrote.
func torchwoodPolicy(t *testing.T, text []byte) torchwood.Policy {
	t.Helper()
	p, err := torchwood.ParsePolicy(text)
	if err != nil {
		t.Fatalf("torchwood does not read our policy: %v\n%s", err, text)
	}
	return p
}

// newTorchwood returns a torchwood client without a memory.
func newTorchwood(t *testing.T, l *servedLedger) (*torchwood.TileFetcher, *torchwood.Client) {
	t.Helper()
	fetcher, err := torchwood.NewTileFetcher(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	return fetcher, c
}

// torchwoodCheckpoint has torchwood fetch and verify the checkpoint.
func torchwoodCheckpoint(t *testing.T, l *servedLedger, fetcher *torchwood.TileFetcher) torchwood.Checkpoint {
	t.Helper()
	signed, err := fetcher.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		t.Fatalf("torchwood cannot fetch our checkpoint: %v", err)
	}
	policy := torchwoodPolicy(t, l.ed25519Policy(t))
	c, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		t.Fatalf("torchwood does not accept our checkpoint: %v\n%s", err, signed)
	}
	if _, _, err := torchwood.VerifyCheckpoint(forge(t, signed), policy); err == nil {
		t.Error("torchwood accepts our checkpoint with another root")
	}
	stranger := serveWitness(t).policyFor(l.key(t, proofs.Ed25519))
	if _, _, err := torchwood.VerifyCheckpoint(signed, torchwoodPolicy(t, stranger)); err == nil {
		t.Error("torchwood accepts our checkpoint by a policy with a witness that did not cosign it")
	}
	return c
}

// TestTorchwoodReadsEntries has torchwood's client verify the checkpoint, with
// the witness's cosignature, and read every entry of the ledger; it checks
// each against the tiles and the tiles against the root.
func TestTorchwoodReadsEntries(t *testing.T) {
	l := newLedger(t, 600)
	fetcher, c := newTorchwood(t, l)
	checkpoint := torchwoodCheckpoint(t, l, fetcher)
	n, ours := int64(0), 0
	for i, entry := range c.AllEntries(t.Context(), checkpoint.Tree, 0) {
		if i != n {
			t.Fatalf("torchwood reads entry %d, want entry %d", i, n)
		}
		n++
		leaf, ok := l.Leaves[uint64(i)]
		if !ok {
			continue
		}
		ours++
		if !bytes.Equal(entry, leaf) {
			t.Errorf("entry %d: torchwood reads %x, we appended %x", i, entry, leaf)
		}
	}
	if err := c.Err(); err != nil || n != checkpoint.N || ours != len(l.Leaves) {
		t.Fatalf("torchwood reads %d of %d entries, and %d of our %d events: %v", n, checkpoint.N, ours, len(l.Leaves), err)
	}
	for _, path := range []string{"tile/0/001", "tile/entries/001"} {
		l.damage(path)
		for range c.AllEntries(t.Context(), checkpoint.Tree, 0) {
		}
		if c.Err() == nil {
			t.Errorf("torchwood reads all entries with a flipped bit in %s", path)
		}
	}
}

// TestTorchwoodProvesEntries has torchwood make and check inclusion proofs
// from our tiles; its proofs are the ones that the ledger gives.
func TestTorchwoodProvesEntries(t *testing.T) {
	l := newLedger(t, 600)
	fetcher, c := newTorchwood(t, l)
	checkpoint := torchwoodCheckpoint(t, l, fetcher)
	for _, index := range []int64{0, 255, 256, 511, 512, checkpoint.N - 1} {
		entry, theirs, err := c.Entry(t.Context(), checkpoint.Tree, index)
		if err != nil {
			t.Errorf("torchwood cannot prove entry %d: %v", index, err)
			continue
		}
		hashes, err := l.ProveInclusion(t.Context(), uint64(index), uint64(checkpoint.N))
		if err != nil {
			t.Fatal(err)
		}
		ours := make(tlog.RecordProof, len(hashes))
		for i, h := range hashes {
			ours[i] = tlog.Hash(h)
		}
		if err := tlog.CheckRecord(ours, checkpoint.N, checkpoint.Hash, index, tlog.RecordHash(entry)); err != nil {
			t.Errorf("entry %d: sumdb/tlog does not accept our proof: %v\ngot  %v\nwant %v", index, err, ours, theirs)
		}
	}
	l.damage("tile/0/001")
	if _, _, err := c.Entry(t.Context(), checkpoint.Tree, 300); err == nil {
		t.Error("torchwood proves entry 300 with a flipped bit in its tile")
	}
}

// TestTorchwoodVerifiesReceipts has torchwood verify receipts (C2SP
// tlog-proof) offline, by a policy with a witness.
func TestTorchwoodVerifiesReceipts(t *testing.T) {
	l := newLedger(t, 1)
	policy := torchwoodPolicy(t, l.ed25519Policy(t))
	for _, a := range l.append(t, 300) {
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(a.Leaf), a.Receipt); err != nil {
			t.Fatalf("torchwood does not accept the receipt of entry %d: %v\n%s", a.Index, err, a.Receipt)
		}
		if extra, err := torchwood.ProofExtraData(a.Receipt); err != nil || !bytes.Equal(extra, a.Leaf) {
			t.Errorf("torchwood reads the extra data of the receipt of entry %d as %x, %v, want the leaf %x", a.Index, extra, err, a.Leaf)
		}
		var wrong *torchwood.VerifyRecordError
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(append(a.Leaf, 0)), a.Receipt); !errors.As(err, &wrong) {
			t.Errorf("torchwood says %v of the receipt of entry %d with another leaf", err, a.Index)
		}
	}
}
