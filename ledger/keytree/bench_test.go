package keytree_test

import (
	"encoding/binary"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
)

func handleOf(i int) (h keytree.Handle) {
	binary.BigEndian.PutUint64(h[:], uint64(i)*0x9e3779b97f4a7c15)
	return h
}

func BenchmarkDerive(b *testing.B) {
	b.Run("bucket-again", func(b *testing.B) {
		tree := keytree.New([32]byte{1})
		b.ReportAllocs()
		for b.Loop() {
			must(tree.Derive(keytree.Bucket(1, 2, 3).For(keytree.Sealing)))
		}
	})
	b.Run("new-bucket", func(b *testing.B) {
		tree := keytree.New([32]byte{1})
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			must(tree.Derive(keytree.Bucket(1, 2, uint32(i)).For(keytree.Sealing)))
		}
	})
	b.Run("subject-again", func(b *testing.B) {
		tree := keytree.New([32]byte{1})
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			must(tree.Derive(keytree.Subject(1, handleOf(i%1000)).For(keytree.Sealing)))
		}
	})
	b.Run("new-subject-two-keys", func(b *testing.B) {
		tree := keytree.New([32]byte{1})
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			path := keytree.Subject(1, handleOf(i))
			must(tree.Derive(path.For(keytree.Sealing)))
			must(tree.Derive(path.For(keytree.Tags)))
		}
	})
	b.Run("parallel-again", func(b *testing.B) {
		tree := keytree.New([32]byte{1})
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				must(tree.Derive(keytree.Subject(1, handleOf(i%1000)).For(keytree.Sealing)))
			}
		})
	})
	b.Run("destroyed", func(b *testing.B) {
		tree := keytree.New([32]byte{1})
		puncture(b, tree, keytree.Buckets(1, 2, 0, 1000)...)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := tree.Derive(keytree.Bucket(1, 2, uint32(i%1000)).For(keytree.Sealing)); err == nil {
				b.Fatal("derived")
			}
		}
	})
}

func BenchmarkHandle(b *testing.B) {
	tree := keytree.New([32]byte{1})
	subject := []byte("arn:aws:iam::123456789123:user/pedro")
	b.ReportAllocs()
	for b.Loop() {
		must(tree.Handle(1, subject, 0))
	}
}

// BenchmarkPuncture destroys a hundred subjects where ten thousand are
// destroyed already.
func BenchmarkPuncture(b *testing.B) {
	state := keytree.Format(erased(b, 10_000))
	for i := 10_000; b.Loop(); i += 100 {
		b.StopTimer()
		tree := must(keytree.Parse(state))
		var paths []keytree.Path
		for j := range 100 {
			paths = append(paths, keytree.Subject(1, handleOf(i+j)))
		}
		b.StartTimer()
		puncture(b, tree, paths...)
	}
	b.ReportMetric(float64(len(state))/10_000, "B/destroyed")
}

func BenchmarkParse(b *testing.B) {
	state := keytree.Format(erased(b, 10_000))
	b.SetBytes(int64(len(state)))
	for b.Loop() {
		must(keytree.Parse(state))
	}
}

func erased(b *testing.B, n int) *keytree.Tree {
	tree := keytree.New([32]byte{1})
	var paths []keytree.Path
	for i := range n {
		paths = append(paths, keytree.Subject(1, handleOf(i)))
	}
	puncture(b, tree, paths...)
	return tree
}
