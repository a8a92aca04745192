package keytree

import (
	"crypto/sha256"
	"encoding/binary"
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
// HMAC-SHA-256(value, label ‖ 0x01) (RFC 5869 §2.3). A derivation takes about
// a hundred of these: written over buffers on the stack they allocate nothing.
func expand(value *[32]byte, label string) [32]byte {
	const block = sha256.BlockSize
	const innerPad, outerPad = 0x3636363636363636, 0x5c5c5c5c5c5c5c5c
	var inner, outer [block + sha256.Size]byte
	for i := 0; i < block; i += 8 {
		var word uint64 // of the value, which is the HMAC's key, padded with zeros
		if i < len(value) {
			word = binary.NativeEndian.Uint64(value[i:])
		}
		binary.NativeEndian.PutUint64(inner[i:], word^innerPad)
		binary.NativeEndian.PutUint64(outer[i:], word^outerPad)
	}
	n := block + copy(inner[block:], label)
	inner[n] = 1
	sum := sha256.Sum256(inner[:n+1])
	copy(outer[block:], sum[:])
	return sha256.Sum256(outer[:])
}
