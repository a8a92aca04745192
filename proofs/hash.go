package proofs

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// HashSize is the size of a [Hash] in bytes.
const HashSize = sha256.Size

// A Hash is a SHA-256 value: the hash of a leaf, of an interior node or of a
// whole tree (RFC 6962 §2.1).
type Hash [HashSize]byte

// String returns the hash in standard base64, as checkpoints and proofs
// write it.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// ParseHash reads the form that [Hash.String] writes and no other.
func ParseHash(s string) (Hash, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != HashSize || base64.StdEncoding.EncodeToString(b) != s {
		return Hash{}, fmt.Errorf("%w: hash: not canonical base64 of %d bytes", ErrMalformed, HashSize)
	}
	return Hash(b), nil
}

// LeafHash returns the Merkle tree hash of one leaf: SHA-256(0x00 ‖ leaf)
// (RFC 6962 §2.1).
func LeafHash(leaf []byte) Hash {
	var buf [256]byte
	b := append(buf[:0], 0)
	return sha256.Sum256(append(b, leaf...))
}

// NodeHash returns the hash of an interior node: SHA-256(0x01 ‖ left ‖ right)
// (RFC 6962 §2.1).
func NodeHash(left, right Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+HashSize:], right[:])
	return sha256.Sum256(b[:])
}

// EmptyRoot returns the root of the tree without leaves: SHA-256 of nothing
// (RFC 6962 §2.1).
func EmptyRoot() Hash { return sha256.Sum256(nil) }

// MarshalText writes the hash as [Hash.String] does.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText writes and nothing else.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}
