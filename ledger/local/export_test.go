package local

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage/disk"
)

// Quick returns options whose passphrase is cheap to try, as no real one may
// be.
func Quick(o InitOptions) InitOptions {
	o.parts.workFactor = 10
	return o
}

// On returns options for a ledger whose data directory is on another file
// system, as its own code sees it and as Pebble does, with the key state in a
// directory of it. Its files are small, so
// that the journal forgets and the registers are compacted soon.
func On(o Options, own disk.FS, pebble vfs.FS) Options {
	const cache = 1 << 20 // many ledgers are opened
	o.parts.disk.FS = own
	o.parts.place = func(path string) (disk.FS, error) { return place(own, path) }
	o.parts.disk.Limits = disk.Limits{Segment: 8 << 10, Compact: 8 << 10, Ahead: 4 << 10}
	o.parts.index.FS, o.parts.index.CacheBytes = pebble, cache
	o.parts.tree.FS, o.parts.tree.CacheBytes = pebble, cache
	return o
}

// A below is a directory of a file system.
type below struct {
	disk.FS
	dir string
}

// place makes a directory of the file system a place of the key state.
func place(own disk.FS, path string) (disk.FS, error) {
	dir := filepath.Base(path)
	if err := own.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return below{own, dir}, own.SyncDir(".")
}

func (b below) Open(name string) (disk.File, error)   { return b.FS.Open(path.Join(b.dir, name)) }
func (b below) Create(name string) (disk.File, error) { return b.FS.Create(path.Join(b.dir, name)) }
func (b below) Stat(name string) (disk.Info, error)   { return b.FS.Stat(path.Join(b.dir, name)) }
func (b below) ReadDir(name string) ([]disk.Info, error) {
	return b.FS.ReadDir(path.Join(b.dir, name))
}
func (b below) Rename(old, new string) error {
	return b.FS.Rename(path.Join(b.dir, old), path.Join(b.dir, new))
}
func (b below) Remove(name string) error            { return b.FS.Remove(path.Join(b.dir, name)) }
func (b below) SyncDir(name string) error           { return b.FS.SyncDir(path.Join(b.dir, name)) }
func (b below) Lock(name string) (io.Closer, error) { return b.FS.Lock(path.Join(b.dir, name)) }
