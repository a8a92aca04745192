package embedded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guard is a file system that fails once. When a call that changes something
// fails, the guard remembers the first error, lets no further change through,
// and never returns from the failed call: Pebble answers errors of its log and
// its manifest by a panic that nobody can recover from, so it must not see
// them. The goroutines that wait there are lost on purpose; an operator
// restarts the process, and until then the rest of it goes on.
type guard struct {
	vfs.FS

	mu     sync.RWMutex // held for reading by every change in flight
	frozen bool         // guarded by mu
	err    atomic.Pointer[error]
	failed chan struct{} // closed when err is set
	report func(error)   // called once, with the first failure
}

func newGuard(under vfs.FS, report func(error)) *guard {
	return &guard{FS: under, failed: make(chan struct{}), report: report}
}

// fail makes err the store's failure, unless there is one already. It does
// not wait, so Pebble may call it from anywhere.
func (g *guard) fail(err error) {
	if g.err.CompareAndSwap(nil, &err) {
		g.report(err)
		close(g.failed)
	}
}

// freeze lets the changes in flight end, and no others begin.
func (g *guard) freeze() {
	g.mu.Lock()
	g.frozen = true
	g.mu.Unlock()
}

// failure returns the first failure, or nil.
func (g *guard) failure() error {
	if err := g.err.Load(); err != nil {
		return *err
	}
	return nil
}

// change runs one change of the file system. That something does not exist,
// or exists already, is an answer and no failure.
func (g *guard) change(what, name string, do func() error) error {
	g.mu.RLock()
	if g.frozen {
		g.mu.RUnlock()
		select {}
	}
	err := do()
	g.mu.RUnlock()
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return err
	}
	g.fail(fmt.Errorf("%s %s: %w", what, g.PathBase(name), err))
	g.freeze()
	select {}
}

// open is change for calls that return a file.
func (g *guard) open(what, name string, do func() (vfs.File, error)) (vfs.File, error) {
	var f vfs.File
	err := g.change(what, name, func() (err error) {
		f, err = do()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &guardedFile{File: f, guard: g, name: name}, nil
}

// await runs do, which calls Pebble, until it returns or the store fails.
func (g *guard) await(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-g.failed:
		return g.failure()
	}
}

// Pebble says by the name of an empty file, a marker, which manifest and which
// format hold: it creates the new one, removes the old one and syncs the
// directory once, after both. A power cut in between may keep either change
// without the other. So Create has the manifest's own name durable before
// there is a marker that names it, and Remove the new marker before the old
// one goes.
func (g *guard) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open("create", name, func() (vfs.File, error) {
		if strings.HasPrefix(g.PathBase(name), "marker.manifest.") {
			if err := syncDir(g.FS, g.PathDir(name)); err != nil {
				return nil, err
			}
		}
		return g.FS.Create(name, c)
	})
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (g *guard) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return g.open("open", name, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, o...) })
}

func (g *guard) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open("reuse", to, func() (vfs.File, error) { return g.FS.ReuseForWrite(from, to, c) })
}

func (g *guard) OpenDir(name string) (vfs.File, error) {
	return g.open("open", name, func() (vfs.File, error) { return g.FS.OpenDir(name) })
}

func (g *guard) Link(from, to string) error {
	return g.change("link", to, func() error { return g.FS.Link(from, to) })
}

// Remove removes a file, see Create.
func (g *guard) Remove(name string) error {
	return g.change("remove", name, func() error {
		if strings.HasPrefix(g.PathBase(name), "marker.") {
			if err := syncDir(g.FS, g.PathDir(name)); err != nil {
				return err
			}
		}
		return g.FS.Remove(name)
	})
}

func (g *guard) RemoveAll(name string) error {
	return g.change("remove", name, func() error { return g.FS.RemoveAll(name) })
}

func (g *guard) Rename(from, to string) error {
	return g.change("rename", to, func() error { return g.FS.Rename(from, to) })
}

func (g *guard) MkdirAll(name string, perm fs.FileMode) error {
	return g.change("make directory", name, func() error { return g.FS.MkdirAll(name, perm) })
}

// Lock does nothing: the store holds Pebble's lock itself, as a Pebble that is
// frozen could never release it.
func (g *guard) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Unwrap lets Pebble find the file system below.
func (g *guard) Unwrap() vfs.FS { return g.FS }

// guardedFile guards the writing methods of a file. Preallocate is left alone:
// Pebble ignores its errors, and the write that needs the room reports them.
type guardedFile struct {
	vfs.File
	guard *guard
	name  string
}

func (f *guardedFile) Write(p []byte) (n int, err error) {
	err = f.guard.change("write", f.name, func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *guardedFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.guard.change("write", f.name, func() (err error) {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	return n, err
}

func (f *guardedFile) Sync() error {
	return f.guard.change("sync", f.name, f.File.Sync)
}

func (f *guardedFile) SyncData() error {
	return f.guard.change("sync", f.name, f.File.SyncData)
}

func (f *guardedFile) SyncTo(length int64) (full bool, err error) {
	err = f.guard.change("sync", f.name, func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Close of a written file can report what the writes did not.
func (f *guardedFile) Close() error {
	return f.guard.change("close", f.name, f.File.Close)
}
