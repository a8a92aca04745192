// Package pebbleguard keeps Pebble from ending the process when a disk fails.
//
// Pebble answers errors of its log and its manifest by a panic that nobody can
// recover from, so it must not see them. An [FS] stands between Pebble and a
// file system. When a call that changes something fails, it remembers the
// first error, lets no further change through, and never returns from the
// failed call. The goroutines that wait there are lost on purpose; an operator
// restarts the process, and until then the rest of it goes on. Whoever calls
// Pebble does so through [FS.Await], which returns when the disk has failed.
//
// It also keeps one of Pebble's markers through every power cut, see
// [FS.Create]. It knows nothing of what is stored, and imports nothing of ours.
package pebbleguard

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

// An FS fails once, see the package comment.
type FS struct {
	vfs.FS

	mu     sync.RWMutex // held for reading by every change in flight
	frozen bool         // guarded by mu
	err    atomic.Pointer[error]
	failed chan struct{} // closed when err is set
	report func(error)   // called once, with the first failure
}

// New returns a guard of a file system. It calls report once, with the first
// failure.
func New(under vfs.FS, report func(error)) *FS {
	return &FS{FS: under, failed: make(chan struct{}), report: report}
}

// Fail makes err the failure, unless there is one already. It does
// not wait, so Pebble may call it from anywhere.
func (g *FS) Fail(err error) {
	if g.err.CompareAndSwap(nil, &err) {
		g.report(err)
		close(g.failed)
	}
}

// Freeze lets the changes in flight end, and no others begin.
func (g *FS) Freeze() {
	g.mu.Lock()
	g.frozen = true
	g.mu.Unlock()
}

// Failure returns the first failure, or nil.
func (g *FS) Failure() error {
	if err := g.err.Load(); err != nil {
		return *err
	}
	return nil
}

// change runs one change of the file system. That something does not exist,
// or exists already, is an answer and no failure.
func (g *FS) change(what, name string, do func() error) error {
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
	g.Fail(fmt.Errorf("%s %s: %w", what, g.PathBase(name), err))
	g.Freeze()
	select {}
}

// open is change for calls that return a file.
func (g *FS) open(what, name string, do func() (vfs.File, error)) (vfs.File, error) {
	var f vfs.File
	err := g.change(what, name, func() (err error) {
		f, err = do()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &guardedFile{File: f, fs: g, name: name}, nil
}

// Await runs do, which calls Pebble, until it returns or the disk fails.
func (g *FS) Await(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-g.failed:
		return g.Failure()
	}
}

// Create creates a file. Pebble says by the name of an empty file, a marker, which manifest and which
// format hold: it creates the new one, removes the old one and syncs the
// directory once, after both. A power cut in between may keep either change
// without the other. So Create has the manifest's own name durable before
// there is a marker that names it, and Remove the new marker before the old
// one goes.
func (g *FS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open("create", name, func() (vfs.File, error) {
		if strings.HasPrefix(g.PathBase(name), "marker.manifest.") {
			if err := SyncDir(g.FS, g.PathDir(name)); err != nil {
				return nil, err
			}
		}
		return g.FS.Create(name, c)
	})
}

// SyncDir makes durable which names are in a directory.
func SyncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// OpenReadWrite implements vfs.FS.
func (g *FS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return g.open("open", name, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, o...) })
}

// ReuseForWrite implements vfs.FS.
func (g *FS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open("reuse", to, func() (vfs.File, error) { return g.FS.ReuseForWrite(from, to, c) })
}

// OpenDir implements vfs.FS.
func (g *FS) OpenDir(name string) (vfs.File, error) {
	return g.open("open", name, func() (vfs.File, error) { return g.FS.OpenDir(name) })
}

// Link implements vfs.FS.
func (g *FS) Link(from, to string) error {
	return g.change("link", to, func() error { return g.FS.Link(from, to) })
}

// Remove removes a file, see Create.
func (g *FS) Remove(name string) error {
	return g.change("remove", name, func() error {
		if strings.HasPrefix(g.PathBase(name), "marker.") {
			if err := SyncDir(g.FS, g.PathDir(name)); err != nil {
				return err
			}
		}
		return g.FS.Remove(name)
	})
}

// RemoveAll implements vfs.FS.
func (g *FS) RemoveAll(name string) error {
	return g.change("remove", name, func() error { return g.FS.RemoveAll(name) })
}

// Rename implements vfs.FS.
func (g *FS) Rename(from, to string) error {
	return g.change("rename", to, func() error { return g.FS.Rename(from, to) })
}

// MkdirAll implements vfs.FS.
func (g *FS) MkdirAll(name string, perm fs.FileMode) error {
	return g.change("make directory", name, func() error { return g.FS.MkdirAll(name, perm) })
}

// Lock does nothing: whoever uses the guard holds Pebble's lock itself, as a Pebble that is
// frozen could never release it.
func (g *FS) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Unwrap lets Pebble find the file system below.
func (g *FS) Unwrap() vfs.FS { return g.FS }

// guardedFile guards the writing methods of a file. Preallocate is left alone:
// Pebble ignores its errors, and the write that needs the room reports them.
type guardedFile struct {
	vfs.File
	fs   *FS
	name string
}

func (f *guardedFile) Write(p []byte) (n int, err error) {
	err = f.fs.change("write", f.name, func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *guardedFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.fs.change("write", f.name, func() (err error) {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	return n, err
}

func (f *guardedFile) Sync() error {
	return f.fs.change("sync", f.name, f.File.Sync)
}

func (f *guardedFile) SyncData() error {
	return f.fs.change("sync", f.name, f.File.SyncData)
}

func (f *guardedFile) SyncTo(length int64) (full bool, err error) {
	err = f.fs.change("sync", f.name, func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Close of a written file can report what the writes did not.
func (f *guardedFile) Close() error {
	return f.fs.change("close", f.name, f.File.Close)
}
