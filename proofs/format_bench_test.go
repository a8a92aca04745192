package proofs_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// An ordinary event: 256 bytes, five declared fields.
type benchEntry struct {
	part      []byte
	id        proofs.EntryID
	bucket    proofs.Key256
	tagKey    proofs.Key256
	opening   proofs.Key256
	fieldKeys [5]proofs.Key256
	values    [5][]byte
}

func newBenchEntry(b *testing.B, size int) *benchEntry {
	b.Helper()
	part, err := proofs.FormatPart(proofs.Part{
		MediaType: "application/json", Appender: "app", IdempotencyKey: "0123456789abcdef",
		Data: bytes.Repeat([]byte("x"), size),
	})
	if err != nil {
		b.Fatal(err)
	}
	e := &benchEntry{part: part, id: proofs.EntryID{1}, bucket: proofs.Key256{2}, tagKey: proofs.Key256{3}, opening: proofs.Key256{4}}
	for i := range e.fieldKeys {
		e.fieldKeys[i] = proofs.FieldKey(&e.tagKey, uint16(i+1))
		e.values[i] = []byte("arn:aws:iam::123456789012:user/alice")
	}
	return e
}

// seal does to a part all that admission does before the leaf.
func (e *benchEntry) seal(b *testing.B) proofs.Record {
	sealed, err := proofs.SealPart(e.part, 0, e.id, &e.bucket, nil, &e.opening)
	if err != nil {
		b.Fatal(err)
	}
	return proofs.Record{ID: e.id, Parts: []proofs.RecordPart{{
		Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&e.opening, e.id, 0, e.part),
	}}}
}

func (e *benchEntry) tags(b *testing.B) (proofs.RecordTags, proofs.Hash) {
	var list [5]proofs.Tag
	var commitments [5]proofs.Hash
	seed := proofs.TagSeed(&e.tagKey, e.id, nil)
	for i := range list {
		list[i] = proofs.MakeTag(uint16(i+1), &e.fieldKeys[i], e.values[i])
		commitments[i] = proofs.TagCommitment(&seed, i, list[i])
	}
	sealed, err := proofs.SealTags(list[:], 0, e.id, &e.tagKey, nil)
	if err != nil {
		b.Fatal(err)
	}
	return proofs.RecordTags{Sealed: sealed, Hash: sha256.Sum256(sealed)}, proofs.TagsRoot(commitments[:])
}

func BenchmarkSealEntry(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"256B", 256}, {"1KiB", 1024}} {
		b.Run(size.name+"/no-tags", func(b *testing.B) {
			e := newBenchEntry(b, size.n)
			b.ReportAllocs()
			for b.Loop() {
				e.seal(b).Commitment()
			}
		})
		b.Run(size.name+"/5-tags", func(b *testing.B) {
			e := newBenchEntry(b, size.n)
			b.ReportAllocs()
			for b.Loop() {
				r := e.seal(b)
				tags, t := e.tags(b)
				r.Tags = []proofs.RecordTags{tags}
				leaf, err := proofs.FormatLeaf(proofs.Leaf{Stream: 1, Bucket: 1, C: r.Commitment(), T: t})
				if err != nil || len(leaf) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
