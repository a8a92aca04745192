package embedded_test

import (
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/trillian"
	"google.golang.org/grpc/codes"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

func TestAPreorderedLogInRandomBatches(t *testing.T) {
	for name, definition := range map[string]*trillian.Tree{
		"with hash index":    newTree(trillian.TreeType_PREORDERED_LOG),
		"without hash index": withoutIndex(),
	} {
		t.Run(name, func(t *testing.T) {
			l := create(t, open(t, embedded.Options{Deferred: true}), definition)
			random := rand.New(rand.NewPCG(1, 2))
			size, stored := 0, 0
			for size < 3000 {
				n := 1 + random.IntN(1+random.IntN(600))
				for _, code := range l.add(t, logLeaves(stored, n)...) {
					if code != codes.OK {
						t.Fatalf("adding leaves [%d, +%d): %v", stored, n, code)
					}
				}
				stored += n
				n = 1 + random.IntN(stored-size)
				mustIntegrate(t, l, n, n)
				size += n
				if random.IntN(4) == 0 {
					l.check(t, values(0, size))
				}
			}
			l.check(t, values(0, size))
		})
	}
}

func withoutIndex() *trillian.Tree {
	tree := newTree(trillian.TreeType_PREORDERED_LOG)
	tree.StorageSettings = embedded.WithoutHashIndex()
	return tree
}

func TestAddSequencedLeavesAnswersForEachLeaf(t *testing.T) {
	other := logLeaf(3)
	other.LeafValue = []byte("other")
	moved := logLeaf(2)
	moved.LeafIndex = 9
	twice := logLeaf(10)
	twice.LeafIndex = 11
	for _, c := range []struct {
		name   string
		leaf   *trillian.LogLeaf
		with   codes.Code
		absent codes.Code // without the hash index
	}{
		{"an identical leaf", logLeaf(1), codes.AlreadyExists, codes.AlreadyExists},
		{"another leaf at a taken index", other, codes.FailedPrecondition, codes.FailedPrecondition},
		{"a stored leaf at another index", moved, codes.FailedPrecondition, codes.OK},
		{"a new leaf", logLeaf(15), codes.OK, codes.OK},
		{"a leaf of the batch at another index", twice, codes.FailedPrecondition, codes.OK},
		{"a leaf of the batch again", logLeaf(10), codes.AlreadyExists, codes.AlreadyExists},
	} {
		t.Run(c.name, func(t *testing.T) {
			for definition, want := range map[*trillian.Tree]codes.Code{
				newTree(trillian.TreeType_PREORDERED_LOG): c.with,
				withoutIndex(): c.absent,
			} {
				l := create(t, open(t, embedded.Options{}), definition)
				l.add(t, logLeaves(0, 5)...)
				batch := []*trillian.LogLeaf{logLeaf(10), c.leaf, logLeaf(21)}
				if got := l.add(t, batch...); !slices.Equal(got, []codes.Code{codes.OK, want, codes.OK}) {
					t.Errorf("hash index %v: %v, want %v in the middle", definition.StorageSettings == nil, got, want)
				}
			}
		})
	}
}

func TestLeavesKeepWhatTheyWereGiven(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_PREORDERED_LOG))
	identity := sha256.Sum256([]byte("identity"))
	leaf := logLeaf(0)
	leaf.ExtraData, leaf.LeafIdentityHash = []byte("extra"), identity[:]
	l.add(t, leaf, logLeaf(1))
	tx, err := l.SnapshotForTree(t.Context(), l.tree)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	got, err := tx.GetLeavesByRange(t.Context(), 0, 2)
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if string(got[0].ExtraData) != "extra" || string(got[0].LeafIdentityHash) != string(identity[:]) {
		t.Errorf("leaf 0 is %v", got[0])
	}
	if len(got[1].ExtraData) != 0 || string(got[1].LeafIdentityHash) != string(got[1].MerkleLeafHash) {
		t.Errorf("leaf 1 is %v", got[1])
	}
	if at := got[0].QueueTimestamp.AsTime(); !at.Equal(time.Unix(1, 0)) {
		t.Errorf("leaf 0 was added at %v", at)
	}
}

func TestGetLeavesByHash(t *testing.T) {
	same := logLeaf(0) // two leaves with one leaf hash and two identities
	same.LeafIndex, same.LeafIdentityHash = 1, logLeaf(7).MerkleLeafHash
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_PREORDERED_LOG))
	l.add(t, logLeaf(0), same, logLeaf(2))
	tx, err := l.SnapshotForTree(t.Context(), l.tree)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	hashes := [][]byte{logLeaf(2).MerkleLeafHash, logLeaf(5).MerkleLeafHash, logLeaf(0).MerkleLeafHash, logLeaf(7).MerkleLeafHash, {1}}
	leaves, err := tx.GetLeavesByHash(t.Context(), hashes, true)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, leaf := range leaves {
		got = append(got, leaf.LeafIndex)
	}
	if !slices.Equal(got, []int64{0, 1, 2}) {
		t.Errorf("found %v, want leaves 0, 1 and 2", got)
	}

	l = create(t, open(t, embedded.Options{}), withoutIndex())
	tx, err = l.SnapshotForTree(t.Context(), l.tree)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	_, err = tx.GetLeavesByHash(t.Context(), hashes, true)
	wantCode(t, "without the hash index", err, codes.Unimplemented)
}

func TestARangeFitsAMessage(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), withoutIndex())
	leaves := logLeaves(0, 100)
	for _, leaf := range leaves {
		leaf.LeafValue = make([]byte, 100_000)
	}
	l.add(t, leaves...)
	tx, err := l.SnapshotForTree(t.Context(), l.tree)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	got, err := tx.GetLeavesByRange(t.Context(), 10, 90)
	if err != nil || len(got) == 0 || len(got) > 40 {
		t.Errorf("%d leaves of 100,000 bytes, %v, want no more than 4 MiB", len(got), err)
	}
}
