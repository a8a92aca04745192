package embedded_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/transparency-dev/merkle/compact"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// readAll reads every leaf and node of the tree.
func (l *testLog) readAll(size int) (leaves, hashes [][]byte, err error) {
	ctx := context.Background()
	tx, err := l.SnapshotForTree(ctx, l.tree)
	if err != nil {
		return nil, nil, err
	}
	defer tx.Close()
	for len(leaves) < size {
		some, err := tx.GetLeavesByRange(ctx, int64(len(leaves)), int64(size-len(leaves)))
		if err != nil {
			return nil, nil, err
		}
		if len(some) == 0 {
			return nil, nil, errors.New("a leaf is missing")
		}
		for _, leaf := range some {
			leaves = append(leaves, leaf.LeafValue)
		}
	}
	for i := range size {
		nodes, err := tx.GetMerkleNodes(ctx, []compact.NodeID{compact.NewNodeID(0, uint64(i))})
		if err != nil {
			return nil, nil, err
		}
		hashes = append(hashes, nodes[0].Hash)
	}
	return leaves, hashes, nil
}

// flip copies a directory and flips one bit of one file.
func flip(t *testing.T, from vfs.FS, name string, at int64, bit byte) vfs.FS {
	t.Helper()
	to := vfs.NewMem()
	if err := to.MkdirAll("store", 0o700); err != nil {
		t.Fatal(err)
	}
	names, err := from.List("store")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		data := readFile(t, from, path.Join("store", n))
		if n == name {
			data[at] ^= bit
		}
		f, err := to.Create(path.Join("store", n), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tables are the names and sizes of a store's table files.
func tables(t *testing.T, fs vfs.FS) map[string]int64 {
	t.Helper()
	names, err := fs.List("store")
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(map[string]int64)
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			sizes[name] = int64(len(readFile(t, fs, path.Join("store", name))))
		}
	}
	return sizes
}

// TestAFlippedBitIsNeverReadAsData flips bits of the tables that a store with
// 1,000 leaves consists of.
func TestAFlippedBitIsNeverReadAsData(t *testing.T) {
	const size = 1000
	fs := vfs.NewMem()
	write := func(n int) {
		t.Helper()
		s, err := embedded.Open(embedded.Options{Dir: "store", FS: fs, Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			l := create(t, s, withoutIndex())
			l.add(t, logLeaves(0, n)...)
			mustIntegrate(t, l, n, n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(size)
	write(0) // moves what is in the log into tables
	random := rand.New(rand.NewPCG(11, 12))
	found, files := 0, tables(t, fs)
	for name, length := range files {
		for range 60 / len(files) {
			damaged := flip(t, fs, name, random.Int64N(length), 1<<random.IntN(8))
			if foundDamage(t, damaged, size) {
				found++
			}
		}
	}
	if found == 0 {
		t.Error("no damage was found: the test proves nothing")
	}
}

// foundDamage reads a damaged store, which must fail or read what was written.
func foundDamage(t *testing.T, fs vfs.FS, size int) bool {
	t.Helper()
	s, err := embedded.Open(embedded.Options{Dir: "store", FS: fs})
	if err != nil {
		return true
	}
	leaves, hashes, err := reopened(t, s).readAll(size)
	if err != nil {
		s.Close()
		return true
	}
	for i := range size {
		if string(leaves[i]) != string(value(i)) || string(hashes[i]) != string(logLeaf(i).MerkleLeafHash) {
			t.Errorf("leaf %d was read as %q, hash %x", i, leaves[i], hashes[i])
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return false
}
