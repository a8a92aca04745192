package proofs_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type sealVector struct {
	formatVerdict
	BucketKey hexBytes        `json:"bucket_key"`
	EntryID   hexBytes        `json:"entry_id"`
	Number    int             `json:"number"`
	Subjects  []subjectVector `json:"subjects"`
	Opening   hexBytes        `json:"opening"`
	Part      hexBytes        `json:"part"`
	Key       hexBytes        `json:"key"`
	Sealed    hexBytes        `json:"sealed"`
	Binding   hexBytes        `json:"binding"`
}

type subjectVector struct {
	Ref hexBytes `json:"ref"`
	Key hexBytes `json:"key"`
}

func (s subjectVector) subject(t *testing.T) proofs.SubjectKey {
	t.Helper()
	if len(s.Ref) != 8 {
		t.Fatalf("a reference of %d bytes", len(s.Ref))
	}
	return proofs.SubjectKey{Ref: proofs.SubjectRef(s.Ref), Key: *s.Key.key(t)}
}

var errUnknownSubject = errors.New("no such subject")

// lookupIn finds the keys of these subjects and of no other.
func lookupIn(subjects ...proofs.SubjectKey) func(proofs.SubjectRef) (proofs.Key256, error) {
	return func(ref proofs.SubjectRef) (proofs.Key256, error) {
		for _, s := range subjects {
			if s.Ref == ref {
				return s.Key, nil
			}
		}
		return proofs.Key256{}, errUnknownSubject
	}
}

func (v sealVector) subjects(t *testing.T) []proofs.SubjectKey {
	var keys []proofs.SubjectKey
	for _, s := range v.Subjects {
		keys = append(keys, s.subject(t))
	}
	return keys
}

func (v sealVector) open(t *testing.T, sealed []byte) ([]byte, proofs.Key256, error) {
	return proofs.OpenPart(sealed, v.Number, v.EntryID.id(t), v.BucketKey.key(t), lookupIn(v.subjects(t)...))
}

func TestSealVectors(t *testing.T) {
	for _, v := range readFormatVectors[sealVector](t, "seal") {
		t.Run(v.Name, func(t *testing.T) {
			part, opening, err := v.open(t, v.Sealed)
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			if !bytes.Equal(part, v.Part) || opening != *v.Opening.key(t) {
				t.Errorf("open: got %x, want %x", part, v.Part)
			}
			sealed, err := proofs.SealPart(v.Part, v.Number, v.EntryID.id(t), v.BucketKey.key(t), v.subjects(t), &opening)
			if err != nil || !bytes.Equal(sealed, v.Sealed) {
				t.Errorf("seal: got %x, %v, want %x", sealed, err, v.Sealed)
			}
			key, err := proofs.SealedPartKey(v.Sealed, v.Number, v.EntryID.id(t), v.BucketKey.key(t), lookupIn(v.subjects(t)...))
			if err != nil || key != *v.Key.key(t) {
				t.Errorf("the part's own key is another one, %v", err)
			}
			if got := proofs.Binding(&opening, v.EntryID.id(t), v.Number, part); !bytes.Equal(got[:], v.Binding) {
				t.Errorf("binding: got %x, want %x", got, v.Binding)
			}
		})
	}
}

func TestASealedPartWithAnyBitFlippedIsRefused(t *testing.T) {
	for _, v := range readFormatVectors[sealVector](t, "seal") {
		if v.Verdict != "ok" {
			continue
		}
		eachFlip(v.Sealed, func(bit int, flipped []byte) {
			if _, _, err := v.open(t, flipped); err == nil {
				t.Errorf("%s: bit %d: got ok", v.Name, bit)
			}
		})
	}
}

// A sealPlace is all that makes the key of a sealed part or list of tags.
type sealPlace struct {
	number  int
	id      proofs.EntryID
	key     proofs.Key256
	subject proofs.SubjectKey
}

func samplePlace() sealPlace {
	return sealPlace{3, proofs.EntryID{1}, proofs.Key256{2}, proofs.SubjectKey{Ref: proofs.SubjectRef{4}, Key: proofs.Key256{5}}}
}

// otherPlaces differ from the sample in one thing each.
func otherPlaces() map[string]sealPlace {
	places := map[string]sealPlace{}
	for name, change := range map[string]func(*sealPlace){
		"another number":              func(p *sealPlace) { p.number = 4 },
		"another entry id":            func(p *sealPlace) { p.id[15] ^= 1 },
		"another key of the bucket":   func(p *sealPlace) { p.key[31] ^= 1 },
		"another key of the subject":  func(p *sealPlace) { p.subject.Key[31] ^= 1 },
		"the key of no such subject":  func(p *sealPlace) { p.subject.Ref[7] ^= 1 },
		"a number that no record has": func(p *sealPlace) { p.number += 256 },
	} {
		p := samplePlace()
		change(&p)
		places[name] = p
	}
	return places
}

func TestAPartOpensInItsPlaceOnly(t *testing.T) {
	p := samplePlace()
	sealed, err := proofs.SealPart([]byte("part"), p.number, p.id, &p.key, []proofs.SubjectKey{p.subject}, &proofs.Key256{9})
	if err != nil {
		t.Fatal(err)
	}
	if part, _, err := proofs.OpenPart(sealed, p.number, p.id, &p.key, lookupIn(p.subject)); err != nil || string(part) != "part" {
		t.Fatalf("got %q, %v, want the part", part, err)
	}
	for name, p := range otherPlaces() {
		t.Run("not with "+name, func(t *testing.T) {
			if part, _, err := proofs.OpenPart(sealed, p.number, p.id, &p.key, lookupIn(p.subject)); err == nil {
				t.Errorf("got %q, want an error", part)
			}
		})
	}
}

func TestAPartAboutSubjectsNeedsAllTheirKeys(t *testing.T) {
	p := samplePlace()
	other := proofs.SubjectKey{Ref: proofs.SubjectRef{6}, Key: proofs.Key256{7}}
	sealed, err := proofs.SealPart([]byte("part"), 0, p.id, &p.key, []proofs.SubjectKey{p.subject, other}, &proofs.Key256{9})
	if err != nil {
		t.Fatal(err)
	}
	if refs, err := proofs.SubjectRefs(sealed, 0, p.id, &p.key); err != nil || len(refs) != 2 || refs[0] != p.subject.Ref || refs[1] != other.Ref {
		t.Errorf("references: got %v, %v, want both", refs, err)
	}
	if _, _, err := proofs.OpenPart(sealed, 0, p.id, &p.key, lookupIn(p.subject)); !errors.Is(err, errUnknownSubject) {
		t.Errorf("with one key: got error %v, want %v", err, errUnknownSubject)
	}
	if _, _, err := proofs.OpenPart(sealed, 0, p.id, &p.key, nil); err == nil || errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("without lookup: got error %v, want one that says it could not be opened", err)
	}
}

func TestReferencesToASubjectDifferInEachPart(t *testing.T) {
	const header = 4 // and then the reference
	p := samplePlace()
	seen := map[string]string{}
	for _, q := range []struct {
		name   string
		id     proofs.EntryID
		number int
		key    proofs.Key256
	}{
		{"a part", p.id, 0, p.key},
		{"another part of its entry", p.id, 1, p.key},
		{"a part of another entry", proofs.EntryID{8}, 0, p.key},
		{"a part in another bucket", p.id, 0, proofs.Key256{8}},
	} {
		sealed, err := proofs.SealPart(nil, q.number, q.id, &q.key, []proofs.SubjectKey{p.subject, p.subject}, &proofs.Key256{})
		if err != nil {
			t.Fatal(err)
		}
		for i, ref := range []string{string(sealed[header : header+8]), string(sealed[header+8 : header+16])} {
			if first, ok := seen[ref]; ok || ref == string(p.subject.Ref[:]) {
				t.Errorf("reference %d of %s: got %x, that of %q", i, q.name, ref, first)
			}
			seen[ref] = q.name
		}
	}
}

func TestTheSizeOfASealedPartSaysLittle(t *testing.T) {
	const fixed, overhead = 4 + 16, 32 + 4 // header and tag; opening and length
	id, key := proofs.EntryID{1}, proofs.Key256{2}
	sizes, last := map[int]bool{}, 0
	for n := range 70_000 {
		if n > 5000 && n%97 != 0 {
			continue
		}
		sealed, err := proofs.SealPart(make([]byte, n), 0, id, &key, nil, &proofs.Key256{})
		if err != nil {
			t.Fatal(err)
		}
		padded := len(sealed) - fixed
		if padded < n+overhead || padded*100 > (n+overhead)*112 || padded < last {
			t.Fatalf("%d bytes: got %d padded, want between that and 12 %% more, and no less than %d", n, padded, last)
		}
		last, sizes[padded] = padded, true
	}
	if len(sizes) > 160 {
		t.Errorf("got %d sizes of parts up to 70,000 bytes, want at most 160", len(sizes))
	}
}

func TestSealPartHasBounds(t *testing.T) {
	id, key := proofs.EntryID{1}, proofs.Key256{2}
	seal := func(part []byte, number, subjects int) error {
		keys := make([]proofs.SubjectKey, subjects)
		sealed, err := proofs.SealPart(part, number, id, &key, keys, &proofs.Key256{})
		if err == nil {
			if _, err := proofs.FormatRecord(proofs.Record{Parts: []proofs.RecordPart{{Sealed: sealed}}}); err != nil {
				t.Errorf("no record holds it: %v", err)
			}
			if opened, _, err := proofs.OpenPart(sealed, number, id, &key, lookupIn(keys...)); err != nil || !bytes.Equal(opened, part) {
				t.Errorf("it does not open again: %v", err)
			}
		}
		return err
	}
	largest, err := proofs.FormatPart(largestPart())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name             string
		part             []byte
		number, subjects int
		ok               bool
	}{
		{"the largest part about the most subjects is sealed", largest, 63, 31, true},
		{"more bytes than any part has are refused", make([]byte, 1<<24), 0, 0, false},
		{"a part about 32 subjects is refused", nil, 0, 32, false},
		{"a part of number -1 is refused", nil, -1, 0, false},
		{"a part of number 64 is refused", nil, 64, 0, false},
		{"a part whose number wraps to 0 is refused", nil, 256, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := seal(test.part, test.number, test.subjects); (err == nil) != test.ok {
				t.Errorf("got error %v, want ok to be %v", err, test.ok)
			}
		})
	}
}

func TestAnEntryIDIsReadFromItsRandomness(t *testing.T) {
	id, err := proofs.NewEntryID(bytes.NewReader([]byte("0123456789abcdef")))
	if err != nil || string(id[:]) != "0123456789abcdef" {
		t.Errorf("got %x, %v, want the sixteen bytes", id, err)
	}
	if id, err := proofs.NewEntryID(bytes.NewReader([]byte("0123456789abcde"))); err == nil {
		t.Errorf("fifteen bytes: got %x, want an error", id)
	}
}

// FuzzSealedPartHeader seals anew for the subjects that a header names: a
// header that parses is written again as it was.
func FuzzSealedPartHeader(f *testing.F) {
	for _, v := range readFormatVectors[sealVector](f, "seal") {
		f.Add([]byte(v.Sealed))
	}
	p := samplePlace()
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := proofs.OpenPart(b, p.number, p.id, &p.key, lookupIn()); err == nil {
			t.Fatal("it opens under a key that never sealed it")
		}
		refs, err := proofs.SubjectRefs(b, p.number, p.id, &p.key)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		var keys []proofs.SubjectKey
		for _, ref := range refs {
			keys = append(keys, proofs.SubjectKey{Ref: ref})
		}
		again, err := proofs.SealPart(nil, p.number, p.id, &p.key, keys, &proofs.Key256{})
		if n := 4 + 8*len(refs); err != nil || !bytes.Equal(again[:n], b[:n]) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
	})
}
