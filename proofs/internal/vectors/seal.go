package main

import (
	"bytes"

	"github.com/cairnlog/cairn/proofs"
)

// A sealVector is a part and what it is sealed to. What is refused is opened
// with the keys that the vector has, in the place that the vector names.
type sealVector struct {
	Name      string          `json:"name"`
	BucketKey hexBytes        `json:"bucket_key"`
	EntryID   hexBytes        `json:"entry_id"`
	Number    int             `json:"number"`
	Subjects  []subjectFields `json:"subjects"`
	Opening   hexBytes        `json:"opening,omitempty"`
	Part      hexBytes        `json:"part,omitzero"`
	Key       hexBytes        `json:"key,omitempty"` // the part's own
	Sealed    hexBytes        `json:"sealed"`
	Binding   hexBytes        `json:"binding,omitempty"`
	verdict
}

type subjectFields struct {
	Ref hexBytes `json:"ref"`
	Key hexBytes `json:"key"`
}

func subjectsOf(keys ...proofs.SubjectKey) []subjectFields {
	s := make([]subjectFields, len(keys))
	for i, k := range keys {
		s[i] = subjectFields{k.Ref[:], k.Key[:]}
	}
	return s
}

func sealVectors() []sealVector {
	event := []byte("the part")
	shared := acceptSeal("a part under the bucket's key and those of two subjects", 1, event, alice, bob)
	alone := acceptSeal("a part under the bucket's key", 1, event)
	empty := acceptSeal("a part of no bytes under the bucket's key", 0, []byte{})
	vectors := []sealVector{
		empty,
		alone,
		acceptSeal("a part under the bucket's key and that of a subject", 0, event, alice),
		shared,
		acceptSeal("a part under the keys of two subjects in the other order", 1, event, bob, alice),
		acceptSeal("a part about five subjects, whose references need two masks", 0, event,
			alice, bob, subject("carol"), subject("dan"), subject("eve")),
		acceptSeal("a part as the last of an entry", 63, event),
		acceptSeal("a part that fills its padded size", 0, bytes.Repeat([]byte("x"), 64-36)),
		acceptSeal("a part of one byte more, which is padded", 0, bytes.Repeat([]byte("x"), 65-36)),
		acceptSeal("a part of a thousand bytes", 0, bytes.Repeat([]byte("0123456789"), 100)),
	}
	return append(append(vectors, refusedSeals(alone, shared)...), malformedSeals(empty)...)
}

func refusedSeals(alone, shared sealVector) []sealVector {
	refuse := func(good sealVector, name, why string, change func(*sealVector)) sealVector {
		v := good
		v.Name, v.Opening, v.Part, v.Key, v.Binding, v.verdict = name, nil, nil, nil, nil, notVerified(why)
		change(&v)
		return v
	}
	otherID, wrongKey, carol := idOf("another entry id"), secret("another bucket key"), secret("key of carol")
	const header = 4 + 16 // of a part about two subjects
	return []sealVector{
		refuse(alone, "a part opened with another bucket's key", "the key is made with the bucket's", func(v *sealVector) {
			v.BucketKey = wrongKey[:]
		}),
		refuse(alone, "a part opened as one of another entry", "the key is made with the entry id", func(v *sealVector) {
			v.EntryID = otherID[:]
		}),
		refuse(alone, "a part opened as another part of its entry", "the key is made with the number", func(v *sealVector) {
			v.Number = 0
		}),
		refuse(shared, "a part opened with another subject's key", "the key is made with both subjects'", func(v *sealVector) {
			v.Subjects = subjectsOf(alice, proofs.SubjectKey{Ref: bob.Ref, Key: carol})
		}),
		refuse(shared, "a part with a changed byte of ciphertext", "it is authenticated", func(v *sealVector) {
			v.Sealed = flipped(v.Sealed, header)
		}),
		refuse(shared, "a part with a changed last byte", "it is authenticated", func(v *sealVector) { v.Sealed = flipped(v.Sealed, -1) }),
		refuse(shared, "a part that lacks its last byte", "it is authenticated", func(v *sealVector) {
			v.Sealed = v.Sealed[:len(v.Sealed)-1]
		}),
	}
}

func malformedSeals(good sealVector) []sealVector {
	refuse := func(name, why string, sealed []byte) sealVector {
		v := good
		v.Name, v.Opening, v.Part, v.Key, v.Binding, v.verdict = name, nil, nil, nil, nil, malformed(why)
		v.Sealed = sealed
		return v
	}
	s := good.Sealed
	return []sealVector{
		refuse("a sealed part without bytes", "it is cut off", nil),
		refuse("a part of suite 0", "suite 1 is the only one", changed(s, 0, 0)),
		refuse("a part of suite 2", "suite 1 is the only one", changed(s, 0, 2)),
		refuse("a part with an encapsulated key", "suite 1 has none", join(s[:1], []byte{0, 1, 0}, s[3:])),
		refuse("a part with half a reference", "a reference has 8 bytes", join(s[:3], []byte{4, 0, 0, 0, 0}, s[4:])),
		refuse("a part with more references than there can be", "31 are the most", join(s[:3], []byte{255}, make([]byte, 255), s[4:])),
		refuse("a part whose ciphertext is too short for any part", "it holds an opening and a length at least", s[:len(s)-1]),
	}
}

func acceptSeal(name string, number int, part []byte, subjects ...proofs.SubjectKey) sealVector {
	id := idOf(name)
	binding := proofs.Binding(&opening0, id, number, part)
	sealed := must(proofs.SealPart(part, number, id, &bucketKey, subjects, &opening0))
	key := must(proofs.SealedPartKey(sealed, number, id, &bucketKey, lookupIn(subjects)))
	return sealVector{
		Name: name, BucketKey: bucketKey[:], EntryID: id[:], Number: number, Subjects: subjectsOf(subjects...),
		Opening: opening0[:], Part: part, Key: key[:], Sealed: sealed,
		Binding: binding[:], verdict: ok(),
	}
}
