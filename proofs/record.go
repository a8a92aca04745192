package proofs

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	recordVersion = 1
	maxParts      = 64
	maxTagLists   = 64
	maxSealed     = 1<<24 + 1024
)

// A Record is the private side of an entry as it rests in the vault: sealed
// parts and sealed tags, and all that is needed to check them against the
// leaf without any key.
//
//	struct {
//	    uint8  version = 1;
//	    opaque entry_id[16];
//	    uint8  parts;                       /* 0..64, and as many times: */
//	    struct {
//	        uint8 state;                    /* 1 present, 0 erased */
//	        select (state) { case 1: opaque sealed<1..2^24+1024>;   /* length in four bytes */
//	                         case 0: opaque sealed_hash[32]; };
//	        opaque binding[32];
//	    } part;
//	    uint8  tag_lists;                   /* 0..64, and as many times: */
//	    struct {
//	        uint8 state;
//	        select (state) { case 1: opaque sealed<1..2^24+1024>;
//	                         case 0: opaque sealed_hash[32]; };
//	    } tags;
//	    /* and where the tags of any list are erased, once for each list: */
//	    opaque commitments<0..32768>;       /* length in two bytes, 32 for each tag */
//	} Record;
//
// So everything in a record shows in C or in T: parts, hashes, bindings and
// sealed tags in C, and the commitments, once there are any, in T.
type Record struct {
	ID    EntryID
	Parts []RecordPart
	Tags  []RecordTags
}

// A RecordPart is one part of an entry at rest. Where it is erased Sealed is
// nil and only its hash is left.
type RecordPart struct {
	Sealed  []byte
	Hash    Hash // SHA-256 of Sealed
	Binding Hash // [Binding] of the part
}

// RecordTags is one list of sealed tags at rest. Where it is erased Sealed is
// nil and its hash is left, and every list of the record has the commitments
// to its tags, so that those of the other lists can still be shown.
type RecordTags struct {
	Sealed      []byte
	Hash        Hash // SHA-256 of Sealed
	Commitments []Hash
}

// Binding ties a part to its opening: HMAC-SHA-256(opening, "cairn/v1 binding\n" ‖
// entry id ‖ uint8 number ‖ uint32 length ‖ part). It says nothing about the
// part to whoever lacks the opening, and opens in one way only.
func Binding(opening *Key256, id EntryID, number int, part []byte) Hash {
	var place [5]byte
	place[0] = byte(number)
	binary.BigEndian.PutUint32(place[1:], uint32(len(part)))
	return mac(opening, "cairn/v1 binding\n", id[:], place[:], part)
}

// Commitment returns C, which the leaf holds:
//
//	C = SHA-256("cairn/v1 commitment\n" ‖ entry id ‖ uint8 parts ‖ (SHA-256(sealed part) ‖ binding)…
//	                                              ‖ uint8 tag lists ‖ SHA-256(sealed tags)…)
func (r Record) Commitment() Hash {
	var few [256]byte // without allocation
	b := append(few[:0], "cairn/v1 commitment\n"...)
	b = append(b, r.ID[:]...)
	b = append(b, byte(len(r.Parts)))
	for _, p := range r.Parts {
		b = append(b, p.Hash[:]...)
		b = append(b, p.Binding[:]...)
	}
	b = append(b, byte(len(r.Tags)))
	for _, t := range r.Tags {
		b = append(b, t.Hash[:]...)
	}
	return sha256.Sum256(b)
}

// CheckRecord checks a record at rest against the leaf of its entry, without
// any key. It vouches for everything in the record, but for where the
// commitments of one list of tags end and those of the next begin.
func CheckRecord(r Record, leaf Leaf) error {
	if r.Commitment() != leaf.C {
		return fmt.Errorf("%w: record: it is not the one its leaf commits to", ErrNotVerified)
	}
	if !r.tagsErased() {
		return nil
	}
	var all []Hash
	for _, t := range r.Tags {
		all = append(all, t.Commitments...)
	}
	if TagsRoot(all) != leaf.T {
		return fmt.Errorf("%w: record: the tag commitments are not those its leaf commits to", ErrNotVerified)
	}
	return nil
}

// tagsErased reports whether any list of tags is erased.
func (r Record) tagsErased() bool {
	return slices.ContainsFunc(r.Tags, func(t RecordTags) bool { return t.Sealed == nil })
}

// FormatRecord returns the canonical bytes of a record. It leaves out the
// hashes of what is there, and the commitments where no list is erased.
func FormatRecord(r Record) ([]byte, error) {
	if len(r.Parts) > maxParts || len(r.Tags) > maxTagLists {
		return nil, fmt.Errorf("%w: record: %d parts and %d tag lists are too many", ErrMalformed, len(r.Parts), len(r.Tags))
	}
	n := 64
	for _, p := range r.Parts {
		n += len(p.Sealed) + 3*HashSize
	}
	for _, t := range r.Tags {
		n += len(t.Sealed) + HashSize*(2+len(t.Commitments))
	}
	b := append(make([]byte, 0, n), recordVersion)
	b = append(b, r.ID[:]...)
	b = append(b, byte(len(r.Parts)))
	for _, p := range r.Parts {
		var err error
		if b, err = appendSlot(b, p.Sealed, p.Hash); err != nil {
			return nil, err
		}
		b = append(b, p.Binding[:]...)
	}
	b = append(b, byte(len(r.Tags)))
	for _, t := range r.Tags {
		var err error
		if b, err = appendSlot(b, t.Sealed, t.Hash); err != nil {
			return nil, err
		}
	}
	if !r.tagsErased() {
		return b, nil
	}
	for _, t := range r.Tags {
		var err error
		if b, err = appendHashes(b, t.Commitments); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendHashes(b []byte, hashes []Hash) ([]byte, error) {
	if len(hashes) > MaxTags {
		return nil, fmt.Errorf("%w: record: %d tag commitments are more than %d", ErrMalformed, len(hashes), MaxTags)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(hashes)*HashSize))
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b, nil
}

func appendSlot(b, sealed []byte, hash Hash) ([]byte, error) {
	if sealed == nil {
		return append(append(b, 0), hash[:]...), nil
	}
	if len(sealed) < 1 || len(sealed) > maxSealed {
		return nil, fmt.Errorf("%w: record: sealed bytes: length %d is not within 1..%d", ErrMalformed, len(sealed), maxSealed)
	}
	return appendVector(append(b, 1), 4, sealed), nil
}

// ParseRecord reads the bytes that [FormatRecord] writes and no others, and
// hashes what is sealed in them. The sealed bytes alias b.
func ParseRecord(b []byte) (Record, error) {
	d := decoder{format: "record", rest: b}
	d.version(recordVersion)
	var r Record
	copy(r.ID[:], d.bytes("entry id", len(r.ID)))
	for range d.count("parts", maxParts) {
		var p RecordPart
		p.Sealed, p.Hash = d.slot("part")
		p.Binding = d.hash("binding")
		r.Parts = append(r.Parts, p)
	}
	for range d.count("tag lists", maxTagLists) {
		var t RecordTags
		t.Sealed, t.Hash = d.slot("tags")
		r.Tags = append(r.Tags, t)
	}
	if r.tagsErased() {
		for i := range r.Tags {
			r.Tags[i].Commitments = d.hashes("tag commitments", MaxTags)
		}
	}
	if err := d.end(); err != nil {
		return Record{}, err
	}
	return r, nil
}

func (d *decoder) count(field string, max int) int {
	n := int(d.uint8(field))
	if d.err == nil && n > max {
		d.fail(field, fmt.Sprintf("%d are more than %d", n, max))
	}
	if d.err != nil {
		return 0
	}
	return n
}

func (d *decoder) slot(field string) (sealed []byte, hash Hash) {
	switch d.uint8(field + " state") {
	case 0:
		return nil, d.hash(field + " hash")
	case 1:
		sealed = d.vector(field, 4, 1, maxSealed)
		return sealed, sha256.Sum256(sealed)
	}
	d.fail(field+" state", "neither 0 nor 1")
	return nil, hash
}

func (d *decoder) hashes(field string, max int) []Hash {
	b := d.vector(field, 2, 0, max*HashSize)
	if len(b)%HashSize != 0 {
		d.fail(field, "not a multiple of 32 bytes")
	}
	if d.err != nil || len(b) == 0 {
		return nil
	}
	hashes := make([]Hash, 0, len(b)/HashSize)
	for ; len(b) > 0; b = b[HashSize:] {
		hashes = append(hashes, Hash(b))
	}
	return hashes
}
