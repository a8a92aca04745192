package proofs

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// An EntryID is 16 random bytes that make the keys of one entry its own. An
// id is never used for a second entry, and nothing is sealed twice under one
// id and number: one key would then seal two texts under one nonce, which
// gives both away.
type EntryID [16]byte

// A SubjectRef names the key of a data subject within its ledger: 64 bits of
// a keyed hash, which say nothing to whoever lacks the key of that hash.
type SubjectRef [8]byte

// A SubjectKey is the key of one data subject and the reference to it.
type SubjectKey struct {
	Ref SubjectRef
	Key Key256
}

const (
	suiteAESGCM   = 1 // AES-256-GCM, keys by HMAC-SHA-256
	maxCiphertext = 1<<24 - 1
	maxSubjects   = 31
	openingSize   = 32

	sealedHeaderSize = 1 + 2 + 1 // without the subjects
)

// A sealed part is
//
//	struct {
//	    uint8  suite = 1;
//	    opaque encapsulated_key<0..65535>;  /* empty in suite 1 */
//	    opaque subjects<0..248>;            /* 8 bytes each, masked */
//	    opaque ciphertext[...];             /* the rest: 52 to 2^24-1 bytes */
//	} SealedPart;
//
// In suite 1 the ciphertext is AES-256-GCM with the zero nonce under a key
// that seals nothing else,
//
//	key = HMAC-SHA-256(bucket key, "cairn/v1 part key\n" ‖ entry id ‖ uint8 number ‖ subject keys)
//
// over
//
//	struct {
//	    opaque opening[32];
//	    uint32 length;
//	    opaque part[length];
//	    opaque zeros[...];                  /* up to the padded size */
//	};
//
// with "cairn/v1 sealed part\n" ‖ entry id ‖ uint8 number ‖ everything before the
// ciphertext as additional data. HMAC is used as a dual PRF: without the bucket key or without any one of
// the subject keys nothing is known about the key. The references to the subject keys
// are masked by HMAC-SHA-256(bucket key, "cairn/v1 subject mask\n" ‖ entry id ‖ uint8 number
// ‖ uint8 block), so that at rest they link no two entries.
//
// The padded size of the plaintext is Padmé's (Nikitin et al., PETS 2019): it tells the length to within
// 12 %, and only O(log log n) bits of it.

// SealPart seals the bytes of a part as the number-th of an entry (0 to 63),
// under the key of its bucket and those of all the subjects it concerns (at
// most 31). Opening is the random secret its binding is made with. Id and
// number must never have sealed anything else.
func SealPart(part []byte, number int, id EntryID, bucket *Key256, subjects []SubjectKey, opening *Key256) ([]byte, error) {
	if err := checkNumber(number); err != nil {
		return nil, fmt.Errorf("seal part: %w", err)
	}
	if len(subjects) > maxSubjects {
		return nil, fmt.Errorf("seal part: %d subjects are more than %d", len(subjects), maxSubjects)
	}
	size := paddedSize(openingSize + 4 + len(part))
	if size+16 > maxCiphertext {
		return nil, fmt.Errorf("seal part: %d bytes are too many", len(part))
	}
	b := newSealing(sealedPartLabel, number, id, sealedHeaderSize+8*len(subjects)+size+16)
	b.buf = appendSealedHeader(b.buf, number, id, bucket, subjects)
	plain := b.room(size)
	copy(plain, opening[:])
	binary.BigEndian.PutUint32(plain[openingSize:], uint32(len(part)))
	copy(plain[openingSize+4:], part)
	key := partKey(number, id, bucket, subjects)
	return b.seal(&key, plain), nil
}

// A sealing is bytes on their way to being sealed. Everything that it takes is
// in one allocation: the nonce, which is zero, the additional data, of which
// the header is the end, and behind that the text, which is sealed where it is.
type sealing struct {
	buf    []byte
	header int // where what comes out begins
}

const nonceSize = 12

// newSealing returns a sealing of what takes size bytes with its header.
func newSealing(label string, number int, id EntryID, size int) sealing {
	buf := make([]byte, nonceSize, nonceSize+len(label)+len(id)+1+size)
	buf = appendAAD(buf, label, number, id)
	return sealing{buf: buf, header: len(buf)}
}

// room returns the room of the text behind the header.
func (s *sealing) room(size int) []byte { return s.buf[len(s.buf) : len(s.buf)+size] }

// seal seals the text, which is in its room.
func (s *sealing) seal(key *Key256, text []byte) []byte {
	return newGCM(key).Seal(s.buf[s.header:], s.buf[:nonceSize], text, s.buf[nonceSize:])
}

// unseal opens what follows a header.
func unseal(label string, number int, id EntryID, key *Key256, header, ciphertext []byte) ([]byte, error) {
	aad := appendAAD(make([]byte, nonceSize, nonceSize+len(label)+len(id)+1+len(header)), label, number, id)
	aad = append(aad, header...)
	return newGCM(key).Open(nil, aad[:nonceSize], ciphertext, aad[nonceSize:])
}

const (
	sealedPartLabel = "cairn/v1 sealed part\n"
	sealedTagsLabel = "cairn/v1 sealed tags\n"
)

func appendAAD(dst []byte, label string, number int, id EntryID) []byte {
	dst = append(dst, label...)
	dst = append(dst, id[:]...)
	return append(dst, byte(number))
}

// NewEntryID reads a fresh entry id from a source of randomness.
func NewEntryID(rand io.Reader) (id EntryID, err error) {
	_, err = io.ReadFull(rand, id[:])
	return id, err
}

// checkNumber refuses the number of a part or of a tag list that no record
// can hold. In one byte it would look like another one, and share its key.
func checkNumber(number int) error {
	if number < 0 || number >= maxParts {
		return fmt.Errorf("number %d is not within 0..%d", number, maxParts-1)
	}
	return nil
}

func appendSealedHeader(dst []byte, number int, id EntryID, bucket *Key256, subjects []SubjectKey) []byte {
	return appendMaskedRefs(append(dst, suiteAESGCM, 0, 0), number, id, bucket, subjects)
}

// appendMaskedRefs appends the vector of the references to subjects' keys.
func appendMaskedRefs(dst []byte, number int, id EntryID, bucket *Key256, subjects []SubjectKey) []byte {
	dst = append(dst, byte(8*len(subjects)))
	start := len(dst)
	for _, s := range subjects {
		dst = append(dst, s.Ref[:]...)
	}
	maskRefs(dst[start:], number, id, bucket)
	return dst
}

func parseSealedHeader(d *decoder) (masked []byte) {
	if s := d.uint8("suite"); d.err == nil && s != suiteAESGCM {
		d.fail("suite", fmt.Sprintf("%d is not known", s))
	}
	d.vector("encapsulated key", 2, 0, 0)
	return d.maskedRefs()
}

func (d *decoder) maskedRefs() []byte {
	masked := d.vector("subjects", 1, 0, 8*maxSubjects)
	if len(masked)%8 != 0 {
		d.fail("subjects", "not a multiple of 8 bytes")
	}
	return masked
}

func unmask(masked []byte, number int, id EntryID, bucket *Key256) []SubjectRef {
	b := append([]byte(nil), masked...)
	maskRefs(b, number, id, bucket)
	refs := make([]SubjectRef, len(b)/8)
	for i := range refs {
		refs[i] = SubjectRef(b[8*i:])
	}
	return refs
}

func maskRefs(refs []byte, number int, id EntryID, bucket *Key256) {
	for block := 0; len(refs) > 0; block++ {
		mask := mac(bucket, "cairn/v1 subject mask\n", id[:], []byte{byte(number), byte(block)})
		n := min(len(refs), len(mask))
		for i := range n {
			refs[i] ^= mask[i]
		}
		refs = refs[n:]
	}
}

func partKey(number int, id EntryID, bucket *Key256, subjects []SubjectKey) Key256 {
	return Key256(mac(bucket, "cairn/v1 part key\n", id[:], joinKeys([]byte{byte(number)}, subjects)))
}

// joinKeys appends the keys of subjects, in their order.
func joinKeys(dst []byte, subjects []SubjectKey) []byte {
	for _, s := range subjects {
		dst = append(dst, s.Key[:]...)
	}
	return dst
}

func newGCM(key *Key256) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("proofs: AES-256 refuses a 32-byte key: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("proofs: GCM refuses AES: " + err.Error())
	}
	return aead
}

// paddedSize returns the padded size of n > 1 bytes.
func paddedSize(n int) int {
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	mask := 1<<(e-s) - 1
	return (n + mask) &^ mask
}

func allZero(b []byte) bool {
	var or byte
	for _, c := range b {
		or |= c
	}
	return or == 0
}
