package disk_test

import (
	"math/rand/v2"
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
		}
	}
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
