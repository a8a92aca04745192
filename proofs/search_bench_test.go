package proofs_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A millionWorld is a log of 2^20 entries with 13 tags each, made as cheaply as
// can be: only the tags of hits are real ones.
type millionWorld struct {
	levels       [][]proofs.Hash
	small, large []proofs.Hash
	heads        map[proofs.SegmentID]proofs.DirectoryHead
	rows         map[proofs.SegmentID]*proofs.DirectoryRows
}

const (
	millionSize  = 1 << 20
	millionActor = millionSize / 20 // values of field 1, of which each has 20 entries
)

// millionValues are how many values each field has.
var millionValues = [13]uint64{millionActor, 100, 10, millionSize, 1000, 5, 3, 200, 10_000, millionSize, 2, 50, 300}

func millionKey() proofs.Key256 { return proofs.Key256{1} }

func millionActorOf(index uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, index*7919%millionActor)
}

func millionTags(index uint64, tags []proofs.Tag) (proofs.Key256, []proofs.Tag) {
	key := millionKey()
	tags = append(tags, proofs.MakeTag(1, &key, millionActorOf(index)))
	for i, n := range millionValues[1:] {
		b := binary.BigEndian.AppendUint16(nil, uint16(i+2))
		h := sha256.Sum256(binary.BigEndian.AppendUint64(b, index*2654435761%n))
		tags = append(tags, proofs.Tag{Field: uint16(i + 2), Value: [16]byte(h[:])})
	}
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, index)), tags
}

func (w *millionWorld) isHit(index uint64) bool { return index*7919%millionActor == 77 }

func (w *millionWorld) leaf(index uint64) []byte {
	l := proofs.Leaf{Time: index, Stream: 1, Bucket: 1, T: proofs.Hash{1, byte(index)}}
	switch {
	case index == 0:
		key := millionKey()
		body := proofs.BucketBody{Bucket: 1, Stream: 1, Class: 1, Keys: []proofs.FieldKeyBody{{Field: 1, Hash: proofs.FieldKeyHash(&key)}}}
		l = proofs.Leaf{Kind: proofs.BucketOpened, T: proofs.EmptyRoot(), Control: must(proofs.FormatBucket(body))}
	case index == w.made():
		body := proofs.DirectoryBody{Segments: uint64(len(w.small)), Small: proofs.DirectoriesRoot(w.small), Large: proofs.DirectoriesRoot(w.large)}
		l = proofs.Leaf{Kind: proofs.Directory, Time: index, T: proofs.EmptyRoot(), Control: must(proofs.FormatDirectory(body))}
	case w.isHit(index):
		seed, tags := millionTags(index, nil)
		l.T = proofs.TagsRoot(proofs.AppendTagCommitments(nil, &seed, tags))
	}
	return must(proofs.FormatLeaf(l))
}

func (w *millionWorld) made() uint64 { return proofs.DirectoryPlace(uint64(len(w.small) - 1)) }

func millionBuilder(number uint64) *proofs.DirectoryBuilder {
	b := proofs.NewDirectoryBuilder(number)
	id := proofs.SegmentID{Number: number}
	var room [13]proofs.Tag
	for index := max(id.First(), 1); index < id.End(); index++ {
		seed, tags := millionTags(index, room[:0])
		if err := b.Add(index, 1, 1, &seed, tags); err != nil {
			panic(err)
		}
	}
	return b
}

var million = sync.OnceValue(func() *millionWorld {
	w := &millionWorld{heads: make(map[proofs.SegmentID]proofs.DirectoryHead), rows: make(map[proofs.SegmentID]*proofs.DirectoryRows)}
	var merging [proofs.LargeSegments]*proofs.DirectoryRows
	for n := range proofs.DirectoriesAt(millionSize) {
		id := proofs.SegmentID{Number: n}
		merging[n%proofs.LargeSegments] = millionBuilder(n).Rows()[0]
		w.small = append(w.small, w.keep(id, merging[n%proofs.LargeSegments]))
		if (n+1)%proofs.LargeSegments == 0 {
			id := proofs.SegmentID{Large: true, Number: n / proofs.LargeSegments}
			w.large = append(w.large, w.keep(id, proofs.MergeRows(merging)))
		}
	}
	level := make([]proofs.Hash, millionSize)
	for i := range level {
		level[i] = proofs.LeafHash(w.leaf(uint64(i)))
	}
	for ; len(level) > 0; level = halve(level) {
		w.levels = append(w.levels, level)
	}
	return w
})

func halve(level []proofs.Hash) (up []proofs.Hash) {
	for i := 0; i+1 < len(level); i += 2 {
		up = append(up, proofs.NodeHash(level[i], level[i+1]))
	}
	return up
}

func (w *millionWorld) keep(id proofs.SegmentID, r *proofs.DirectoryRows) proofs.Hash {
	head := proofs.DirectoryHead{Segment: id, FirstTime: id.First(), LastTime: id.End() - 1}
	head.Buckets = []proofs.DirectoryBucket{{Stream: 1, Bucket: 1, Rows: r.Hash()}}
	w.heads[id], w.rows[id] = head, r
	return must(head.Hash())
}

func (w *millionWorld) ReadNodes(_ context.Context, ids []proofs.NodeID) (out []proofs.Hash, err error) {
	for _, id := range ids {
		out = append(out, w.levels[id.Level][id.Index])
	}
	return out, nil
}

func (w *millionWorld) Leaves(_ context.Context, first, n uint64) (leaves [][]byte, err error) {
	for i := range n {
		leaves = append(leaves, w.leaf(first+i))
	}
	return leaves, nil
}

func (w *millionWorld) Directory(context.Context) (uint64, []proofs.Hash, []proofs.Hash, error) {
	return w.made(), w.small, w.large, nil
}

func (w *millionWorld) Segment(_ context.Context, id proofs.SegmentID, _ uint32) (proofs.DirectoryHead, []proofs.BucketRows, error) {
	return w.heads[id], []proofs.BucketRows{w.rows[id]}, nil
}

func (w *millionWorld) FieldKey(_ uint32, number uint16) (proofs.SearchKey, bool) {
	return proofs.SearchKey{Number: 1, Key: millionKey()}, number == 1
}

func (w *millionWorld) Tags(_ context.Context, index uint64) (proofs.SearchTags, error) {
	seed, tags := millionTags(index, nil)
	return proofs.SearchTags{Index: index, Lists: []proofs.DisclosedTags{{Seed: seed[:], Tags: proofs.AppendTags(nil, tags)}}}, nil
}

func (w *millionWorld) Expired(uint32) uint64 { return 0 }

func (w *millionWorld) Erased(context.Context, uint64) (uint64, error) { return 0, nil }

func (w *millionWorld) Names(context.Context, uint32) ([]proofs.SearchNames, error) { return nil, nil }

// BenchmarkSearchProofs asks for the 20 of a million entries that have one
// value, up to the last directory.
func BenchmarkSearchProofs(b *testing.B) {
	w := million()
	text := must(proofs.FormatCheckpoint(proofs.Checkpoint{Origin: testOrigin, Size: millionSize, Root: w.levels[20][0]}))
	checkpoint := signedBy(text, seededKey(testOrigin, proofs.Ed25519))
	term := proofs.SearchTerm{Values: []proofs.SearchValue{{Numbers: []uint16{1}, Value: binary.BigEndian.AppendUint64(nil, 77)}}}
	q := proofs.SearchQuery{Stream: 1, End: math.MaxUint64, Terms: []proofs.SearchTerm{term}}
	prove := func() proofs.SearchProof {
		return must(proofs.ProveSearch(b.Context(), q, checkpoint, millionSize, false, w))
	}
	p := prove()
	bytes := must(proofs.FormatSearchProof(p))
	b.Run("prove", func(b *testing.B) {
		for b.Loop() {
			prove()
		}
		b.ReportMetric(float64(len(bytes)), "proof-bytes")
		b.ReportMetric(float64(len(bytes)-hitBytes(p)), "bytes-without-hits")
	})
	b.Run("parse and check", func(b *testing.B) {
		policy := searchPolicy()
		for b.Loop() {
			v, err := must(proofs.ParseSearchProof(bytes)).Check(policy)
			if err != nil || len(v.Hits) < 19 {
				b.Fatal(len(v.Hits), err)
			}
		}
	})
}

// hitBytes is how many bytes of a proof are about its hits alone: their leaves,
// their tags, and the hashes that the tree takes for them.
func hitBytes(p proofs.SearchProof) int {
	n := 32 * len(p.Inclusion)
	for _, e := range p.Entries {
		n += 10 + len(e.Leaf)
	}
	for _, h := range p.Hits {
		n += 12
		for _, o := range h.Opened {
			n += 42 + 32*len(o.Path)
		}
	}
	return n
}

func BenchmarkDirectories(b *testing.B) {
	b.Run("of 4096 entries with 13 tags", func(b *testing.B) {
		entries := make([][]proofs.Tag, proofs.SegmentSize)
		seeds := make([]proofs.Key256, len(entries))
		for i := range entries {
			seeds[i], entries[i] = millionTags(uint64(i), nil)
		}
		for b.Loop() {
			d := proofs.NewDirectoryBuilder(0)
			for i := range entries {
				if err := d.Add(uint64(i), 1, 1, &seeds[i], entries[i]); err != nil {
					b.Fatal(err)
				}
			}
			d.Rows()[0].Hash()
		}
		b.ReportMetric(float64(proofs.SegmentSize*b.N)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("merged from 16", func(b *testing.B) {
		w := million()
		var small [proofs.LargeSegments]*proofs.DirectoryRows
		for i := range small {
			small[i] = w.rows[proofs.SegmentID{Number: uint64(i)}]
		}
		for b.Loop() {
			proofs.MergeRows(small).Hash()
		}
		b.ReportMetric(float64(proofs.SegmentSize*proofs.LargeSegments*b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}
