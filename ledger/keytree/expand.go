package keytree

import (
	"crypto/hmac"
	"crypto/sha256"
)

// The infos of the three values that come from a node.
const (
	labelLeft  = "cairn/v1 key tree left"
	labelRight = "cairn/v1 key tree right"
	labelKey   = "cairn/v1 key tree key"
)

// child returns the left or the right child of a node.
func (n node) child(bit byte) node {
	label := labelLeft
	if bit == 1 {
		label = labelRight
	}
	return node{n.path.child(bit), expand(&n.value, label)}
}

// expand returns HKDF-Expand(value, label, 32) with SHA-256, which is
// HMAC-SHA-256(value, label ‖ 0x01) (RFC 5869 §2.3).
func expand(value *[32]byte, label string) [32]byte {
	var buf [32]byte
	return mac(value, append(append(buf[:0], label...), 1))
}

// mac returns HMAC-SHA-256(key, message). A derivation takes about a hundred:
// a short message is hashed on the stack, three times as fast as by hmac.New.
func mac(key *[32]byte, message []byte) [32]byte {
	const block = sha256.BlockSize
	var inner, outer [2 * block]byte
	if len(message) > block {
		h := hmac.New(sha256.New, key[:])
		h.Write(message)
		return [32]byte(h.Sum(nil))
	}
	for i := range block {
		inner[i], outer[i] = 0x36, 0x5c
	}
	for i, b := range key {
		inner[i] ^= b
		outer[i] ^= b
	}
	sum := sha256.Sum256(append(inner[:block], message...))
	return sha256.Sum256(append(outer[:block], sum[:]...))
}
