package disk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/storage"
)

// A Vault is a storage.Vault in a directory: two files for each bucket, and a
// file of extents that says how much of each bucket is durable. Sync syncs the
// buckets' files first and then appends to the extents; opening believes the
// extents and nothing else, so that no trace of a torn write is ever read.
//
// It holds some hundred bytes of memory for a bucket and keeps a bounded number
// of files open; the number of records costs neither memory nor time to open. A
// bucket can grow to 256 TiB.
type Vault struct {
	site
	health  health
	durable *cells // extents by bucketCell
	files   *openFiles

	replacing sync.Mutex // one Rewrite or Drop at a time; locked before writing

	writing    sync.Mutex              // held for Write, Sync and changes of extents; guards what follows
	dirty      map[uint32]*bucketFiles // written to and not synced, each in use
	grown      map[uint32]bool         // buckets whose extent is not durable
	newFiles   bool                    // whose names are not durable
	generation uint64                  // of the bucket made last
	data, rows []byte                  // buffers kept between writes

	mu      sync.RWMutex // guards extents; written to under writing only
	extents map[uint32]extent
}

const (
	vaultLabel   = "cairn vault v1"
	extentsName  = "extents"
	openBuckets  = 128     // whose files are kept open
	dirtyBuckets = 64      // after which files are synced without being asked
	writeSize    = 4 << 20 // bytes, after which records are written out
	extentsBatch = 10000   // how many of them share a frame
)

// openVault opens the vault in a directory that exists. With create it makes
// one if there is none, else that is storage.ErrNotFound.
func openVault(at site) (*Vault, error) {
	durable, err := openCells(at.below(extentsName), vaultLabel)
	if err != nil {
		return nil, err
	}
	v := &Vault{
		site: at, durable: durable,
		files:   newOpenFiles(at.name, openBuckets),
		dirty:   make(map[uint32]*bucketFiles),
		grown:   make(map[uint32]bool),
		extents: make(map[uint32]extent),
	}
	if err = v.load(); err == nil {
		err = v.sweep()
	}
	if err != nil {
		_ = durable.close()
		return nil, fmt.Errorf("vault %s: %w", at.name, err)
	}
	return v, nil
}

// bucketCell is the name of a bucket's cell.
func bucketCell(bucket uint32) string {
	return string(binary.BigEndian.AppendUint32(nil, bucket))
}

// load reads the extents.
func (v *Vault) load() error {
	for c := range v.durable.all() {
		e, err := parseExtent(c.value)
		if err == nil && len(c.name) != 4 {
			err = storage.ErrCorrupt
		}
		if err != nil {
			return err
		}
		v.extents[binary.BigEndian.Uint32([]byte(c.name))] = e
		v.generation = max(v.generation, e.generation)
	}
	return nil
}

// sweep removes the files of buckets that were dropped, rewritten or never
// synced, and lets no power cut bring them back.
func (v *Vault) sweep() error {
	live := map[string]bool{extentsName: true}
	for bucket, e := range v.extents {
		name := bucketName{bucket, e.generation}.String()
		live[name+recordsSuffix], live[name+rowsSuffix] = true, true
	}
	infos, err := v.fs.ReadDir(v.name)
	if err != nil {
		return err
	}
	swept := false
	for _, info := range infos {
		if suffix := path.Ext(info.Name); live[info.Name] || suffix != recordsSuffix && suffix != rowsSuffix {
			continue
		}
		if err := v.fs.Remove(path.Join(v.name, info.Name)); err != nil {
			return err
		}
		swept = true
	}
	if !swept {
		return nil
	}
	return v.fs.SyncDir(v.name)
}

// extent returns how much of the bucket there is; false: nothing.
func (v *Vault) extent(bucket uint32) (extent, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	e, ok := v.extents[bucket]
	return e, ok
}

// Sync implements storage.Vault.
func (v *Vault) Sync(ctx context.Context) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	if err := v.health.check(ctx); err != nil {
		return err
	}
	if err := v.sync(); err != nil {
		return v.health.doubt(fmt.Errorf("vault %s: sync: %w", v.name, err))
	}
	return nil
}

// sync makes the files durable before the extents that speak of them.
func (v *Vault) sync() error {
	if len(v.grown) == 0 {
		return nil
	}
	if err := v.flush(); err != nil {
		return err
	}
	if v.newFiles {
		if err := v.fs.SyncDir(v.name); err != nil {
			return err
		}
		v.newFiles = false
	}
	var changes []cell
	for _, bucket := range slices.Sorted(maps.Keys(v.grown)) {
		changes = append(changes, cell{bucketCell(bucket), formatExtent(v.extents[bucket])})
	}
	for part := range slices.Chunk(changes, extentsBatch) {
		if err := v.durable.change(&request{changes: part}); err != nil {
			return err
		}
	}
	clear(v.grown)
	return nil
}

// flush syncs the files that were written to.
func (v *Vault) flush() error {
	for _, bucket := range slices.Sorted(maps.Keys(v.dirty)) {
		f := v.dirty[bucket]
		if err := f.sync(); err != nil {
			return err
		}
		delete(v.dirty, bucket)
		v.files.done(f)
	}
	return nil
}

// close syncs the vault, if it did not fail, and closes its files.
func (v *Vault) close() error {
	v.replacing.Lock()
	defer v.replacing.Unlock()
	v.writing.Lock()
	defer v.writing.Unlock()
	var err error
	if v.health.check(context.Background()) == nil {
		err = v.health.doubt(v.sync())
	}
	v.health.close()
	for _, f := range v.dirty {
		v.files.done(f)
	}
	clear(v.dirty)
	v.files.forgetAll()
	return errors.Join(err, v.durable.close())
}
