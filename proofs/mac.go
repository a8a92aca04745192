package proofs

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Key256 is a 32-byte secret: a key or an opening.
type Key256 [32]byte

// mac returns HMAC-SHA-256(key, label ‖ parts…) (RFC 2104). Every label is
// fixed and ends in a newline, and each use fixes the lengths of all parts
// but the last, so that no two uses can be mistaken for each other.
//
// It hashes buffers instead of using crypto/hmac: an entry takes about twenty
// of these, most of them short, and a short one stays on the stack.
func mac(key *Key256, label string, parts ...[]byte) Hash {
	n := sha256.BlockSize + len(label)
	for _, p := range parts {
		n += len(p)
	}
	var short [512]byte
	m := short[:sha256.BlockSize]
	if n > len(short) {
		m = make([]byte, sha256.BlockSize, n)
	}
	putPadded(m, key, 0x3636363636363636)
	m = append(m, label...)
	for _, p := range parts {
		m = append(m, p...)
	}
	inner := sha256.Sum256(m)
	var outer [sha256.BlockSize + sha256.Size]byte
	putPadded(outer[:], key, 0x5c5c5c5c5c5c5c5c)
	copy(outer[sha256.BlockSize:], inner[:])
	return sha256.Sum256(outer[:])
}

// putPadded writes one block: the key, padded with zeros, each eight bytes
// XORed with pad.
func putPadded(dst []byte, key *Key256, pad uint64) {
	for i := 0; i < len(key); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(key[i:])^pad)
	}
	for i := len(key); i < sha256.BlockSize; i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], pad)
	}
}

// String hides the secret.
func (Key256) String() string { return "(secret)" }

// Format hides the secret from every verb, so that no log or error message
// ever shows it.
func (k Key256) Format(s fmt.State, _ rune) { io.WriteString(s, k.String()) }

// MarshalText refuses: secrets are written on purpose, as bytes, or not at all.
func (Key256) MarshalText() ([]byte, error) {
	return nil, errors.New("a secret is not written as text")
}
