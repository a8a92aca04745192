package peers

import (
	"bytes"
	"slices"
	"testing"

	formatslog "github.com/transparency-dev/formats/log"
	formatsnote "github.com/transparency-dev/formats/note"
	formatsproof "github.com/transparency-dev/formats/proof"
	formatswitness "github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
)

// forge returns a signed checkpoint with another root and the same signatures.
func forge(t *testing.T, signed []byte) []byte {
	t.Helper()
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	c.Root[0] ^= 1
	text, err := proofs.FormatCheckpoint(c.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return proofs.FormatNote(proofs.Note{Text: text, Signatures: c.Note.Signatures})
}

// TestSumdbNoteOpensCheckpoint has the Go project's sumdb/note read our
// verifier key and open our checkpoint with it.
func TestSumdbNoteOpensCheckpoint(t *testing.T) {
	l := newLedger(t, 10)
	signed, _ := l.checkpoint(t)
	vkey := l.key(t, proofs.Ed25519).String()
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatalf("sumdb/note does not read our key: %v\n%s", err, vkey)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		t.Fatalf("sumdb/note does not open our checkpoint: %v\n%s", err, signed)
	}
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 3 {
		t.Errorf("sumdb/note finds %d signatures of our Ed25519 key and %d others, want 1 and 3:\n%s", len(n.Sigs), len(n.UnverifiedSigs), signed)
	}
	if _, err := note.Open(forge(t, signed), note.VerifierList(verifier)); err == nil {
		t.Error("sumdb/note opens our checkpoint with another root")
	}
}

// TestFormatsVerifiesSignatures has transparency-dev/formats parse our
// checkpoint and verify all four signatures: the ledger's and the witness's,
// Ed25519 and ML-DSA-44.
func TestFormatsVerifiesSignatures(t *testing.T) {
	l := newLedger(t, 10)
	signed, ours := l.checkpoint(t)
	mldsa := func(vkey string) (note.Verifier, error) { return formatsnote.NewMLDSAVerifier(vkey) }
	var verifiers []note.Verifier
	for _, k := range []struct {
		key  proofs.Key
		read func(vkey string) (note.Verifier, error)
	}{
		{l.key(t, proofs.Ed25519), formatsnote.NewVerifier},
		{l.key(t, proofs.MLDSA44), mldsa},
		{l.Witness.Ed25519, formatsnote.NewVerifierForCosignatureV1},
		{l.Witness.MLDSA, mldsa},
	} {
		v, err := k.read(k.key.String())
		if err != nil {
			t.Fatalf("formats does not read our %v key: %v\n%s", k.key.Type(), err, k.key)
		}
		if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
			t.Errorf("formats does not accept the %v signature of %s: %v\n%s", k.key.Type(), k.key.Name(), err, signed)
		}
		if _, err := note.Open(forge(t, signed), note.VerifierList(v)); err == nil {
			t.Errorf("formats accepts the %v signature of %s for another root", k.key.Type(), k.key.Name())
		}
		verifiers = append(verifiers, v)
	}
	c, rest, n, err := formatslog.ParseCheckpoint(signed, origin, verifiers[0], verifiers[1:]...)
	if err != nil {
		t.Fatalf("formats does not parse our checkpoint: %v\n%s", err, signed)
	}
	if c.Size != ours.Size || !bytes.Equal(c.Hash, ours.Root[:]) || len(rest) != 0 || len(n.Sigs) != 4 {
		t.Errorf("formats reads size %d, root %x, extensions %q and %d good signatures, want %d, %s, none and 4",
			c.Size, c.Hash, rest, len(n.Sigs), ours.Size, ours.Root)
	}
}

// TestFormatsReadsCosignatureTime has transparency-dev/formats read when the
// witness cosigned.
func TestFormatsReadsCosignatureTime(t *testing.T) {
	l := newLedger(t, 10)
	signed, _ := l.checkpoint(t)
	v, err := formatsnote.NewVerifierForCosignatureV1(l.Witness.Ed25519.String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := formatsnote.CoSigV1Timestamp(n.Sigs[0])
	if err != nil {
		t.Fatalf("formats does not find the time of our cosignature: %v", err)
	}
	verdict, err := l.Policy.Check(signed)
	if err != nil {
		t.Fatal(err)
	}
	want := proofs.Cosignature{Witness: "ed25519", Key: l.Witness.Ed25519, Time: uint64(theirs.Unix())}
	if !slices.Contains(verdict.Cosignatures, want) {
		t.Errorf("formats reads that our witness cosigned at %d, we read %+v", theirs.Unix(), verdict.Cosignatures)
	}
}

// TestFormatsEvaluatesPolicy has transparency-dev/formats read a policy that
// we wrote and find that our checkpoint satisfies it.
func TestFormatsEvaluatesPolicy(t *testing.T) {
	l := newLedger(t, 10)
	signed, _ := l.checkpoint(t)
	text := l.ed25519Policy(t)
	policy, err := formatswitness.ParsePolicy(text)
	if err != nil {
		t.Fatalf("formats does not read our policy: %v\n%s", err, text)
	}
	if !policy.Satisfied(signed) {
		t.Errorf("formats does not find our policy satisfied\n%s\n%s", text, signed)
	}
	if policy.Satisfied(forge(t, signed)) {
		t.Error("formats finds our policy satisfied for another root")
	}
}

// TestFormatsReadsReceipts has transparency-dev/formats read our receipts
// (C2SP tlog-proof) and write them again.
func TestFormatsReadsReceipts(t *testing.T) {
	l := newLedger(t, 1)
	for _, a := range l.append(t, 300) {
		ours, err := proofs.ParseReceipt(a.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		var theirs formatsproof.TLogProof
		if err := theirs.Unmarshal(a.Receipt); err != nil {
			t.Fatalf("formats does not read the receipt of entry %d: %v\n%s", a.Index, err, a.Receipt)
		}
		if theirs.Index != ours.Index || len(theirs.Hashes) != len(ours.Proof) || !bytes.Equal(theirs.Checkpoint, ours.Checkpoint) {
			t.Errorf("formats reads index %d and %d hashes, want %d and %d, from\n%s",
				theirs.Index, len(theirs.Hashes), ours.Index, len(ours.Proof), a.Receipt)
		}
		if again := theirs.Marshal(); !bytes.Equal(again, a.Receipt) {
			t.Fatalf("formats writes the receipt of entry %d as\n%s\nwe wrote\n%s", a.Index, again, a.Receipt)
		}
	}
}
