package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/storagetest"
)

var key = []byte("the key of the tests' journals")

func openRegister(d *disk.Dir) (storage.Register, error)   { return d.Register("signed") }
func openRegisters(d *disk.Dir) (storage.Registers, error) { return d.Registers("registers") }
func openObjects(d *disk.Dir) (storage.Objects, error)     { return d.Objects("objects") }
func openJournal(d *disk.Dir) (storage.Journal, error)     { return d.Journal("journal", key) }
func openVault(d *disk.Dir) (storage.Vault, error)         { return d.Vault("vault") }

// simulated is a store on a file system in memory. It is created once: later
// openings must find it.
func simulated[S any](open func(*disk.Dir) (S, error)) storagetest.Maker[S] {
	return func(t *testing.T, plan *fault.Plan) storagetest.Subject[S] {
		fsys, created := memfs.New(plan), false
		var d *disk.Dir
		return storagetest.Subject[S]{
			Open: func() (store S, err error) {
				o := disk.SmallFiles(disk.Options{Create: !created, FS: fsys})
				if d, err = disk.Open("simulated", o); err != nil {
					return store, err
				}
				store, err = open(d)
				created = created || err == nil
				return store, err
			},
			Close: func() error {
				err := d.Close()
				if n := fsys.OpenFiles(); n > 0 && err == nil {
					t.Errorf("%d files are open after Close", n)
				}
				return err
			},
			Kill:        func() { fsys = fsys.Restart() },
			Crash:       func(rng *rand.Rand) { fsys = fsys.Crash(rng) },
			Damage:      func(b []byte) error { return damage(fsys, "vault", b) },
			FollowsPlan: true,
		}
	}
}

// real is a store on the operating system's file system.
func real[S any](open func(*disk.Dir) (S, error)) storagetest.Maker[S] {
	return func(t *testing.T, _ *fault.Plan) storagetest.Subject[S] {
		path, created := t.TempDir()+"/data", false
		var d *disk.Dir
		t.Cleanup(func() {
			if d != nil {
				_ = d.Close()
			}
		})
		return storagetest.Subject[S]{
			Open: func() (store S, err error) {
				if d, err = disk.Open(path, disk.Options{Create: !created}); err != nil {
					return store, err
				}
				created = true
				return open(d)
			},
			Close: func() error { return d.Close() },
			Damage: func(b []byte) error {
				fsys, err := disk.OpenOS(path)
				if err != nil {
					return err
				}
				return errors.Join(damage(fsys, "vault", b), fsys.Close())
			},
		}
	}
}

// damage changes a bit of the bytes in the one file of a directory that has them.
func damage(fsys disk.FS, dir string, b []byte) error {
	infos, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, info := range infos {
		f, err := fsys.Open(path.Join(dir, info.Name))
		if err != nil {
			return err
		}
		size, err := f.Size()
		data := make([]byte, size)
		if err == nil && size > 0 {
			_, err = f.ReadAt(data, 0)
		}
		at := bytes.Index(data, b)
		if err == nil && at >= 0 {
			if _, err = f.WriteAt([]byte{b[0] ^ 1}, int64(at)); err == nil {
				return errors.Join(f.Sync(), f.Close())
			}
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return fmt.Errorf("no file of %s has %q", dir, b)
}

func TestRegister(t *testing.T) {
	t.Parallel()
	t.Run("simulated", func(t *testing.T) { storagetest.Register(t, simulated(openRegister)) })
	t.Run("real", func(t *testing.T) { storagetest.Register(t, real(openRegister)) })
}

func TestRegisters(t *testing.T) {
	t.Parallel()
	t.Run("simulated", func(t *testing.T) { storagetest.Registers(t, simulated(openRegisters)) })
	t.Run("real", func(t *testing.T) { storagetest.Registers(t, real(openRegisters)) })
}

func TestObjects(t *testing.T) {
	t.Parallel()
	t.Run("simulated", func(t *testing.T) { storagetest.Objects(t, simulated(openObjects)) })
	t.Run("real", func(t *testing.T) { storagetest.Objects(t, real(openObjects)) })
}

func TestJournal(t *testing.T) {
	t.Parallel()
	t.Run("simulated", func(t *testing.T) { storagetest.Journal(t, simulated(openJournal)) })
	t.Run("real", func(t *testing.T) { storagetest.Journal(t, real(openJournal)) })
}

func TestVault(t *testing.T) {
	t.Parallel()
	t.Run("simulated", func(t *testing.T) { storagetest.Vault(t, simulated(openVault)) })
	t.Run("real", func(t *testing.T) { storagetest.Vault(t, real(openVault)) })
}
