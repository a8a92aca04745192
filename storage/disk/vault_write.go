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
	var created []bucketName
	for _, bucket := range slices.Sorted(maps.Keys(fresh)) {
		e, ok := v.extent(bucket)
		if !ok {
			v.generation++
			e.generation = v.generation
			created = append(created, bucketName{bucket, e.generation})
		}
		e, err := v.writeBehind(bucket, e, fresh[bucket], !ok)
		if err != nil {
			return v.giveUp(created, err)
		}
		grown[bucket] = e
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

// writeBehind writes records behind the extent of a bucket and returns the
// extent with them.
func (v *Vault) writeBehind(bucket uint32, e extent, records []storage.VaultRecord, create bool) (extent, error) {
	f, err := v.touch(bucketName{bucket, e.generation}, create)
	if err != nil {
		return e, err
	}
	w := &bucketWriter{files: f, extent: e, data: v.data[:0], rows: v.rows[:0]}
	for _, r := range records {
		if err := w.add(r); err != nil {
			return e, err
		}
	}
	if err := w.flush(); err != nil {
		return e, err
	}
	if cap(w.data) <= 2*writeSize {
		v.data, v.rows = w.data, w.rows
	}
	return w.extent, nil
}

// giveUp removes the files of buckets that a write which found no room was the
// first to write to, lest they outlast a Drop.
func (v *Vault) giveUp(created []bucketName, cause error) error {
	full := noSpace(cause)
	if !errors.Is(full, storage.ErrNoSpace) {
		return cause
	}
	for _, name := range created {
		v.clean(name.bucket)
		if err := v.unlink(name); err != nil {
			return err
		}
	}
	return full
}

// touch returns the files of a bucket, in use until they are synced.
func (v *Vault) touch(name bucketName, create bool) (*bucketFiles, error) {
	if f := v.dirty[name.bucket]; f != nil {
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
	v.dirty[name.bucket] = f
	return f, nil
}

// clean ends the use of files that need not be synced any more.
func (v *Vault) clean(bucket uint32) {
	if f := v.dirty[bucket]; f != nil {
		delete(v.dirty, bucket)
		v.files.done(f)
	}
}
