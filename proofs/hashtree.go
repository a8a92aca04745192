package proofs

import (
	"context"
	"fmt"
	"slices"
)

// A hashTree is a tree of which all leaf hashes are at hand.
type hashTree []Hash

// leavesOf returns the tree whose leaves are hashes.
func leavesOf(hashes []Hash) hashTree {
	t := make(hashTree, len(hashes))
	for i, h := range hashes {
		t[i] = LeafHash(h[:])
	}
	return t
}

// ReadNodes returns the roots of complete subtrees.
func (t hashTree) ReadNodes(_ context.Context, ids []NodeID) ([]Hash, error) {
	nodes := make([]Hash, len(ids))
	for i, id := range ids {
		lo, hi := id.Index<<id.Level, (id.Index+1)<<id.Level
		if lo >= hi || hi > uint64(len(t)) {
			return nil, fmt.Errorf("a tree of %d leaves has no node %d of level %d", len(t), id.Index, id.Level)
		}
		nodes[i] = rootOf(slices.Clone(t[lo:hi]))
	}
	return nodes, nil
}
