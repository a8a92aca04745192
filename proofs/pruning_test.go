package proofs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func minimumFields(request uint64, m proofs.MinimumBody) map[string]any {
	ref := func(c proofs.CheckpointRef) map[string]any {
		return map[string]any{"size": c.Size, "note": hex.EncodeToString(c.Note[:])}
	}
	return map[string]any{"request": request, "index": m.Index, "controls": hex.EncodeToString(m.Controls[:]), "aged": ref(m.Aged), "now": ref(m.Now)}
}

func TestPruningIsWeakerWhereMoreIsPruned(t *testing.T) {
	for _, row := range []struct {
		was, next uint32
		weaker    bool
	}{
		{0, 0, false}, {0, 1, true}, {30, 0, false}, {30, 30, false}, {30, 29, true}, {30, 31, false},
	} {
		if got := (proofs.PruningBody{Days: row.next}).Weakens(proofs.PruningBody{Days: row.was}); got != row.weaker {
			t.Errorf("%d days after %d: weaker is %t, want %t", row.next, row.was, got, row.weaker)
		}
	}
}

func TestLastingEntries(t *testing.T) {
	for kind := proofs.Event; kind <= proofs.Closed; kind++ {
		leaf := proofs.Leaf{Kind: kind}
		want := kind != proofs.Event && kind != proofs.Access && kind != proofs.Administration
		if leaf.Lasts() != want {
			t.Errorf("%v lasts: %t, want %t", kind, leaf.Lasts(), want)
		}
	}
	if !(&proofs.Leaf{Kind: proofs.Administration, Control: []byte{1}}).Lasts() {
		t.Error("a request does not last")
	}
}

// TestNextControls holds the hash against its definition, by hand.
func TestNextControls(t *testing.T) {
	leaf := proofs.Leaf{Kind: proofs.Created}
	first := must(proofs.NextControls(proofs.Hash{}, 0, &leaf))
	second := must(proofs.NextControls(first, 7, &leaf))
	if again := must(proofs.NextControls(first, 8, &leaf)); second == again {
		t.Error("the same entry at two indices has one hash")
	}
	if _, err := proofs.NextControls(first, 9, &proofs.Leaf{Kind: proofs.Event}); err == nil {
		t.Error("a leaf that cannot be has a hash")
	}
	h := proofs.LeafHash(must(proofs.FormatLeaf(leaf)))
	by := append(append(append([]byte{}, first[:]...), 0, 0, 0, 0, 0, 0, 0, 7), h[:]...)
	if want := proofs.Hash(sha256.Sum256(by)); second != want {
		t.Errorf("got %v, want %v", second, want)
	}
}

func ExampleBundle_PrunedAt() {
	for _, minimum := range []uint64{0, 256, 512} {
		fmt.Println(minimum, proofs.Bundle{Index: 1, Width: 256}.PrunedAt(minimum))
	}
	// Output:
	// 0 false
	// 256 false
	// 512 true
}
