package proofs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
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
	t.Parallel()
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

type subsetVector struct {
	formatVerdict
	Indices []json.Number `json:"indices"`
	Size    uint64        `json:"size,string"`
	Leaves  []hexBytes    `json:"leaf_hashes"`
	Proof   []hexBytes    `json:"proof"`
	Root    hexBytes      `json:"root"`
}

func (v subsetVector) check() error {
	var indices []uint64
	for _, n := range v.Indices {
		indices = append(indices, must(strconv.ParseUint(n.String(), 10, 64)))
	}
	return proofs.CheckSubset(indices, hexHashes(v.Leaves), v.Size, hexHashes(v.Proof), proofs.Hash(v.Root))
}

func hexHashes(list []hexBytes) (hashes []proofs.Hash) {
	for _, h := range list {
		hashes = append(hashes, proofs.Hash(h))
	}
	return hashes
}

func TestSubsetVectors(t *testing.T) {
	for _, v := range readFormatVectors[subsetVector](t, "subset") {
		t.Run(v.Name, func(t *testing.T) { v.hold(t, v.check()) })
	}
}

// FuzzCheckSubset holds the check to the definition: what is accepted is what
// leads to the root, taken word by word.
func FuzzCheckSubset(f *testing.F) {
	f.Add(uint8(7), []byte{2, 3, 6}, uint8(0), []byte{1})
	f.Add(uint8(1), []byte{}, uint8(3), []byte{})
	f.Add(uint8(64), []byte{0, 63}, uint8(200), []byte{9, 9, 9})
	f.Fuzz(func(t *testing.T, size uint8, list []byte, at uint8, change []byte) {
		tree := refLeaves(int(size))
		var indices []uint64
		var leaves []proofs.Hash
		for _, i := range list {
			indices = append(indices, uint64(i))
			leaves = append(leaves, proofs.LeafHash(fmt.Appendf(nil, "leaf %d", i)))
		}
		rises := slices.IsSorted(indices) && len(slices.Compact(slices.Clone(indices))) == len(indices) && (len(list) == 0 || list[len(list)-1] < size)
		proof, err := proofs.ProveSubset(t.Context(), indices, uint64(size), tree)
		if (err == nil) != rises {
			t.Fatalf("got %v, and the indices rise: %v", err, rises)
		}
		if err == nil && proofs.CheckSubset(indices, leaves, uint64(size), proof, refMTH(tree)) != nil {
			t.Fatal("what is proven is not accepted")
		}
		wrong := slices.Clone(proof)
		if len(wrong) > 0 {
			h := &wrong[int(at)%len(wrong)]
			copy(h[:], change)
		} else {
			wrong = make([]proofs.Hash, len(change)%4)
		}
		err = proofs.CheckSubset(indices, leaves, uint64(size), wrong, refMTH(tree))
		if same := rises && slices.Equal(wrong, proof); (err == nil) != same {
			t.Fatalf("got %v, and the hashes are the right ones: %v", err, same)
		}
	})
}
