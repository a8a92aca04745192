package proofs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cairnlog/cairn/proofs"
)

func writeFiles(tb testing.TB, dir string, files fstest.MapFS) {
	tb.Helper()
	for path, file := range files {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(name, file.Data, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

func dirFS(dir string) fs.FS { return os.DirFS(dir) }

func BenchmarkCheckInclusion(b *testing.B) {
	const size, index = 1 << 20, 777_777
	l := newModLog(b, size)
	c := l.checkpoint(b, size)
	mod, err := tlog.ProveRecord(size, index, l)
	if err != nil {
		b.Fatal(err)
	}
	path := make([]proofs.Hash, len(mod))
	for i := range mod {
		path[i] = proofs.Hash(mod[i])
	}
	merkle, leaf := bytesOf(path), proofs.LeafHash(l.leaves[index])
	b.Run("proofs", func(b *testing.B) {
		for b.Loop() {
			if err := proofs.CheckInclusion(index, size, leaf, path, c.Root); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("merkle", func(b *testing.B) {
		for b.Loop() {
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf[:], merkle, c.Root[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tlog", func(b *testing.B) {
		for b.Loop() {
			if err := tlog.CheckRecord(mod, size, tlog.Hash(c.Root), index, tlog.Hash(leaf)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCheckConsistency(b *testing.B) {
	const size, old = 1 << 20, 777_777
	l := newModLog(b, size)
	c, o := l.checkpoint(b, size), l.checkpoint(b, old)
	mod, err := tlog.ProveTree(size, old, l)
	if err != nil {
		b.Fatal(err)
	}
	path := make([]proofs.Hash, len(mod))
	for i := range mod {
		path[i] = proofs.Hash(mod[i])
	}
	merkle := bytesOf(path)
	b.Run("proofs", func(b *testing.B) {
		for b.Loop() {
			if err := proofs.CheckConsistency(old, size, o.Root, c.Root, path); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("merkle", func(b *testing.B) {
		for b.Loop() {
			if err := proof.VerifyConsistency(rfc6962.DefaultHasher, old, size, merkle, o.Root[:], c.Root[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
