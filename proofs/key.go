package proofs

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A KeyType is the signature type of a key (C2SP signed-note, "Signature
// types"). It says what a signature covers as much as how it is made.
type KeyType uint8

const (
	// Ed25519 signs the text of a note. Logs use it.
	Ed25519 KeyType = 0x01
	// Ed25519Cosignature signs a time and the text of a checkpoint.
	// Witnesses use it.
	Ed25519Cosignature KeyType = 0x04
	// MLDSA44 signs the key's name, a time, and the origin, size and root of
	// a checkpoint. Logs and witnesses use it: a log's key has the log's
	// origin as its name.
	MLDSA44 KeyType = 0x06
)

func (t KeyType) String() string {
	switch t {
	case Ed25519:
		return "Ed25519"
	case Ed25519Cosignature:
		return "Ed25519 cosignature"
	case MLDSA44:
		return "ML-DSA-44"
	}
	return fmt.Sprintf("signature type 0x%02x", uint8(t))
}

// publicSize is the size of a public key in bytes, 0 for an unknown type.
func (t KeyType) publicSize() int {
	switch t {
	case Ed25519, Ed25519Cosignature:
		return ed25519.PublicKeySize
	case MLDSA44:
		return mldsaPublicSize
	}
	return 0
}

// A Key verifies signatures of one type by one key (C2SP signed-note,
// "Verifier keys"). Keys are equal exactly where == says so. The zero Key
// verifies nothing.
type Key struct {
	name   string
	id     uint32
	typ    KeyType
	public string
}

// ParseKey reads a vkey, that is <name>+<key ID>+<base64 of type and public
// key>, of one of the three types of [KeyType]. It recomputes the key ID and
// refuses a vkey that claims another one.
func ParseKey(vkey string) (Key, error) {
	k, err := parseKey(vkey)
	if err != nil {
		return Key{}, fmt.Errorf("%w: key: %w", ErrMalformed, err)
	}
	return k, nil
}

func parseKey(vkey string) (Key, error) {
	name, rest, ok1 := strings.Cut(vkey, "+")
	id, material, ok2 := strings.Cut(rest, "+")
	if !ok1 || !ok2 {
		return Key{}, fmt.Errorf("not of the form name+id+base64")
	}
	b, ok := parseBase64(material)
	if !ok || len(b) == 0 {
		return Key{}, fmt.Errorf("not canonical base64 of a type and a public key")
	}
	k, err := newKey(name, KeyType(b[0]), b[1:])
	if err != nil {
		return Key{}, err
	}
	if want := formatKeyID(k.id); id != want {
		return Key{}, fmt.Errorf("the key's ID is %s, not %q", want, id)
	}
	return k, nil
}

// newKey checks name, type and size.
func newKey(name string, t KeyType, public []byte) (Key, error) {
	switch size := t.publicSize(); {
	case !validKeyName(name):
		return Key{}, fmt.Errorf("name %q is empty, not UTF-8, or holds a space, a plus or a control character", name)
	case t == MLDSA44 && len(name) > maxMLDSAName:
		return Key{}, fmt.Errorf("name of %d bytes, ML-DSA-44 signs at most %d", len(name), maxMLDSAName)
	case size == 0:
		return Key{}, fmt.Errorf("%v is not supported", t)
	case len(public) != size:
		return Key{}, fmt.Errorf("public key of %d bytes, %v has %d", len(public), t, size)
	}
	return Key{name, keyID(name, t, public), t, string(public)}, nil
}

// keyID returns SHA-256(name ‖ 0x0A ‖ type ‖ public)[:4], big-endian.
func keyID(name string, t KeyType, public []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{'\n', byte(t)})
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// Name returns the key's name: of a log's key the origin, of a witness's key
// the witness's name.
func (k Key) Name() string { return k.name }

// ID returns the key ID, which with the name finds the key's signatures in a
// note. It is short: nothing is proved by it.
func (k Key) ID() uint32 { return k.id }

// Type returns the signature type.
func (k Key) Type() KeyType { return k.typ }

// Public returns a copy of the public key: 32 bytes for the Ed25519 types,
// 1,312 for ML-DSA-44.
func (k Key) Public() []byte { return []byte(k.public) }

// IsLog reports whether the key's type is one that logs sign with.
func (k Key) IsLog() bool { return k.typ == Ed25519 || k.typ == MLDSA44 }

// IsWitness reports whether the key's type is one that witnesses cosign with.
func (k Key) IsWitness() bool { return k.typ == Ed25519Cosignature || k.typ == MLDSA44 }

// String returns the vkey, which [ParseKey] reads.
func (k Key) String() string {
	if k == (Key{}) {
		return ""
	}
	material := string(byte(k.typ)) + k.public
	return k.name + "+" + formatKeyID(k.id) + "+" + base64.StdEncoding.EncodeToString([]byte(material))
}

// MarshalText writes the vkey.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a vkey as [ParseKey] does.
func (k *Key) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKey(string(b))
	return err
}

func formatKeyID(id uint32) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint32(nil, id))
}

// validKeyName reports whether name can stand in a signature line: not empty,
// UTF-8, no Unicode space, no plus, no control character below U+0020.
func validKeyName(name string) bool {
	bad := func(r rune) bool { return r < 0x20 || r == '+' || unicode.IsSpace(r) }
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, bad)
}

// parseBase64 decodes standard base64 (RFC 4648 §4) in its only canonical
// form: padded, no line breaks, no stray bits.
func parseBase64(s string) ([]byte, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || base64.StdEncoding.EncodedLen(len(b)) != len(s) {
		return nil, false
	}
	return b, true
}
