package proofs_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/cairnlog/cairn/proofs"
)

type tagsVector struct {
	formatVerdict
	TagKey  hexBytes     `json:"tag_key"`
	EntryID hexBytes     `json:"entry_id"`
	Lists   []listVector `json:"lists"`
	Root    hexBytes     `json:"root"`
}

type listVector struct {
	Subjects []subjectVector `json:"subjects"`
	Values   []struct {
		Field        uint16   `json:"field"`
		Value        hexBytes `json:"value"`
		FieldKey     hexBytes `json:"field_key"`
		FieldKeyHash hexBytes `json:"field_key_hash"`
		Tag          hexBytes `json:"tag"`
	} `json:"values"`
	Seed        hexBytes   `json:"seed"`
	Openings    []hexBytes `json:"openings"`
	Commitments []hexBytes `json:"commitments"`
	Key         hexBytes   `json:"key"`
	Sealed      hexBytes   `json:"sealed"`
}

func (l listVector) subjects(t *testing.T) []proofs.SubjectKey {
	var keys []proofs.SubjectKey
	for _, s := range l.Subjects {
		keys = append(keys, s.subject(t))
	}
	return keys
}

func (v tagsVector) open(t *testing.T, number int, sealed []byte) ([]proofs.Tag, proofs.Key256, error) {
	return proofs.OpenTags(sealed, number, v.EntryID.id(t), v.TagKey.key(t), lookupIn(v.Lists[number].subjects(t)...))
}

// check opens all lists and compares the root.
func (v tagsVector) check(t *testing.T) error {
	var commitments []proofs.Hash
	for i, l := range v.Lists {
		tags, seed, err := v.open(t, i, l.Sealed)
		if err != nil {
			return err
		}
		commitments = proofs.AppendTagCommitments(commitments, &seed, tags)
	}
	if root := proofs.TagsRoot(commitments); !bytes.Equal(root[:], v.Root) {
		return proofs.ErrNotVerified
	}
	return nil
}

func TestTagsVectors(t *testing.T) {
	for _, v := range readFormatVectors[tagsVector](t, "tags") {
		t.Run(v.Name, func(t *testing.T) {
			v.hold(t, v.check(t))
			if v.Verdict != "ok" {
				return
			}
			position := 0
			for i, l := range v.Lists {
				l.make(t, i, v.EntryID.id(t), v.TagKey.key(t), position)
				position += len(l.Values)
			}
		})
	}
}

// make makes the list anew from its values.
func (l listVector) make(t *testing.T, number int, id proofs.EntryID, tagKey *proofs.Key256, position int) {
	t.Helper()
	subjects := l.subjects(t)
	seed := proofs.TagSeed(tagKey, id, subjects)
	if !bytes.Equal(seed[:], l.Seed) {
		t.Errorf("list %d: its seed is another one", number)
	}
	var tags []proofs.Tag
	for i, v := range l.Values {
		key := proofs.FieldKey(tagKey, v.Field)
		hash := proofs.FieldKeyHash(&key)
		tag := proofs.MakeTag(v.Field, &key, v.Value)
		opening := proofs.TagOpening(&seed, position+i)
		commitment := proofs.CommitTag(&opening, tag)
		tags = append(tags, tag)
		for _, pair := range []struct {
			name      string
			got, want []byte
		}{
			{"field key", key[:], v.FieldKey}, {"hash of the field key", hash[:], v.FieldKeyHash},
			{"tag", proofs.AppendTags(nil, []proofs.Tag{tag}), v.Tag},
			{"opening", opening[:], l.Openings[i]}, {"commitment", commitment[:], l.Commitments[i]},
		} {
			if !bytes.Equal(pair.got, pair.want) {
				t.Errorf("list %d: tag %d: %s: got %x, want %x", number, i, pair.name, pair.got, pair.want)
			}
		}
	}
	if sealed, err := proofs.SealTags(tags, number, id, tagKey, subjects); err != nil || !bytes.Equal(sealed, l.Sealed) {
		t.Errorf("list %d: seal: got %x, %v, want %x", number, sealed, err, l.Sealed)
	}
	key, err := proofs.SealedTagsKey(l.Sealed, number, id, tagKey, lookupIn(subjects...))
	if err != nil || key.Key != *l.Key.key(t) || key.Seed != seed {
		t.Errorf("list %d: its own key or seed is another one, %v", number, err)
	}
}

func TestSealedTagsWithAnyBitFlippedAreRefused(t *testing.T) {
	for _, v := range readFormatVectors[tagsVector](t, "tags") {
		if v.Verdict != "ok" {
			continue
		}
		for i, l := range v.Lists {
			eachFlip(l.Sealed, func(bit int, flipped []byte) {
				if _, _, err := v.open(t, i, flipped); err == nil {
					t.Errorf("%s: list %d: bit %d: got ok", v.Name, i, bit)
				}
			})
		}
	}
}

func TestTagsOpenInTheirPlaceOnly(t *testing.T) {
	p := samplePlace()
	tags := []proofs.Tag{{Field: 1}}
	sealed, err := proofs.SealTags(tags, p.number, p.id, &p.key, []proofs.SubjectKey{p.subject})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := proofs.OpenTags(sealed, p.number, p.id, &p.key, lookupIn(p.subject)); err != nil || len(got) != 1 || got[0] != tags[0] {
		t.Fatalf("got %v, %v, want %v", got, err, tags)
	}
	for name, p := range otherPlaces() {
		t.Run("not with "+name, func(t *testing.T) {
			if got, _, err := proofs.OpenTags(sealed, p.number, p.id, &p.key, lookupIn(p.subject)); err == nil {
				t.Errorf("got %v, want an error", got)
			}
		})
	}
	if _, _, err := proofs.OpenTags(sealed, p.number, p.id, &p.key, lookupIn()); !errors.Is(err, errUnknownSubject) {
		t.Errorf("without the subject's key: got error %v, want %v", err, errUnknownSubject)
	}
	if _, _, err := proofs.OpenTags(sealed, p.number, p.id, &p.key, nil); err == nil || errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("without lookup: got error %v, want one that says they could not be opened", err)
	}
}

func TestTagsAboutSubjectsNeedAllTheirKeys(t *testing.T) {
	p := samplePlace()
	other := proofs.SubjectKey{Ref: proofs.SubjectRef{6}, Key: proofs.Key256{7}}
	sealed := must(proofs.SealTags([]proofs.Tag{{Field: 1}}, 0, p.id, &p.key, []proofs.SubjectKey{p.subject, other}))
	if refs, err := proofs.TagsSubjectRefs(sealed, 0, p.id, &p.key); err != nil || len(refs) != 2 || refs[0] != p.subject.Ref || refs[1] != other.Ref {
		t.Errorf("references: got %v, %v, want both", refs, err)
	}
	if refs, err := proofs.TagsSubjectRefs(sealed[:3], 0, p.id, &p.key); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("references of half a header: got %v, %v, want %v", refs, err, proofs.ErrMalformed)
	}
	if tags, _, err := proofs.OpenTags(sealed, 0, p.id, &p.key, lookupIn(p.subject, other)); err != nil || len(tags) != 1 {
		t.Errorf("with both keys: got %v, %v", tags, err)
	}
	if _, _, err := proofs.OpenTags(sealed, 0, p.id, &p.key, lookupIn(p.subject)); !errors.Is(err, errUnknownSubject) {
		t.Errorf("with one key: got error %v, want %v", err, errUnknownSubject)
	}
	wrong := proofs.SubjectKey{Ref: other.Ref, Key: proofs.Key256{8}}
	if _, _, err := proofs.OpenTags(sealed, 0, p.id, &p.key, lookupIn(p.subject, wrong)); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("with a wrong key: got error %v, want %v", err, proofs.ErrNotVerified)
	}
	if sealed, err := proofs.SealTags(nil, 0, p.id, &p.key, make([]proofs.SubjectKey, 32)); err == nil {
		t.Errorf("about 32 subjects: got %x, want an error", sealed)
	}
}

func TestReferencesInTagsDifferInEachEntry(t *testing.T) {
	p := samplePlace()
	one, err1 := proofs.SealTags(nil, 0, p.id, &p.key, []proofs.SubjectKey{p.subject})
	two, err2 := proofs.SealTags(nil, 0, proofs.EntryID{8}, &p.key, []proofs.SubjectKey{p.subject})
	if err1 != nil || err2 != nil || bytes.Equal(one[2:10], two[2:10]) || bytes.Equal(one[2:10], p.subject.Ref[:]) {
		t.Errorf("got references %x and %x, %v, %v", one[2:10], two[2:10], err1, err2)
	}
}

func TestSealTagsHasBounds(t *testing.T) {
	id, key := proofs.EntryID{1}, proofs.Key256{2}
	for _, test := range []struct {
		name         string
		tags, number int
		ok           bool
	}{
		{"1024 tags are sealed", proofs.MaxTags, 63, true},
		{"1025 tags are refused", proofs.MaxTags + 1, 0, false},
		{"a list of number -1 is refused", 0, -1, false},
		{"a list of number 64 is refused", 0, 64, false},
		{"a list whose number wraps to 0 is refused", 0, 256, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			sealed, err := proofs.SealTags(make([]proofs.Tag, test.tags), test.number, id, &key, nil)
			if (err == nil) != test.ok {
				t.Fatalf("got error %v, want ok to be %v", err, test.ok)
			}
			if !test.ok {
				return
			}
			if tags, _, err := proofs.OpenTags(sealed, test.number, id, &key, nil); err != nil || len(tags) != test.tags {
				t.Errorf("open: got %d tags, %v, want %d", len(tags), err, test.tags)
			}
		})
	}
}

func TestEqualValuesShareATagOnlyWithinAFieldAndABucket(t *testing.T) {
	tag := func(bucket byte, field uint16, value string) proofs.Tag {
		bucketTags := proofs.Key256{bucket}
		key := proofs.FieldKey(&bucketTags, field)
		return proofs.MakeTag(field, &key, []byte(value))
	}
	if a, b := tag(1, 1, "x"), tag(1, 1, "x"); a != b {
		t.Errorf("one value twice: got %v and %v, want one tag", a, b)
	}
	seen := map[[proofs.TagSize]byte]bool{}
	for _, other := range []proofs.Tag{tag(1, 1, "x"), tag(1, 1, "y"), tag(1, 2, "x"), tag(2, 1, "x")} {
		if seen[other.Value] {
			t.Errorf("%x stands for two values", other.Value)
		}
		seen[other.Value] = true
	}
}

func TestOneTagCanBeShownAlone(t *testing.T) {
	seed := proofs.Key256{1}
	tags := []proofs.Tag{{Field: 1}, {Field: 1}, {Field: 2}}
	seen := map[proofs.Hash]bool{}
	for i, tag := range tags {
		opening := proofs.TagOpening(&seed, i)
		if got, want := proofs.CommitTag(&opening, tag), proofs.TagCommitment(&seed, i, tag); got != want || seen[got] {
			t.Errorf("tag %d: got %v, want %v and no other's", i, got, want)
		}
		seen[proofs.TagCommitment(&seed, i, tag)] = true
	}
}

func TestTagsRootIsTheRootOfRFC6962(t *testing.T) {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	theirs := factory.NewEmptyRange(0)
	var tree refTree
	var commitments []proofs.Hash
	for n := range 300 {
		given := append([]proofs.Hash(nil), commitments...)
		got := proofs.TagsRoot(given)
		if want := refMTH(tree); got != want {
			t.Fatalf("%d tags: got %v, want %v as RFC 6962 says", n, got, want)
		}
		if want, err := theirs.GetRootHash(nil); err != nil || n > 0 && !bytes.Equal(got[:], want) {
			t.Fatalf("%d tags: got %x, want %x as transparency-dev/merkle says (%v)", n, got, want, err)
		}
		for i, c := range commitments {
			if given[i] != c {
				t.Fatalf("%d tags: commitment %d is overwritten", n, i)
			}
		}
		c := proofs.LeafHash([]byte{byte(n), byte(n >> 8)})
		commitments, tree = append(commitments, c), append(tree, append([]byte(nil), c[:]...))
		if err := theirs.Append(rfc6962.DefaultHasher.HashLeaf(c[:]), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzSealedTags seals anew for the subjects that a header names: a header
// that parses is written again as it was.
func FuzzSealedTags(f *testing.F) {
	for _, v := range readFormatVectors[tagsVector](f, "tags") {
		for _, l := range v.Lists {
			f.Add([]byte(l.Sealed))
		}
	}
	p := samplePlace()
	f.Fuzz(func(t *testing.T, b []byte) {
		var subjects []proofs.SubjectKey
		_, _, err := proofs.OpenTags(b, p.number, p.id, &p.key, func(ref proofs.SubjectRef) (proofs.Key256, error) {
			subjects = append(subjects, proofs.SubjectKey{Ref: ref})
			return proofs.Key256{}, nil
		})
		if errors.Is(err, proofs.ErrMalformed) {
			return
		}
		if !errors.Is(err, proofs.ErrNotVerified) {
			t.Fatalf("got error %v: it opens under a key that never sealed it", err)
		}
		header := 4 + 8*len(subjects)
		count := (len(b) - header - 16) / 18
		again, err := proofs.SealTags(make([]proofs.Tag, count), p.number, p.id, &p.key, subjects)
		if err != nil || len(again) != len(b) || !bytes.Equal(again[:header], b[:header]) {
			t.Fatalf("got %x, %v, want the header of %x", again, err, b)
		}
	})
}
