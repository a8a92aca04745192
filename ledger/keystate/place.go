package keystate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cairnlog/cairn/storage/disk"
)

// A Place is a directory that belongs to one store.
type Place struct {
	Name string  // for people
	FS   disk.FS // its root is the directory
}

// epochs returns the epochs that the place has any file of, the latest first.
func (p Place) epochs() ([]uint64, error) {
	infos, err := p.FS.ReadDir(".")
	if err != nil {
		return nil, p.wrong("list", err)
	}
	var epochs []uint64
	for _, info := range infos {
		if epoch, ok := parseName(info.Name); ok && !slices.Contains(epochs, epoch) {
			epochs = append(epochs, epoch)
		}
	}
	slices.Sort(epochs)
	slices.Reverse(epochs)
	return epochs, nil
}

// read reads a whole file; one that is not there is nil.
func (p Place) read(name string) ([]byte, error) {
	info, err := p.FS.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, p.wrong("read "+name, err)
	}
	if info.Dir || info.Size > maxState {
		return nil, p.wrong("read "+name, fmt.Errorf("%w: it is no file of at most %d bytes", ErrMalformed, maxState))
	}
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, p.wrong("read "+name, err)
	}
	defer f.Close()
	b := make([]byte, info.Size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, info.Size), b); err != nil {
		return nil, p.wrong("read "+name, err)
	}
	return b, nil
}

// write makes a file durable. Where it has these bytes already they are
// written again in their place: that they can be read does not say that they
// are durable, and a cell must leave no copy of itself elsewhere.
func (p Place) write(name string, b []byte) error {
	there, err := p.read(name)
	if err != nil {
		return err
	}
	open := p.FS.Create
	if bytes.Equal(there, b) {
		open = p.FS.Open
	}
	f, err := open(name)
	if err != nil {
		return p.wrong("write "+name, err)
	}
	// The version comes last: what parses is whole, also after a crash.
	for _, part := range []struct {
		bytes []byte
		at    int64
	}{{b[1:], 1}, {b[:1], 0}} {
		if err == nil {
			_, err = f.WriteAt(part.bytes, part.at)
		}
		if err == nil {
			err = f.Sync()
		}
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = p.FS.SyncDir(".")
	}
	if err != nil {
		return p.wrong("write "+name, err)
	}
	return nil
}

// replace makes a file durable under its name all at once, so that one that
// is there is whole.
func (p Place) replace(name string, b []byte) error {
	beside := name + ".new"
	if err := p.write(beside, b); err != nil {
		return err
	}
	err := p.FS.Rename(beside, name)
	if err == nil {
		err = p.FS.SyncDir(".")
	}
	if err != nil {
		return p.wrong("write "+name, err)
	}
	return nil
}

// put writes both files of an epoch: the cell last, for it makes them whole.
func (p Place) put(e *epoch) error {
	if err := p.write(stateName(e.number), e.state); err != nil {
		return err
	}
	return p.write(cellName(e.number), e.cell)
}

// shred overwrites and removes what the place has of an epoch.
func (p Place) shred(epoch uint64) error {
	for _, name := range []string{cellName(epoch), stateName(epoch)} {
		if err := p.shredFile(name); err != nil {
			return p.wrong("erase "+name, err)
		}
	}
	return nil
}

func (p Place) shredFile(name string) error {
	info, err := p.FS.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := p.FS.Open(name)
	if err != nil {
		return err
	}
	// In the same blocks, where the file system writes in place.
	_, err = f.WriteAt(make([]byte, info.Size), 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := p.FS.Remove(name); err != nil {
		return err
	}
	return p.FS.SyncDir(".")
}

func (p Place) wrong(what string, err error) error {
	return fmt.Errorf("key state in %s: %s: %w", p.Name, what, err)
}

// A Holding is what the files of a place say to whoever cannot open them.
type Holding struct {
	Owner    [32]byte
	Epoch    uint64 // the latest that is whole
	Wrapping string // the name of the wrapper of its cell; empty: it lies open
}

// Holding returns what the place holds; ok says whether it holds anything.
func (p Place) Holding() (h Holding, ok bool, err error) {
	epochs, err := p.epochs()
	if err != nil {
		return h, false, err
	}
	for _, number := range epochs {
		b, err := p.read(cellName(number))
		if err != nil {
			return h, false, err
		}
		if c, err := parseCell(b); err == nil {
			clear(b)
			return Holding{c.owner, number, c.wrapping}, true, nil
		}
	}
	return h, false, nil
}

// EscrowEpoch returns the latest epoch of the escrow that a place is; ok says
// whether it has any.
func (p Place) EscrowEpoch() (epoch uint64, ok bool, err error) {
	files, err := (&Escrow{Place: p}).files()
	for e := range files {
		epoch, ok = max(epoch, e), true
	}
	return epoch, ok, err
}

// Erase overwrites and removes what the place holds, which is no place of its
// ledger any more. The error is [ErrOther] where it is another ledger's, and
// [ErrNone] where it holds nothing; a state later than the latest epoch of the
// places in use is kept, for it is the one that is in force.
func (p Place) Erase(owner [32]byte, latest uint64) error {
	h, ok, err := p.Holding()
	switch {
	case err != nil:
		return err
	case !ok:
		return p.wrong("erase", ErrNone)
	case h.Owner != owner:
		return p.wrong("erase", ErrOther)
	case h.Epoch > latest:
		return p.wrong("erase", fmt.Errorf("it has epoch %d, and the places that are in use %d: it is the latest", h.Epoch, latest))
	}
	epochs, err := p.epochs()
	for _, epoch := range epochs {
		err = errors.Join(err, p.shred(epoch))
	}
	return err
}
