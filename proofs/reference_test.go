package proofs_test

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// This file is RFC 6962 §2.1 (and RFC 9162 §2.1.3.2 and §2.1.4.2 for the
// checks), word by word, as slow and as plain as the text. Everything clever
// in the package is tested against it.

// refTree is the input of RFC 6962: D[n], a list of leaves.
type refTree [][]byte

func refLeaves(n int) refTree {
	d := make(refTree, n)
	for i := range d {
		d[i] = fmt.Appendf(nil, "leaf %d", i)
	}
	return d
}

// refSplit is the RFC's k: the largest power of two smaller than n.
func refSplit(n int) int {
	k := 1
	for 2*k < n {
		k *= 2
	}
	return k
}

// refMTH is MTH(D[n]).
func refMTH(d refTree) proofs.Hash {
	switch n := len(d); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0x00}, d[0]...))
	default:
		k := refSplit(n)
		return refNode(refMTH(d[:k]), refMTH(d[k:]))
	}
}

func refNode(left, right proofs.Hash) proofs.Hash {
	return sha256.Sum256(append(append([]byte{0x01}, left[:]...), right[:]...))
}

// refPath is PATH(m, D[n]).
func refPath(m int, d refTree) []proofs.Hash {
	n := len(d)
	if n == 1 {
		return nil
	}
	k := refSplit(n)
	if m < k {
		return append(refPath(m, d[:k]), refMTH(d[k:]))
	}
	return append(refPath(m-k, d[k:]), refMTH(d[:k]))
}

// refProof is PROOF(m, D[n]).
func refProof(m int, d refTree) []proofs.Hash { return refSubproof(m, d, true) }

// refSubproof is SUBPROOF(m, D[n], b).
func refSubproof(m int, d refTree, b bool) []proofs.Hash {
	n := len(d)
	if m == n {
		if b {
			return nil
		}
		return []proofs.Hash{refMTH(d)}
	}
	k := refSplit(n)
	if m <= k {
		return append(refSubproof(m, d[:k], b), refMTH(d[k:]))
	}
	return append(refSubproof(m-k, d[k:], false), refMTH(d[:k]))
}

// refInclusionRoot is RFC 9162 §2.1.3.2 up to the comparison: the root that
// the path leads to, and whether the path has the right length.
func refInclusionRoot(index, size uint64, leaf proofs.Hash, path []proofs.Hash) (r proofs.Hash, ok bool) {
	if index >= size {
		return r, false
	}
	fn, sn := index, size-1
	r = leaf
	for _, p := range path {
		if sn == 0 {
			return r, false
		}
		if fn&1 == 1 || fn == sn {
			r = refNode(p, r)
			if fn&1 == 0 {
				for fn&1 == 0 && fn != 0 {
					fn >>= 1
					sn >>= 1
				}
			}
		} else {
			r = refNode(r, p)
		}
		fn >>= 1
		sn >>= 1
	}
	return r, sn == 0
}

func refCheckInclusion(index, size uint64, leaf proofs.Hash, path []proofs.Hash, root proofs.Hash) bool {
	r, ok := refInclusionRoot(index, size, leaf, path)
	return ok && r == root
}

// refConsistencyRoots is RFC 9162 §2.1.4.2 up to the comparison, for sizes
// 0 < first < second: the two roots that the path leads to.
func refConsistencyRoots(first, second uint64, firstHash proofs.Hash, path []proofs.Hash) (fr, sr proofs.Hash, ok bool) {
	if len(path) == 0 {
		return fr, sr, false
	}
	if first&(first-1) == 0 {
		path = append([]proofs.Hash{firstHash}, path...)
	}
	fn, sn := first-1, second-1
	for fn&1 == 1 {
		fn >>= 1
		sn >>= 1
	}
	fr, sr = path[0], path[0]
	for _, c := range path[1:] {
		if sn == 0 {
			return fr, sr, false
		}
		if fn&1 == 1 || fn == sn {
			fr = refNode(c, fr)
			sr = refNode(c, sr)
			if fn&1 == 0 {
				for fn&1 == 0 && fn != 0 {
					fn >>= 1
					sn >>= 1
				}
			}
		} else {
			sr = refNode(sr, c)
		}
		fn >>= 1
		sn >>= 1
	}
	return fr, sr, sn == 0
}

// refCheckConsistency adds the cases that the RFC leaves to the reader: equal
// sizes, and the empty tree.
func refCheckConsistency(first, second uint64, firstHash, secondHash proofs.Hash, path []proofs.Hash) bool {
	empty := proofs.Hash(sha256.Sum256(nil))
	switch {
	case first > second:
		return false
	case first == second:
		return len(path) == 0 && firstHash == secondHash && (first != 0 || firstHash == empty)
	case first == 0:
		return len(path) == 0 && firstHash == empty
	}
	fr, sr, ok := refConsistencyRoots(first, second, firstHash, path)
	return ok && fr == firstHash && sr == secondHash
}

// ReadNodes makes a reference tree a [proofs.NodeReader]: a node is the MTH
// of its leaves.
func (d refTree) ReadNodes(_ context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	var out []proofs.Hash
	for _, id := range ids {
		lo, hi := id.Index<<id.Level, (id.Index+1)<<id.Level
		if hi > uint64(len(d)) || lo >= hi {
			return nil, fmt.Errorf("node %v is not complete in a tree of %d leaves", id, len(d))
		}
		out = append(out, refMTH(d[lo:hi]))
	}
	return out, nil
}
