package ledger

import (
	"encoding/binary"
	"fmt"

	"crypto/aes"
	"crypto/cipher"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A ring is what a hold keeps of a closing: the keys of single parts and lists
// of tags. It lies in objects named rings/<hold>/<closing>/<share>-<number>, each
//
//	opaque nonce[12];
//	opaque sealed[...];                 /* AES-256-GCM under the ring key of the hold */
//
// with the origin, a newline and the object's name as additional data, over
//
//	struct {
//	    uint64 index;                   /* rising */
//	    uint8  parts;                   /* and as many times: */
//	    select (known) { case 0: ; case 1: opaque key[32]; } part;
//	    uint8  lists;                   /* and as many times: */
//	    select (known) { case 0: ; case 1: opaque key[32]; opaque seed[32]; } list;
//	} entry[...];
//
// where known is a byte that is 1 where the key still could be derived. The
// ring key is in the key state, and destroyed when the hold is released.
type ring map[uint64]ringKeys

// ringKeys are the keys of one entry; nil where there is none.
type ringKeys struct {
	parts []*proofs.Key256
	tags  []*proofs.TagsKey
}

// ringEntries is how many entries one object of a ring has at most.
const ringEntries = 1 << 16

func (k ringKeys) part(i int) *proofs.Key256 {
	if i >= len(k.parts) {
		return nil
	}
	return k.parts[i]
}

func (k ringKeys) list(i int) *proofs.TagsKey {
	if i >= len(k.tags) {
		return nil
	}
	return k.tags[i]
}

// merge fills in what other has.
func (k *ringKeys) merge(other ringKeys) {
	for len(k.parts) < len(other.parts) {
		k.parts = append(k.parts, nil)
	}
	for i, key := range other.parts {
		if k.parts[i] == nil {
			k.parts[i] = key
		}
	}
	for len(k.tags) < len(other.tags) {
		k.tags = append(k.tags, nil)
	}
	for i, key := range other.tags {
		if k.tags[i] == nil {
			k.tags[i] = key
		}
	}
}

func ringPrefix(name retain.RingName) string {
	return fmt.Sprintf("rings/%d/%d/", name.Hold, name.Closing)
}

func (l *Ledger) ringData(object string) []byte { return []byte(l.origin() + "\n" + object) }

// ringAEAD returns AES-256-GCM with random nonces under the ring key of a
// hold, which seals some objects for each closing.
func (l *Ledger) ringAEAD(hold uint64) (cipher.AEAD, error) {
	key, err := l.keys.hold(hold)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// open adds what an object of a ring holds.
func (r ring) open(aead cipher.AEAD, sealed, data []byte) error {
	if len(sealed) < aead.NonceSize() {
		return storage.ErrCorrupt
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], data)
	if err != nil {
		return fmt.Errorf("it does not open with the ring key: %w", storage.ErrCorrupt)
	}
	return r.parse(plain)
}

func appendRingEntry(b []byte, index uint64, keys ringKeys) []byte {
	b = binary.BigEndian.AppendUint64(b, index)
	b = append(b, byte(len(keys.parts)))
	for _, k := range keys.parts {
		if k == nil {
			b = append(b, 0)
			continue
		}
		b = append(append(b, 1), k[:]...)
	}
	b = append(b, byte(len(keys.tags)))
	for _, k := range keys.tags {
		if k == nil {
			b = append(b, 0)
			continue
		}
		b = append(append(append(b, 1), k.Key[:]...), k.Seed[:]...)
	}
	return b
}

// parse reads what appendRingEntry writes, for several entries.
func (r ring) parse(b []byte) error {
	d := reader{rest: b}
	for len(d.rest) > 0 && !d.failed {
		index := d.uint(8)
		var keys ringKeys
		for range d.uint(1) {
			var key *proofs.Key256
			if d.uint(1) == 1 {
				key = new(proofs.Key256)
				copy(key[:], d.bytes(32))
			}
			keys.parts = append(keys.parts, key)
		}
		for range d.uint(1) {
			var key *proofs.TagsKey
			if d.uint(1) == 1 {
				key = new(proofs.TagsKey)
				copy(key.Key[:], d.bytes(32))
				copy(key.Seed[:], d.bytes(32))
			}
			keys.tags = append(keys.tags, key)
		}
		if !d.failed {
			r[index] = keys
		}
	}
	if d.failed {
		return fmt.Errorf("the ring is cut off: %w", storage.ErrCorrupt)
	}
	return nil
}
