package disk

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"github.com/cairnlog/cairn/storage"
)

// Read implements storage.Vault.
func (v *Vault) Read(ctx context.Context, bucket uint32, index uint64) ([]byte, error) {
	if err := v.health.check(ctx); err != nil {
		return nil, err
	}
	e, ok := v.extent(bucket)
	if !ok || index < e.first || index > e.last {
		return nil, fmt.Errorf("vault record %d/%d: %w", bucket, index, storage.ErrNotFound)
	}
	f, err := v.open(bucket, e)
	if err != nil {
		return nil, err
	}
	defer v.files.done(f)
	at, err := search{f.rows, bucket, e}.find(index)
	if err != nil {
		return nil, err
	}
	if at.index != index {
		return nil, fmt.Errorf("vault record %d/%d: %w", bucket, index, storage.ErrNotFound)
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

// open returns the bucket's files for one call, which ends their use. Files
// that are missing are ErrNotFound if the bucket was dropped meanwhile.
func (v *Vault) open(bucket uint32, e extent) (*bucketFiles, error) {
	f, err := v.files.use(bucketName{bucket, e.generation}, v.fs.Open)
	if !absent(err) {
		return f, err
	}
	if now, ok := v.extent(bucket); ok && now.generation == e.generation {
		return nil, fmt.Errorf("vault bucket %d: %w: %w", bucket, storage.ErrCorrupt, err)
	}
	return nil, fmt.Errorf("vault bucket %d: %w", bucket, storage.ErrNotFound)
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
	e, ok := v.extent(bucket)
	if !ok || from > e.last {
		return nil
	}
	f, err := v.open(bucket, e)
	if err != nil {
		return err
	}
	defer v.files.done(f)
	at, err := search{f.rows, bucket, e}.find(from)
	if err != nil {
		return err
	}
	r := sectionReader(f.records, int64(at.start), int64(e.bytes))
	for next := at.row; next < e.rows; next++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := readRecord(r, bucket)
		if err == nil && (record.Index < from || record.Index > e.last) {
			err = fmt.Errorf("vault record %d/%d: out of order: %w", bucket, record.Index, storage.ErrCorrupt)
		}
		if err != nil {
			return err
		}
		if !yield(record) {
			return nil
		}
		from = record.Index + 1
	}
	return nil
}

// readRecord reads the next record, whose data belong to the caller.
func readRecord(r *bufio.Reader, bucket uint32) (storage.VaultRecord, error) {
	head, err := r.Peek(recordHeader)
	if err != nil {
		return storage.VaultRecord{}, fmt.Errorf("vault bucket %d: %w", bucket, corruptEOF(err))
	}
	length := binary.BigEndian.Uint32(head[8:])
	if length > storage.MaxVaultRecord {
		return storage.VaultRecord{}, fmt.Errorf("vault bucket %d: record of %d bytes: %w", bucket, length, storage.ErrCorrupt)
	}
	b := make([]byte, recordHeader+length)
	if _, err := io.ReadFull(r, b); err != nil {
		return storage.VaultRecord{}, fmt.Errorf("vault bucket %d: %w", bucket, corruptEOF(err))
	}
	return parseRecord(bucket, b)
}
