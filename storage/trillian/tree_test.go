package trillian_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cairnlog/cairn/storage/trillian"
)

// leaf is a leaf value that says its index.
func leaf(index uint64) []byte { return fmt.Appendf(nil, "leaf %d", index) }

// leaves are the leaves [first, first+n).
func leaves(first, n uint64) []trillian.Leaf {
	out := make([]trillian.Leaf, n)
	for i := range out {
		out[i].Value = leaf(first + uint64(i))
	}
	return out
}

// reference is a tree of leaf(0), leaf(1), … by x/mod's tlog, a second
// implementation of RFC 6962.
type reference struct {
	size   uint64
	hashes []tlog.Hash
}

func (r *reference) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = r.hashes[x]
	}
	return out, nil
}

// grow adds leaves up to a size.
func (r *reference) grow(t testing.TB, size uint64) {
	t.Helper()
	for ; r.size < size; r.size++ {
		hashes, err := tlog.StoredHashes(int64(r.size), leaf(r.size), r)
		if err != nil {
			t.Fatal(err)
		}
		r.hashes = append(r.hashes, hashes...)
	}
}

func (r *reference) root(t testing.TB, size uint64) [32]byte {
	t.Helper()
	r.grow(t, size)
	root, err := tlog.TreeHash(int64(size), r)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// node is the root of a complete subtree.
func (r *reference) node(level uint8, index uint64) [32]byte {
	return r.hashes[tlog.StoredHashIndex(int(level), int64(index))]
}

// openEmbedded opens a tree and closes it at the end of the test.
func openEmbedded(t testing.TB, o trillian.EmbeddedOptions) *trillian.Tree {
	t.Helper()
	if o.FS == nil {
		o.FS, o.Create = vfs.NewMem(), true
	}
	if o.Dir == "" {
		o.Dir = "tree"
	}
	tree, err := trillian.OpenEmbedded(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	})
	return tree
}

// extend appends and integrates leaves up to a size, and checks the root.
func extend(t testing.TB, tree *trillian.Tree, r *reference, size uint64) {
	t.Helper()
	ctx := context.Background()
	head, err := tree.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Append(ctx, head.Size, leaves(head.Size, size-head.Size)); err != nil {
		t.Fatal(err)
	}
	head, err = tree.Integrate(ctx, size)
	if err != nil {
		t.Fatal(err)
	}
	if want := (trillian.Head{Size: size, Root: r.root(t, size)}); head != want {
		t.Fatalf("head = %x, want %x", head, want)
	}
}

// check reads everything of a tree and compares it with the reference.
func check(t testing.TB, tree *trillian.Tree, r *reference, size uint64) {
	t.Helper()
	ctx := context.Background()
	values, err := tree.Leaves(ctx, 0, size)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if !bytes.Equal(v, leaf(uint64(i))) {
			t.Fatalf("leaf %d = %q", i, v)
		}
	}
	var ids []trillian.NodeID
	for level := uint8(0); size>>level > 0; level++ {
		for i := range size >> level {
			ids = append(ids, trillian.NodeID{Level: level, Index: i})
		}
	}
	nodes, err := tree.Nodes(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if nodes[i] != r.node(id.Level, id.Index) {
			t.Fatalf("node %v differs at size %d", id, size)
		}
	}
	checkTiles(t, tree, r, size)
}

func checkTiles(t testing.TB, tree *trillian.Tree, r *reference, size uint64) {
	t.Helper()
	for level := uint8(0); size>>(8*level) > 0; level++ {
		nodes := size >> (8 * level)
		for first := uint64(0); first < nodes; first += 256 {
			width := min(256, nodes-first)
			var want []byte
			for i := range width {
				h := r.node(8*level, first+i)
				want = append(want, h[:]...)
			}
			for _, w := range []uint64{1, width} {
				got, err := tree.Tile(context.Background(), level, first/256, int(w))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want[:32*w]) {
					t.Fatalf("tile %d/%d of width %d differs at size %d", level, first/256, w, size)
				}
			}
		}
	}
}

func TestAnEmbeddedTreeIsTheReferencesTreeAtEverySize(t *testing.T) {
	tree, r := openEmbedded(t, trillian.EmbeddedOptions{}), new(reference)
	for _, size := range []uint64{0, 1, 2, 3, 5, 8, 100, 255, 256, 257, 511, 513, 1000, 3000} {
		extend(t, tree, r, size)
		check(t, tree, r, size)
	}
	// Past the second level of tiles.
	extend(t, tree, r, 66_000)
	check(t, tree, r, 66_000)
}

func TestAppendRepeated(t *testing.T) {
	tree, r := openEmbedded(t, trillian.EmbeddedOptions{}), new(reference)
	extend(t, tree, r, 700)
	if err := tree.Append(t.Context(), 0, leaves(0, 700)); err != nil {
		t.Errorf("the same leaves again: %v", err)
	}
	if err := tree.Append(t.Context(), 600, leaves(600, 200)); err != nil {
		t.Errorf("old and new leaves: %v", err)
	}
	extend(t, tree, r, 800)
	check(t, tree, r, 800)
}

func TestAForeignLeafIsNamed(t *testing.T) {
	tree := openEmbedded(t, trillian.EmbeddedOptions{})
	if err := tree.Append(t.Context(), 0, leaves(0, 10)); err != nil {
		t.Fatal(err)
	}
	other := leaves(0, 10)
	other[7].Value = []byte("other")
	err := tree.Append(t.Context(), 0, other)
	var foreign *trillian.ForeignLeafError
	if !errors.Is(err, trillian.ErrForeignLeaf) || !errors.As(err, &foreign) || foreign.Index != 7 {
		t.Errorf("err = %v, want a foreign leaf at 7", err)
	}
}
