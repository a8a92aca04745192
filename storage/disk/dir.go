package disk

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cairnlog/cairn/storage"
)

// A Dir is a data directory: named stores under one lock. Whatever asks for a
// store of a name twice gets the same one.
type Dir struct {
	path string
	site // of the stores; without a name

	mu      sync.Mutex
	stores  map[string]closer // nil after Close
	names   []string          // of the stores, as they were opened
	closers []io.Closer       // the lock and what is below it
}

// A closer is a store of the directory.
type closer interface{ close() error }

// Options say how to open a directory.
type Options struct {
	// Create makes the directory and the stores that are not there yet. It is
	// for the act of creation: without it a missing directory or store is
	// storage.ErrNotFound, so that a wrong path starts no empty history.
	// Creating can be repeated after it was interrupted.
	Create bool

	// FS is used in the place of the operating system's directory, and the
	// path only in messages. Nil is the ordinary case.
	FS FS

	// Limits are for tests and for small disks.
	Limits Limits
}

// Limits are sizes in bytes; zero stands for the default.
type Limits struct {
	// Segment is after how much a journal's file is followed by another. A
	// journal forgets whole files only. Default: 64 MiB.
	Segment int64

	// Compact is how large a file of registers or of extents grows at least
	// before it is written anew. Default: 4 MiB.
	Compact int64

	// Ahead is how much is written at once where a small record makes a file
	// grow, so that the next ones find room. Default: 256 KiB.
	Ahead int64
}

func (l Limits) withDefaults() Limits {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Segment, 64<<20)
	set(&l.Compact, 4<<20)
	set(&l.Ahead, 256<<10)
	return l
}

// A site is where a store is.
type site struct {
	fs     FS
	name   string // of its file or directory
	limits Limits
	create bool // it if it is not there
}

// below returns the site of a file in the directory.
func (s site) below(name string) site {
	s.name = path.Join(s.name, name)
	return s
}

const lockName = "lock"

// Open opens and locks a directory. If another process holds it, the error
// matches storage.ErrLocked and names the process if it can.
func Open(path string, o Options) (*Dir, error) {
	d := &Dir{
		path:   path,
		site:   site{fs: o.FS, limits: o.Limits.withDefaults(), create: o.Create},
		stores: make(map[string]closer),
	}
	if d.fs == nil {
		fsys, err := openPath(path, o.Create)
		if err != nil {
			return nil, fmt.Errorf("directory %s: %w", path, notFound(err))
		}
		d.fs, d.closers = fsys, []io.Closer{fsys}
	}
	lock, err := d.fs.Lock(lockName)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("directory %s: %w", path, err), d.Close())
	}
	d.closers = append([]io.Closer{lock}, d.closers...)
	return d, nil
}

// openPath opens a directory of the operating system. With create it makes it
// and those above it, each durably.
func openPath(path string, create bool) (*OS, error) {
	if create {
		if err := MakePath(path); err != nil {
			return nil, err
		}
	}
	return OpenOS(path)
}

// MakePath makes a directory of the operating system that only its owner can
// enter, and those above it that are missing. Its name is durable afterwards,
// also of one that is there: whoever made it may have died.
func MakePath(path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return createPath(absolute)
}

func createPath(path string) error {
	above := filepath.Dir(path)
	if above == path {
		return nil
	}
	parent, err := OpenOS(above)
	if absent(err) {
		if err := createPath(above); err != nil {
			return err
		}
		parent, err = OpenOS(above)
	}
	if err != nil {
		return err
	}
	defer parent.Close() // nothing is kept in it
	return makeDir(parent, filepath.Base(path))
}

// Path returns the directory's path, below which others may keep what is
// theirs under names of their own.
func (d *Dir) Path() string { return d.path }

// Register opens the register in the file of that name.
func (d *Dir) Register(name string) (*Register, error) {
	return open(d, name, func() (*Register, error) { return openRegister(d.fs, name) })
}

// Registers opens the registers in the file of that name.
func (d *Dir) Registers(name string) (*Registers, error) {
	return open(d, name, func() (*Registers, error) {
		c, err := openCells(d.below(name), registersLabel)
		return &Registers{c}, err
	})
}

// Objects opens the objects in the directory of that name.
func (d *Dir) Objects(name string) (*Objects, error) {
	return open(d, name, func() (*Objects, error) {
		if err := d.makeDir(name); err != nil {
			return nil, err
		}
		return openObjects(d.below(name))
	})
}

// Journal opens the journal in the directory of that name, whose records are
// authenticated under key. Opened with another key it is storage.ErrCorrupt.
func (d *Dir) Journal(name string, key []byte) (*Journal, error) {
	return open(d, name, func() (*Journal, error) {
		if err := d.makeDir(name); err != nil {
			return nil, err
		}
		return openJournal(d.below(name), key)
	})
}

// Vault opens the vault in the directory of that name.
func (d *Dir) Vault(name string) (*Vault, error) {
	return open(d, name, func() (*Vault, error) {
		if err := d.makeDir(name); err != nil {
			return nil, err
		}
		return openVault(d.below(name))
	})
}

// makeDir makes the directory of a store if that is allowed.
func (d *Dir) makeDir(name string) error {
	if d.create {
		return makeDir(d.fs, name)
	}
	_, err := d.fs.Stat(name)
	return notFound(err)
}

// open returns the store of that name, opened if it is not open yet. The name
// is one element of an object's name.
func open[S closer](d *Dir, name string, create func() (S, error)) (S, error) {
	var none S
	if err := storage.CheckObjectName(name); err != nil || strings.Contains(name, "/") || name == lockName {
		return none, fmt.Errorf("store name %q: %w", name, storage.ErrInvalid)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stores == nil {
		return none, fmt.Errorf("directory %s: %w", d.path, storage.ErrClosed)
	}
	if held, ok := d.stores[name]; ok {
		s, ok := held.(S)
		if !ok {
			return none, fmt.Errorf("store %q: is of another kind: %w", name, storage.ErrInvalid)
		}
		return s, nil
	}
	s, err := create()
	if err != nil {
		return none, fmt.Errorf("open %s: %w", filepath.Join(d.path, name), err)
	}
	d.stores[name], d.names = s, append(d.names, name)
	return s, nil
}

// Close closes the stores, a vault with a sync, and unlocks the directory. The
// errors of stores that failed earlier are theirs, not Close's.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, name := range d.names {
		errs = append(errs, d.stores[name].close())
	}
	for _, c := range d.closers {
		errs = append(errs, c.Close())
	}
	d.stores, d.names, d.closers = nil, nil, nil
	return errors.Join(errs...)
}
