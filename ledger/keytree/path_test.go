package keytree_test

import (
	"fmt"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
)

func TestPathsDescribeThemselves(t *testing.T) {
	handle := keytree.Handle{0x8f, 0x3e, 0x9f, 0x6a, 0x1c, 0x2b, 0x4d, 0x5e}
	for _, c := range []struct {
		path keytree.Path
		want string
	}{
		{keytree.Bucket(7, 1, 20454), "bucket 7/1/20454"},
		{keytree.Bucket(1<<32-1, 1<<16-1, 1<<32-1).For(keytree.Sealing), "bucket 4294967295/65535/4294967295 sealing"},
		{keytree.Bucket(0, 0, 0).For(keytree.Tags), "bucket 0/0/0 tags"},
		{keytree.Subject(7, handle), "subject 7/8f3e9f6a1c2b4d5e"},
		{keytree.Subject(7, handle).For(keytree.Deduplication), "subject 7/8f3e9f6a1c2b4d5e deduplication"},
		{keytree.Hold(4711), "hold 4711"},
		{keytree.Search(4711), "search index 4711"},
		{keytree.Search(1<<64 - 1).For(keytree.Sealing), "search index 18446744073709551615 sealing"},
		{keytree.Hold(1<<64 - 1).For(keytree.Tags), "hold 18446744073709551615 tags"},
		{keytree.Buckets(7, 1, 0, 4)[0], "0100000007000100000000/86"},
		{keytree.Path{}, "/0"},
	} {
		if got := c.path.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if got := keytree.Use(3).String(); got != "use-3" {
		t.Errorf("got %q", got)
	}
}

// A range holds each bucket in it and none beside it, in as few subtrees as
// there can be.
func TestBucketsHoldExactlyTheRange(t *testing.T) {
	root := [32]byte{9}
	const last = 1<<32 - 1
	for _, c := range []struct {
		from, to uint32
		want     int // subtrees
	}{
		{0, 0, 0}, {5, 5, 0}, {6, 5, 0}, {0, 1, 1}, {0, 16, 1}, {3, 4, 1}, {1, 7, 4}, {0, 7, 3}, {6, 10, 2},
		{1 << 31, last, 31}, {0, last, 32}, {1, last, 62}, {last - 1, last, 1}, {20000, 20455, 9},
	} {
		t.Run(fmt.Sprintf("%d-%d", c.from, c.to), func(t *testing.T) {
			paths := keytree.Buckets(3, 4, c.from, c.to)
			if len(paths) != c.want {
				t.Errorf("%d subtrees, want %d: %v", len(paths), c.want, paths)
			}
			tree := keytree.New(root)
			puncture(t, tree, paths...)
			for _, at := range []uint32{0, 1, c.from - 1, c.from, c.from + 1, c.to - 1, c.to, c.to + 1, last - 1, last} {
				_, err := tree.Derive(keytree.Bucket(3, 4, at).For(keytree.Tags))
				if within := c.from <= at && at < c.to; within != (err != nil) {
					t.Errorf("period %d: %v", at, err)
				}
			}
			for _, other := range []keytree.Path{keytree.Bucket(3, 5, c.from), keytree.Bucket(4, 4, c.from), keytree.Subject(3, keytree.Handle{}), keytree.Hold(3)} {
				if _, err := tree.Derive(other.For(keytree.Tags)); err != nil {
					t.Errorf("%s: %v", other, err)
				}
			}
		})
	}
}

func TestGenerationsOfTheSearchIndexAreOneRange(t *testing.T) {
	tree, nodes := keytree.New([32]byte{1}), 0
	generations := []uint64{0, 1, 2, 7, 8, 1000, 1 << 40, 1<<62 + 5, 1<<63 - 1}
	for i, generation := range generations {
		paths := keytree.SearchBefore(generation)
		if len(paths) > 63 {
			t.Errorf("%d subtrees are before generation %d", len(paths), generation)
		}
		puncture(t, tree, paths...)
		for j, other := range generations {
			if _, err := tree.Derive(keytree.Search(other).For(keytree.Sealing)); (err == nil) != (j >= i) {
				t.Errorf("before generation %d all is destroyed, and of %d: %v", generation, other, err)
			}
		}
		nodes = max(nodes, len(keytree.Format(tree))/40)
	}
	if nodes > 80 {
		t.Errorf("the state has some %d nodes", nodes)
	}
	if _, err := tree.Derive(keytree.Hold(3).For(keytree.Sealing)); err != nil {
		t.Error(err)
	}
}

func TestForPanicsOfMisuse(t *testing.T) {
	for name, misuse := range map[string]func(){
		"an unknown use":    func() { keytree.Bucket(1, 2, 3).For(3) },
		"a key of a key":    func() { keytree.Bucket(1, 2, 3).For(0).For(0) },
		"a key of a hold's": func() { keytree.Hold(1).For(0).For(0) },
		"a key of a range":  func() { keytree.Buckets(1, 2, 0, 2)[0].For(0) },
		"a key of the tree": func() { keytree.Path{}.For(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse()
		}()
	}
}
