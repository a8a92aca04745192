package disk

import (
	"context"
	"fmt"
	"path"
)

// Drop implements storage.Vault.
func (v *Vault) Drop(ctx context.Context, bucket uint32) error {
	v.replacing.Lock()
	defer v.replacing.Unlock()
	if err := v.health.check(ctx); err != nil {
		return err
	}
	if err := v.drop(bucket); err != nil {
		return v.health.doubt(fmt.Errorf("vault %s: drop bucket %d: %w", v.name, bucket, err))
	}
	return nil
}

// drop removes the extent durably before the files: an extent without files
// would be corrupt, files without an extent are swept up.
func (v *Vault) drop(bucket uint32) error {
	v.writing.Lock()
	e, ok := v.extent(bucket)
	var err error
	if ok {
		err = v.replace(bucket, extent{})
	}
	v.writing.Unlock()
	if !ok || err != nil {
		return err
	}
	return v.bury(bucketName{bucket, e.generation})
}

// replace makes another extent the bucket's, durably before it is visible. One
// without rows ends the bucket. The caller holds writing. An error that matches
// storage.ErrNoSpace means that nothing has changed.
func (v *Vault) replace(bucket uint32, e extent) error {
	if err := v.health.check(context.Background()); err != nil {
		return err
	}
	change := cell{name: bucketCell(bucket)}
	if e.rows > 0 {
		change.value = formatExtent(e)
	}
	if _, ok := v.durable.load(change.name); ok || e.rows > 0 {
		if err := v.durable.change(&request{changes: []cell{change}}); err != nil {
			return err
		}
	}
	delete(v.grown, bucket)
	v.clean(bucket)
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.rows > 0 {
		v.extents[bucket] = e
	} else {
		delete(v.extents, bucket)
	}
	return nil
}

// bury removes files that no extent names any more, durably.
func (v *Vault) bury(name bucketName) error {
	if err := v.unlink(name); err != nil {
		return err
	}
	return v.fs.SyncDir(v.name)
}

// unlink removes the files of that name, as far as they are there, and then
// closes them: who opened them before it reads on.
func (v *Vault) unlink(name bucketName) error {
	defer v.files.forget(name)
	base := path.Join(v.name, name.String())
	for _, suffix := range []string{recordsSuffix, rowsSuffix} {
		if err := v.fs.Remove(base + suffix); err != nil && !absent(err) {
			return err
		}
	}
	return nil
}
