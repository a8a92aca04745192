package proofs

import (
	"context"
	"fmt"
	"slices"
)

// CheckSubset checks that leaf hashes are at rising indices of the tree that has
// the size and the root, all with one proof: the roots of the largest subtrees
// (RFC 6962 §2.1) without any of the indices, from left to right. Of one index
// these are the hashes of its inclusion proof in another order; of all there
// are none. An error matches [ErrNotVerified].
func CheckSubset(indices []uint64, leaves []Hash, size uint64, proof []Hash, root Hash) error {
	got, err := subsetRoot(indices, leaves, size, proof)
	if err == nil && got != root {
		err = fmt.Errorf("%w: subset: the leaves do not lead to the root of size %d", ErrNotVerified, size)
	}
	return err
}

// subsetRoot returns the root that a proof as in [CheckSubset] leads to.
func subsetRoot(indices []uint64, leaves []Hash, size uint64, proof []Hash) (root Hash, err error) {
	if len(indices) != len(leaves) {
		return root, fmt.Errorf("%w: subset: %d indices and %d leaves", ErrNotVerified, len(indices), len(leaves))
	}
	if err := checkRising(indices, size); err != nil {
		return root, fmt.Errorf("%w: subset: %w", ErrNotVerified, err)
	}
	c := subsetChecker{leaves: leaves, proof: proof}
	if root = EmptyRoot(); size > 0 {
		root = c.root(indices, 0, size)
	}
	switch {
	case c.short:
		return root, fmt.Errorf("%w: subset: %d hashes are too few", ErrNotVerified, len(proof))
	case len(c.proof) > 0:
		return root, fmt.Errorf("%w: subset: %d hashes too many", ErrNotVerified, len(c.proof))
	}
	return root, nil
}

// A subsetChecker takes leaves and hashes from the front, as it needs them.
type subsetChecker struct {
	leaves, proof []Hash
	short         bool
}

// root returns the root over the leaves [lo, hi), of which the indices are known.
func (c *subsetChecker) root(indices []uint64, lo, hi uint64) (h Hash) {
	if c.short {
		return h // which saves the time
	}
	from := &c.proof
	if len(indices) > 0 {
		if hi-lo > 1 {
			k := lo + split(hi-lo)
			n := countBelow(indices, k)
			left := c.root(indices[:n], lo, k)
			return NodeHash(left, c.root(indices[n:], k, hi))
		}
		from = &c.leaves
	}
	if len(*from) == 0 {
		c.short = true
		return h
	}
	h, *from = (*from)[0], (*from)[1:]
	return h
}

// ProveSubset returns the proof that [CheckSubset] accepts for rising indices of
// the tree of the size. It asks r once.
func ProveSubset(ctx context.Context, indices []uint64, size uint64, r NodeReader) ([]Hash, error) {
	if err := checkRising(indices, size); err != nil {
		return nil, fmt.Errorf("prove subset: %w", err)
	}
	if size == 0 {
		return nil, nil
	}
	var p plan
	p.addWithout(indices, 0, size)
	proof, err := p.read(ctx, r)
	if err != nil {
		return nil, err
	}
	return proof, nil
}

// addWithout adds the largest subtrees of the leaves [lo, hi) without any of
// the indices, from right to left, as a plan is read from its end.
func (p *plan) addWithout(indices []uint64, lo, hi uint64) {
	switch {
	case len(indices) == 0:
		p.add(lo, hi)
	case hi-lo > 1:
		k := lo + split(hi-lo)
		n := countBelow(indices, k)
		p.addWithout(indices[n:], k, hi)
		p.addWithout(indices[:n], lo, k)
	}
}

func checkRising(indices []uint64, size uint64) error {
	for i, index := range indices {
		if index >= size {
			return fmt.Errorf("index %d is not below size %d", index, size)
		}
		if i > 0 && index <= indices[i-1] {
			return fmt.Errorf("index %d does not rise", index)
		}
	}
	return nil
}

// countBelow returns how many rising indices are below k.
func countBelow(indices []uint64, k uint64) int {
	n, _ := slices.BinarySearch(indices, k)
	return n
}
