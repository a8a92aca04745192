package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/storage"
)

// Write implements storage.Vault.
func (v *Vault) Write(ctx context.Context, records []storage.VaultRecord) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	if err := v.health.check(ctx); err != nil {
		return err
	}
	fresh, err := v.fresh(ctx, records)
	if err != nil {
		return err
	}
	if err := v.write(fresh); err != nil {
		return v.health.doubt(fmt.Errorf("vault %s: write: %w", v.name, err))
	}
	return nil
}

// fresh returns by bucket the records that are not yet held, or why the write
// is refused.
func (v *Vault) fresh(ctx context.Context, records []storage.VaultRecord) (map[uint32][]storage.VaultRecord, error) {
	fresh := make(map[uint32][]storage.VaultRecord)
	for _, r := range records {
		if err := storage.CheckVaultRecord(r); err != nil {
			return nil, err
		}
		e, ok := v.extent(r.Bucket)
		if ok && r.Index <= e.last {
			if err := v.repeated(ctx, r); err != nil {
				return nil, err
			}
			continue
		}
		if held := fresh[r.Bucket]; len(held) > 0 && r.Index <= held[len(held)-1].Index {
			return nil, fmt.Errorf("vault record %d/%d: does not rise: %w", r.Bucket, r.Index, storage.ErrConflict)
		}
		fresh[r.Bucket] = append(fresh[r.Bucket], r)
	}
	return fresh, nil
}

// repeated returns nil if the record is held with the same bytes.
func (v *Vault) repeated(ctx context.Context, r storage.VaultRecord) error {
	held, err := v.Read(ctx, r.Bucket, r.Index)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return fmt.Errorf("vault record %d/%d: below the last one: %w", r.Bucket, r.Index, storage.ErrConflict)
	case err != nil:
		return err
	case !bytes.Equal(held, r.Data):
		return fmt.Errorf("vault record %d/%d: %w", r.Bucket, r.Index, storage.ErrExists)
	}
	return nil
}

// write writes the records behind the extents and only then lets the extents
// grow, all at once: what a write that fails leaves in the files is noise.
func (v *Vault) write(fresh map[uint32][]storage.VaultRecord) error {
	grown := make(map[uint32]extent)
	for _, bucket := range slices.Sorted(maps.Keys(fresh)) {
		records := fresh[bucket]
		e, ok := v.extent(bucket)
		if !ok {
			v.generation++
			e = extent{generation: v.generation, first: records[0].Index}
		}
		f, err := v.touch(bucketName{bucket, e.generation}, !ok)
		if err != nil {
			return noSpace(err)
		}
		if grown[bucket], err = v.buffers.write(f, e, records); err != nil {
			return noSpace(err)
		}
		if len(v.dirty) > dirtyBuckets {
			if err := v.flush(); err != nil {
				return err
			}
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for bucket, e := range grown {
		v.extents[bucket], v.grown[bucket] = e, true
	}
	return nil
}

// touch returns the files of a bucket, in use until they are synced.
func (v *Vault) touch(name bucketName, create bool) (*bucketFiles, error) {
	if f := v.dirty[name.bucket]; f != nil && f.name == name {
		return f, nil
	}
	open := v.fs.Open
	if create {
		open, v.newFiles = v.fs.Create, true
	}
	f, err := v.files.use(name, open)
	if err != nil {
		return nil, err
	}
	if old := v.dirty[name.bucket]; old != nil { // of a write that found no room
		v.files.done(old)
	}
	v.dirty[name.bucket] = f
	return f, nil
}

// writeBuffers are kept between writes.
type writeBuffers struct{ data, rows []byte }

// write writes records behind the extent and returns the extent with them.
func (b *writeBuffers) write(f *bucketFiles, e extent, records []storage.VaultRecord) (extent, error) {
	data, rows := b.data[:0], b.rows[:0]
	for i, r := range records {
		rows = appendRow(rows, r.Bucket, row{r.Index, e.bytes + uint64(len(data))})
		data = appendRecord(data, r)
		if len(data) < writeSize && i < len(records)-1 {
			continue
		}
		if e.bytes+uint64(len(data)) > maxOffset {
			return e, fmt.Errorf("vault bucket %d: too large: %w", r.Bucket, storage.ErrNoSpace)
		}
		if _, err := f.records.WriteAt(data, int64(e.bytes)); err != nil {
			return e, err
		}
		if _, err := f.rows.WriteAt(rows, int64(e.rows*rowSize)); err != nil {
			return e, err
		}
		e.bytes += uint64(len(data))
		e.rows += uint64(len(rows) / rowSize)
		e.last = r.Index
		if cap(data) <= 2*writeSize {
			b.data, b.rows = data, rows
		}
		data, rows = data[:0], rows[:0]
	}
	return e, nil
}
