package proofs

import (
	"errors"
	"testing"
)

const testText = "example.com/log\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

func TestASignatureVerifiesAndNothingElseDoes(t *testing.T) {
	for _, typ := range []KeyType{Ed25519, Ed25519Cosignature, MLDSA44} {
		k := testKey(t, "example.com/log", typ)
		s, err := k.SignCheckpoint(testText, 1700000000)
		if err != nil {
			t.Fatalf("%v: %v", typ, err)
		}
		want := uint64(1700000000)
		if typ == Ed25519 {
			want = 0
		}
		if got, err := k.Key().CheckSignature(testText, s); err != nil || got != want {
			t.Errorf("%v: time %d, error %v, want %d and none", typ, got, err, want)
		}
		for i := range s.Bytes {
			s.Bytes[i] ^= 1
			if _, err := k.Key().CheckSignature(testText, s); !errors.Is(err, ErrNotVerified) {
				t.Fatalf("%v: byte %d changed: error %v, want ErrNotVerified", typ, i, err)
			}
			s.Bytes[i] ^= 1
			if typ == MLDSA44 && i > 40 {
				i += 200
			}
		}
	}
}
