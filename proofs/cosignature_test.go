package proofs_test

import (
	"errors"
	"strings"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
)

func TestASignatureVerifiesWithItsTime(t *testing.T) {
	text := checkpointText(7)
	for _, typ := range keyTypes {
		k := seededKey("w.example", typ)
		s, err := k.SignCheckpoint(text, testTime)
		if err != nil {
			t.Fatalf("%v: %v", typ, err)
		}
		want := uint64(testTime)
		if typ == proofs.Ed25519 {
			want = 0
		}
		if got, err := k.Key().CheckSignature(text, s); err != nil || got != want {
			t.Errorf("%v: time %d, %v; want %d", typ, got, err, want)
		}
	}
}

func TestEveryBitOfASignatureCounts(t *testing.T) {
	text := checkpointText(7)
	for _, typ := range keyTypes {
		k := seededKey("w.example", typ)
		s := refSign(k, text, testTime)
		step := max(1, len(s.Bytes)/97)
		for i := 0; i < len(s.Bytes); i += step {
			s.Bytes[i] ^= 1 << (i % 8)
			if _, err := k.Key().CheckSignature(text, s); !errors.Is(err, proofs.ErrNotVerified) {
				t.Errorf("%v, byte %d flipped: error %v, want ErrNotVerified", typ, i, err)
			}
			s.Bytes[i] ^= 1 << (i % 8)
		}
	}
}

// The other libraries verify what we sign.
func TestOurSignaturesAreTheFieldsSignatures(t *testing.T) {
	text := checkpointText(7)
	for _, typ := range keyTypes {
		k := seededKey(testOrigin, typ)
		s, err := k.SignCheckpoint(text, testTime)
		if err != nil {
			t.Fatal(err)
		}
		signed := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{s}})
		newVerifier := fnote.NewVerifierForCosignatureV1
		if typ == proofs.Ed25519 {
			newVerifier = note.NewVerifier
		}
		v, err := newVerifier(k.Key().String())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := note.Open(signed, note.VerifierList(v)); err != nil || len(n.Sigs) != 1 {
			t.Errorf("%v: the library reads %v, %v", typ, n, err)
		}
	}
}

// We verify what the other libraries sign.
func TestTheFieldsSignaturesAreOurs(t *testing.T) {
	text := checkpointText(7)
	for _, typ := range keyTypes {
		k := seededKey(testOrigin, typ)
		var signer note.Signer
		var err error
		if typ == proofs.Ed25519 {
			signer, err = note.NewSigner(k.Secret())
		} else {
			signer, err = fnote.NewSignerForCosignatureV1(k.Secret())
		}
		if err != nil {
			t.Fatal(err)
		}
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		c, err := proofs.ParseSignedCheckpoint(signed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Key().CheckSignature(text, c.Note.Signatures[0]); err != nil {
			t.Errorf("%v: %v", typ, err)
		}
	}
}

func TestCheckpointsThatWouldNotBeCoveredAreNotSigned(t *testing.T) {
	text := checkpointText(7)
	extended, long := text+"extension\n", strings.Replace(text, testOrigin, strings.Repeat("o", 256), 1)
	for _, c := range []struct {
		name     string
		typ      proofs.KeyType
		text     string
		unixTime uint64
		want     bool
	}{
		{"a plain signature needs no time", proofs.Ed25519, text, 0, true},
		{"a cosignature says when", proofs.Ed25519Cosignature, text, 0, false},
		{"a cosignature's time is at most 2^63-1", proofs.Ed25519Cosignature, text, 1 << 63, false},
		{"a log's ML-DSA-44 signature may say no time", proofs.MLDSA44, text, 0, true},
		{"an ML-DSA-44 time is at most 2^63-1", proofs.MLDSA44, text, 1 << 63, false},
		{"Ed25519 covers extension lines", proofs.Ed25519, extended, testTime, true},
		{"Ed25519 cosignatures cover extension lines", proofs.Ed25519Cosignature, extended, testTime, true},
		{"ML-DSA-44 does not cover extension lines", proofs.MLDSA44, extended, testTime, false},
		{"Ed25519 covers a long origin", proofs.Ed25519, long, testTime, true},
		{"ML-DSA-44 does not cover an origin of 256 bytes", proofs.MLDSA44, long, testTime, false},
		{"ML-DSA-44 covers an origin of 255 bytes", proofs.MLDSA44, strings.Replace(long, "oo", "o", 1), testTime, true},
		{"no key signs what is no checkpoint", proofs.Ed25519, "text\n", testTime, false},
		{"no key signs a size with a leading zero", proofs.MLDSA44, strings.Replace(text, "\n7\n", "\n07\n", 1), testTime, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := seededKey("w.example", c.typ)
			s, err := k.SignCheckpoint(c.text, c.unixTime)
			if (err == nil) != c.want {
				t.Fatalf("SignCheckpoint: %v, want a signature: %v", err, c.want)
			}
			if _, err := k.Key().CheckSignature(c.text, s); c.want && err != nil {
				t.Errorf("CheckSignature: %v", err)
			}
		})
	}
}

func BenchmarkCheckSignature(b *testing.B) {
	text := checkpointText(7)
	for _, typ := range keyTypes {
		k := seededKey(testOrigin, typ)
		s := refSign(k, text, testTime)
		b.Run(strings.ReplaceAll(typ.String(), " ", "-"), func(b *testing.B) {
			for b.Loop() {
				if _, err := k.Key().CheckSignature(text, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
