package proofs_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// refSubset makes the proof from the leaves, as its definition says.
func refSubset(d refTree, lo int, indices []uint64) (proof []proofs.Hash) {
	in := func(i uint64) bool { return i >= uint64(lo) && i < uint64(lo+len(d)) }
	if !slices.ContainsFunc(indices, in) {
		return []proofs.Hash{refMTH(d)}
	}
	if len(d) == 1 {
		return nil
	}
	k := 1
	for k*2 < len(d) {
		k *= 2
	}
	return append(refSubset(d[:k], lo, indices), refSubset(d[k:], lo+k, indices)...)
}

func TestSubsetsAreProven(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for size := range 70 {
		tree := refLeaves(size)
		for range 6 {
			var indices []uint64
			var leaves []proofs.Hash
			share := rnd.IntN(4)
			for i := range size {
				if rnd.IntN(4) < share {
					indices = append(indices, uint64(i))
					leaves = append(leaves, proofs.LeafHash(tree[i]))
				}
			}
			proof, err := proofs.ProveSubset(t.Context(), indices, uint64(size), tree)
			if err != nil {
				t.Fatal(err)
			}
			if size > 0 && !slices.Equal(proof, refSubset(tree, 0, indices)) {
				t.Fatalf("%v of %d: got %d hashes, not those of the definition", indices, size, len(proof))
			}
			check := func(indices []uint64, leaves, proof []proofs.Hash) error {
				return proofs.CheckSubset(indices, leaves, uint64(size), proof, refMTH(tree))
			}
			if err := check(indices, leaves, proof); err != nil {
				t.Fatalf("%v of %d: %v", indices, size, err)
			}
			for what, err := range map[string]error{
				"a hash more":   check(indices, leaves, append(slices.Clone(proof), proofs.Hash{})),
				"a leaf more":   check(append(slices.Clone(indices), uint64(size)), append(slices.Clone(leaves), proofs.Hash{}), proof),
				"another root":  proofs.CheckSubset(indices, leaves, uint64(size), proof, proofs.Hash{1}),
				"leaves unlike": check(indices, append(slices.Clone(leaves), proofs.Hash{}), proof),
			} {
				if !errors.Is(err, proofs.ErrNotVerified) {
					t.Fatalf("%v of %d with %s: got %v", indices, size, what, err)
				}
			}
			for i := range proof {
				wrong := slices.Clone(proof)
				wrong[i][0] ^= 1
				if check(indices, leaves, wrong) == nil || check(indices, leaves, proof[:i]) == nil {
					t.Fatalf("%v of %d: hash %d may be wrong or be lacking", indices, size, i)
				}
			}
			for i := range indices {
				moved := slices.Clone(indices)
				if moved[i]++; check(moved, leaves, proof) == nil {
					t.Fatalf("%v of %d: leaf %d may be at another place", indices, size, i)
				}
			}
		}
	}
}
