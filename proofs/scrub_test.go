package proofs_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A knownEntry is an entry and all that its ledger knows of it.
type knownEntry struct {
	record      proofs.Record
	leaf        proofs.Leaf
	bucket      proofs.Key256
	subjects    [][]proofs.SubjectKey // of each part
	about       [][]proofs.SubjectKey // of each list of tags
	commitments []proofs.Hash
}

// randomEntry has up to four parts and lists of up to three tags.
func randomEntry(t *testing.T, r *rand.Rand) knownEntry {
	t.Helper()
	key := func() (k proofs.Key256) {
		for i := range k {
			k[i] = byte(r.Uint32())
		}
		return k
	}
	subjects := func() (keys []proofs.SubjectKey) {
		for range r.IntN(3) {
			k := key()
			keys = append(keys, proofs.SubjectKey{Ref: proofs.SubjectRef(k[:8]), Key: k})
		}
		return keys
	}
	id := key()
	e := knownEntry{bucket: key(), record: proofs.Record{ID: proofs.EntryID(id[:16])}}
	for i := range r.IntN(5) {
		opening, part := key(), []byte(fmt.Sprint("part ", i))
		about := subjects()
		sealed := must(proofs.SealPart(part, i, e.record.ID, &e.bucket, about, &opening))
		e.subjects = append(e.subjects, about)
		e.record.Parts = append(e.record.Parts, proofs.RecordPart{
			Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(&opening, e.record.ID, i, part),
		})
	}
	for i := range r.IntN(5) {
		about := subjects()
		tags := make([]proofs.Tag, r.IntN(4))
		for j := range tags {
			tags[j].Field = uint16(i + j)
		}
		sealed := must(proofs.SealTags(tags, i, e.record.ID, &e.bucket, about))
		seed := proofs.TagSeed(&e.bucket, e.record.ID, about)
		e.about = append(e.about, about)
		e.commitments = proofs.AppendTagCommitments(e.commitments, &seed, tags)
		e.record.Tags = append(e.record.Tags, proofs.RecordTags{Sealed: sealed, Hash: sha256.Sum256(sealed)})
	}
	e.leaf = proofs.Leaf{Stream: 1, Bucket: 1, C: e.record.Commitment(), T: proofs.TagsRoot(e.commitments)}
	return e
}

// disclose shows all that the record still has.
func (e knownEntry) disclose(t *testing.T, r proofs.Record) proofs.Disclosure {
	t.Helper()
	d := proofs.Disclosure{ID: r.ID[:]}
	for i, p := range r.Parts {
		shown := proofs.DisclosedPart{SealedHash: p.Hash, Binding: p.Binding}
		if p.Sealed != nil {
			part, opening, err := proofs.OpenPart(p.Sealed, i, r.ID, &e.bucket, lookupIn(e.subjects[i]...))
			if err != nil || proofs.Binding(&opening, r.ID, i, part) != p.Binding {
				t.Fatalf("part %d: got %q, %v", i, part, err)
			}
		}
		d.Parts = append(d.Parts, shown)
	}
	for i, l := range r.Tags {
		if l.Sealed == nil {
			d.Tags = append(d.Tags, proofs.DisclosedTags{SealedHash: l.Hash, Commitments: l.Commitments})
			continue
		}
		tags, seed, err := proofs.OpenTags(l.Sealed, i, r.ID, &e.bucket, lookupIn(e.about[i]...))
		if err != nil {
			t.Fatalf("tags %d: %v", i, err)
		}
		d.Tags = append(d.Tags, proofs.DisclosedTags{SealedHash: l.Hash, Seed: seed[:], Tags: proofs.AppendTags(nil, tags)})
	}
	return d
}

// some returns a random choice of the numbers below n.
func some(r *rand.Rand, n int) (chosen []int) {
	for i := range n {
		if r.IntN(3) == 0 {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

func TestAScrubbedRecordStillShowsTheRest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		e := randomEntry(t, r)
		record := e.record
		lostParts, lostTags := map[int]bool{}, map[int]bool{}
		for range 3 {
			before := must(proofs.FormatRecord(record))
			s := proofs.Scrub{Parts: some(r, len(record.Parts)), Tags: some(r, len(record.Tags)), Commitments: e.commitments}
			if len(lostTags) > 0 {
				s.Commitments = nil // the record has them
			}
			next, err := proofs.ScrubRecord(record, e.leaf, s)
			if err != nil {
				t.Fatalf("%+v: %v", s, err)
			}
			if after := must(proofs.FormatRecord(record)); !bytes.Equal(after, before) {
				t.Fatal("the record that came in is changed")
			}
			for _, i := range s.Parts {
				lostParts[i] = true
			}
			for _, i := range s.Tags {
				lostTags[i] = true
			}
			if record, err = proofs.ParseRecord(must(proofs.FormatRecord(next))); err != nil {
				t.Fatal(err)
			}
			e.checkScrubbed(t, record, lostParts, lostTags)
		}
	}
}

func (e knownEntry) checkScrubbed(t *testing.T, r proofs.Record, lostParts, lostTags map[int]bool) {
	t.Helper()
	if err := proofs.CheckRecord(r, e.leaf); err != nil {
		t.Fatal(err)
	}
	if err := e.disclose(t, r).Check(e.leaf); err != nil {
		t.Fatalf("what is left cannot be shown: %v", err)
	}
	for i, p := range r.Parts {
		wantEqual(t, fmt.Sprintf("part %d is erased", i), p.Sealed == nil, lostParts[i])
		if lostParts[i] && bytes.Contains(must(proofs.FormatRecord(r)), e.record.Parts[i].Sealed) {
			t.Fatalf("part %d is still there", i)
		}
	}
	for i, l := range r.Tags {
		wantEqual(t, fmt.Sprintf("list %d is erased", i), l.Sealed == nil, lostTags[i])
		if lostTags[i] && bytes.Contains(must(proofs.FormatRecord(r)), e.record.Tags[i].Sealed) {
			t.Fatalf("list %d is still there", i)
		}
	}
}

func TestScrubRecordRefusesWhatWouldNotCheck(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	e := randomEntry(t, r)
	for len(e.record.Parts) < 2 || len(e.record.Tags) < 2 || len(e.commitments) < 2 {
		e = randomEntry(t, r)
	}
	other := e.leaf
	other.C[0] ^= 1
	wrong := slices.Clone(e.commitments)
	wrong[0][0] ^= 1
	for _, test := range []struct {
		name  string
		leaf  proofs.Leaf
		scrub proofs.Scrub
		want  error // nil: any
	}{
		{"a record of another leaf", other, proofs.Scrub{Parts: []int{0}}, proofs.ErrNotVerified},
		{"commitments to other tags", e.leaf, proofs.Scrub{Tags: []int{0}, Commitments: wrong}, proofs.ErrNotVerified},
		{"no commitments", e.leaf, proofs.Scrub{Tags: []int{0}}, proofs.ErrNotVerified},
		{"a commitment too few", e.leaf, proofs.Scrub{Tags: []int{0}, Commitments: e.commitments[1:]}, proofs.ErrNotVerified},
		{"a commitment too many", e.leaf, proofs.Scrub{Tags: []int{0}, Commitments: append(slices.Clone(e.commitments), proofs.Hash{})}, proofs.ErrNotVerified},
		{"a part that is not there", e.leaf, proofs.Scrub{Parts: []int{len(e.record.Parts)}}, nil},
		{"a part of a number below 0", e.leaf, proofs.Scrub{Parts: []int{-1}}, nil},
		{"a list of tags that is not there", e.leaf, proofs.Scrub{Tags: []int{len(e.record.Tags)}, Commitments: e.commitments}, nil},
		{"a list of tags of a number below 0", e.leaf, proofs.Scrub{Tags: []int{-1}, Commitments: e.commitments}, nil},
	} {
		got, err := proofs.ScrubRecord(e.record, test.leaf, test.scrub)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || test.want == nil && errors.Is(err, proofs.ErrNotVerified) {
			t.Errorf("%s: got %+v, %v", test.name, got, err)
		}
	}
	broken := e.record
	broken.Tags = slices.Clone(broken.Tags)
	broken.Tags[1].Sealed = []byte{9}
	if _, err := proofs.ScrubRecord(broken, e.leaf, proofs.Scrub{Tags: []int{0}, Commitments: e.commitments}); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("sealed tags that are none: got %v, want %v", err, proofs.ErrMalformed)
	}
}
