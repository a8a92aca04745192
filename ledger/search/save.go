package search

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
)

// save replaces the register by reg. If it fails nothing has changed, or the
// index has failed.
func (x *Index) save(reg *register) error {
	key, err := x.cfg.Key(reg.generation)
	if err != nil {
		return fmt.Errorf("index key of generation %d: %w", reg.generation, err)
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(x.cfg.Rand, salt); err != nil {
		return err
	}
	// The files have to have their names before the register has them.
	if err := x.cfg.FS.SyncDir("."); err != nil {
		return x.doubt(err)
	}
	sealed := reg.seal(&key, salt)
	if err := compose(x.cfg.FS, registerNew, func(f disk.File) error {
		_, err := f.WriteAt(sealed, 0)
		return err
	}); err != nil {
		return fmt.Errorf("write register: %w", err)
	}
	err = x.cfg.FS.Rename(registerNew, registerName)
	if err == nil {
		err = x.cfg.FS.SyncDir(".")
	}
	if err != nil {
		return x.doubt(err)
	}
	x.reg = reg
	return nil
}

// doubt closes the index for writing.
func (x *Index) doubt(err error) error {
	x.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	return x.failed
}

// removeGarbage removes files that the register does not have. What cannot be
// removed is tried again the next time.
func (x *Index) removeGarbage() error {
	if len(x.garbage) == 0 {
		return nil
	}
	for len(x.garbage) > 0 {
		name := x.garbage[len(x.garbage)-1]
		err := x.cfg.FS.Remove(name.String())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %v: %w", name, err)
		}
		x.garbage = x.garbage[:len(x.garbage)-1]
		if err := x.handles.forget(name); err != nil {
			return err
		}
	}
	if err := x.cfg.FS.SyncDir("."); err != nil {
		return x.doubt(err)
	}
	return nil
}

// discard lets nobody read a file any more, and has it removed.
func (x *Index) discard(f *file) {
	f.gone.Store(true)
	x.cache.forget(f.name)
	x.garbage = append(x.garbage, f.name)
}

// compose writes and syncs a new file. What is left of one that failed is
// removed.
func compose(fsys disk.FS, name string, write func(disk.File) error) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = fsys.Remove(name) // only to give the room back; an opening removes it
	}
	return err
}

// create writes the file of a part.
func (x *Index) create(id FileID, write func(*fileWriter) (contents, error)) (record, error) {
	return x.createFile(id, func(r *record, put func([]byte) error) error { return r.write(put, write) })
}

// createFile writes a file of a new name, under a new key.
func (x *Index) createFile(id FileID, write func(r *record, put func([]byte) error) error) (record, error) {
	r := record{FileID: id}
	var secret [len(r.name) + len(r.key)]byte
	if _, err := io.ReadFull(x.cfg.Rand, secret[:]); err != nil {
		return r, err
	}
	r.name, r.key = fileName(secret[:len(r.name)]), proofs.Key256(secret[len(r.name):])
	err := compose(x.cfg.FS, r.name.String(), func(f disk.File) error {
		out := &appender{file: f}
		err := write(&r, out.append)
		return errors.Join(err, out.flush())
	})
	if err != nil {
		return r, fmt.Errorf("write %v: %w", id, err)
	}
	return r, nil
}

// contents is what the register has to know of a file.
type contents struct {
	documents []uint16
	times     []uint64
}

// write writes the file that a record is to be of, and completes the record.
func (r *record) write(put func([]byte) error, write func(*fileWriter) (contents, error)) error {
	w := newFileWriter(newSealer(r.name, &r.key), r.span(), put)
	c, err := write(w)
	if err != nil {
		return err
	}
	dir, err := w.finish(c.documents)
	if err != nil {
		return err
	}
	r.documents = uint32(len(c.documents))
	r.first, r.last = c.times[0], c.times[len(c.times)-1]
	r.offset, r.size, r.number = dir.offset, dir.size, dir.number
	return nil
}

// An appender writes a file in large pieces.
type appender struct {
	file   disk.File
	buf    []byte
	offset int64
}

const pieceSize = 256 << 10

func (a *appender) append(b []byte) error {
	a.buf = append(a.buf, b...)
	if len(a.buf) < pieceSize {
		return nil
	}
	return a.flush()
}

func (a *appender) flush() error {
	n, err := a.file.WriteAt(a.buf, a.offset)
	a.offset += int64(n)
	a.buf = a.buf[:0]
	return err
}
