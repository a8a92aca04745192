package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian/storage"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

var errFault = errors.New("fault")

// faultFS fails one call that changes something: before it is done, or after.
type faultFS struct {
	vfs.FS
	in    atomic.Int64 // calls until the fault; it happens at 0
	after bool
}

func (f *faultFS) change(do func() error) error {
	fault := f.in.Add(-1) == 0
	if fault && !f.after {
		return errFault
	}
	err := do()
	if fault {
		return errFault
	}
	return err
}

func (f *faultFS) open(do func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := f.change(func() (err error) {
		file, err = do()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &faultFile{file, f}, nil
}

func (f *faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f *faultFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

func (f *faultFS) OpenDir(name string) (vfs.File, error) {
	return f.open(func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

func (f *faultFS) Remove(name string) error {
	return f.change(func() error { return f.FS.Remove(name) })
}

func (f *faultFS) Rename(from, to string) error {
	return f.change(func() error { return f.FS.Rename(from, to) })
}

func (f *faultFS) MkdirAll(name string, perm os.FileMode) error {
	return f.change(func() error { return f.FS.MkdirAll(name, perm) })
}

type faultFile struct {
	vfs.File
	fs *faultFS
}

func (f *faultFile) Write(p []byte) (n int, err error) {
	err = f.fs.change(func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *faultFile) Sync() error { return f.fs.change(f.File.Sync) }

func (f *faultFile) SyncData() error { return f.fs.change(f.File.SyncData) }

func (f *faultFile) Close() error { return f.fs.change(f.File.Close) }

// live opens a store, writes, and closes it, twice, until something fails.
func (h *history) live(fs vfs.FS, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 9))
	for round := range 2 {
		s, err := embedded.Open(embedded.Options{Dir: "store", FS: fs, Create: round == 0, Deferred: true})
		if err != nil {
			return err
		}
		if err := h.write(s, random); err != nil {
			return errors.Join(err, s.Close())
		}
		if err := s.Close(); err != nil {
			return err
		}
		h.synced = h.size
	}
	return nil
}

func (h *history) write(s *embedded.Store, random *rand.Rand) (err error) {
	if h.log == nil {
		if h.log, err = tryCreate(s, withoutIndex()); err != nil {
			return err
		}
	}
	h.log.LogStorage, h.log.admin = s.LogStorage(), s.AdminStorage()
	for range 3 {
		if err := h.step(random); err != nil {
			return err
		}
		size := h.size
		if err := s.Sync(context.Background()); err != nil {
			return err
		}
		h.synced = size
	}
	return nil
}

// TestEachFault fails each call that changes the file system, in turn, and
// opens the store again: as the process finds it, and as a power cut at that
// moment would leave it.
func TestEachFault(t *testing.T) {
	for _, c := range []struct {
		name         string
		after        bool
		extra, every int64
	}{
		{"failed", false, 0, 1},
		{"failed but persisted", true, 0, 1},
		// Leaves so large that logs, tables and manifests change.
		{"large, failed", false, 1500, 20},
		{"large, failed but persisted", true, 1500, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults, least, every := 0, 10, c.every
			if testing.Short() {
				every, least = 4*every, 3
			}
			for n := int64(1); eachFault(t, n, c.after, int(c.extra)); n += every {
				faults++
			}
			if faults < least {
				t.Errorf("only %d faults", faults)
			}
		})
	}
}

// eachFault fails the n-th change, and returns false if there are fewer.
func eachFault(t *testing.T, n int64, after bool, extra int) bool {
	t.Helper()
	mem := vfs.NewCrashableMem()
	fs := &faultFS{FS: mem, after: after}
	fs.in.Store(n)
	h := &history{extra: extra}
	err := h.live(fs, 1)
	if fs.in.Load() > 0 {
		if err != nil {
			t.Fatalf("without a fault: %v", err)
		}
		return false
	}
	name := fmt.Sprintf("fault %d", n)
	if err != nil && !errors.Is(err, errFault) {
		t.Errorf("%s: %v, which hides the fault", name, err)
	}
	power := vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(uint64(n), 1))}
	h.judgeFault(t, name+", power cut", mem.CrashClone(power))
	h.judgeFault(t, name, mem)
	return true
}

// judgeFault opens the store again and judges it, unless it was not created
// yet.
func (h *history) judgeFault(t *testing.T, name string, fs vfs.FS) {
	t.Helper()
	s, err := embedded.Open(embedded.Options{Dir: "store", FS: fs, Create: true})
	if err != nil {
		t.Fatalf("%s: open again: %v", name, err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("%s: close again: %v", name, err)
		}
	}()
	trees, err := storage.ListTrees(t.Context(), s.AdminStorage(), false)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(trees) == 1 {
		tx, err := s.LogStorage().SnapshotForTree(t.Context(), trees[0])
		if tx != nil {
			tx.Close()
		}
		if err == nil {
			h.judge(t, s)
			return
		}
	}
	if h.synced > 0 {
		t.Errorf("%s: the tree is gone, %d leaves were promised", name, h.synced)
	}
}
