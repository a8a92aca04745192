package proofs_test

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestFormatSearchProofRefusesWhatDoesNotFit(t *testing.T) {
	w := newSearchWorld()
	w.fill(newRand(12), 30)
	for what, change := range map[string]func(p *proofs.SearchProof){
		"a value too long":   func(p *proofs.SearchProof) { p.Query.Terms[0].Values[0].Value = make([]byte, 1<<16) },
		"no field":           func(p *proofs.SearchProof) { p.Query.Terms[0].Values[0].Numbers = nil },
		"256 fields":         func(p *proofs.SearchProof) { p.Query.Terms[0].Values[0].Numbers = make([]uint16, 256) },
		"fields that fall":   func(p *proofs.SearchProof) { p.Query.Terms[0].Values[0].Numbers = []uint16{2, 1} },
		"a term of nothing":  func(p *proofs.SearchProof) { p.Query.Terms[0].Values = nil },
		"65 values":          func(p *proofs.SearchProof) { p.Query.Terms[0].Values = slices.Repeat(p.Query.Terms[0].Values, 65) },
		"17 terms":           func(p *proofs.SearchProof) { p.Query.Terms = slices.Repeat(p.Query.Terms, 17) },
		"a leaf too long":    func(p *proofs.SearchProof) { p.Entries[0].Leaf = make([]byte, 1<<16) },
		"a seed of 31 bytes": func(p *proofs.SearchProof) { p.Tail[0].Lists[0].Seed = make([]byte, 31) },
		"tags of 17 bytes":   func(p *proofs.SearchProof) { p.Tail[0].Lists[0].Tags = make([]byte, 17) },
		"a head of no form": func(p *proofs.SearchProof) {
			p.Segments = []proofs.SearchSegment{{Head: proofs.DirectoryHead{FirstTime: 1}}}
		},
		"names of 16 MiB":         func(p *proofs.SearchProof) { p.Names[0].Disclosure = make([]byte, 1<<24) },
		"a checkpoint too long":   func(p *proofs.SearchProof) { p.Checkpoint = make([]byte, proofs.MaxNoteSize+1) },
		"a hit that shows no tag": func(p *proofs.SearchProof) { p.Hits = []proofs.SearchHit{{Index: 7}} },
	} {
		t.Run(what, func(t *testing.T) {
			p := w.prove(t, everything(term("user7", 1)), true)
			change(&p)
			if _, err := proofs.FormatSearchProof(p); !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("got %v, want it to be malformed", err)
			}
		})
	}
}

// TestHostileSearchProofsTakeLittleMemory: whatever a list has in it, the parser
// allocates at most some times the length of what it is given.
func TestHostileSearchProofsTakeLittleMemory(t *testing.T) {
	const n = 10_000
	base := proofs.SearchProof{Query: everything(term("x", 1))}
	for what, add := range map[string]func(p *proofs.SearchProof, i uint64){
		"entries": func(p *proofs.SearchProof, i uint64) { p.Entries = append(p.Entries, proofs.SearchEntry{Index: i}) },
		"keys": func(p *proofs.SearchProof, i uint64) {
			p.Keys = append(p.Keys, proofs.SearchKeys{Bucket: uint32(i), Keys: make([]proofs.SearchKey, 1)})
		},
		"segments": func(p *proofs.SearchProof, i uint64) { p.Segments = append(p.Segments, proofs.SearchSegment{}) },
		"rows": func(p *proofs.SearchProof, i uint64) {
			head := proofs.DirectoryHead{Buckets: []proofs.DirectoryBucket{{Bucket: 1}}}
			p.Segments = append(p.Segments, proofs.SearchSegment{Head: head, Rows: []proofs.SearchRows{{Expired: 1}}})
		},
		"hits": func(p *proofs.SearchProof, i uint64) {
			p.Hits = append(p.Hits, proofs.SearchHit{Index: i, Opened: make([]proofs.OpenedTag, 1)})
		},
		"tail": func(p *proofs.SearchProof, i uint64) { p.Tail = append(p.Tail, proofs.SearchTags{Index: i}) },
		"lists": func(p *proofs.SearchProof, i uint64) {
			hidden := proofs.DisclosedTags{Commitments: make([]proofs.Hash, 1)}
			shown := proofs.DisclosedTags{Seed: make([]byte, 32), Tags: make([]byte, 18)}
			p.Tail = append(p.Tail, proofs.SearchTags{Index: i, Lists: []proofs.DisclosedTags{hidden, shown}})
		},
		"names": func(p *proofs.SearchProof, i uint64) { p.Names = append(p.Names, proofs.SearchNames{Index: i}) },
	} {
		p := base
		for i := range uint64(n) {
			add(&p, i)
		}
		b := must(proofs.FormatSearchProof(p))
		used := allocated(func() { must(proofs.ParseSearchProof(b)) })
		if used > 24*uint64(len(b)) {
			t.Errorf("%s: %d bytes take %d", what, len(b), used)
		}
	}
	b := []byte("cairn/v1 search proof\n")
	b = append(b, make([]byte, 4+4*8)...)
	b = binary.BigEndian.AppendUint32(b, 32<<20)
	b = append(b, slices.Repeat([]byte{2, 0, 1, 0, 0}, 32<<20/5)...)
	if used := allocated(func() { proofs.ParseSearchProof(b) }); used > 1<<20 {
		t.Errorf("terms: %d bytes take %d", len(b), used)
	}
}

// allocated returns how many bytes something allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
