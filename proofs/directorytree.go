package proofs

import (
	"context"
	"fmt"
)

// keptLevel is the lowest level of a tree of rows that is kept: a proof makes
// anew what is below, 32 rows a node, and a row takes two bytes more.
const keptLevel = 5

// Hash returns what the head of the directory commits to:
// SHA-256("cairn/v1 directory rows\n" ‖ uint32 count ‖ root). What it computes
// for that is kept for proofs.
func (r *DirectoryRows) Hash() Hash {
	root, err := Root(context.Background(), uint64(r.Len()), r)
	if err != nil {
		panic(err) // it asks for nodes that the tree has
	}
	return rowsHash(uint32(r.Len()), root)
}

// ReadNodes returns nodes of the tree of the rows. It can be called at the same
// time as any other method.
func (r *DirectoryRows) ReadNodes(_ context.Context, ids []NodeID) ([]Hash, error) {
	r.once.Do(r.keepUpper)
	nodes := make([]Hash, len(ids))
	for i, id := range ids {
		lo, hi := id.Index<<id.Level, (id.Index+1)<<id.Level
		switch {
		case lo >= hi || hi > uint64(r.Len()):
			return nil, fmt.Errorf("a tree of %d rows has no node %d of level %d", r.Len(), id.Index, id.Level)
		case id.Level >= keptLevel:
			nodes[i] = r.upper[id.Level-keptLevel][id.Index]
		default:
			nodes[i] = r.node(int(lo), int(hi))
		}
	}
	return nodes, nil
}

// node returns the root over the rows [lo, hi), at most 32.
func (r *DirectoryRows) node(lo, hi int) Hash {
	var hashes [1 << keptLevel]Hash // without allocation
	for i := lo; i < hi; i++ {
		hashes[i-lo] = r.Row(i).LeafHash()
	}
	return rootOf(hashes[:hi-lo])
}

func (r *DirectoryRows) keepUpper() {
	level := make([]Hash, r.Len()>>keptLevel)
	for i := range level {
		level[i] = r.node(i<<keptLevel, (i+1)<<keptLevel)
	}
	for len(level) > 0 {
		r.upper = append(r.upper, level)
		next := make([]Hash, len(level)/2)
		for i := range next {
			next[i] = NodeHash(level[2*i], level[2*i+1])
		}
		level = next
	}
}
