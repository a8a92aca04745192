package keystate_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"testing"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk"
)

// erased keeps, in two places on the disk, a tree of which n subjects are
// destroyed, and returns what opens it.
func erased(b *testing.B, n int) keystate.Options {
	b.Helper()
	tree := keytree.New(root)
	var paths []keytree.Path
	for i := range n {
		paths = append(paths, subject(i))
	}
	if err := tree.Puncture(func([]byte) error { return nil }, paths...); err != nil {
		b.Fatal(err)
	}
	o := keystate.Options{Rand: rand.Reader}
	for _, name := range []string{"one", "two"} {
		dir, err := disk.OpenOS(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { dir.Close() })
		o.Places = append(o.Places, keystate.Place{Name: name, FS: dir})
	}
	if _, err := keystate.Create(context.Background(), o, tree); err != nil {
		b.Fatal(err)
	}
	return o
}

func subject(i int) keytree.Path {
	var h keytree.Handle
	binary.BigEndian.PutUint64(h[:], uint64(i)*0x9e3779b97f4a7c15)
	return keytree.Subject(1, h)
}

// BenchmarkOpen opens a state from which 10,000 subjects were erased one by one.
func BenchmarkOpen(b *testing.B) {
	o := erased(b, 10_000)
	var size int64
	for b.Loop() {
		s, err := keystate.Open(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		size = int64(len(keytree.Format(s.Tree())))
	}
	b.ReportMetric(float64(size), "B/state")
}

// BenchmarkDestroy erases one more subject, where none and where 10,000 are.
func BenchmarkDestroy(b *testing.B) {
	for name, n := range map[string]int{"first": 0, "after-10000": 10_000} {
		b.Run(name, func(b *testing.B) {
			s, err := keystate.Open(context.Background(), erased(b, n))
			if err != nil {
				b.Fatal(err)
			}
			for i := n; b.Loop(); i++ {
				if _, err := s.Destroy(context.Background(), subject(i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
