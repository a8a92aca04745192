package main

import (
	"bytes"
	"crypto/sha256"

	"github.com/cairnlog/cairn/proofs"
)

// A tagsVector is all the tags of one entry. Every list is opened as the one
// of its place, with the keys that the vector has; the commitments to the
// tags of all lists have the root.
type tagsVector struct {
	Name    string       `json:"name"`
	TagKey  hexBytes     `json:"tag_key"`
	EntryID hexBytes     `json:"entry_id"`
	Lists   []listFields `json:"lists"`
	Root    hexBytes     `json:"root"`
	verdict
}

type listFields struct {
	Subjects    []subjectFields `json:"subjects"`
	Values      []valueFields   `json:"values"`
	Seed        hexBytes        `json:"seed"`
	Openings    []hexBytes      `json:"openings"`
	Commitments []hexBytes      `json:"commitments"`
	Key         hexBytes        `json:"key,omitempty"` // the list's own
	Sealed      hexBytes        `json:"sealed"`
}

type valueFields struct {
	Field        uint16   `json:"field"`
	Value        hexBytes `json:"value"`
	FieldKey     hexBytes `json:"field_key"`
	FieldKeyHash hexBytes `json:"field_key_hash"`
	Tag          hexBytes `json:"tag"` // uint16 field ‖ 16 bytes
}

func tagsVectors() []tagsVector {
	list := func(name string, values ...fieldValue) tagsVector {
		return acceptTags(name, idOf(name), []tagList{newTagList(idOf(name), 0, nil, values...)})
	}
	sample := acceptTags("an entry with two tags about nobody and one about a subject", entryID, sampleEntry().lists)
	return append([]tagsVector{
		acceptTags("an entry without lists of tags, whose root is that of the empty tree", entryID, nil),
		list("an entry with a list of no tags"),
		list("an entry with one tag", fieldValue{1, "login"}),
		list("an entry with a tag of an empty value", fieldValue{1, ""}),
		list("an entry with two equal values of a field, whose commitments differ", fieldValue{1, "x"}, fieldValue{1, "x"}),
		list("an entry with five tags, whose tree is not complete",
			fieldValue{1, "a"}, fieldValue{2, "b"}, fieldValue{3, "c"}, fieldValue{4, "d"}, fieldValue{65535, "e"}),
		sample,
		acceptTags("an entry with a tag about a subject and one about two", entryID, []tagList{
			newTagList(entryID, 0, []proofs.SubjectKey{aliceTags}, fieldValue{3, "alice"}),
			newTagList(entryID, 1, []proofs.SubjectKey{aliceTags, bobTags}, fieldValue{4, "10.0.0.7"}),
		}),
	}, append(refusedTags(sample), malformedTags(sample)...)...)
}

func refusedTags(good tagsVector) []tagsVector {
	refuse := func(name, why string, change func(*tagsVector)) tagsVector {
		return changedTags(good, name, notVerified(why), change)
	}
	other, wrongKey := idOf("another entry id"), secret("another tag key")
	return []tagsVector{
		refuse("tags opened with another bucket's key", "the key is made with the bucket's", func(v *tagsVector) {
			v.TagKey = wrongKey[:]
		}),
		refuse("tags opened as those of another entry", "the key is made with the entry id", func(v *tagsVector) { v.EntryID = other[:] }),
		refuse("tags opened with another subject's key", "the key is made with the subject's", func(v *tagsVector) {
			v.Lists[1].Subjects = subjectsOf(proofs.SubjectKey{Ref: aliceTags.Ref, Key: bobTags.Key})
		}),
		refuse("tags opened as another list of their entry", "the key is made with the number", func(v *tagsVector) {
			v.Lists[0].Sealed = newTagList(entryID, 1, nil, fieldValue{1, "transfer"}, fieldValue{2, "12"}).sealed
		}),
		refuse("tags with a changed byte of ciphertext", "they are authenticated", func(v *tagsVector) {
			v.Lists[0].Sealed = flipped(v.Lists[0].Sealed, 4)
		}),
		refuse("tags with a changed last byte", "they are authenticated", func(v *tagsVector) {
			v.Lists[1].Sealed = flipped(v.Lists[1].Sealed, -1)
		}),
		refuse("tags that have another root", "the leaf commits to other tags", func(v *tagsVector) { v.Root = flipped(v.Root, 0) }),
		refuse("tags of which the last list is left out", "the leaf commits to more tags", func(v *tagsVector) { v.Lists = v.Lists[:1] }),
	}
}

func malformedTags(good tagsVector) []tagsVector {
	refuse := func(name, why string, change func([]byte) []byte) tagsVector {
		return changedTags(good, name, malformed(why), func(v *tagsVector) { v.Lists[0].Sealed = change(v.Lists[0].Sealed) })
	}
	return []tagsVector{
		refuse("sealed tags without bytes", "they are cut off", func(b []byte) []byte { return nil }),
		refuse("tags of suite 0", "suite 1 is the only one", func(b []byte) []byte { return changed(b, 0, 0) }),
		refuse("tags with half a reference", "a reference has 8 bytes", func(b []byte) []byte {
			return join([]byte{1, 4, 0, 0, 0, 0}, b[2:])
		}),
		refuse("tags with more references than there can be", "31 are the most", func(b []byte) []byte {
			return join([]byte{1, 255}, make([]byte, 255), b[2:])
		}),
		refuse("tags that are fewer than their count", "the size is 18 bytes a tag and 16", func(b []byte) []byte { return changed(b, 3, 3) }),
		refuse("tags that are more than their count", "the size is 18 bytes a tag and 16", func(b []byte) []byte { return changed(b, 3, 1) }),
		refuse("sealed tags that lack their last byte", "the size is 18 bytes a tag and 16", func(b []byte) []byte { return b[:len(b)-1] }),
		refuse("sealed tags with a byte after their end", "nothing may follow", func(b []byte) []byte { return join(b, []byte{0}) }),
		refuse("a list of 1025 tags", "1024 are the most", func(b []byte) []byte {
			return join([]byte{1, 0, 4, 1}, bytes.Repeat([]byte{0}, 1025*18+16))
		}),
	}
}

// changedTags shows of a vector only what is needed to refuse it.
func changedTags(v tagsVector, name string, verdict verdict, change func(*tagsVector)) tagsVector {
	v.Name, v.verdict = name, verdict
	lists := v.Lists
	v.Lists = nil
	for _, l := range lists {
		v.Lists = append(v.Lists, listFields{Subjects: l.Subjects, Sealed: l.Sealed})
	}
	change(&v)
	return v
}

func acceptTags(name string, id proofs.EntryID, lists []tagList) tagsVector {
	all := commitments(lists)
	root := proofs.TagsRoot(all)
	v := tagsVector{Name: name, TagKey: tagKey[:], EntryID: id[:], Lists: []listFields{}, Root: root[:], verdict: ok()}
	position := 0
	for _, l := range lists {
		f := listFields{Subjects: subjectsOf(l.subjects...), Values: []valueFields{}, Openings: []hexBytes{}, Commitments: []hexBytes{},
			Seed: l.seed[:], Key: l.key[:], Sealed: l.sealed}
		for i, value := range l.values {
			f.Values = append(f.Values, valueOf(value, l.tags[i]))
			opening := proofs.TagOpening(&l.seed, position)
			f.Openings = append(f.Openings, opening[:])
			f.Commitments = append(f.Commitments, all[position][:])
			position++
		}
		v.Lists = append(v.Lists, f)
	}
	return v
}

func valueOf(v fieldValue, tag proofs.Tag) valueFields {
	key := proofs.FieldKey(&tagKey, v.field)
	hash := sha256.Sum256(append([]byte("cairn/v1 field key hash\n"), key[:]...))
	return valueFields{v.field, hexBytes(v.value), key[:], hash[:], proofs.AppendTags(nil, []proofs.Tag{tag})}
}
