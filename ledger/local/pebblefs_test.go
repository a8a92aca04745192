package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage/disk"
)

// A pebbleFS lets Pebble keep its files below a directory of a disk.FS, so
// that all of a ledger's stores are on one file system. The names that Pebble
// uses are paths of the operating system below root.
type pebbleFS struct {
	disk.FS
	root string
}

var _ vfs.FS = pebbleFS{}

// inside returns the name of a path in the disk.FS.
func (p pebbleFS) inside(name string) string {
	rel, err := filepath.Rel(p.root, name)
	if err != nil {
		return "../" + name // no valid name: every call refuses it
	}
	return filepath.ToSlash(rel)
}

func (p pebbleFS) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	// What Pebble creates is another file than one that is there.
	if err := p.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := p.FS.Create(p.inside(name))
	if err != nil {
		return nil, err
	}
	return &pebbleFile{File: f, fs: p, name: name}, nil
}

func (p pebbleFS) Open(name string, options ...vfs.OpenOption) (vfs.File, error) {
	f, err := p.FS.Open(p.inside(name))
	if err != nil {
		return nil, err
	}
	file := &pebbleFile{File: f, fs: p, name: name}
	for _, o := range options {
		o.Apply(file)
	}
	return file, nil
}

func (p pebbleFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, options ...vfs.OpenOption) (vfs.File, error) {
	f, err := p.Open(name, options...)
	if errors.Is(err, fs.ErrNotExist) {
		return p.Create(name, c)
	}
	return f, err
}

func (p pebbleFS) ReuseForWrite(from, to string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	if err := p.Rename(from, to); err != nil {
		return nil, err
	}
	return p.Open(to)
}

func (p pebbleFS) OpenDir(name string) (vfs.File, error) {
	if _, err := p.FS.Stat(p.inside(name)); err != nil {
		return nil, err
	}
	return pebbleDir{fs: p, name: name}, nil
}

func (p pebbleFS) Link(string, string) error { return errors.ErrUnsupported }

func (p pebbleFS) Remove(name string) error { return p.FS.Remove(p.inside(name)) }

func (p pebbleFS) RemoveAll(string) error { return errors.ErrUnsupported }

func (p pebbleFS) Rename(from, to string) error { return p.FS.Rename(p.inside(from), p.inside(to)) }

func (p pebbleFS) MkdirAll(name string, _ os.FileMode) error {
	name = p.inside(name)
	if name == "." {
		return nil
	}
	if err := p.MkdirAll(filepath.Join(p.root, path.Dir(name)), 0); err != nil {
		return err
	}
	err := p.FS.Mkdir(name)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (p pebbleFS) Lock(name string) (io.Closer, error) {
	if _, err := p.FS.Stat(p.inside(filepath.Dir(name))); err != nil {
		return nil, err
	}
	return p.FS.Lock(p.inside(name))
}

func (p pebbleFS) List(name string) ([]string, error) {
	infos, err := p.FS.ReadDir(p.inside(name))
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	return names, err
}

func (p pebbleFS) Stat(name string) (vfs.FileInfo, error) {
	info, err := p.FS.Stat(p.inside(name))
	if err != nil {
		return nil, err
	}
	return pebbleInfo{info}, nil
}

func (pebbleFS) PathBase(name string) string        { return filepath.Base(name) }
func (pebbleFS) PathJoin(elements ...string) string { return filepath.Join(elements...) }
func (pebbleFS) PathDir(name string) string         { return filepath.Dir(name) }
func (pebbleFS) Unwrap() vfs.FS                     { return nil }

func (pebbleFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{}, vfs.ErrUnsupported
}

// A pebbleFile is a file that is read and written from its beginning on.
type pebbleFile struct {
	disk.File
	fs     pebbleFS
	name   string
	offset int64 // of the next Read or Write: Pebble does one of them only
}

func (f *pebbleFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.offset)
	f.offset += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *pebbleFile) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.offset)
	f.offset += int64(n)
	return n, err
}

func (f *pebbleFile) Stat() (vfs.FileInfo, error) { return f.fs.Stat(f.name) }

func (f *pebbleFile) SyncData() error { return f.Sync() }

// SyncTo only begins to write out, which makes nothing durable.
func (f *pebbleFile) SyncTo(int64) (full bool, err error) { return false, nil }

func (f *pebbleFile) Preallocate(int64, int64) error { return nil }
func (f *pebbleFile) Prefetch(int64, int64) error    { return nil }
func (f *pebbleFile) Fd() uintptr                    { return vfs.InvalidFd }

// A pebbleDir is a directory, of which Pebble only wants to sync the names.
type pebbleDir struct {
	vfs.File // nil: nothing else is asked of a directory
	fs       pebbleFS
	name     string
}

func (d pebbleDir) Sync() error  { return d.fs.SyncDir(d.fs.inside(d.name)) }
func (d pebbleDir) Close() error { return nil }

// pebbleInfo describes a file as Pebble wants it.
type pebbleInfo struct{ disk.Info }

func (i pebbleInfo) Name() string           { return i.Info.Name }
func (i pebbleInfo) Size() int64            { return i.Info.Size }
func (i pebbleInfo) Mode() fs.FileMode      { return 0o600 }
func (i pebbleInfo) ModTime() time.Time     { return time.Time{} }
func (i pebbleInfo) IsDir() bool            { return i.Info.Dir }
func (i pebbleInfo) Sys() any               { return nil }
func (i pebbleInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }
