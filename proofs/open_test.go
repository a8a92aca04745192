package proofs_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// Who keeps the keys of one entry can open that one, when the keys of its
// bucket and of its subjects are destroyed, and nothing else with them.
func TestAPartAndAListOfTagsOpenWithTheirOwnKeyOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		e := randomEntry(t, r)
		id := e.record.ID
		for i, p := range e.record.Parts {
			key, err := proofs.SealedPartKey(p.Sealed, i, id, &e.bucket, lookupIn(e.subjects[i]...))
			if err != nil {
				t.Fatal(err)
			}
			part, opening, err := proofs.OpenPartWithKey(p.Sealed, i, id, &key)
			if err != nil || proofs.Binding(&opening, id, i, part) != p.Binding {
				t.Fatalf("part %d: got %q, %v", i, part, err)
			}
			for j, other := range e.record.Parts {
				if part, _, err := proofs.OpenPartWithKey(other.Sealed, j, id, &key); j != i && err == nil {
					t.Fatalf("the key of part %d opens part %d: %q", i, j, part)
				}
			}
		}
		for i, l := range e.record.Tags {
			key, err := proofs.SealedTagsKey(l.Sealed, i, id, &e.bucket, lookupIn(e.about[i]...))
			if err != nil {
				t.Fatal(err)
			}
			want, seed, err1 := proofs.OpenTags(l.Sealed, i, id, &e.bucket, lookupIn(e.about[i]...))
			got, err2 := proofs.OpenTagsWithKey(l.Sealed, i, id, &key.Key)
			if err1 != nil || err2 != nil || len(got) != len(want) || key.Seed != seed {
				t.Fatalf("tags %d: got %v, %v, want %v, %v", i, got, err2, want, err1)
			}
			for j, other := range e.record.Tags {
				if tags, err := proofs.OpenTagsWithKey(other.Sealed, j, id, &key.Key); j != i && err == nil {
					t.Fatalf("the key of list %d opens list %d: %v", i, j, tags)
				}
			}
		}
	}
}

func TestAPartsOwnKeyOpensItInItsPlaceOnly(t *testing.T) {
	p := samplePlace()
	about := []proofs.SubjectKey{p.subject}
	sealed := must(proofs.SealPart([]byte("part"), p.number, p.id, &p.key, about, &proofs.Key256{9}))
	tags := must(proofs.SealTags([]proofs.Tag{{Field: 1}}, p.number, p.id, &p.key, about))
	key := must(proofs.SealedPartKey(sealed, p.number, p.id, &p.key, lookupIn(p.subject)))
	tagsKey := must(proofs.SealedTagsKey(tags, p.number, p.id, &p.key, lookupIn(p.subject)))
	for name, other := range otherPlaces() {
		if k, err := proofs.SealedPartKey(sealed, other.number, other.id, &other.key, lookupIn(other.subject)); err == nil && k == key {
			t.Errorf("%s: the part has the same key", name)
		}
		if k, err := proofs.SealedTagsKey(tags, other.number, other.id, &other.key, lookupIn(other.subject)); err == nil && k.Key == tagsKey.Key {
			t.Errorf("%s: the tags have the same key", name)
		}
		if other.number == p.number && other.id == p.id {
			continue // these keys are behind us
		}
		if _, _, err := proofs.OpenPartWithKey(sealed, other.number, other.id, &key); err == nil {
			t.Errorf("%s: the part opens", name)
		}
		if _, err := proofs.OpenTagsWithKey(tags, other.number, other.id, &tagsKey.Key); err == nil {
			t.Errorf("%s: the tags open", name)
		}
	}
	if _, err := proofs.SealedPartKey(sealed, p.number, p.id, &p.key, lookupIn()); !errors.Is(err, errUnknownSubject) {
		t.Errorf("a part without its subject's key: got %v, want %v", err, errUnknownSubject)
	}
	if _, err := proofs.SealedTagsKey(tags, p.number, p.id, &p.key, lookupIn()); !errors.Is(err, errUnknownSubject) {
		t.Errorf("tags without their subject's key: got %v, want %v", err, errUnknownSubject)
	}
}

// FuzzOpenWithKey opens what a vault may hold.
func FuzzOpenWithKey(f *testing.F) {
	for _, v := range readFormatVectors[sealVector](f, "seal") {
		f.Add([]byte(v.Sealed), v.Number)
	}
	for _, v := range readFormatVectors[tagsVector](f, "tags") {
		for i, l := range v.Lists {
			f.Add([]byte(l.Sealed), i)
		}
	}
	p := samplePlace()
	f.Fuzz(func(t *testing.T, b []byte, number int) {
		anybody := func(proofs.SubjectRef) (proofs.Key256, error) { return proofs.Key256{}, nil }
		if key, err := proofs.SealedPartKey(b, number, p.id, &p.key, anybody); err == nil {
			if part, _, err := proofs.OpenPartWithKey(b, number, p.id, &key); !errors.Is(err, proofs.ErrNotVerified) {
				t.Fatalf("got %q, %v: it opens under a key that never sealed it", part, err)
			}
		}
		if key, err := proofs.SealedTagsKey(b, number, p.id, &p.key, anybody); err == nil {
			if tags, err := proofs.OpenTagsWithKey(b, number, p.id, &key.Key); !errors.Is(err, proofs.ErrNotVerified) {
				t.Fatalf("got %v, %v: they open under a key that never sealed them", tags, err)
			}
		}
	})
}
