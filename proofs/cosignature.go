package proofs

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"strconv"

	fnote "github.com/transparency-dev/formats/note"
)

// A cosignature is a u64 time, in seconds since 1970, followed by the
// signature (C2SP tlog-cosignature, "Format").
const (
	timeSize           = 8
	mldsaSignatureSize = 2420
)

// SignCheckpoint signs the text of a checkpoint.
//
// unixTime is in seconds since 1970, at most 2^63-1. A plain [Ed25519]
// signature has no time and ignores it. A cosignature says that at this time
// no larger tree of the log was known to the signer; an [Ed25519Cosignature]
// needs a time above 0, and so does every answer of a witness, whatever its
// key. Time 0 with [MLDSA44] says only that the tree is consistent with all
// others that the signer knew.
//
// An MLDSA44 key refuses a checkpoint with extension lines, which it would not
// cover, and an origin above 255 bytes. Its signatures differ each time: the
// library blinds them with randomness of the system.
//
// The error matches [ErrUnsigned] where it is a key of [NewSigningKey] that did
// not sign.
func (k SigningKey) SignCheckpoint(text string, unixTime uint64) (Signature, error) {
	if k.sign == nil {
		return Signature{}, fmt.Errorf("sign checkpoint: no key")
	}
	c, err := ParseCheckpoint(text)
	if err != nil {
		return Signature{}, fmt.Errorf("sign checkpoint: %w", err)
	}
	b, err := k.sign(c, text, unixTime)
	if err != nil {
		return Signature{}, fmt.Errorf("sign checkpoint: %w", err)
	}
	return Signature{Name: k.key.name, KeyID: k.key.id, Bytes: b}, nil
}

func ed25519Signer(t KeyType, sign messageSigner) func(Checkpoint, string, uint64) ([]byte, error) {
	return func(_ Checkpoint, text string, unixTime uint64) ([]byte, error) {
		if t == Ed25519 {
			return sign([]byte(text))
		}
		if unixTime == 0 || unixTime > maxSize {
			return nil, fmt.Errorf("time %d is not within 1..2^63-1", unixTime)
		}
		signature, err := sign(cosignatureMessage(text, unixTime))
		if err != nil {
			return nil, err
		}
		return append(binary.BigEndian.AppendUint64(nil, unixTime), signature...), nil
	}
}

func mldsaSigner(signer *fnote.SubtreeSigner) func(Checkpoint, string, uint64) ([]byte, error) {
	return func(c Checkpoint, _ string, unixTime uint64) ([]byte, error) {
		if unixTime > maxSize {
			return nil, fmt.Errorf("time %d is above 2^63-1", unixTime)
		}
		if err := mldsaCovers(c); err != nil {
			return nil, err
		}
		return signer.SignSubtree(unixTime, c.Origin, 0, c.Size, c.Root[:])
	}
}

// cosignatureMessage is what an [Ed25519Cosignature] signs (C2SP
// tlog-cosignature, "Ed25519 signed message").
func cosignatureMessage(text string, unixTime uint64) []byte {
	return []byte("cosignature/v1\ntime " + strconv.FormatUint(unixTime, 10) + "\n" + text)
}

// mldsaCovers refuses what an ML-DSA-44 signature would leave open: extension
// lines are not in its message, and the origin must fit a vector<1..255>.
func mldsaCovers(c Checkpoint) error {
	if len(c.Extensions) > 0 {
		return fmt.Errorf("ML-DSA-44 does not cover the checkpoint's extension lines")
	}
	if len(c.Origin) > maxMLDSAName {
		return fmt.Errorf("origin of %d bytes, ML-DSA-44 signs at most %d", len(c.Origin), maxMLDSAName)
	}
	return nil
}

// CheckSignature checks that s is a signature of a checkpoint's text by this
// key, and returns its time in seconds since 1970, at most 2^63-1: always 0
// for a plain [Ed25519] signature, which has none.
//
// The error matches [ErrNotVerified] where the signature is another key's, is
// wrong or does not cover all of the text (see [SigningKey.SignCheckpoint]), and
// [ErrMalformed] where text is no checkpoint.
func (k Key) CheckSignature(text string, s Signature) (unixTime uint64, err error) {
	c, err := ParseCheckpoint(text)
	if err != nil {
		return 0, err
	}
	return k.checkSignature(SignedCheckpoint{c, Note{Text: text}}, s)
}

// checkSignature is CheckSignature for a checkpoint that has been parsed; its
// note's own signatures are not looked at.
func (k Key) checkSignature(c SignedCheckpoint, s Signature) (unixTime uint64, err error) {
	if !k.claimed(s) {
		return 0, fmt.Errorf("%w: signature is by key %s+%s, not %s+%s", ErrNotVerified,
			s.Name, formatKeyID(s.KeyID), k.name, formatKeyID(k.id))
	}
	unixTime, err = k.verify(c, s.Bytes)
	if err != nil {
		return 0, fmt.Errorf("%w: signature by %s+%s: %w", ErrNotVerified, k.name, formatKeyID(k.id), err)
	}
	return unixTime, nil
}

// claimed reports whether s says that it is by this key.
func (k Key) claimed(s Signature) bool { return s.Name == k.name && s.KeyID == k.id }

// verify dispatches on the type.
func (k Key) verify(c SignedCheckpoint, signature []byte) (unixTime uint64, err error) {
	if want := k.typ.signatureSize(); len(signature) != want {
		return 0, fmt.Errorf("%d bytes, %v has %d", len(signature), k.typ, want)
	}
	ok := false
	switch k.typ {
	case Ed25519:
		ok = ed25519.Verify([]byte(k.public), []byte(c.Note.Text), signature)
	case Ed25519Cosignature:
		unixTime = binary.BigEndian.Uint64(signature)
		ok = ed25519.Verify([]byte(k.public), cosignatureMessage(c.Note.Text, unixTime), signature[timeSize:])
	case MLDSA44:
		unixTime = binary.BigEndian.Uint64(signature)
		if err := mldsaCovers(c.Checkpoint); err != nil {
			return 0, err
		}
		verifier, err := fnote.NewMLDSAVerifier(k.String())
		if err != nil {
			return 0, err
		}
		ok = verifier.VerifySubtree(unixTime, c.Origin, 0, c.Size, c.Root[:], signature)
	}
	if !ok {
		return 0, fmt.Errorf("wrong")
	}
	if unixTime > maxSize {
		return 0, fmt.Errorf("time %d is above 2^63-1", unixTime)
	}
	return unixTime, nil
}

// signatureSize is the size in bytes of what follows the key ID, 0 for an
// unknown type.
func (t KeyType) signatureSize() int {
	switch t {
	case Ed25519:
		return ed25519.SignatureSize
	case Ed25519Cosignature:
		return timeSize + ed25519.SignatureSize
	case MLDSA44:
		return timeSize + mldsaSignatureSize
	}
	return 0
}
