package main

import (
	"context"
	"fmt"
	"math"

	"github.com/cairnlog/cairn/proofs"
)

// A subsetVector proves several leaves of a tree at once.
type subsetVector struct {
	Name    string     `json:"name"`
	Indices []string   `json:"indices"`
	Size    uint64     `json:"size,string"`
	Leaves  []hexBytes `json:"leaf_hashes"`
	Proof   []hexBytes `json:"proof"`
	Root    hexBytes   `json:"root"`
	verdict
}

func (t tree) subset(size uint64, indices ...uint64) subsetVector {
	v := subsetVector{Name: fmt.Sprintf("leaves %v of %d", indices, size), Indices: []string{}, Size: size, Leaves: []hexBytes{}, Root: hexHash(t.root(size)), verdict: ok()}
	for _, i := range indices {
		v.Indices, v.Leaves = append(v.Indices, fmt.Sprint(i)), append(v.Leaves, hexHash(t.nodes[proofs.NodeID{Index: i}]))
	}
	v.Proof = hexHashes(must(proofs.ProveSubset(context.Background(), indices, size, t)))
	return v
}

func subsetVectors() []subsetVector {
	t := newTree(300)
	vectors := []subsetVector{
		t.subset(0), t.subset(1), t.subset(1, 0), t.subset(2, 0), t.subset(2, 0, 1), t.subset(7), t.subset(7, 3), t.subset(7, 0, 6),
		t.subset(7, 2, 3, 4), t.subset(8, 0, 1, 2, 3, 4, 5, 6, 7), t.subset(300, 37, 255, 256, 299),
	}
	change := func(name, why string, change func(v *subsetVector)) {
		v := t.subset(7, 2, 3, 6)
		v.Name, v.verdict = name, notVerified(why)
		change(&v)
		vectors = append(vectors, v)
	}
	change("one bit of a leaf hash changed", "they lead to another root", func(v *subsetVector) { v.Leaves[1] = flip(v.Leaves[1]) })
	change("one bit of the root changed", "they lead to another root", func(v *subsetVector) { v.Root = flip(v.Root) })
	change("one bit of a hash changed", "they lead to another root", func(v *subsetVector) { v.Proof[1] = flip(v.Proof[1]) })
	change("two hashes exchanged", "they go from left to right", func(v *subsetVector) { v.Proof[0], v.Proof[1] = v.Proof[1], v.Proof[0] })
	change("another index", "the tree has another form from there", func(v *subsetVector) { v.Indices[2] = "5" })
	change("indices that do not rise", "they rise", func(v *subsetVector) { v.Indices[0], v.Indices[1] = "3", "2" })
	change("an index twice", "they rise", func(v *subsetVector) { v.Indices[1] = "2" })
	change("an index equal to the size", "the tree has no such leaf", func(v *subsetVector) { v.Indices[2] = "7" })
	change("an index far beyond the size", "the tree has no such leaf", func(v *subsetVector) { v.Indices[2] = fmt.Sprint(uint64(math.MaxUint64)) })
	change("a leaf too few", "there is one for each index", func(v *subsetVector) { v.Leaves = v.Leaves[:2] })
	change("a hash too few", "the proof is too short", func(v *subsetVector) { v.Proof = v.Proof[:1] })
	change("a hash too many", "the proof is too long", func(v *subsetVector) { v.Proof = append(v.Proof, v.Root) })
	return vectors
}
