package main

import (
	"context"
	"fmt"
	"math"

	"github.com/cairnlog/cairn/proofs"
)

type inclusionVector struct {
	Name  string     `json:"name"`
	Index uint64     `json:"index,string"`
	Size  uint64     `json:"size,string"`
	Leaf  hexBytes   `json:"leaf_hash"`
	Proof []hexBytes `json:"proof"`
	Root  hexBytes   `json:"root"`
	verdict
}

type consistencyVector struct {
	Name    string     `json:"name"`
	OldSize uint64     `json:"old_size,string"`
	NewSize uint64     `json:"new_size,string"`
	OldRoot hexBytes   `json:"old_root"`
	NewRoot hexBytes   `json:"new_root"`
	Proof   []hexBytes `json:"proof"`
	verdict
}

// A tree has the leaves "leaf 0", "leaf 1" …, kept as complete subtrees.
type tree struct{ nodes map[proofs.NodeID]proofs.Hash }

func newTree(size uint64) tree {
	t := tree{map[proofs.NodeID]proofs.Hash{}}
	for i := range size {
		t.add(i, fmt.Appendf(nil, "leaf %d", i))
	}
	return t
}

// add adds the next leaf.
func (t tree) add(index uint64, leaf []byte) {
	id := proofs.NodeID{Index: index}
	t.nodes[id] = proofs.LeafHash(leaf)
	for ; id.Index%2 == 1; id = (proofs.NodeID{Level: id.Level + 1, Index: id.Index / 2}) {
		parent := proofs.NodeID{Level: id.Level + 1, Index: id.Index / 2}
		t.nodes[parent] = proofs.NodeHash(t.nodes[proofs.NodeID{Level: id.Level, Index: id.Index - 1}], t.nodes[id])
	}
}

func (t tree) ReadNodes(_ context.Context, ids []proofs.NodeID) (hashes []proofs.Hash, err error) {
	for _, id := range ids {
		hashes = append(hashes, t.nodes[id])
	}
	return hashes, nil
}

func (t tree) root(size uint64) proofs.Hash { return must(proofs.Root(context.Background(), size, t)) }

func (t tree) inclusion(index, size uint64) inclusionVector {
	return inclusionVector{
		Name:  fmt.Sprintf("leaf %d in a tree of %d", index, size),
		Index: index, Size: size, Leaf: hexHash(t.nodes[proofs.NodeID{Index: index}]), Root: hexHash(t.root(size)),
		Proof: hexHashes(must(proofs.ProveInclusion(context.Background(), index, size, t))), verdict: ok(),
	}
}

func (t tree) consistency(old, size uint64) consistencyVector {
	return consistencyVector{
		Name:    fmt.Sprintf("a tree of %d begins one of %d", old, size),
		OldSize: old, NewSize: size, OldRoot: hexHash(t.root(old)), NewRoot: hexHash(t.root(size)),
		Proof: hexHashes(must(proofs.ProveConsistency(context.Background(), old, size, t))), verdict: ok(),
	}
}

func inclusionVectors() (vectors []inclusionVector) {
	t := newTree(300)
	for _, at := range [][2]uint64{{0, 1}, {0, 2}, {1, 2}, {2, 3}, {4, 5}, {0, 7}, {3, 7}, {6, 7}, {0, 8}, {5, 8}, {7, 8}, {8, 9}, {255, 256}, {256, 257}, {37, 300}, {299, 300}} {
		vectors = append(vectors, t.inclusion(at[0], at[1]))
	}
	change := func(name, why string, change func(v *inclusionVector)) {
		v := t.inclusion(3, 7)
		v.Name, v.verdict = name, notVerified(why)
		change(&v)
		vectors = append(vectors, v)
	}
	change("the index of the neighbour", "the hashes lead to another root", func(v *inclusionVector) { v.Index = 2 })
	change("an index equal to the size", "the tree has no such leaf", func(v *inclusionVector) { v.Index = 7 })
	change("an index far beyond the size", "the tree has no such leaf", func(v *inclusionVector) { v.Index = math.MaxUint64 })
	change("a tree of size 0", "the empty tree has no leaf", func(v *inclusionVector) { v.Index, v.Size, v.Proof = 0, 0, []hexBytes{} })
	change("a size whose paths are longer", "the proof has 3 hashes, not 4", func(v *inclusionVector) { v.Size = 9 })
	change("one bit of the leaf hash changed", "the hashes lead to another root", func(v *inclusionVector) { v.Leaf = flip(v.Leaf) })
	change("one bit of the root changed", "the hashes lead to another root", func(v *inclusionVector) { v.Root = flip(v.Root) })
	change("one bit of a proof hash changed", "the hashes lead to another root", func(v *inclusionVector) { v.Proof[1] = flip(v.Proof[1]) })
	change("the last hash left out", "the proof has 2 hashes, not 3", func(v *inclusionVector) { v.Proof = v.Proof[:2] })
	change("no hash at all", "the proof has 0 hashes, not 3", func(v *inclusionVector) { v.Proof = []hexBytes{} })
	change("a hash too many", "the proof has 4 hashes, not 3", func(v *inclusionVector) { v.Proof = append(v.Proof, v.Root) })
	change("two hashes exchanged", "proofs go from the leaf to the root", func(v *inclusionVector) { v.Proof[0], v.Proof[1] = v.Proof[1], v.Proof[0] })
	change("an interior node given as the leaf, with the rest of the path", "the proof has 2 hashes, not 3",
		func(v *inclusionVector) {
			v.Leaf, v.Proof = hexHash(t.nodes[proofs.NodeID{Level: 1, Index: 1}]), v.Proof[1:]
		})
	return vectors
}

func consistencyVectors() (vectors []consistencyVector) {
	t := newTree(300)
	for _, at := range [][2]uint64{{0, 0}, {0, 1}, {0, 5}, {1, 1}, {1, 2}, {2, 3}, {3, 5}, {4, 7}, {6, 8}, {7, 7}, {3, 7}, {7, 8}, {8, 9}, {255, 256}, {256, 300}, {257, 300}, {299, 300}} {
		vectors = append(vectors, t.consistency(at[0], at[1]))
	}
	change := func(old, size uint64, name, why string, change func(v *consistencyVector)) {
		v := t.consistency(old, size)
		v.Name, v.verdict = name, notVerified(why)
		change(&v)
		vectors = append(vectors, v)
	}
	other := hexHash(proofs.LeafHash([]byte("another")))
	change(0, 5, "size 0 with a root that is not the empty tree's", "the empty tree has one root", func(v *consistencyVector) { v.OldRoot = other })
	change(0, 0, "two trees of size 0 with the same wrong root", "the empty tree has one root", func(v *consistencyVector) { v.OldRoot, v.NewRoot = other, other })
	change(0, 5, "a hash in a proof from size 0", "that proof is empty", func(v *consistencyVector) { v.Proof = []hexBytes{other} })
	change(7, 7, "equal sizes with different roots", "it is a fork", func(v *consistencyVector) { v.NewRoot = other })
	change(7, 7, "equal sizes with a hash in the proof", "that proof is empty", func(v *consistencyVector) { v.Proof = []hexBytes{other} })
	change(3, 7, "an old size above the new one", "a log never shrinks", func(v *consistencyVector) {
		v.OldSize, v.NewSize, v.OldRoot, v.NewRoot = v.NewSize, v.OldSize, v.NewRoot, v.OldRoot
	})
	change(3, 7, "one bit of the old root changed", "the hashes lead to another old root", func(v *consistencyVector) { v.OldRoot = flip(v.OldRoot) })
	change(3, 7, "one bit of the new root changed", "the hashes lead to another new root", func(v *consistencyVector) { v.NewRoot = flip(v.NewRoot) })
	change(4, 7, "an old root of a complete tree with one bit changed", "the hashes lead to another new root", func(v *consistencyVector) { v.OldRoot = flip(v.OldRoot) })
	change(3, 7, "one bit of a proof hash changed", "the hashes lead to other roots", func(v *consistencyVector) { v.Proof[0] = flip(v.Proof[0]) })
	change(3, 7, "one bit of the last proof hash changed", "the hashes lead to another new root", func(v *consistencyVector) { v.Proof[len(v.Proof)-1] = flip(v.Proof[len(v.Proof)-1]) })
	change(3, 7, "the last hash left out", "the proof is too short", func(v *consistencyVector) { v.Proof = v.Proof[:len(v.Proof)-1] })
	change(3, 7, "no hash at all", "the proof is too short", func(v *consistencyVector) { v.Proof = []hexBytes{} })
	change(3, 7, "a hash too many", "the proof is too long", func(v *consistencyVector) { v.Proof = append(v.Proof, other) })
	change(4, 7, "the old root given again as the first hash", "the proof is too long", func(v *consistencyVector) { v.Proof = append([]hexBytes{v.OldRoot}, v.Proof...) })
	change(3, 7, "the neighbouring old size", "the hashes lead to other roots", func(v *consistencyVector) { v.OldSize = 5 })
	return vectors
}

func flip(b hexBytes) hexBytes {
	b = append(hexBytes(nil), b...)
	b[len(b)-1] ^= 1
	return b
}

func hexHash(h proofs.Hash) hexBytes { return h[:] }

func hexHashes(hashes []proofs.Hash) []hexBytes {
	out := make([]hexBytes, 0, len(hashes))
	for _, h := range hashes {
		out = append(out, hexHash(h))
	}
	return out
}
