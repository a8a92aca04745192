// Package keytree derives the keys of a ledger from one secret of 32 bytes,
// and destroys any of them for good: what is left afterwards derives all other
// keys as before, and not that one. No key is ever written anywhere when it is
// first used, and nothing needs to be remembered of those that exist.
//
// # Definition
//
// The tree is the one of Goldreich, Goldwasser and Micali ("How to construct
// random functions", 1986), over HKDF-Expand with SHA-256 (RFC 5869 §2.3).
// Each node is 32 bytes; the root is given. Three values come from a node:
//
//	left child  = HKDF-Expand(node, "cairn/v1 key tree left", 32)
//	right child = HKDF-Expand(node, "cairn/v1 key tree right", 32)
//	key         = HKDF-Expand(node, "cairn/v1 key tree key", 32)
//
// A path is a string of bits, read from the root: 0 is left, 1 is right. Its
// integers are big-endian:
//
//	bucket key   uint8 1 ‖ uint32 stream ‖ uint16 class ‖ uint32 period ‖ use
//	subject key  uint8 2 ‖ uint32 stream ‖ uint64 handle ‖ use
//	handle key   uint8 3
//
// The use takes two bits: 0 sealing, 1 tags, 2 deduplication. It comes last, so
// that a bucket or a subject is one subtree with a few keys, destroyed at
// one price; the period comes last before it, so that the expired periods of a stream and
// class are one range. The handle of a subject is the first 64 bits of
// HMAC-SHA-256(handle key, uint32 stream ‖ subject).
//
// To destroy a key is to puncture the tree: a node above the key is replaced
// by the siblings of the nodes on the path down to the key. What the tree holds is therefore
// always the set of the largest subtrees in which nothing was destroyed: it depends on what was
// destroyed, not on the order.
//
// # State
//
// In TLS presentation language (RFC 8446 §3):
//
//	struct {
//	    uint8  depth;                   /* 0..106 */
//	    opaque path[(depth + 7) / 8];   /* bits behind the end are zero */
//	    opaque value[32];
//	} Node;
//
//	struct {
//	    uint8  version = 1;
//	    uint64 epoch;                   /* how often keys were destroyed */
//	    Node   nodes<0..2^32-1>;
//	} State;
//
// The nodes are in the order of their paths as bit strings. None is within
// another, none is deeper than a key, and two siblings are never both there. Epoch 0 holds exactly the root,
// no later epoch does.
//
// # What is promised
//
// If HMAC-SHA-256 is a pseudorandom function, then whoever has a state, and
// with it every key that it derives, cannot tell a destroyed key from 32
// random bytes (the forward security of puncturing: every held node is the
// sibling of a node on the path, computed from the same parent under another label, and the parents
// are gone). Likewise keys that were handed out tell nothing about nodes or about other keys.
//
// # What is not promised
//
// An old copy of the state derives everything that was not yet destroyed
// when it was made. That no copy outlives its epoch is the duty of whoever
// stores it: [Tree.Puncture] forgets only after the store it is given has
// replaced the state. Epoch and [Tree.Hash] can be logged, so that an older state is noticed.
// Keys that callers keep, and copies that the Go runtime or the
// operating system make of memory, are out of reach; what the tree itself keeps is
// overwritten. A state shows which paths are destroyed to whoever reads it. A key can be
// destroyed before it was ever used, and can't be brought back.
//
// # Limits
//
// A destroyed bucket adds at most 88 nodes to the state, a destroyed subject
// at most 104, of at most 47 bytes each, and a range of periods no more
// than two buckets do. Paths that are close share most of it: of n subjects of one stream each
// adds about 64 - log₂ n nodes, 2.3 kB at n = 100,000; consecutive periods add nothing but a
// longer range. A tree derives a key with at most 107 HMACs, and keeps up to
// 16,384 recent values at hand (about 2 MB) to do it with three or none.
package keytree
