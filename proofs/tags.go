package proofs

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// TagSize is the size of a [Tag]'s value in bytes.
const TagSize = 16

// MaxTags is the most tags an entry can have.
const MaxTags = 1024

// A Tag stands for one declared field's value in one entry: equal values of
// a field have equal tags within a bucket, and without the field's key a tag
// tells nothing.
//
//	tag = first 16 bytes of HMAC-SHA-256(field key, canonical value)
//	field key = HMAC-SHA-256(tag key of the bucket, "cairn/v1 field key\n" ‖ uint16 field)
type Tag struct {
	Field uint16 // the field's number in its stream's settings
	Value [TagSize]byte
}

// FieldKey returns the key of a declared field within a bucket.
func FieldKey(bucketTags *Key256, field uint16) Key256 {
	return Key256(mac(bucketTags, "cairn/v1 field key\n", binary.BigEndian.AppendUint16(nil, field)))
}

// FieldKeyHash returns what the ledger logs of a field key before it first
// uses it: SHA-256("cairn/v1 field key hash\n" ‖ field key).
func FieldKeyHash(key *Key256) Hash {
	return sha256.Sum256(append([]byte("cairn/v1 field key hash\n"), key[:]...))
}

// MakeTag returns the tag of a canonical value under its field's key.
func MakeTag(field uint16, key *Key256, value []byte) Tag {
	h := mac(key, "", value)
	return Tag{Field: field, Value: [TagSize]byte(h[:TagSize])}
}

// TagSeed returns the secret that the openings of an entry's tags come from:
//
//	seed = HMAC-SHA-256(tag key of the bucket, "cairn/v1 tag seed\n" ‖ entry id [‖ tag key of the subject])
//
// Subject is nil for tags that are not about a data subject. An entry has at
// most one list of tags for each subject and one for none: whoever is shown
// the seed of one list could otherwise open another.
func TagSeed(bucketTags *Key256, id EntryID, subject *Key256) Key256 {
	if subject == nil {
		return Key256(mac(bucketTags, "cairn/v1 tag seed\n", id[:]))
	}
	return Key256(mac(bucketTags, "cairn/v1 tag seed\n", id[:], subject[:]))
}

// TagCommitment returns the commitment to the position-th tag of an entry,
// which is a leaf of the tree whose root is T:
//
//	opening = HMAC-SHA-256(seed, uint16 position)
//	commitment = HMAC-SHA-256(opening, uint16 field ‖ tag)
//
// Whoever is shown one opening and one tag can check that one alone.
func TagCommitment(seed *Key256, position int, tag Tag) Hash {
	opening := TagOpening(seed, position)
	return CommitTag(&opening, tag)
}

// TagOpening returns the opening of the position-th tag of an entry.
func TagOpening(seed *Key256, position int) Key256 {
	return Key256(mac(seed, "", []byte{byte(position >> 8), byte(position)}))
}

// CommitTag returns the commitment to a tag under its opening.
func CommitTag(opening *Key256, tag Tag) Hash {
	return mac(opening, "", []byte{byte(tag.Field >> 8), byte(tag.Field)}, tag.Value[:])
}

// TagsRoot returns T: the RFC 6962 root of the tree whose leaves are the
// commitments, in the order of the record. Without tags it is [EmptyRoot].
func TagsRoot(commitments []Hash) Hash {
	if len(commitments) == 0 {
		return EmptyRoot()
	}
	level := make([]Hash, len(commitments))
	for i, c := range commitments {
		level[i] = LeafHash(c[:])
	}
	// Pairing from the left and carrying an odd last node up gives the tree of
	// RFC 6962 §2.1, where the left subtree is the largest complete one.
	for len(level) > 1 {
		n := 0
		for i := 0; i+1 < len(level); i += 2 {
			level[n] = NodeHash(level[i], level[i+1])
			n++
		}
		if len(level)%2 == 1 {
			level[n] = level[len(level)-1]
			n++
		}
		level = level[:n]
	}
	return level[0]
}

// Sealed tags are
//
//	struct {
//	    uint8  suite = 1;
//	    opaque subject<0..8>;               /* empty, or a masked SubjectRef */
//	    uint16 count;
//	    opaque ciphertext[18*count + 16];
//	} SealedTags;
//
// AES-256-GCM with the zero nonce over the tags (uint16 field ‖ tag) under
//
//	key = HMAC-SHA-256(tag key of the bucket, "cairn/v1 tags key\n" ‖ entry id ‖ uint8 number [‖ tag key of the subject])
//
// with "cairn/v1 sealed tags\n" ‖ entry id ‖ uint8 number ‖ everything before the ciphertext as additional data.
// The reference to the subject's key is masked as in a sealed part, with the tag key of the bucket.

const sealedTagSize = 2 + TagSize

// SealTags seals tags as the number-th list of an entry (0 to 63): those that
// are not about a data subject (subject nil), or those about one. Id and
// number must never have sealed other tags.
func SealTags(tags []Tag, number int, id EntryID, bucketTags *Key256, subject *SubjectKey) ([]byte, error) {
	if err := checkNumber(number); err != nil {
		return nil, fmt.Errorf("seal tags: %w", err)
	}
	if len(tags) > MaxTags {
		return nil, fmt.Errorf("seal tags: %d tags are more than %d", len(tags), MaxTags)
	}
	header := []byte{suiteAESGCM, 0}
	if subject != nil {
		header[1] = 8
		header = append(header, subject.Ref[:]...)
		maskRefs(header[2:], number, id, bucketTags)
	}
	header = binary.BigEndian.AppendUint16(header, uint16(len(tags)))
	plain := AppendTags(make([]byte, 0, len(tags)*sealedTagSize), tags)
	key := tagsKey(number, id, bucketTags, subject)
	var nonce [12]byte
	out := append(make([]byte, 0, len(header)+len(plain)+16), header...)
	return newGCM(&key).Seal(out, nonce[:], plain, sealedTagsAAD(number, id, header)), nil
}

// OpenTags opens what [SealTags] sealed, and returns the seed of the openings
// too. Lookup returns the key of a subject, or an error that OpenTags returns;
// nil knows no subject. That the tags are those of the leaf is another
// question: [TagsRoot] over all of the entry's is T.
func OpenTags(sealed []byte, number int, id EntryID, bucketTags *Key256, lookup func(SubjectRef) (Key256, error)) (tags []Tag, seed Key256, err error) {
	if err := checkNumber(number); err != nil {
		return nil, seed, fmt.Errorf("open tags: %w", err)
	}
	d := decoder{format: "sealed tags", rest: sealed}
	masked := parseTagsHeader(&d)
	if d.err != nil {
		return nil, seed, d.err
	}
	subjects, err := lookupAll(unmask(masked, number, id, bucketTags), lookup)
	if err != nil {
		return nil, seed, fmt.Errorf("open tags: %w", err)
	}
	var subject *SubjectKey
	if len(subjects) == 1 {
		subject = &subjects[0]
	}
	header := sealed[:len(sealed)-len(d.rest)]
	key := tagsKey(number, id, bucketTags, subject)
	var nonce [12]byte
	plain, err := newGCM(&key).Open(nil, nonce[:], d.rest, sealedTagsAAD(number, id, header))
	if err != nil {
		return nil, seed, fmt.Errorf("%w: sealed tags: not sealed by this key for this place", ErrNotVerified)
	}
	tags = parseTags(plain)
	if subject == nil {
		return tags, TagSeed(bucketTags, id, nil), nil
	}
	return tags, TagSeed(bucketTags, id, &subject.Key), nil
}

// AppendTags appends the bytes of tags: uint16 field ‖ 16 bytes, for each.
func AppendTags(dst []byte, tags []Tag) []byte {
	for _, t := range tags {
		dst = binary.BigEndian.AppendUint16(dst, t.Field)
		dst = append(dst, t.Value[:]...)
	}
	return dst
}

func parseTags(b []byte) []Tag {
	tags := make([]Tag, len(b)/sealedTagSize)
	for i := range tags {
		f := b[i*sealedTagSize:]
		tags[i] = Tag{Field: binary.BigEndian.Uint16(f), Value: [TagSize]byte(f[2:])}
	}
	return tags
}

func parseTagsHeader(d *decoder) (masked []byte) {
	if s := d.uint8("suite"); d.err == nil && s != suiteAESGCM {
		d.fail("suite", fmt.Sprintf("%d is not known", s))
	}
	masked = d.vector("subject", 1, 0, 8)
	if len(masked)%8 != 0 {
		d.fail("subject", "neither 0 nor 8 bytes")
	}
	count := int(d.uint16("count"))
	if d.err == nil && (count > MaxTags || len(d.rest) != count*sealedTagSize+16) {
		d.fail("ciphertext", "does not have the size of its tags")
	}
	return masked
}

func tagsKey(number int, id EntryID, bucketTags *Key256, subject *SubjectKey) Key256 {
	if subject == nil {
		return Key256(mac(bucketTags, "cairn/v1 tags key\n", id[:], []byte{byte(number)}))
	}
	return Key256(mac(bucketTags, "cairn/v1 tags key\n", id[:], []byte{byte(number)}, subject.Key[:]))
}

func sealedTagsAAD(number int, id EntryID, header []byte) []byte {
	const label = "cairn/v1 sealed tags\n"
	aad := append(make([]byte, 0, len(label)+len(id)+1+len(header)), label...)
	aad = append(aad, id[:]...)
	aad = append(aad, byte(number))
	return append(aad, header...)
}
