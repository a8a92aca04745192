package search

import (
	"container/list"
	"errors"
	"io"
	"sync"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
)

// handles holds files open, so that a block is one read away, and closes those
// that were not used for longest.
type handles struct {
	fs    disk.FS
	limit int

	mu     sync.Mutex
	closed bool
	open   map[fileName]*list.Element
	order  list.List // of *handle, the last used first
}

type handle struct {
	name fileName
	file disk.File
	uses int  // that are going on
	left bool // close it after the last of them
}

func newHandles(fs disk.FS, limit int) *handles {
	return &handles{fs: fs, limit: limit, open: make(map[fileName]*list.Element)}
}

// readAt reads all of b from a file.
func (h *handles) readAt(name fileName, b []byte, offset uint64) error {
	f, err := h.take(name)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(io.NewSectionReader(f.file, int64(offset), int64(len(b))), b)
	return errors.Join(err, h.release(f))
}

func (h *handles) take(name fileName) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.open[name]; ok {
		h.order.MoveToFront(e)
		f := e.Value.(*handle)
		f.uses++
		return f, nil
	}
	if h.closed {
		return nil, storage.ErrClosed
	}
	file, err := h.fs.Open(name.String())
	if err != nil {
		return nil, err
	}
	f := &handle{name: name, file: file, uses: 1}
	h.open[name] = h.order.PushFront(f)
	for h.order.Len() > h.limit {
		err = errors.Join(err, h.leave(h.order.Back()))
	}
	return f, err
}

func (h *handles) release(f *handle) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.uses--
	if f.left && f.uses == 0 {
		return f.file.Close()
	}
	return nil
}

// leave lets go of a file, which is closed when nobody uses it.
func (h *handles) leave(e *list.Element) error {
	f := h.order.Remove(e).(*handle)
	delete(h.open, f.name)
	f.left = true
	if f.uses > 0 {
		return nil
	}
	return f.file.Close()
}

// forget lets go of a file.
func (h *handles) forget(name fileName) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.open[name]; ok {
		return h.leave(e)
	}
	return nil
}

// close lets go of all files.
func (h *handles) close() (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for h.order.Len() > 0 {
		err = errors.Join(err, h.leave(h.order.Back()))
	}
	return err
}
