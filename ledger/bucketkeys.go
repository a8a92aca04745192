package ledger

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/cairnlog/cairn/proofs"
)

// bucketKeys are the keys of one bucket.
type bucketKeys struct {
	seal  proofs.Key256 // of payloads
	tags  proofs.Key256 // of tags, fields and source numbers
	dedup cipher.Block  // of the rows in the deduplication index

	mu     sync.RWMutex
	fields map[uint16]proofs.Key256
}

// field returns the key of a declared field in the bucket.
func (b *bucketKeys) field(number uint16) proofs.Key256 {
	b.mu.RLock()
	key, ok := b.fields[number]
	b.mu.RUnlock()
	if ok {
		return key
	}
	key = proofs.FieldKey(&b.tags, number)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fields[number] = key
	return key
}

// sourceNumber returns the pseudonym of a source in the bucket: 64 bits of
// HMAC-SHA-256(tag key of the bucket, "cairn/v1 source\n" ‖ identity ‖ 0 ‖ source).
func (b *bucketKeys) sourceNumber(who, source string) uint64 {
	m := hmac.New(sha256.New, b.tags[:])
	fmt.Fprintf(m, "cairn/v1 source\n%s\x00%s", who, source)
	r := reader{rest: m.Sum(nil)}
	return r.uint(8)
}

// row returns where the deduplication index of the bucket keeps a key: the
// key encrypted as one block, because a hash alone could be tested against
// guesses by whoever reads the disk, also after the bucket expired.
func (b *bucketKeys) row(d dedupKey) (row [16]byte) {
	b.dedup.Encrypt(row[:], d[:])
	return row
}
