package disk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"sync"

	"github.com/cairnlog/cairn/storage"
)

// A Register is a storage.Register in a file of its own:
//
//	cairn register v1
//	<SHA-256 of the value in lower-case hexadecimal>
//	<value>
//
// A Swap writes a new file, syncs it, renames it over the old one and syncs the
// directory. Every call reads the file: what another process did to it, which
// the lock should prevent, loses no compare-and-swap.
type Register struct {
	health health
	fs     FS
	name   string
	locks  []io.Closer // of a register that was opened alone

	mu sync.Mutex // one Swap at a time
}

const registerMagic = "cairn register v1\n"

// OpenRegister opens a register at any path, in a directory that exists. It is
// meant for a copy outside the data directory, on another medium. The register
// is locked by a file beside it, path.lock, until it is closed.
func OpenRegister(path string) (*Register, error) {
	fsys, err := OpenOS(filepath.Dir(path))
	if err != nil {
		return nil, notFound(err)
	}
	name := filepath.Base(path)
	lock, err := fsys.Lock(name + ".lock")
	if err != nil {
		return nil, errors.Join(err, fsys.Close())
	}
	r, err := openRegister(fsys, name)
	if err != nil {
		return nil, errors.Join(err, lock.Close(), fsys.Close())
	}
	r.locks = []io.Closer{lock, fsys}
	return r, nil
}

// openRegister opens the register in that file, set or not.
func openRegister(fsys FS, name string) (*Register, error) {
	r := &Register{fs: fsys, name: name}
	if err := fsys.SyncDir(path.Dir(name)); err != nil { // the last rename may be in memory only
		return nil, err
	}
	if _, err := r.read(); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	return r, nil
}

// Load implements storage.Register.
func (r *Register) Load(ctx context.Context) ([]byte, error) {
	r.mu.Lock() // lest it returns what a Swap under way takes back
	defer r.mu.Unlock()
	if err := r.health.check(ctx); err != nil {
		return nil, err
	}
	return r.read()
}

func (r *Register) read() ([]byte, error) {
	b, err := readFile(r.fs, r.name, int64(len(formatRegister(nil))+storage.MaxRegister))
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", r.name, err)
	}
	value, err := parseRegister(b)
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", r.name, err)
	}
	return value, nil
}

// Swap implements storage.Register.
func (r *Register) Swap(ctx context.Context, old, new []byte) error {
	if err := checkRegister(new); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.health.check(ctx); err != nil {
		return err
	}
	value, err := r.read()
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if !bytes.Equal(value, old) {
		return fmt.Errorf("register %s: %w", r.name, storage.ErrConflict)
	}
	err = place(r.fs, r.name, beside(r.name), func(f File) error {
		_, err := f.WriteAt(formatRegister(new), 0)
		return err
	})
	if err != nil {
		return r.health.doubt(fmt.Errorf("register %s: swap: %w", r.name, err))
	}
	return nil
}

// Close releases a register that was opened by OpenRegister.
func (r *Register) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.close()
	var errs []error
	for _, lock := range r.locks {
		errs = append(errs, lock.Close())
	}
	r.locks = nil
	return errors.Join(errs...)
}

func (r *Register) close() error { return r.Close() }

// formatRegister returns the file of a value.
func formatRegister(value []byte) []byte {
	return fmt.Appendf(nil, "%s%x\n%s", registerMagic, sha256.Sum256(value), value)
}

// parseRegister returns the value in a register's file, a part of b.
func parseRegister(b []byte) ([]byte, error) {
	const head = len(registerMagic) + 2*sha256.Size + 1
	if len(b) <= head || len(b) > head+storage.MaxRegister || !bytes.Equal(b[:head], formatRegister(b[head:])[:head]) {
		return nil, storage.ErrCorrupt
	}
	return b[head:], nil
}

// readFile reads a file of at most limit bytes.
func readFile(fsys FS, name string, limit int64) ([]byte, error) {
	info, err := fsys.Stat(name)
	if err != nil {
		return nil, notFound(err)
	}
	if info.Dir {
		return nil, fmt.Errorf("is a directory: %w", storage.ErrNotFound)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, notFound(err)
	}
	defer f.Close()       // only read
	size, err := f.Size() // of this file, should the name be another's now
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%d bytes: %w", size, storage.ErrCorrupt)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), b); err != nil {
		return nil, corruptEOF(err)
	}
	return b, nil
}
