package proofs

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// OpenPart opens what [SealPart] sealed. Lookup returns the key of a subject,
// or an error that OpenPart returns; nil knows no subject. The part aliases
// memory of its own. That it is the one its leaf commits to is another
// question: compare its [Binding] with that of the record.
func OpenPart(sealed []byte, number int, id EntryID, bucket *Key256, lookup func(SubjectRef) (Key256, error)) (part []byte, opening Key256, err error) {
	key, err := SealedPartKey(sealed, number, id, bucket, lookup)
	if err != nil {
		return nil, opening, err
	}
	return OpenPartWithKey(sealed, number, id, &key)
}

// SealedPartKey returns the key that a sealed part is under, and nothing else is.
// Whoever keeps it can open the part ([OpenPartWithKey]) when the keys of its
// bucket and of its subjects are destroyed. Lookup is as in [OpenPart]. That it
// is the right key shows when the part opens.
func SealedPartKey(sealed []byte, number int, id EntryID, bucket *Key256, lookup func(SubjectRef) (Key256, error)) (key Key256, err error) {
	if err := checkNumber(number); err != nil {
		return key, fmt.Errorf("open part: %w", err)
	}
	d := decoder{format: "sealed part", rest: sealed}
	masked := parseSealedPart(&d)
	if d.err != nil {
		return key, d.err
	}
	subjects, err := lookupAll(unmask(masked, number, id, bucket), lookup)
	if err != nil {
		return key, fmt.Errorf("open part: %w", err)
	}
	return partKey(number, id, bucket, subjects), nil
}

// OpenPartWithKey opens what [SealPart] sealed, as [OpenPart] does, with the
// part's own key.
func OpenPartWithKey(sealed []byte, number int, id EntryID, key *Key256) (part []byte, opening Key256, err error) {
	if err := checkNumber(number); err != nil {
		return nil, opening, fmt.Errorf("open part: %w", err)
	}
	d := decoder{format: "sealed part", rest: sealed}
	parseSealedPart(&d)
	if d.err != nil {
		return nil, opening, d.err
	}
	header := sealed[:len(sealed)-len(d.rest)]
	plain, err := unseal(sealedPartLabel, number, id, key, header, d.rest)
	if err != nil {
		return nil, opening, fmt.Errorf("%w: sealed part: not sealed by this key for this place", ErrNotVerified)
	}
	return parsePadded(plain)
}

// parseSealedPart reads a sealed part up to its ciphertext, and checks the
// length of that.
func parseSealedPart(d *decoder) (masked []byte) {
	masked = parseSealedHeader(d)
	if d.err == nil && (len(d.rest) < 16+openingSize+4 || len(d.rest) > maxCiphertext) {
		d.fail("ciphertext", "too short or too long")
	}
	return masked
}

// parsePadded reads what a sealed part opens to: opening, length, part, zeros.
func parsePadded(plain []byte) (part []byte, opening Key256, err error) {
	n := binary.BigEndian.Uint32(plain[openingSize:])
	rest := plain[openingSize+4:]
	if uint64(n) > uint64(len(rest)) || paddedSize(openingSize+4+int(n)) != len(plain) || !allZero(rest[n:]) {
		return nil, opening, fmt.Errorf("%w: sealed part: length or padding is wrong", ErrMalformed)
	}
	return rest[:n:n], Key256(plain[:openingSize]), nil
}

// SubjectRefs returns the references to the subject keys that a sealed part
// needs beside its bucket's.
func SubjectRefs(sealed []byte, number int, id EntryID, bucket *Key256) ([]SubjectRef, error) {
	d := decoder{format: "sealed part", rest: sealed}
	masked := parseSealedHeader(&d)
	if d.err != nil {
		return nil, d.err
	}
	return unmask(masked, number, id, bucket), nil
}

// lookupAll returns the keys of the subjects that refs refer to.
func lookupAll(refs []SubjectRef, lookup func(SubjectRef) (Key256, error)) ([]SubjectKey, error) {
	if len(refs) > 0 && lookup == nil {
		return nil, errors.New("it needs the keys of subjects, and none is known")
	}
	keys := make([]SubjectKey, 0, len(refs))
	for i, ref := range refs {
		key, err := lookup(ref)
		if err != nil {
			return nil, fmt.Errorf("subject %d: %w", i, err)
		}
		keys = append(keys, SubjectKey{ref, key})
	}
	return keys, nil
}
