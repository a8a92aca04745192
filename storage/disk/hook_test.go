package disk_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// A hookFS is a simulated file system that asks before each durable step, and
// before it opens a file. A step that is not allowed does nothing and reports
// success.
type hookFS struct {
	*memfs.FS
	allow func(op, name string) bool // nil: all
}

func (h *hookFS) step(op, name string, do func() error) error {
	if h.allow != nil && !h.allow(op, name) {
		return nil
	}
	return do()
}

func (h *hookFS) Open(name string) (disk.File, error) {
	_ = h.step("open", name, func() error { return nil }) // only to ask
	f, err := h.FS.Open(name)
	return hookFile{f, h, name}, err
}

func (h *hookFS) Create(name string) (disk.File, error) {
	_ = h.step("create", name, func() error { return nil }) // only to ask
	f, err := h.FS.Create(name)
	return hookFile{f, h, name}, err
}

func (h *hookFS) Rename(old, new string) error {
	return h.step("rename", new, func() error { return h.FS.Rename(old, new) })
}

func (h *hookFS) Remove(name string) error {
	return h.step("remove", name, func() error { return h.FS.Remove(name) })
}

func (h *hookFS) SyncDir(name string) error {
	return h.step("syncdir", name, func() error { return h.FS.SyncDir(name) })
}

type hookFile struct {
	disk.File
	fs   *hookFS
	name string
}

func (f hookFile) WriteAt(b []byte, offset int64) (n int, err error) {
	err = f.fs.step("write", f.name, func() error {
		n, err = f.File.WriteAt(b, offset)
		return err
	})
	return n, err
}

func (f hookFile) Sync() error {
	return f.fs.step("sync", f.name, f.File.Sync)
}

// grep returns the files that contain the text.
func grep(t *testing.T, fsys *memfs.FS, text string) (found []string) {
	t.Helper()
	for _, name := range files(t, fsys, ".") {
		info, err := fsys.Stat(name)
		must(t, err)
		f, err := fsys.Open(name)
		must(t, err)
		b := make([]byte, info.Size)
		if len(b) > 0 {
			_, err = f.ReadAt(b, 0)
			must(t, err)
		}
		must(t, f.Close())
		if bytes.Contains(b, []byte(text)) {
			found = append(found, name)
		}
	}
	return slices.Clip(found)
}
