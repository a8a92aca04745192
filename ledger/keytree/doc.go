// Package keytree derives the keys of a ledger from one secret of 32 bytes,
// and destroys any of them for good: what is left afterwards derives all other
// keys as before, and not that one. No key is ever written anywhere when it is
// first used, and nothing needs to be remembered of those that exist.
//
// # Definition
//
// The tree is the one of Goldreich, Goldwasser and Micali ("How to construct
// random functions", 1986) over HKDF-Expand with SHA-256 (RFC 5869 §2.3).
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
//	hold key     uint8 4 ‖ uint64 index ‖ use
//	search key   uint8 5 ‖ uint64 generation ‖ use
//
// The use takes two bits: 0 sealing, 1 tags, 2 deduplication. It comes last:
// the keys of a bucket, of a subject or of a hold are one small subtree,
// destroyed together at the price of one or each alone. The period comes last
// before it: the expired periods of a stream and class are one range. A hold
// is named by the index of the entry that made it. The search index is sealed
// under the key of a generation; each destruction of a subject's keys begins the
// next, and destroys those before it, which are one range.
//
// A subject has generations, so that there are keys for what concerns it
// after it was erased: the handle of one is the first 64 bits of
// HMAC-SHA-256(handle key, uint32 stream ‖ uint32 generation ‖ subject).
// What is new is closed with the first generation, from 0 on, whose keys are
// not destroyed; what is there names the handle that it was closed with.
//
// To destroy keys is to puncture the tree: the node above them is replaced by
// the siblings of all nodes on the path to them. So what a tree holds is the
// set of the largest subtrees in which nothing was destroyed. It depends on
// what was destroyed, and not on the order.
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
// another, none is below a key, and no two are siblings. Epoch 0 holds
// exactly the root, and no later epoch does.
//
// # What is promised
//
// If HMAC-SHA-256 is a pseudorandom function, then whoever has a state, and
// so every key that it derives, cannot tell a destroyed key from 32 random
// bytes. For every node that is held hangs off the path to the destroyed key: it
// was computed from a node on that path under another label than the next
// one on it, and the nodes on the path are gone. By the same argument keys
// that were handed out tell nothing about nodes and other keys.
//
// # What is not promised
//
// An old copy of the state derives everything that was not yet destroyed
// when it was made. That no copy outlives its epoch is the duty of whoever
// stores it; [Tree.Puncture] forgets only once the store that it is given has
// replaced the state. [Tree.Epoch] and [Tree.Hash] can be logged, so that an
// older state is noticed.
//
// Keys that callers keep, and copies of memory that the Go runtime or the
// operating system make, are out of reach; what the tree itself keeps is
// overwritten. A state shows which paths are destroyed. A destroyed key
// cannot be brought back, nor be had later if it was never used.
//
// # Limits
//
// A destroyed bucket adds at most 88 nodes to the state, a destroyed subject
// at most 104 and a destroyed hold at most 72, of at most 47 bytes each; a
// range of periods adds no more than two buckets do, and all generations of the
// search index before one no more than a hold. Paths share what they have in common: each of n
// subjects of a stream adds about 64 - log₂ n nodes, 2.2 kB at n = 10,000,
// and periods that follow one another add next to nothing. The whole state is
// rewritten at each epoch, so keys are better destroyed in batches. A key
// takes at most 107 HMACs; up to 16,384 values are kept at hand, in about
// 2 MB, so that a key asked for again takes none and another use of the same
// bucket or subject takes three.
package keytree
