package storage

import (
	"context"
	"fmt"
	"iter"
	"math"
)

// MaxVaultRecord bounds a vault's record in bytes.
const MaxVaultRecord = 16 << 20

// A VaultRecord is one record of a bucket.
type VaultRecord struct {
	Bucket uint32
	Index  uint64 // below 1<<63
	Data   []byte // 1 to MaxVaultRecord bytes
}

// CheckVaultRecord returns nil if the record is within its bounds, else
// ErrInvalid.
func CheckVaultRecord(r VaultRecord) error {
	if r.Index > math.MaxInt64 || len(r.Data) < 1 || len(r.Data) > MaxVaultRecord {
		return fmt.Errorf("vault record %d/%d: %d bytes: %w", r.Bucket, r.Index, len(r.Data), ErrInvalid)
	}
	return nil
}

// A Vault keeps records by bucket and index. It is written behind a journal:
// what Sync has not yet covered may be gone after the next opening, and the
// journal writes it again.
//
// The law: a record that was written before a Sync that returned nil is read
// back unchanged until its bucket is dropped, or the read is ErrCorrupt. Of the
// records of a bucket that no Sync covered, an opening finds a prefix in the
// order of their indices. Within a bucket indices only rise: a record below
// the last one is accepted only as a repeat.
type Vault interface {
	// Write adds records, which can be read at once and are durable after
	// Sync. Within a bucket the indices rise. A record whose index is held
	// already changes nothing if the bytes are equal, else the call is
	// ErrExists; an index below the bucket's last one that is not held is
	// ErrConflict; a size out of bounds is ErrInvalid. A refused Write has
	// written nothing. After a Write in doubt a prefix of each bucket's new
	// records may be there.
	Write(ctx context.Context, records []VaultRecord) error

	// Sync makes durable what was written before it began.
	Sync(ctx context.Context) error

	// Read returns the record's bytes, ErrNotFound or ErrCorrupt.
	Read(ctx context.Context, bucket uint32, index uint64) ([]byte, error)

	// Scan yields the records of a bucket from that index on in rising order,
	// as far as they were written when it began, and ends after the first
	// error. An unknown bucket yields nothing.
	Scan(ctx context.Context, bucket uint32, from uint64) iter.Seq2[VaultRecord, error]

	// Drop removes a bucket whole, durably when it returns nil; a bucket that
	// is not there is fine. A later Write starts it anew. A Drop in doubt
	// removed all of the bucket or nothing.
	Drop(ctx context.Context, bucket uint32) error
}
