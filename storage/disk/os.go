package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// OS is a directory of the operating system's file system. No name leads out
// of it, through symbolic links either.
type OS struct{ root *os.Root }

// OpenOS opens a directory that exists.
func OpenOS(path string) (*OS, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &OS{root}, nil
}

// Close releases the directory.
func (o *OS) Close() error { return o.root.Close() }

// Open implements FS.
func (o *OS) Open(name string) (File, error) {
	return o.open(name, os.O_RDWR)
}

// Create implements FS.
func (o *OS) Create(name string) (File, error) {
	return o.open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

func (o *OS) open(name string, flag int) (File, error) {
	f, err := o.root.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Stat implements FS.
func (o *OS) Stat(name string) (Info, error) {
	fi, err := o.root.Stat(name)
	if err != nil {
		return Info{}, err
	}
	return Info{Name: fi.Name(), Dir: fi.IsDir(), Size: fi.Size()}, nil
}

// ReadDir implements FS.
func (o *OS) ReadDir(name string) ([]Info, error) {
	entries, err := fs.ReadDir(o.root.FS(), name)
	if err != nil {
		return nil, err
	}
	infos := make([]Info, len(entries))
	for i, e := range entries {
		infos[i] = Info{Name: e.Name(), Dir: e.IsDir()}
	}
	return infos, nil
}

// Mkdir implements FS.
func (o *OS) Mkdir(name string) error { return o.root.Mkdir(name, 0o700) }

// Rename implements FS.
func (o *OS) Rename(old, new string) error { return o.root.Rename(old, new) }

// Remove implements FS.
func (o *OS) Remove(name string) error { return o.root.Remove(name) }

// SyncDir implements FS.
func (o *OS) SyncDir(name string) error {
	d, err := o.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(syncDirectory(d), d.Close())
}

// Lock implements FS.
func (o *OS) Lock(name string) (io.Closer, error) {
	f, err := o.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// osFile is an open file. Its Sync leaves out what is not needed to read it
// back, where the system can do that.
type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

func (f osFile) Sync() error { return syncData(f.File) }

func exists(err error) bool { return errors.Is(err, fs.ErrExist) }
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
