package trillian_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage/trillian"
)

// benchLeaves are n leaves of 130 bytes, half of them random as in the
// ledger's leaves.
func benchLeaves(first uint64, n int) []trillian.Leaf {
	out := make([]trillian.Leaf, n)
	slab := make([]byte, 130*n)
	for i := range out {
		v := slab[130*i : 130*(i+1) : 130*(i+1)]
		binary.BigEndian.PutUint64(v, first+uint64(i))
		h := sha256.Sum256(v[:8])
		copy(v[64:], h[:])
		h = sha256.Sum256(h[:])
		copy(v[96:], h[:])
		out[i].Value = v
	}
	return out
}

// BenchmarkAppendIntegrate is the writer's part: append, integrate, and a sync
// every 16 batches, on the disk of the temporary directory.
func BenchmarkAppendIntegrate(b *testing.B) {
	for _, batch := range []int{1, 100, 1000, 4096} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			tree := openEmbedded(b, trillian.EmbeddedOptions{Dir: b.TempDir(), FS: vfs.Default, Create: true})
			batches := make([][]trillian.Leaf, 1+10_000/batch)
			for i := range batches {
				batches[i] = benchLeaves(uint64(i*batch), batch)
			}
			b.ReportAllocs()
			var size uint64
			for i := 0; b.Loop(); i++ {
				if err := tree.Append(b.Context(), size, batches[i%len(batches)]); err != nil {
					b.Fatal(err)
				}
				size += uint64(batch)
				if _, err := tree.Integrate(b.Context(), size); err != nil {
					b.Fatal(err)
				}
				if i%16 == 15 {
					if err := tree.Sync(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(size)/b.Elapsed().Seconds(), "leaves/s")
		})
	}
}

// BenchmarkRead reads random places of a tree of a million leaves: the nodes
// of an inclusion proof, a full tile, and the leaves of a bundle.
func BenchmarkRead(b *testing.B) {
	const size = 1 << 20
	tree := openEmbedded(b, trillian.EmbeddedOptions{Dir: b.TempDir(), FS: vfs.Default, Create: true})
	for first := uint64(0); first < size; first += 4096 {
		if err := tree.Append(b.Context(), first, benchLeaves(first, 4096)); err != nil {
			b.Fatal(err)
		}
		if _, err := tree.Integrate(b.Context(), first+4096); err != nil {
			b.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	b.Run("proof", func(b *testing.B) {
		ids := make([]trillian.NodeID, 20)
		for b.Loop() {
			index := random.Uint64N(size)
			for level := range ids {
				ids[level] = trillian.NodeID{Level: uint8(level), Index: index>>level ^ 1}
			}
			if _, err := tree.Nodes(b.Context(), ids); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tile", func(b *testing.B) {
		for b.Loop() {
			if _, err := tree.Tile(b.Context(), 0, random.Uint64N(size/256), 256); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bundle", func(b *testing.B) {
		for b.Loop() {
			if _, err := tree.Leaves(b.Context(), random.Uint64N(size/256)*256, 256); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("head", func(b *testing.B) {
		for b.Loop() {
			if _, err := tree.Head(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
