package main

import (
	"crypto/sha256"
	"errors"

	"github.com/cairnlog/cairn/proofs"
)

// The keys of the entry that most vectors are about.
var (
	bucketKey = secret("bucket key")
	tagKey    = secret("tag key of the bucket")
	opening0  = secret("opening of part 0")
	opening1  = secret("opening of part 1")
	entryID   = idOf("entry id")

	// A subject has one key for parts and another one for tags.
	alice     = subject("alice")
	bob       = subject("bob")
	aliceTags = proofs.SubjectKey{Ref: alice.Ref, Key: secret("tag key of alice")}
	bobTags   = proofs.SubjectKey{Ref: bob.Ref, Key: secret("tag key of bob")}
)

func idOf(name string) proofs.EntryID {
	s := secret(name)
	return proofs.EntryID(s[:16])
}

func subject(name string) proofs.SubjectKey {
	ref := secret("reference to " + name)
	return proofs.SubjectKey{Ref: proofs.SubjectRef(ref[:8]), Key: secret("key of " + name)}
}

// An entry is all that is known of one when it is made.
type entry struct {
	parts  [][]byte
	lists  []tagList
	record proofs.Record
	leaf   proofs.Leaf
}

// A tagList is the tags of an entry about the same subjects, or about none.
type tagList struct {
	subjects []proofs.SubjectKey
	values   []fieldValue
	tags     []proofs.Tag
	seed     proofs.Key256
	key      proofs.Key256
	sealed   []byte
}

type fieldValue struct {
	field uint16
	value string
}

// sampleEntry has a part about nobody, one about alice and bob, tags about
// nobody and one about alice.
func sampleEntry() entry {
	var e entry
	e.add(proofs.Part{MediaType: "application/json", Appender: "payments", Data: []byte(`{"action":"transfer","amount":12}`)}, &opening0)
	e.add(proofs.Part{MediaType: "application/json", Subjects: []string{"alice", "bob"}, Data: []byte(`{"from":"alice","to":"bob"}`)},
		&opening1, alice, bob)
	e.tag(nil, fieldValue{1, "transfer"}, fieldValue{2, "12"})
	e.tag([]proofs.SubjectKey{aliceTags}, fieldValue{3, "alice"})
	e.record.ID = entryID
	e.leaf = proofs.Leaf{
		Kind: proofs.Event, Time: sampleTime, Stream: 1, Bucket: 2, C: e.record.Commitment(), T: proofs.TagsRoot(commitments(e.lists)),
	}
	return e
}

func (e *entry) add(p proofs.Part, opening *proofs.Key256, subjects ...proofs.SubjectKey) {
	part, number := must(proofs.FormatPart(p)), len(e.parts)
	sealed := must(proofs.SealPart(part, number, entryID, &bucketKey, subjects, opening))
	e.parts = append(e.parts, part)
	e.record.Parts = append(e.record.Parts, proofs.RecordPart{
		Sealed: sealed, Hash: sha256.Sum256(sealed), Binding: proofs.Binding(opening, entryID, number, part),
	})
}

func (e *entry) tag(subjects []proofs.SubjectKey, values ...fieldValue) {
	l := newTagList(entryID, len(e.lists), subjects, values...)
	e.lists = append(e.lists, l)
	e.record.Tags = append(e.record.Tags, proofs.RecordTags{Sealed: l.sealed, Hash: sha256.Sum256(l.sealed)})
}

func newTagList(id proofs.EntryID, number int, subjects []proofs.SubjectKey, values ...fieldValue) tagList {
	l := tagList{subjects: subjects, values: values, seed: proofs.TagSeed(&tagKey, id, subjects)}
	for _, v := range values {
		key := proofs.FieldKey(&tagKey, v.field)
		l.tags = append(l.tags, proofs.MakeTag(v.field, &key, []byte(v.value)))
	}
	l.sealed = must(proofs.SealTags(l.tags, number, id, &tagKey, subjects))
	l.key = must(proofs.SealedTagsKey(l.sealed, number, id, &tagKey, lookupIn(subjects))).Key
	return l
}

// lookupIn finds the keys of these subjects.
func lookupIn(subjects []proofs.SubjectKey) func(proofs.SubjectRef) (proofs.Key256, error) {
	return func(ref proofs.SubjectRef) (proofs.Key256, error) {
		for _, s := range subjects {
			if s.Ref == ref {
				return s.Key, nil
			}
		}
		return proofs.Key256{}, errors.New("no such subject")
	}
}

// commitments returns those of all lists, in order.
func commitments(lists []tagList) []proofs.Hash {
	var all []proofs.Hash
	for _, l := range lists {
		all = proofs.AppendTagCommitments(all, &l.seed, l.tags)
	}
	return all
}
