package disk

import (
	"errors"
	"fmt"
	"io"
	"path"
	"syscall"

	"github.com/cairnlog/cairn/storage"
)

// An FS is a directory of a file system, all that this package asks of one.
// Names are relative and separated by slashes; "." is the directory itself.
// Errors for what is absent match fs.ErrNotExist. [OS] is the real one; package
// memfs has one in memory that fails and crashes on demand.
type FS interface {
	// Open opens a file that exists, for reading and writing.
	Open(name string) (File, error)
	// Create makes an empty file that only its owner can read, in the place of
	// one that may be there.
	Create(name string) (File, error)
	// Stat describes a file or a directory.
	Stat(name string) (Info, error)
	// ReadDir describes what is in a directory, sorted by name.
	ReadDir(name string) ([]Info, error)
	// Mkdir makes a directory that only its owner can enter. One that is there
	// already matches fs.ErrExist.
	Mkdir(name string) error
	// Rename moves a file to the place of one that may be there, at once.
	Rename(old, new string) error
	// Remove removes a file.
	Remove(name string) error
	// SyncDir makes durable which names are in a directory.
	SyncDir(name string) error
	// Lock takes the lock file of that name until it is closed. If another
	// holds it the error matches storage.ErrLocked.
	Lock(name string) (io.Closer, error)
}

// A File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the file's size in bytes.
	Size() (int64, error)
	// Truncate changes the file's size.
	Truncate(size int64) error
	// Sync makes the file's bytes and size durable.
	Sync() error
}

// Info describes a file or a directory.
type Info struct {
	Name string // the last element
	Dir  bool
	Size int64 // in bytes; of a file described by Stat
}

// beside returns the name under which a file is written that will replace the
// one of that name. No store or object has such a name.
func beside(name string) string {
	return path.Join(path.Dir(name), "."+path.Base(name)+".new")
}

// place puts a file under name in one step: written to the temporary name,
// synced, renamed, and its directory synced. An error that matches
// storage.ErrNoSpace means that nothing has changed; after any other one name
// holds the old file, or none, or the new one.
func place(fsys FS, name, temporary string, write func(File) error) error {
	err := compose(fsys, temporary, write)
	if err == nil {
		err = fsys.Rename(temporary, name)
	}
	if err != nil {
		_ = fsys.Remove(temporary) // only to give the room back
		return noSpace(err)
	}
	return fsys.SyncDir(path.Dir(name))
}

// compose writes and syncs a new file.
func compose(fsys FS, name string, write func(File) error) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// makeDir makes a directory if it is not there and makes its name durable. The
// errors are as those of place.
func makeDir(fsys FS, name string) error {
	if err := fsys.Mkdir(name); err != nil && !exists(err) {
		return noSpace(err)
	}
	return fsys.SyncDir(path.Dir(name))
}

// noSpace makes errors that mean a full medium match storage.ErrNoSpace. It is
// applied only where such an error means that nothing has changed.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", storage.ErrNoSpace, err)
	}
	return err
}
