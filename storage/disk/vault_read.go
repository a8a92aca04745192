package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cairnlog/cairn/storage"
)

// Read implements storage.Vault.
func (v *Vault) Read(ctx context.Context, bucket uint32, index uint64) ([]byte, error) {
	if err := v.health.check(ctx); err != nil {
		return nil, err
	}
	f, e, err := v.open(bucket)
	if err != nil {
		return nil, err
	}
	defer v.files.done(f)
	missing := fmt.Errorf("vault record %d/%d: %w", bucket, index, storage.ErrNotFound)
	if index < e.first || index > e.last {
		return nil, missing
	}
	at, err := search{f.rows, bucket, e}.find(index)
	if err != nil {
		return nil, err
	}
	if at.index != index {
		return nil, missing
	}
	b := make([]byte, at.end-at.start)
	if _, err := f.records.ReadAt(b, int64(at.start)); err != nil {
		return nil, fmt.Errorf("vault record %d/%d: %w", bucket, index, corruptEOF(err))
	}
	r, err := parseRecord(bucket, b)
	if err == nil && r.Index != index {
		err = fmt.Errorf("vault record %d/%d: another is there: %w", bucket, index, storage.ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	return r.Data, nil
}

// open returns the bucket's files and how much of them there is, for one call,
// which ends their use. Where there is no bucket the error is ErrNotFound.
func (v *Vault) open(bucket uint32) (*bucketFiles, extent, error) {
	for {
		e, ok := v.extent(bucket)
		if !ok {
			return nil, e, fmt.Errorf("vault bucket %d: %w", bucket, storage.ErrNotFound)
		}
		f, err := v.files.use(bucketName{bucket, e.generation}, v.fs.Open)
		if !absent(err) {
			return f, e, err
		}
		if now, ok := v.extent(bucket); ok && now.generation == e.generation {
			return nil, e, fmt.Errorf("vault bucket %d: %w: %w", bucket, storage.ErrCorrupt, err)
		} // else others took their place before they were opened
	}
}

// Scan implements storage.Vault.
func (v *Vault) Scan(ctx context.Context, bucket uint32, from uint64) iter.Seq2[storage.VaultRecord, error] {
	return func(yield func(storage.VaultRecord, error) bool) {
		err := v.scan(ctx, bucket, from, func(r storage.VaultRecord) bool { return yield(r, nil) })
		if err != nil {
			yield(storage.VaultRecord{}, err)
		}
	}
}

// scan calls yield for the records from that index on, until it is told to
// stop, which is no error.
func (v *Vault) scan(ctx context.Context, bucket uint32, from uint64, yield func(storage.VaultRecord) bool) error {
	if err := v.health.check(ctx); err != nil {
		return err
	}
	f, e, err := v.open(bucket)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer v.files.done(f)
	if from > e.last {
		return nil
	}
	at, err := search{f.rows, bucket, e}.find(from)
	if err != nil {
		return err
	}
	r := readRecords(f, e, at.start, from)
	for next := at.row; next < e.rows; next++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := r.next()
		if err != nil {
			return err
		}
		record.Data = bytes.Clone(record.Data)
		if !yield(record) {
			return nil
		}
	}
	return nil
}
