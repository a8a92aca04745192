package proofs

import (
	"encoding/binary"
	"fmt"
)

// Sealed tags are
//
//	struct {
//	    uint8  suite = 1;
//	    opaque subjects<0..248>;            /* 8 bytes each, masked */
//	    uint16 count;
//	    opaque ciphertext[18*count + 16];
//	} SealedTags;
//
// AES-256-GCM with the zero nonce over the tags (uint16 field ‖ tag) under
//
//	key = HMAC-SHA-256(tag key of the bucket, "cairn/v1 tags key\n" ‖ entry id ‖ uint8 number ‖ tag keys of the subjects)
//
// with "cairn/v1 sealed tags\n" ‖ entry id ‖ uint8 number ‖ everything before the ciphertext as additional data.
// The references to the subjects' keys are masked as in a sealed part, with the tag key of the bucket.

// SealTags seals tags as the number-th list of an entry (0 to 63): those that
// concern no data subject, or those that concern the same (at most 31), under
// their keys for tags. Id and number must never have sealed other tags.
func SealTags(tags []Tag, number int, id EntryID, bucketTags *Key256, subjects []SubjectKey) ([]byte, error) {
	if err := checkNumber(number); err != nil {
		return nil, fmt.Errorf("seal tags: %w", err)
	}
	if len(tags) > MaxTags {
		return nil, fmt.Errorf("seal tags: %d tags are more than %d", len(tags), MaxTags)
	}
	if len(subjects) > maxSubjects {
		return nil, fmt.Errorf("seal tags: %d subjects are more than %d", len(subjects), maxSubjects)
	}
	b := newSealing(sealedTagsLabel, number, id, 4+8*len(subjects)+len(tags)*sealedTagSize+16)
	b.buf = appendMaskedRefs(append(b.buf, suiteAESGCM), number, id, bucketTags, subjects)
	b.buf = binary.BigEndian.AppendUint16(b.buf, uint16(len(tags)))
	plain := AppendTags(b.room(0), tags)
	key := tagsKey(number, id, bucketTags, subjects)
	return b.seal(&key, plain), nil
}

// OpenTags opens what [SealTags] sealed, and returns the seed of the openings
// too. Lookup returns the key of a subject, or an error that OpenTags returns;
// nil knows no subject. That the tags are those of the leaf is another
// question: [TagsRoot] over all of the entry's is T.
func OpenTags(sealed []byte, number int, id EntryID, bucketTags *Key256, lookup func(SubjectRef) (Key256, error)) (tags []Tag, seed Key256, err error) {
	key, err := SealedTagsKey(sealed, number, id, bucketTags, lookup)
	if err != nil {
		return nil, seed, err
	}
	tags, err = OpenTagsWithKey(sealed, number, id, &key.Key)
	return tags, key.Seed, err
}

// A TagsKey is all it takes to open one sealed list of tags, and to show them.
type TagsKey struct {
	Key  Key256 // of the sealed list, and of nothing else
	Seed Key256 // [TagSeed]
}

// TagsSubjectRefs returns the references to the subject keys that a sealed list
// of tags needs beside its bucket's.
func TagsSubjectRefs(sealed []byte, number int, id EntryID, bucketTags *Key256) ([]SubjectRef, error) {
	d := decoder{format: "sealed tags", rest: sealed}
	masked, _ := parseTagsHeader(&d)
	if d.err != nil {
		return nil, d.err
	}
	return unmask(masked, number, id, bucketTags), nil
}

// SealedTagsKey returns the key that a sealed list of tags is under, and the seed of
// its openings. Whoever keeps them can open the list ([OpenTagsWithKey]) when
// the keys of its bucket and of its subjects are destroyed. Lookup is as in
// [OpenTags]. That it is the right key shows when the list opens.
func SealedTagsKey(sealed []byte, number int, id EntryID, bucketTags *Key256, lookup func(SubjectRef) (Key256, error)) (TagsKey, error) {
	if err := checkNumber(number); err != nil {
		return TagsKey{}, fmt.Errorf("open tags: %w", err)
	}
	d := decoder{format: "sealed tags", rest: sealed}
	masked, _ := parseTagsHeader(&d)
	if d.err != nil {
		return TagsKey{}, d.err
	}
	subjects, err := lookupAll(unmask(masked, number, id, bucketTags), lookup)
	if err != nil {
		return TagsKey{}, fmt.Errorf("open tags: %w", err)
	}
	return TagsKey{Key: tagsKey(number, id, bucketTags, subjects), Seed: TagSeed(bucketTags, id, subjects)}, nil
}

// OpenTagsWithKey opens what [SealTags] sealed, as [OpenTags] does, with the
// list's own key.
func OpenTagsWithKey(sealed []byte, number int, id EntryID, key *Key256) ([]Tag, error) {
	if err := checkNumber(number); err != nil {
		return nil, fmt.Errorf("open tags: %w", err)
	}
	d := decoder{format: "sealed tags", rest: sealed}
	parseTagsHeader(&d)
	if d.err != nil {
		return nil, d.err
	}
	header := sealed[:len(sealed)-len(d.rest)]
	plain, err := unseal(sealedTagsLabel, number, id, key, header, d.rest)
	if err != nil {
		return nil, fmt.Errorf("%w: sealed tags: not sealed by this key for this place", ErrNotVerified)
	}
	return parseTags(plain), nil
}

// parseTagsHeader reads sealed tags up to their ciphertext, and checks the
// length of that.
func parseTagsHeader(d *decoder) (masked []byte, count int) {
	if s := d.uint8("suite"); d.err == nil && s != suiteAESGCM {
		d.fail("suite", fmt.Sprintf("%d is not known", s))
	}
	masked = d.maskedRefs()
	count = int(d.uint16("count"))
	if d.err == nil && (count > MaxTags || len(d.rest) != count*sealedTagSize+16) {
		d.fail("ciphertext", "does not have the size of its tags")
	}
	return masked, count
}

func tagsKey(number int, id EntryID, bucketTags *Key256, subjects []SubjectKey) Key256 {
	return Key256(mac(bucketTags, "cairn/v1 tags key\n", id[:], joinKeys([]byte{byte(number)}, subjects)))
}
