package proofs_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	fproof "github.com/transparency-dev/formats/proof"

	"github.com/cairnlog/cairn/proofs"
)

func TestEveryEntryOfALogHasAReceipt(t *testing.T) {
	p := testPolicy()
	for i, leaf := range refLeaves(7) {
		r := testReceipt(i, seededKey(testOrigin, proofs.Ed25519), witnessKey(1), witnessKey(2))
		v, err := r.Check(p, r.Extra)
		if err != nil || v.Checkpoint.Size != 7 || v.Time != testTime {
			t.Errorf("entry %d: got %+v, %v; want size 7 at %d", i, v, err, testTime)
		}
		if _, err := r.Check(p, append(bytes.Clone(leaf), 0)); !errors.Is(err, proofs.ErrNotVerified) {
			t.Errorf("entry %d with a byte more: error %v, want ErrNotVerified", i, err)
		}
	}
}

// One flipped bit anywhere in a receipt is found, save in the extra data, and
// where a quorum does without the signature that it is in. Here none is spare.
func TestEveryBitOfAReceiptCounts(t *testing.T) {
	p := testPolicy()
	leaf := refLeaves(7)[3]
	r := testReceipt(3, seededKey(testOrigin, proofs.Ed25519), witnessKey(1), witnessKey(2))
	b := must(proofs.FormatReceipt(r))
	for i := range b {
		b[i] ^= 1
		changed, err := proofs.ParseReceipt(b)
		if err == nil {
			_, err = changed.Check(p, leaf)
		}
		extra := err == nil && !bytes.Equal(changed.Extra, r.Extra)
		if !extra && !errors.Is(err, proofs.ErrMalformed) && !errors.Is(err, proofs.ErrNotVerified) {
			t.Errorf("byte %d: error %v, want ErrMalformed or ErrNotVerified", i, err)
		}
		b[i] ^= 1
	}
}

func TestReceiptsThatCannotBeReadAreNotWritten(t *testing.T) {
	good := testReceipt(3, seededKey(testOrigin, proofs.Ed25519))
	for name, change := range map[string]func(r *proofs.Receipt){
		"no checkpoint":                 func(r *proofs.Receipt) { r.Checkpoint = nil },
		"a checkpoint without a sig":    func(r *proofs.Receipt) { r.Checkpoint = []byte(checkpointText(7)) },
		"a newline before a checkpoint": func(r *proofs.Receipt) { r.Checkpoint = append([]byte("\n"), r.Checkpoint...) },
		"an index of 2^63":              func(r *proofs.Receipt) { r.Index = 1 << 63 },
		"64 hashes":                     func(r *proofs.Receipt) { r.Proof = make([]proofs.Hash, 64) },
		"extra data beyond the bound":   func(r *proofs.Receipt) { r.Extra = make([]byte, proofs.MaxReceiptSize) },
	} {
		r := good
		change(&r)
		if b, err := proofs.FormatReceipt(r); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %.40q, %v; want ErrMalformed", name, b, err)
		}
	}
}

func TestTheLargestLeafFitsIntoAReceipt(t *testing.T) {
	r := testReceipt(3, seededKey(testOrigin, proofs.Ed25519))
	r.Extra = bytes.Repeat([]byte{0xa5}, 65535)
	r.Checkpoint = manySigned(16, 5000, seededKey(testOrigin, proofs.Ed25519))
	again, err := proofs.ParseReceipt(must(proofs.FormatReceipt(r)))
	if err != nil || !bytes.Equal(again.Extra, r.Extra) || !bytes.Equal(again.Checkpoint, r.Checkpoint) {
		t.Errorf("got %d and %d bytes, %v; want those that were written", len(again.Extra), len(again.Checkpoint), err)
	}
}

func TestAParsedReceiptDoesNotChangeWithItsBytes(t *testing.T) {
	b := must(proofs.FormatReceipt(testReceipt(3, seededKey(testOrigin, proofs.Ed25519))))
	r := must(proofs.ParseReceipt(b))
	before := bytes.Clone(r.Checkpoint)
	clear(b)
	wantEqual(t, "checkpoint", string(r.Checkpoint), string(before))
}

func FuzzParseReceipt(f *testing.F) {
	for _, v := range receiptVectors() {
		f.Add([]byte(v.Receipt))
	}
	p, leaf := testPolicy(), refLeaves(7)[4]
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := proofs.ParseReceipt(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("error %v, want ErrMalformed", err)
			}
			return
		}
		if got, err := proofs.FormatReceipt(r); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("formats as %q, %v; want %q", got, err, b)
		}
		if _, err := r.Check(p, leaf); err != nil && !errors.Is(err, proofs.ErrNotVerified) {
			t.Fatalf("Check: error %v, want ErrNotVerified", err)
		}
		if slices.ContainsFunc(strings.Split(string(b), "\n"), func(l string) bool { return len(l) > 60000 }) {
			return // transparency-dev/formats stops there
		}
		// What we read, transparency-dev/formats reads too, and the same.
		var peer fproof.TLogProof
		if err := peer.Unmarshal(b); err != nil || peer.Index != r.Index || len(peer.Hashes) != len(r.Proof) || !bytes.Equal(peer.Checkpoint, r.Checkpoint) {
			t.Fatalf("formats reads %v, %v; we read %v", peer, err, r)
		}
	})
}
