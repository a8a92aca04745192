package proofs_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cairnlog/cairn/proofs"
)

// Every proof in every tree of up to 70 leaves is the one that RFC 6962
// defines, and is accepted by our check, the RFC's, merkle's and x/mod's.
func TestInclusionProofsAreThoseOfTheRFC(t *testing.T) {
	for size := 1; size <= 70; size++ {
		d := refLeaves(size)
		root := refMTH(d)
		for i := range d {
			got, err := proofs.ProveInclusion(t.Context(), uint64(i), uint64(size), d)
			if want := refPath(i, d); err != nil || !slices.Equal(got, want) {
				t.Fatalf("ProveInclusion(%d, %d) = %v, %v; want %v", i, size, got, err, want)
			}
			leaf := proofs.LeafHash(d[i])
			if err := proofs.CheckInclusion(uint64(i), uint64(size), leaf, got, root); err != nil {
				t.Fatalf("CheckInclusion(%d, %d): %v", i, size, err)
			}
			if !refCheckInclusion(uint64(i), uint64(size), leaf, got, root) ||
				!peersAcceptInclusion(uint64(i), uint64(size), leaf, got, root) {
				t.Fatalf("somebody else refuses the proof of %d in %d", i, size)
			}
		}
	}
}

func TestConsistencyProofsAreThoseOfTheRFC(t *testing.T) {
	for size := 0; size <= 70; size++ {
		d := refLeaves(size)
		root := refMTH(d)
		for old := 0; old <= size; old++ {
			got, err := proofs.ProveConsistency(t.Context(), uint64(old), uint64(size), d)
			var want []proofs.Hash
			if old > 0 { // the RFC defines no proof from the empty tree
				want = refProof(old, d)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("ProveConsistency(%d, %d) = %v, %v; want %v", old, size, got, err, want)
			}
			oldRoot := refMTH(d[:old])
			if err := proofs.CheckConsistency(uint64(old), uint64(size), oldRoot, root, got); err != nil {
				t.Fatalf("CheckConsistency(%d, %d): %v", old, size, err)
			}
			if !refCheckConsistency(uint64(old), uint64(size), oldRoot, root, got) ||
				!peersAcceptConsistency(uint64(old), uint64(size), oldRoot, root, got) {
				t.Fatalf("somebody else refuses the proof from %d to %d", old, size)
			}
		}
	}
}

func TestRootIsThatOfTheRFC(t *testing.T) {
	d := refLeaves(300)
	for size := range len(d) + 1 {
		got, err := proofs.Root(t.Context(), uint64(size), d)
		if want := refMTH(d[:size]); err != nil || got != want {
			t.Fatalf("Root(%d) = %v, %v; want %v", size, got, err, want)
		}
	}
}

// One bit changed in anything that a check looks at, a hash too many or too
// few, or a neighbouring number: each is refused, as not verified.
func TestChecksRefuseEveryChange(t *testing.T) {
	for _, size := range []uint64{2, 3, 7, 8, 13, 64, 65} {
		d := refLeaves(int(size))
		root := refMTH(d)
		for i := range size {
			path := refPath(int(i), d)
			refuse(t, path, func(p []proofs.Hash) error {
				return proofs.CheckInclusion(i, size, proofs.LeafHash(d[i]), p, root)
			})
			leaf := proofs.LeafHash(d[i])
			mustRefuse(t, proofs.CheckInclusion(i^1, size, leaf, path, root))
			mustRefuse(t, proofs.CheckInclusion(i, size, flip(leaf), path, root))
			mustRefuse(t, proofs.CheckInclusion(i, size, leaf, path, flip(root)))
		}
		for old := uint64(1); old < size; old++ {
			path, oldRoot := refProof(int(old), d), refMTH(d[:old])
			refuse(t, path, func(p []proofs.Hash) error {
				return proofs.CheckConsistency(old, size, oldRoot, root, p)
			})
			mustRefuse(t, proofs.CheckConsistency(old, size, flip(oldRoot), root, path))
			mustRefuse(t, proofs.CheckConsistency(old, size, oldRoot, flip(root), path))
			mustRefuse(t, proofs.CheckConsistency(size, old, root, oldRoot, path))
		}
	}
}

// refuse demands that check refuses the proof with each bit pattern changed,
// with a hash more, and with the last one or all of them left out.
func refuse(t *testing.T, path []proofs.Hash, check func([]proofs.Hash) error) {
	t.Helper()
	if err := check(path); err != nil {
		t.Fatalf("the proof itself: %v", err)
	}
	for i := range path {
		changed := slices.Clone(path)
		changed[i] = flip(changed[i])
		mustRefuse(t, check(changed))
	}
	mustRefuse(t, check(append(slices.Clone(path), proofs.Hash{})))
	if len(path) > 0 {
		mustRefuse(t, check(path[:len(path)-1]))
		mustRefuse(t, check(nil))
	}
}

func mustRefuse(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, proofs.ErrNotVerified) {
		t.Fatalf("got %v, want ErrNotVerified", err)
	}
}

func flip(h proofs.Hash) proofs.Hash {
	h[len(h)/2] ^= 4
	return h
}

func TestConsistencyFromTheEmptyTree(t *testing.T) {
	empty, root, other := proofs.EmptyRoot(), refMTH(refLeaves(5)), proofs.Hash{1}
	for _, tt := range []struct {
		name             string
		oldSize, newSize uint64
		oldRoot, newRoot proofs.Hash
		proof            []proofs.Hash
		ok               bool
	}{
		{"the empty tree begins every tree", 0, 5, empty, root, nil, true},
		{"the empty tree begins itself", 0, 0, empty, empty, nil, true},
		{"size 0 with another root is not the empty tree", 0, 5, other, root, nil, false},
		{"two trees of size 0 with one wrong root", 0, 0, other, other, nil, false},
		{"a new tree of size 0 with another root", 0, 0, empty, other, nil, false},
		{"a hash where none belongs", 0, 5, empty, root, []proofs.Hash{root}, false},
		{"a hash where none belongs, equal sizes", 5, 5, root, root, []proofs.Hash{root}, false},
		{"from size 5 back to size 0", 5, 0, root, empty, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := proofs.CheckConsistency(tt.oldSize, tt.newSize, tt.oldRoot, tt.newRoot, tt.proof)
			if tt.ok && err != nil || !tt.ok && !errors.Is(err, proofs.ErrNotVerified) {
				t.Fatalf("got %v, want ok %v", err, tt.ok)
			}
		})
	}
}

func TestProofsOutsideOfTheTreeAreRefused(t *testing.T) {
	d := refLeaves(4)
	if p, err := proofs.ProveInclusion(t.Context(), 4, 4, d); err == nil {
		t.Errorf("inclusion of index 4 in size 4: %v", p)
	}
	if p, err := proofs.ProveInclusion(t.Context(), 1, 9, d); err == nil {
		t.Errorf("inclusion in size 9 of 4 leaves: %v", p)
	}
	if p, err := proofs.ProveConsistency(t.Context(), 4, 3, d); err == nil {
		t.Errorf("consistency from 4 to 3: %v", p)
	}
	if r, err := proofs.Root(t.Context(), 5, d); err == nil {
		t.Errorf("root of size 5 of 4 leaves: %v", r)
	}
}

func peersAcceptInclusion(index, size uint64, leaf proofs.Hash, path []proofs.Hash, root proofs.Hash) bool {
	merkle := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf[:], bytesOf(path), root[:]) == nil
	mod := tlog.CheckRecord(tlogOf(path), int64(size), tlog.Hash(root), int64(index), tlog.Hash(leaf)) == nil
	return merkle && mod
}

func peersAcceptConsistency(old, size uint64, oldRoot, root proofs.Hash, path []proofs.Hash) bool {
	merkle := proof.VerifyConsistency(rfc6962.DefaultHasher, old, size, bytesOf(path), oldRoot[:], root[:]) == nil
	if old == 0 { // x/mod has no such proof
		return merkle
	}
	return merkle && tlog.CheckTree(tlogOf(path), int64(size), tlog.Hash(root), int64(old), tlog.Hash(oldRoot)) == nil
}

func bytesOf(hashes []proofs.Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

func tlogOf(hashes []proofs.Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = tlog.Hash(h)
	}
	return out
}
