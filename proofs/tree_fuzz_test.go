package proofs_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// hashesOf cuts a fuzzer's bytes into hashes.
func hashesOf(b []byte) (hashes []proofs.Hash) {
	for ; len(b) >= proofs.HashSize; b = b[proofs.HashSize:] {
		hashes = append(hashes, proofs.Hash(b))
	}
	return hashes
}

func someHash(n uint64) proofs.Hash {
	return proofs.LeafHash(binary.BigEndian.AppendUint64(nil, n))
}

// Whatever the numbers and the path are, the check says what RFC 9162 says.
// The root is the one the path leads to, so that both verdicts come up.
func FuzzCheckInclusion(f *testing.F) {
	for _, n := range []int{0, 1, 3, 64} {
		f.Add(uint64(5), uint64(9), make([]byte, n*proofs.HashSize), false)
	}
	f.Add(uint64(1)<<63-2, uint64(1)<<63-1, make([]byte, 62*proofs.HashSize), false)
	f.Fuzz(func(t *testing.T, index, size uint64, b []byte, wrong bool) {
		path, leaf := hashesOf(b), someHash(index)
		root, want := refInclusionRoot(index, size, leaf, path)
		if wrong {
			root, want = flip(root), false
		}
		judge(t, proofs.CheckInclusion(index, size, leaf, path, root), want)
	})
}

func FuzzCheckConsistency(f *testing.F) {
	for _, n := range []int{0, 1, 3, 64} {
		f.Add(uint64(5), uint64(9), make([]byte, n*proofs.HashSize), uint8(0))
		f.Add(uint64(4), uint64(9), make([]byte, n*proofs.HashSize), uint8(0))
	}
	f.Add(uint64(0), uint64(9), []byte{}, uint8(0))
	f.Add(uint64(9), uint64(9), []byte{}, uint8(3))
	f.Fuzz(func(t *testing.T, oldSize, newSize uint64, b []byte, wrong uint8) {
		path := hashesOf(b)
		oldRoot, newRoot := someHash(oldSize), someHash(newSize)
		if 0 < oldSize && oldSize < newSize {
			oldRoot, newRoot, _ = refConsistencyRoots(oldSize, newSize, oldRoot, path)
		}
		if wrong&1 != 0 {
			oldRoot = flip(oldRoot)
		}
		if wrong&2 != 0 {
			newRoot = flip(newRoot)
		}
		judge(t, proofs.CheckConsistency(oldSize, newSize, oldRoot, newRoot, path),
			refCheckConsistency(oldSize, newSize, oldRoot, newRoot, path))
	})
}

func judge(t *testing.T, err error, want bool) {
	t.Helper()
	if (err == nil) != want || err != nil && !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("got %v, the RFC says %v", err, want)
	}
}

func FuzzProveInclusion(f *testing.F) {
	f.Add(uint16(0), uint16(1))
	f.Add(uint16(299), uint16(300))
	d := refLeaves(600)
	f.Fuzz(func(t *testing.T, index, size uint16) {
		size %= 601
		got, err := proofs.ProveInclusion(t.Context(), uint64(index), uint64(size), d)
		if index >= size {
			if err == nil {
				t.Errorf("index %d in size %d: %v", index, size, got)
			}
			return
		}
		if want := refPath(int(index), d[:size]); err != nil || !slices.Equal(got, want) {
			t.Errorf("index %d in size %d: %v, %v; want %v", index, size, got, err, want)
		}
	})
}

func FuzzProveConsistency(f *testing.F) {
	f.Add(uint16(1), uint16(2))
	f.Add(uint16(256), uint16(599))
	d := refLeaves(600)
	f.Fuzz(func(t *testing.T, oldSize, newSize uint16) {
		newSize %= 601
		got, err := proofs.ProveConsistency(t.Context(), uint64(oldSize), uint64(newSize), d)
		switch {
		case oldSize > newSize:
			if err == nil {
				t.Errorf("from %d to %d: %v", oldSize, newSize, got)
			}
		case oldSize == 0:
			if err != nil || len(got) != 0 {
				t.Errorf("from 0 to %d: %v, %v", newSize, got, err)
			}
		default:
			if want := refProof(int(oldSize), d[:newSize]); err != nil || !slices.Equal(got, want) {
				t.Errorf("from %d to %d: %v, %v; want %v", oldSize, newSize, got, err, want)
			}
		}
	})
}

// An alikeTree is a tree of any size whose leaves are all the same, so that
// nodes of one level are too: it tells how proofs behave where trees are far
// too large to build.
type alikeTree [64]proofs.Hash

func newAlikeTree() *alikeTree {
	var levels alikeTree
	levels[0] = proofs.LeafHash([]byte("the same"))
	for i := 1; i < len(levels); i++ {
		levels[i] = proofs.NodeHash(levels[i-1], levels[i-1])
	}
	return &levels
}

func (a *alikeTree) ReadNodes(_ context.Context, ids []proofs.NodeID) (out []proofs.Hash, err error) {
	for _, id := range ids {
		out = append(out, a[id.Level])
	}
	return out, nil
}

func TestProofsInTheLargestTrees(t *testing.T) {
	a := newAlikeTree()
	sizes := []uint64{1, 2, 1<<32 + 1, 1<<62 - 1, 1 << 62, 1<<62 + 1, 1<<63 - 2, 1<<63 - 1}
	for _, size := range sizes {
		root, err := proofs.Root(t.Context(), size, a)
		if err != nil {
			t.Fatal(err)
		}
		for _, index := range []uint64{0, 1, size / 3, size / 2, size - 2, size - 1} {
			if index >= size {
				continue
			}
			proof, err := proofs.ProveInclusion(t.Context(), index, size, a)
			if err != nil || len(proof) > 63 {
				t.Fatalf("inclusion of %d in %d: %d hashes, %v", index, size, len(proof), err)
			}
			if err := proofs.CheckInclusion(index, size, a[0], proof, root); err != nil || !refCheckInclusion(index, size, a[0], proof, root) {
				t.Errorf("inclusion of %d in %d: %v", index, size, err)
			}
		}
		for _, old := range append(sizes, size/3, size-1) {
			if old == 0 || old > size {
				continue
			}
			oldRoot, _ := proofs.Root(t.Context(), old, a)
			proof, err := proofs.ProveConsistency(t.Context(), old, size, a)
			if err != nil || len(proof) > 64 {
				t.Fatalf("consistency from %d to %d: %d hashes, %v", old, size, len(proof), err)
			}
			if err := proofs.CheckConsistency(old, size, oldRoot, root, proof); err != nil || !refCheckConsistency(old, size, oldRoot, root, proof) {
				t.Errorf("consistency from %d to %d: %v", old, size, err)
			}
		}
	}
}
