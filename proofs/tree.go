package proofs

import (
	"context"
	"fmt"
	"math/bits"
)

// A NodeID names a node of the tree that never changes again: the root of the
// complete subtree over the leaves [Index<<Level, (Index+1)<<Level). Level 0
// is the leaf hashes.
type NodeID struct {
	Level uint8 // 0..63
	Index uint64
}

// A NodeReader gives the hashes of nodes, in the order asked for. Proofs are
// made from it; whether they are right depends on whether it is.
type NodeReader interface {
	ReadNodes(ctx context.Context, ids []NodeID) ([]Hash, error)
}

// CheckInclusion checks that the leaf hash is at the index of the tree that
// has the size and the root (RFC 6962 §2.1.1, RFC 9162 §2.1.3.2). An error
// matches [ErrNotVerified].
func CheckInclusion(index, size uint64, leaf Hash, proof []Hash, root Hash) error {
	if index >= size {
		return fmt.Errorf("%w: inclusion: index %d is not below size %d", ErrNotVerified, index, size)
	}
	inner, border := pathLengths(index, size)
	if len(proof) != inner+border {
		return fmt.Errorf("%w: inclusion: %d hashes, not %d", ErrNotVerified, len(proof), inner+border)
	}
	for i := range proof {
		if i >= inner || index>>i&1 == 1 {
			leaf = NodeHash(proof[i], leaf)
		} else {
			leaf = NodeHash(leaf, proof[i])
		}
	}
	if leaf != root {
		return fmt.Errorf("%w: inclusion: leaf %d does not lead to the root of size %d", ErrNotVerified, index, size)
	}
	return nil
}

// CheckConsistency checks that the tree of the new size and root begins with
// the tree of the old size and root (RFC 6962 §2.1.2, RFC 9162 §2.1.4.2). The
// empty tree begins every tree; it is recognised only by [EmptyRoot]. The
// proof is empty where the old size is 0 or both sizes are equal. An error
// matches [ErrNotVerified].
func CheckConsistency(oldSize, newSize uint64, oldRoot, newRoot Hash, proof []Hash) error {
	switch {
	case oldSize > newSize:
		return fmt.Errorf("%w: consistency: size %d is after size %d", ErrNotVerified, oldSize, newSize)
	case oldSize == 0 && oldRoot != EmptyRoot():
		return fmt.Errorf("%w: consistency: not the root of the empty tree", ErrNotVerified)
	case oldSize == newSize && oldRoot != newRoot:
		return fmt.Errorf("%w: consistency: two roots at size %d", ErrNotVerified, oldSize)
	case oldSize == 0 || oldSize == newSize:
		if len(proof) != 0 {
			return fmt.Errorf("%w: consistency: %d hashes, not 0", ErrNotVerified, len(proof))
		}
		return nil
	}
	return checkExtension(oldSize, newSize, oldRoot, newRoot, proof)
}

// checkExtension checks a consistency proof where 0 < oldSize < newSize. The
// proof is the end of the inclusion proof of the old tree's last leaf in the
// new tree, from the largest complete subtree on that ends with that leaf;
// it starts with this subtree's hash unless that is the old root itself.
func checkExtension(oldSize, newSize uint64, oldRoot, newRoot Hash, proof []Hash) error {
	shift := bits.TrailingZeros64(oldSize)
	inner, border := pathLengths(oldSize-1, newSize)
	inner -= shift
	seed, want := oldRoot, inner+border
	if oldSize != 1<<shift {
		want++
	}
	if len(proof) != want {
		return fmt.Errorf("%w: consistency: %d hashes, not %d", ErrNotVerified, len(proof), want)
	}
	if oldSize != 1<<shift {
		seed, proof = proof[0], proof[1:]
	}
	oldHash, newHash := seed, seed
	path := (oldSize - 1) >> shift
	for i := range proof {
		if i >= inner || path>>i&1 == 1 {
			oldHash = NodeHash(proof[i], oldHash)
			newHash = NodeHash(proof[i], newHash)
		} else {
			newHash = NodeHash(newHash, proof[i])
		}
	}
	switch {
	case oldHash != oldRoot:
		return fmt.Errorf("%w: consistency: it does not lead to the old root of size %d", ErrNotVerified, oldSize)
	case newHash != newRoot:
		return fmt.Errorf("%w: consistency: it does not lead to the new root of size %d", ErrNotVerified, newSize)
	}
	return nil
}

// pathLengths splits the path from a leaf to the root where it meets the path
// of the tree's last leaf: below, the siblings can be on both sides, one a
// level; above, only the left ones exist.
func pathLengths(index, size uint64) (inner, border int) {
	inner = bits.Len64(index ^ (size - 1))
	return inner, bits.OnesCount64(index >> inner)
}

// ProveInclusion returns the proof that [CheckInclusion] accepts for the leaf
// at the index of the tree of the size. It asks r once, for at most 127 nodes.
func ProveInclusion(ctx context.Context, index, size uint64, r NodeReader) ([]Hash, error) {
	if index >= size {
		return nil, fmt.Errorf("prove inclusion: index %d is not below size %d", index, size)
	}
	// PATH(m, D[n]) of RFC 6962 §2.1.1, from the root down.
	var p plan
	for lo, hi := uint64(0), size; hi-lo > 1; {
		if k := lo + split(hi-lo); index < k {
			p.add(k, hi)
			hi = k
		} else {
			p.add(lo, k)
			lo = k
		}
	}
	return p.read(ctx, r)
}

// ProveConsistency returns the proof that [CheckConsistency] accepts for the
// trees of the two sizes. It asks r once, for at most 127 nodes.
func ProveConsistency(ctx context.Context, oldSize, newSize uint64, r NodeReader) ([]Hash, error) {
	if oldSize > newSize {
		return nil, fmt.Errorf("prove consistency: old size %d is above new size %d", oldSize, newSize)
	}
	if oldSize == 0 {
		return nil, nil
	}
	// SUBPROOF(m, D[n], b) of RFC 6962 §2.1.2, from the root down.
	var p plan
	lo, hi := uint64(0), newSize
	for oldSize != hi {
		if k := lo + split(hi-lo); oldSize <= k {
			p.add(k, hi)
			hi = k
		} else {
			p.add(lo, k)
			lo = k
		}
	}
	if lo > 0 {
		p.add(lo, hi)
	}
	return p.read(ctx, r)
}

// Root returns the root of the tree's first size leaves (RFC 6962 §2.1). It
// asks r once, for at most 64 nodes.
func Root(ctx context.Context, size uint64, r NodeReader) (Hash, error) {
	if size == 0 {
		return EmptyRoot(), nil
	}
	var p plan
	p.add(0, size)
	hashes, err := p.read(ctx, r)
	if err != nil {
		return Hash{}, err
	}
	return hashes[0], nil
}

// split returns the largest power of two below n, for n > 1.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// A plan is a proof whose hashes are still to be read: subtrees from the root
// down, each made of complete ones.
type plan struct {
	ids   []NodeID
	parts []uint8 // of each subtree, how many ids it is made of
}

// add adds the subtree over the leaves [lo, hi). Its lo is a multiple of the
// smallest power of two that is not below hi-lo, as that of every subtree is.
func (p *plan) add(lo, hi uint64) {
	if p.ids == nil {
		p.ids, p.parts = make([]NodeID, 0, 64), make([]uint8, 0, 64)
	}
	p.parts = append(p.parts, uint8(bits.OnesCount64(hi-lo)))
	for lo < hi {
		level := bits.Len64(hi-lo) - 1
		p.ids = append(p.ids, NodeID{Level: uint8(level), Index: lo >> level})
		lo += 1 << level
	}
}

// read returns the hashes of the subtrees, the last one added first: proofs
// go from the leaf to the root.
func (p *plan) read(ctx context.Context, r NodeReader) ([]Hash, error) {
	if len(p.ids) == 0 {
		return nil, nil
	}
	nodes, err := r.ReadNodes(ctx, p.ids)
	if err != nil {
		return nil, err
	}
	if len(nodes) != len(p.ids) {
		return nil, fmt.Errorf("read nodes: %d hashes, not %d", len(nodes), len(p.ids))
	}
	proof := make([]Hash, 0, len(p.parts))
	for i := len(p.parts) - 1; i >= 0; i-- {
		rest := len(nodes) - int(p.parts[i])
		proof = append(proof, foldRight(nodes[rest:]))
		nodes = nodes[:rest]
	}
	return proof, nil
}

// foldRight returns the root over complete subtrees that shrink from left to
// right.
func foldRight(subtrees []Hash) Hash {
	h := subtrees[len(subtrees)-1]
	for i := len(subtrees) - 2; i >= 0; i-- {
		h = NodeHash(subtrees[i], h)
	}
	return h
}
