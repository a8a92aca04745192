package proofs

import (
	"crypto/sha256"
	"encoding/binary"
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
//	seed = HMAC-SHA-256(tag key of the bucket, "cairn/v1 tag seed\n" ‖ entry id ‖ tag keys of the subjects)
//
// Subjects are those that the tags concern, with their keys for tags, or none.
// An entry has at most one list of tags for each set of subjects: whoever is
// shown the seed of one list could otherwise open another.
func TagSeed(bucketTags *Key256, id EntryID, subjects []SubjectKey) Key256 {
	return Key256(mac(bucketTags, "cairn/v1 tag seed\n", id[:], joinKeys(nil, subjects)))
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

// AppendTagCommitments appends the commitments to a list of tags, whose
// positions begin at the length of dst: one list of an entry after the other
// gives all that [TagsRoot] takes.
func AppendTagCommitments(dst []Hash, seed *Key256, tags []Tag) []Hash {
	for _, tag := range tags {
		dst = append(dst, TagCommitment(seed, len(dst), tag))
	}
	return dst
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
	var few [16]Hash // without allocation
	level := few[:0]
	for _, c := range commitments {
		level = append(level, LeafHash(c[:]))
	}
	return rootOf(level)
}

// rootOf returns the RFC 6962 root over leaf hashes, which it overwrites.
func rootOf(level []Hash) Hash {
	if len(level) == 0 {
		return EmptyRoot()
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

const sealedTagSize = 2 + TagSize

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
