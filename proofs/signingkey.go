package proofs

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
)

// maxMLDSAName bounds, in bytes, the key names and origins that ML-DSA-44
// cosignatures can cover (C2SP tlog-cosignature, "ML-DSA-44 signed message").
const maxMLDSAName = 255

const skeyPrefix = "PRIVATE+KEY+"

// A SigningKey signs checkpoints, with a secret that it has or that somebody
// else keeps ([NewSigningKey]). However it is printed, it shows its verifier
// key only; [SigningKey.Secret] is the one way to the secret. The zero
// SigningKey signs nothing.
type SigningKey struct {
	key Key
	// The secret lies in closures, where no printer or encoder finds it even
	// if the SigningKey is a field of something else.
	secret  func() string
	ed25519 messageSigner // nil: it is no Ed25519 key
	sign    func(c Checkpoint, text string, unixTime uint64) ([]byte, error)
}

// A messageSigner returns the Ed25519 signature of a message (RFC 8032).
type messageSigner func(message []byte) ([]byte, error)

// GenerateKey makes a key of type t, named name, from 32 bytes of random. For
// a log, name is the origin. The error matches [ErrMalformed] where the name
// or the type cannot be.
func GenerateKey(name string, t KeyType, random io.Reader) (SigningKey, error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return SigningKey{}, fmt.Errorf("generate key: %w", err)
	}
	k, err := newSigningKey(name, t, seed)
	if err != nil {
		return SigningKey{}, fmt.Errorf("%w: generate key: %w", ErrMalformed, err)
	}
	return k, nil
}

// ParseSigningKey reads PRIVATE+KEY+<name>+<key ID>+<base64 of type and
// 32-byte seed>, the form of golang.org/x/mod/sumdb/note. It recomputes the
// key ID and refuses a key that claims another one. Errors never quote the
// input.
func ParseSigningKey(skey string) (SigningKey, error) {
	rest, ok1 := strings.CutPrefix(skey, skeyPrefix)
	name, rest, ok2 := strings.Cut(rest, "+")
	id, material, ok3 := strings.Cut(rest, "+")
	b, ok4 := parseBase64(material)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(b) != 1+32 {
		return SigningKey{}, fmt.Errorf("%w: signing key: not of the form %sname+id+base64", ErrMalformed, skeyPrefix)
	}
	k, err := newSigningKey(name, KeyType(b[0]), [32]byte(b[1:]))
	if err != nil {
		return SigningKey{}, fmt.Errorf("%w: signing key: %w", ErrMalformed, err)
	}
	if want := formatKeyID(k.key.id); id != want {
		return SigningKey{}, fmt.Errorf("%w: signing key: its ID is not %s", ErrMalformed, want)
	}
	return k, nil
}

func newSigningKey(name string, t KeyType, seed [32]byte) (k SigningKey, err error) {
	var public []byte
	switch t {
	case Ed25519, Ed25519Cosignature:
		private := ed25519.NewKeyFromSeed(seed[:])
		public = private.Public().(ed25519.PublicKey)
		k.ed25519 = func(message []byte) ([]byte, error) { return ed25519.Sign(private, message), nil }
		k.sign = ed25519Signer(t, k.ed25519)
	case MLDSA44:
		public = mldsaPublic(seed)
	}
	if k.key, err = newKey(name, t, public); err != nil {
		return SigningKey{}, err
	}
	skey := skeyPrefix + name + "+" + formatKeyID(k.key.id) + "+" +
		base64.StdEncoding.EncodeToString(append([]byte{byte(t)}, seed[:]...))
	k.secret = func() string { return skey }
	if t == MLDSA44 {
		signer, err := fnote.NewMLDSASigner(skey)
		if err != nil {
			return SigningKey{}, err
		}
		if signer.KeyHash() != k.key.id {
			panic("proofs: ML-DSA-44 public key differs from the library's")
		}
		k.sign = mldsaSigner(signer)
	}
	return k, nil
}

// Key returns the verifier key.
func (k SigningKey) Key() Key { return k.key }

// Secret returns the key in the form that [ParseSigningKey] reads. Whoever
// has it can sign. It is empty for a key of [NewSigningKey].
func (k SigningKey) Secret() string {
	if k.secret == nil {
		return ""
	}
	return k.secret()
}

// String returns the verifier key.
func (k SigningKey) String() string { return k.key.String() }

// Format prints the verifier key, whatever the verb.
func (k SigningKey) Format(f fmt.State, _ rune) { io.WriteString(f, k.key.String()) }
