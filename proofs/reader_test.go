package proofs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/cairnlog/cairn/proofs"
)

// A modLog is a log whose tree is kept and whose tiles are made by x/mod.
type modLog struct {
	leaves [][]byte
	hashes []tlog.Hash // as tlog.StoredHashes keeps them
}

func newModLog(tb testing.TB, size int) *modLog {
	tb.Helper()
	l := &modLog{leaves: refLeaves(size)}
	for i, leaf := range l.leaves {
		h, err := tlog.StoredHashes(int64(i), leaf, l)
		if err != nil {
			tb.Fatal(err)
		}
		l.hashes = append(l.hashes, h...)
	}
	return l
}

func (l *modLog) ReadHashes(indices []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indices))
	for i, x := range indices {
		out[i] = l.hashes[x]
	}
	return out, nil
}

func (l *modLog) checkpoint(tb testing.TB, size int) proofs.Checkpoint {
	tb.Helper()
	root, err := tlog.TreeHash(int64(size), l)
	if err != nil {
		tb.Fatal(err)
	}
	return proofs.Checkpoint{Origin: "log.example/1", Size: uint64(size), Root: proofs.Hash(root)}
}

// files returns the tiles and bundles that the log of a size serves.
func (l *modLog) files(tb testing.TB, size int) fstest.MapFS {
	tb.Helper()
	fsys := fstest.MapFS{}
	for _, tile := range tlog.NewTiles(proofs.TileHeight, 0, int64(size)) {
		data, err := tlog.ReadTileData(tile, l)
		if err != nil {
			tb.Fatal(err)
		}
		t := proofs.Tile{Level: uint8(tile.L), Index: uint64(tile.N), Width: tile.W}
		fsys[t.Path()] = &fstest.MapFile{Data: data}
		if t.Level == 0 {
			first := t.Index * proofs.TileWidth
			data, err := proofs.FormatBundle(l.leaves[first : first+uint64(t.Width)])
			if err != nil {
				tb.Fatal(err)
			}
			fsys[proofs.Bundle{Index: t.Index, Width: t.Width}.Path()] = &fstest.MapFile{Data: data}
		}
	}
	return fsys
}

func TestProofsFromTiles(t *testing.T) {
	l := newModLog(t, 66000)
	for _, size := range []int{1, 2, 255, 256, 257, 600, 65536, 65537, 66000} {
		c := l.checkpoint(t, size)
		r := proofs.NewReader(c, proofs.FS(l.files(t, size)))
		if root, err := proofs.Root(t.Context(), c.Size, r); err != nil || root != c.Root {
			t.Fatalf("Root(%d) = %v, %v; want %v", size, root, err, c.Root)
		}
		for range 200 {
			i := rand.IntN(size)
			proof, err := proofs.ProveInclusion(t.Context(), uint64(i), c.Size, r)
			if err != nil {
				t.Fatal(err)
			}
			if err := proofs.CheckInclusion(uint64(i), c.Size, proofs.LeafHash(l.leaves[i]), proof, c.Root); err != nil {
				t.Fatal(err)
			}
			old := l.checkpoint(t, rand.IntN(size+1))
			proof, err = proofs.ProveConsistency(t.Context(), old.Size, c.Size, r)
			if err != nil {
				t.Fatal(err)
			}
			if err := proofs.CheckConsistency(old.Size, c.Size, old.Root, c.Root, proof); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestReaderGivesEntries(t *testing.T) {
	l := newModLog(t, 600)
	r := proofs.NewReader(l.checkpoint(t, 600), proofs.FS(l.files(t, 600)))
	for _, rg := range [][2]uint64{{0, 600}, {0, 0}, {255, 257}, {512, 600}, {599, 600}, {600, 600}} {
		at := rg[0]
		for leaf, err := range r.Leaves(t.Context(), rg[0], rg[1]) {
			if err != nil || !bytes.Equal(leaf, l.leaves[at]) {
				t.Fatalf("leaf %d = %q, %v", at, leaf, err)
			}
			at++
		}
		if at != rg[1] {
			t.Errorf("leaves [%d, %d) end at %d", rg[0], rg[1], at)
		}
	}
	for _, i := range []uint64{0, 255, 256, 599} {
		leaf, err := r.Leaf(t.Context(), i)
		hash, errHash := r.LeafHash(t.Context(), i)
		if err != nil || errHash != nil || !bytes.Equal(leaf, l.leaves[i]) || hash != proofs.LeafHash(leaf) {
			t.Errorf("leaf %d = %q, %v with hash %v, %v", i, leaf, err, hash, errHash)
		}
	}
}

func TestReaderRefusesWhatTheTreeHasNot(t *testing.T) {
	l := newModLog(t, 600)
	r := proofs.NewReader(l.checkpoint(t, 600), proofs.FS(l.files(t, 600)))
	if leaf, err := r.Leaf(t.Context(), 600); err == nil {
		t.Errorf("leaf 600: %q", leaf)
	}
	for leaf, err := range r.Leaves(t.Context(), 599, 601) {
		if err == nil {
			t.Errorf("leaves up to 601: %q", leaf)
		}
	}
	for _, id := range []proofs.NodeID{{0, 600}, {8, 2}, {3, 75}, {10, 0}, {64, 0}, {200, 0}, {0, 1 << 63}} {
		if h, err := r.ReadNodes(t.Context(), []proofs.NodeID{id}); err == nil {
			t.Errorf("node %v: %v", id, h)
		}
	}
	empty := proofs.NewReader(proofs.Checkpoint{Root: proofs.EmptyRoot()}, proofs.FS(fstest.MapFS{}))
	if h, err := empty.LeafHash(t.Context(), 0); err == nil {
		t.Errorf("leaf hash in an empty tree: %v", h)
	}
}

// One bit changed anywhere in any file: what depends on it is refused, by the
// file's name, and nothing that is given differs from the truth.
func TestReaderFindsEveryChangedFile(t *testing.T) {
	const size = 600
	l := newModLog(t, size)
	c, files := l.checkpoint(t, size), l.files(t, size)
	for path, file := range files {
		for _, pos := range []int{0, len(file.Data) / 2, len(file.Data) - 1} {
			damaged := fstest.MapFS{}
			for p, f := range files {
				damaged[p] = f
			}
			data := bytes.Clone(file.Data)
			data[pos] ^= 0x10
			damaged[path] = &fstest.MapFile{Data: data}
			r := proofs.NewReader(c, proofs.FS(damaged))
			refused := 0
			for i := range uint64(size) {
				leaf, err := r.Leaf(t.Context(), i)
				switch {
				case err == nil && !bytes.Equal(leaf, l.leaves[i]):
					t.Fatalf("%s, byte %d: leaf %d is given as %q", path, pos, i, leaf)
				case err != nil:
					refused++
					if !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed) {
						t.Fatalf("%s, byte %d: leaf %d: %v", path, pos, i, err)
					}
					if edge := strings.Contains(path, ".p/") && strings.Contains(err.Error(), "partial tiles"); !edge && !strings.Contains(err.Error(), path) {
						t.Fatalf("%s, byte %d: leaf %d: the error does not name the file: %v", path, pos, i, err)
					}
				}
			}
			if refused == 0 {
				t.Errorf("%s, byte %d: nothing is refused", path, pos)
			}
		}
	}
}

func TestReaderTakesTheFullFileWhereThePartialOneIsGone(t *testing.T) {
	l := newModLog(t, 70000)
	files, c := l.files(t, 70000), l.checkpoint(t, 600) // at size 600: 88 nodes of 0/002, 2 of 1/000
	r := proofs.NewReader(c, proofs.FS(files))
	for i, leaf := range []int{0, 256, 599} {
		if got, err := r.Leaf(t.Context(), uint64(leaf)); err != nil || !bytes.Equal(got, l.leaves[leaf]) {
			t.Errorf("leaf %d (%d): %q, %v", leaf, i, got, err)
		}
	}
	delete(files, "tile/0/002")
	r = proofs.NewReader(c, proofs.FS(files))
	if _, err := r.LeafHash(t.Context(), 599); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "tile/0/002.p/88") {
		t.Errorf("without either: %v", err)
	}
	files["tile/0/002"] = &fstest.MapFile{Data: make([]byte, 8191)}
	if _, err := r.LeafHash(t.Context(), 599); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("with a short full tile: %v", err)
	}
}

func TestReaderExtends(t *testing.T) {
	l := newModLog(t, 900)
	files := l.files(t, 900)
	for p, f := range l.files(t, 600) {
		files[p] = f
	}
	r := proofs.NewReader(l.checkpoint(t, 600), proofs.FS(files))
	if _, err := r.Leaf(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	next, err := r.Extend(t.Context(), l.checkpoint(t, 900))
	if err != nil {
		t.Fatal(err)
	}
	delete(files, "tile/0/000") // it is known already
	if leaf, err := next.Leaf(t.Context(), 6); err != nil || !bytes.Equal(leaf, l.leaves[6]) {
		t.Errorf("leaf 6: %q, %v", leaf, err)
	}
	if leaf, err := next.Leaf(t.Context(), 899); err != nil || !bytes.Equal(leaf, l.leaves[899]) {
		t.Errorf("leaf 899: %q, %v", leaf, err)
	}

	forked := l.checkpoint(t, 600)
	forked.Root[0] ^= 1
	fork := proofs.NewReader(forked, proofs.FS(files))
	other := l.checkpoint(t, 900)
	other.Origin = "log.example/2"
	for name, err := range map[string]error{
		"a rollback":  second(next.Extend(t.Context(), l.checkpoint(t, 600))),
		"a fork":      second(fork.Extend(t.Context(), l.checkpoint(t, 900))),
		"another log": second(r.Extend(t.Context(), other)),
	} {
		if !errors.Is(err, proofs.ErrNotVerified) {
			t.Errorf("%s: got %v, want ErrNotVerified", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestReaderIsSafeForConcurrentUse(t *testing.T) {
	const size = 3000
	l := newModLog(t, size)
	c := l.checkpoint(t, size)
	r := proofs.NewReader(c, proofs.FS(l.files(t, size)))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 500 {
				i := uint64((n*7919 + g*101) % size)
				leaf, err := r.Leaf(t.Context(), i)
				proof, errProof := proofs.ProveInclusion(t.Context(), i, size, r)
				if err := errors.Join(err, errProof, proofs.CheckInclusion(i, size, proofs.LeafHash(leaf), proof, c.Root)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// After a failure the next call tries again.
func TestReaderRecoversFromFailures(t *testing.T) {
	l := newModLog(t, 600)
	files := l.files(t, 600)
	r := proofs.NewReader(l.checkpoint(t, 600), proofs.FS(files))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Leaf(ctx, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, path := range []string{"tile/entries/000", "tile/1/000.p/2", "tile/0/000"} {
		kept := files[path]
		delete(files, path)
		if _, err := r.Leaf(t.Context(), 3); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s: %v", path, err)
		}
		files[path] = kept
	}
	if leaf, err := r.Leaf(t.Context(), 3); err != nil || !bytes.Equal(leaf, l.leaves[3]) {
		t.Errorf("leaf 3: %q, %v", leaf, err)
	}
}

// A bundle with a wrong entry is read again once it is repaired.
func TestReaderSeesRepairs(t *testing.T) {
	l := newModLog(t, 600)
	files := l.files(t, 600)
	good := files["tile/entries/001"]
	bad := bytes.Clone(good.Data)
	bad[len(bad)-1] ^= 1
	files["tile/entries/001"] = &fstest.MapFile{Data: bad}
	r := proofs.NewReader(l.checkpoint(t, 600), proofs.FS(files))
	if _, err := r.Leaf(t.Context(), 500); err != nil {
		t.Errorf("an entry before the damage: %v", err)
	}
	if _, err := r.Leaf(t.Context(), 511); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("the damaged entry: %v", err)
	}
	files["tile/entries/001"] = good
	if leaf, err := r.Leaf(t.Context(), 511); err != nil || !bytes.Equal(leaf, l.leaves[511]) {
		t.Errorf("the repaired entry: %q, %v", leaf, err)
	}
}

func TestFilesAreBounded(t *testing.T) {
	files := proofs.FS(fstest.MapFS{
		"checkpoint": {Data: []byte("c")},
		"tile/0/000": {Data: make([]byte, proofs.MaxFileSize+1)},
	})
	if b, err := files.ReadFile(t.Context(), "checkpoint"); err != nil || string(b) != "c" {
		t.Errorf("checkpoint: %q, %v", b, err)
	}
	if b, err := files.ReadFile(t.Context(), "tile/0/000"); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("a file too large: %d bytes, %v", len(b), err)
	}
	for _, path := range []string{"tile/0/001", "tile/0"} {
		if b, err := files.ReadFile(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %d bytes, %v", path, len(b), err)
		}
	}
}

func BenchmarkReaderProof(b *testing.B) {
	const size = 1 << 18
	l := newModLog(b, size)
	dir := b.TempDir()
	writeFiles(b, dir, l.files(b, size))
	for name, next := range map[string]func(i uint64) uint64{
		"neighbours": func(i uint64) uint64 { return i % size },
		"random":     func(i uint64) uint64 { return i * 0x9e3779b97f4a7c15 >> 46 },
	} {
		b.Run(name, func(b *testing.B) {
			r := proofs.NewReader(l.checkpoint(b, size), proofs.FS(dirFS(dir)))
			i := uint64(0)
			for b.Loop() {
				if _, err := proofs.ProveInclusion(b.Context(), next(i), size, r); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func ExampleReader() {
	// A mirror of a log: its files, and a checkpoint that was checked before.
	entries := [][]byte{[]byte("one"), []byte("two"), []byte("three")}
	var hashes []proofs.Hash
	for _, e := range entries {
		hashes = append(hashes, proofs.LeafHash(e))
	}
	bundle, _ := proofs.FormatBundle(entries)
	mirror := fstest.MapFS{
		"tile/0/000.p/3":       {Data: proofs.FormatTile(hashes)},
		"tile/entries/000.p/3": {Data: bundle},
	}
	root := proofs.NodeHash(proofs.NodeHash(hashes[0], hashes[1]), hashes[2])
	checkpoint := proofs.Checkpoint{Origin: "log.example/1", Size: 3, Root: root}

	ctx := context.Background()
	r := proofs.NewReader(checkpoint, proofs.FS(mirror))
	leaf, err := r.Leaf(ctx, 1)
	proof, _ := proofs.ProveInclusion(ctx, 1, 3, r)
	fmt.Printf("%s, %v, %d hashes\n", leaf, err, len(proof))
	fmt.Println(proofs.CheckInclusion(1, 3, proofs.LeafHash(leaf), proof, root))
	// Output:
	// two, <nil>, 2 hashes
	// <nil>
}
