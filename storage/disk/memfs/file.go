package memfs

import (
	"io"
	"io/fs"

	"github.com/cairnlog/cairn/storage/fault"
)

// A file is an open file.
type file struct {
	fs     *FS
	name   string
	node   *node
	closed bool
}

func (f *file) ReadAt(b []byte, offset int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return 0, pathError("read", f.name, fs.ErrClosed)
	}
	n := copy(b, f.node.data[min(offset, int64(len(f.node.data))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(b []byte, offset int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return 0, pathError("write", f.name, fs.ErrClosed)
	}
	parts := sectors(b, offset)
	err := f.fs.step("write", f.name, func() { f.node.write(parts) }, func(o fault.Outcome, pick func() bool) {
		if o == fault.NoSpace {
			f.node.write(parts[:len(parts)/2])
		}
		for _, part := range parts {
			if pick() {
				f.node.write([]write{part})
			}
		}
	})
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return 0, pathError("size", f.name, fs.ErrClosed)
	}
	return int64(len(f.node.data)), nil
}

func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return pathError("truncate", f.name, fs.ErrClosed)
	}
	return f.fs.step("truncate", f.name, func() { f.node.write([]write{{offset: size}}) }, nil)
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return pathError("sync", f.name, fs.ErrClosed)
	}
	return f.fs.step("sync", f.name,
		f.node.sync,
		func(_ fault.Outcome, pick func() bool) { f.node.settle(pick) })
}

func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return pathError("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	f.fs.open--
	return nil
}
