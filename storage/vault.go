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

	// Damaged is set in what a Rewrite gives where the record is ErrCorrupt, and
	// nowhere else: Data is what is there, and not what was written.
	Damaged bool
}

// CheckVaultRecord returns nil if the record is within its bounds, else
// ErrInvalid.
func CheckVaultRecord(r VaultRecord) error {
	if r.Index > math.MaxInt64 || len(r.Data) < 1 || len(r.Data) > MaxVaultRecord {
		return fmt.Errorf("vault record %d/%d: %d bytes: %w", r.Bucket, r.Index, len(r.Data), ErrInvalid)
	}
	return nil
}

// RewriteBatch is how many records a Rewrite gives at a time at most.
const RewriteBatch = 256

// EachRecord returns a change for [Vault].Rewrite that takes one record after the
// other: each becomes the bytes that change returns for it, and nil removes it.
func EachRecord(change func(VaultRecord) ([]byte, error)) func([]VaultRecord) error {
	return func(records []VaultRecord) (err error) {
		for i, r := range records {
			if records[i].Data, err = change(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// A Vault keeps records by bucket and index. It is written behind a journal:
// what Sync has not yet covered may be gone after the next opening, and the
// journal writes it again.
//
// The law: a record that was written before a Sync that returned nil is read
// back unchanged until its bucket is dropped or rewritten, or the read is
// ErrCorrupt. Of the records of a bucket that no Sync covered, an opening finds
// a prefix in the order of their indices. Within a bucket indices only rise: a
// record below the last one is accepted only as a repeat.
//
// What a Rewrite changed or removed and a Drop dropped is gone from the medium:
// of the old bytes no file is left when the call returns nil, save for whoever
// began to read it before. The vault does not remember what it was: a journal
// that is replayed must not write it again.
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

	// Rewrite gives change the records of a bucket, each once, in the order of
	// their indices and up to RewriteBatch at a time, and lets each become the
	// Data that it has then: nil removes the record, and any other bytes (1 to
	// MaxVaultRecord, else ErrInvalid) take the place of its own. Then the
	// bucket is as if only what is left had been written, and all of it is
	// durable; if nothing is left, the bucket is as if it had been dropped. One
	// that is not there is fine. A Write to the bucket meanwhile takes place
	// before, so that its records are given too, or after.
	//
	// A record that is ErrCorrupt is given as Damaged: with the Data that it was
	// given it stays ErrCorrupt, nil removes it, and other bytes take its place.
	// Where a bucket is so damaged that not even this can be done, the Rewrite is
	// ErrCorrupt and has changed nothing.
	//
	// An error of change ends the Rewrite and is returned as it is; like
	// any refusal it has changed nothing. A Rewrite in doubt left the bucket
	// whole as it was or whole as it was to become. A Read meanwhile sees
	// either, a Scan one of them from its beginning to its end.
	//
	// During the call the records are change's own: it may alter the bytes and
	// let Data be a part of them. It may read the vault and must not call what
	// changes it.
	Rewrite(ctx context.Context, bucket uint32, change func([]VaultRecord) error) error

	// Drop removes a bucket whole, durably when it returns nil; a bucket that
	// is not there is fine. A later Write starts it anew. A Drop in doubt
	// removed all of the bucket or nothing.
	Drop(ctx context.Context, bucket uint32) error
}
