package proofs_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A signer keeps a key elsewhere, and gives what an answer makes of its
// signatures.
type signer struct {
	ed25519.PrivateKey
	answer func(signature []byte) ([]byte, error)
}

func (s signer) Sign(random io.Reader, message []byte, o crypto.SignerOpts) ([]byte, error) {
	signature, err := s.PrivateKey.Sign(random, message, o)
	if err != nil {
		return nil, err
	}
	return s.answer(signature)
}

func honest(signature []byte) ([]byte, error) { return signature, nil }

// privateKey returns the secret of seededKey.
func privateKey(name string, typ proofs.KeyType) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	must((&seededRandom{seed: keySeed(name, typ)}).Read(seed))
	return ed25519.NewKeyFromSeed(seed)
}

var promised = proofs.PromiseText{Origin: testOrigin, State: "sequenced", Start: 1, End: 2, Time: 3}

func TestASignerSignsAsItsKeyWould(t *testing.T) {
	text := checkpointText(7)
	for _, typ := range []proofs.KeyType{proofs.Ed25519, proofs.Ed25519Cosignature} {
		own := seededKey(testOrigin, typ)
		k, err := proofs.NewSigningKey(testOrigin, typ, signer{privateKey(testOrigin, typ), honest})
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "Key", k.Key(), own.Key())
		wantEqual(t, "Secret", k.Secret(), "")
		wantEqual(t, "printed", fmt.Sprintf("%+v", struct{ K proofs.SigningKey }{k}), "{K:"+own.Key().String()+"}")
		wantEqual(t, "signature", fmt.Sprint(must(k.SignCheckpoint(text, testTime))), fmt.Sprint(must(own.SignCheckpoint(text, testTime))))
		if typ == proofs.Ed25519 {
			wantEqual(t, "promise", string(must(k.SignPromise(promised))), string(must(own.SignPromise(promised))))
		}
	}
}

func TestNoWrongSignatureOfASignerIsGivenOn(t *testing.T) {
	away := errors.New("the agent is away")
	for name, answer := range map[string]func([]byte) ([]byte, error){
		"nothing":                   func([]byte) ([]byte, error) { return nil, nil },
		"an error":                  func([]byte) ([]byte, error) { return nil, away },
		"a signature and an error":  func(s []byte) ([]byte, error) { return s, away },
		"a signature with more":     func(s []byte) ([]byte, error) { return append(s, 0), nil },
		"a signature cut off":       func(s []byte) ([]byte, error) { return s[:63], nil },
		"a signature with one bit":  func(s []byte) ([]byte, error) { s[17] ^= 4; return s, nil },
		"a signature of other text": func([]byte) ([]byte, error) { return ed25519.Sign(privateKey(testOrigin, proofs.Ed25519), nil), nil },
		"a signature by another":    func([]byte) ([]byte, error) { return ed25519.Sign(privateKey("b", proofs.Ed25519), nil), nil },
		"64 bytes of 0":             func([]byte) ([]byte, error) { return make([]byte, 64), nil },
	} {
		for _, typ := range []proofs.KeyType{proofs.Ed25519, proofs.Ed25519Cosignature} {
			k := must(proofs.NewSigningKey(testOrigin, typ, signer{privateKey(testOrigin, typ), answer}))
			s, err := k.SignCheckpoint(checkpointText(7), testTime)
			if !errors.Is(err, proofs.ErrUnsigned) || len(s.Bytes) > 0 {
				t.Errorf("%s, %v: got %v, %v, want ErrUnsigned", name, typ, s, err)
			}
			if strings.Contains(name, "error") != errors.Is(err, away) {
				t.Errorf("%s, %v: got %v, want what the signer says", name, typ, err)
			}
		}
		k := must(proofs.NewSigningKey(testOrigin, proofs.Ed25519, signer{privateKey(testOrigin, proofs.Ed25519), answer}))
		if note, err := k.SignPromise(promised); !errors.Is(err, proofs.ErrUnsigned) || note != nil {
			t.Errorf("%s: promise %q, %v, want ErrUnsigned", name, note, err)
		}
	}
	// What nobody may sign is not the signer's fault.
	k := must(proofs.NewSigningKey("w", proofs.Ed25519Cosignature, signer{privateKey("w", proofs.Ed25519Cosignature), honest}))
	if _, err := k.SignCheckpoint(checkpointText(7), 0); err == nil || errors.Is(err, proofs.ErrUnsigned) {
		t.Errorf("time 0: got %v, want another error than ErrUnsigned", err)
	}
	if _, err := k.SignPromise(promised); err == nil || errors.Is(err, proofs.ErrUnsigned) {
		t.Errorf("a promise by a witness: got %v, want another error than ErrUnsigned", err)
	}
}

func TestSignersThatAreNoneAreRefused(t *testing.T) {
	private := privateKey("a", proofs.Ed25519)
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for name, c := range map[string]struct {
		name   string
		typ    proofs.KeyType
		signer crypto.Signer
	}{
		"an ECDSA key":         {"a", proofs.Ed25519, other},
		"ML-DSA-44 by Ed25519": {"a", proofs.MLDSA44, private},
		"no type":              {"a", 0, private},
		"no name":              {"", proofs.Ed25519, private},
		"a name with a space":  {"a b", proofs.Ed25519, private},
		"a public key cut off": {"a", proofs.Ed25519, shortSigner{}},
	} {
		if k, err := proofs.NewSigningKey(c.name, c.typ, c.signer); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, %v, want ErrMalformed", name, k, err)
		}
	}
}

// A shortSigner has a public key that is none.
type shortSigner struct{ crypto.Signer }

func (shortSigner) Public() crypto.PublicKey { return ed25519.PublicKey{1, 2, 3} }
