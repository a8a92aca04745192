package disk

import (
	"io"
	"path"
)

// Below returns the directory of that name, in which others may keep what is
// theirs. No store has that name. It need not be there: Mkdir of "." makes it,
// durably. It is used until Close.
func (d *Dir) Below(name string) FS { return below{d.fs, name} }

// A below is a directory of a file system.
type below struct {
	fs   FS
	name string
}

func (b below) path(name string) string { return path.Join(b.name, name) }

// Open implements FS.
func (b below) Open(name string) (File, error) { return b.fs.Open(b.path(name)) }

// Create implements FS.
func (b below) Create(name string) (File, error) { return b.fs.Create(b.path(name)) }

// Stat implements FS.
func (b below) Stat(name string) (Info, error) { return b.fs.Stat(b.path(name)) }

// ReadDir implements FS.
func (b below) ReadDir(name string) ([]Info, error) { return b.fs.ReadDir(b.path(name)) }

// Mkdir implements FS.
func (b below) Mkdir(name string) error {
	err := b.fs.Mkdir(b.path(name))
	if err == nil && b.path(name) == b.name {
		err = b.fs.SyncDir(path.Dir(b.name))
	}
	return err
}

// Rename implements FS.
func (b below) Rename(old, new string) error { return b.fs.Rename(b.path(old), b.path(new)) }

// Remove implements FS.
func (b below) Remove(name string) error { return b.fs.Remove(b.path(name)) }

// SyncDir implements FS.
func (b below) SyncDir(name string) error { return b.fs.SyncDir(b.path(name)) }

// Lock implements FS.
func (b below) Lock(name string) (io.Closer, error) { return b.fs.Lock(b.path(name)) }
