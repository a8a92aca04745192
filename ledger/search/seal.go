package search

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/cairnlog/cairn/proofs"
)

// A fileName is random, so that a file's name says nothing.
type fileName [16]byte

func (n fileName) String() string { return hex.EncodeToString(n[:]) }

// A sealer seals the blocks of one file under the file's key with AES-256-GCM.
// A key seals one file, once, so that the number of a block is nonce enough.
// The name of the file and the number are authenticated with it.
type sealer struct {
	aead cipher.AEAD
	name fileName
}

const (
	blockLabel    = "cairn/v1 index block\n"
	registerLabel = "cairn/v1 index register\n"
	overhead      = 16 // bytes that sealing adds
)

func newSealer(name fileName, key *proofs.Key256) sealer { return sealer{newAEAD(key), name} }

func newAEAD(key *proofs.Key256) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a key of 32 bytes is one
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the blocks that GCM wants
	}
	return aead
}

func (s sealer) nonce(number uint32) []byte {
	return binary.BigEndian.AppendUint32(make([]byte, 8, 12), number)
}

func (s sealer) data(number uint32) []byte {
	b := append([]byte(blockLabel), s.name[:]...)
	return binary.BigEndian.AppendUint32(b, number)
}

func (s sealer) seal(dst, plain []byte, number uint32) []byte {
	return s.aead.Seal(dst, s.nonce(number), plain, s.data(number))
}

func (s sealer) open(sealed []byte, number uint32) ([]byte, error) {
	plain, err := s.aead.Open(sealed[:0], s.nonce(number), sealed, s.data(number))
	if err != nil {
		return nil, malformed("block %d does not open", number)
	}
	return plain, nil
}

// registerAEAD returns what seals one writing of the register: a key of its
// own, derived from the index key and salt, so that its nonce can be zero.
func registerAEAD(key *proofs.Key256, salt []byte) cipher.AEAD {
	derived, err := hkdf.Key(sha256.New, key[:], salt, registerLabel, len(proofs.Key256{}))
	if err != nil {
		panic(err) // 32 bytes are fewer than HKDF can give
	}
	return newAEAD((*proofs.Key256)(derived))
}
