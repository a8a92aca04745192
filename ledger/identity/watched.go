package identity

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often files are looked at, at most.
const lookEvery = time.Second

// A watched value is made of files, and made again when they change. While they
// cannot be used the value stays as it was.
type watched[T any] struct {
	paths []string
	load  func() (T, error)
	now   func() time.Time
	log   *slog.Logger

	value  atomic.Pointer[T]
	looked atomic.Int64 // when, in nanoseconds since 1970

	mu   sync.Mutex
	seen []fs.FileInfo // what the files were at the last look; nil: missing
}

// open makes the value for the first time.
func (w *watched[T]) open() error {
	w.changed() // looked at before they are read, so that no change is missed
	value, err := w.load()
	if err == nil {
		w.value.Store(&value)
		w.looked.Store(w.now().UnixNano())
	}
	return err
}

// get returns the value, which never changes.
func (w *watched[T]) get() *T {
	now := w.now().UnixNano()
	last := w.looked.Load()
	if since := now - last; since < 0 || since >= int64(lookEvery) {
		// One looks; others take what is there.
		if w.looked.CompareAndSwap(last, now) {
			w.look()
		}
	}
	return w.value.Load()
}

func (w *watched[T]) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.changed() {
		return
	}
	value, err := w.load()
	if err != nil { // once for each change
		w.log.Error("a change cannot be used, and is not", slog.Any("files", w.paths), slog.String("error", err.Error()))
		return
	}
	w.value.Store(&value)
	w.log.Info("loaded what has changed", slog.Any("files", w.paths))
}

// changed reports whether a file is another than it was at the last look.
func (w *watched[T]) changed() bool {
	now := make([]fs.FileInfo, len(w.paths))
	for i, path := range w.paths {
		now[i], _ = os.Stat(path) // a file that is missing is a change too
	}
	same := slices.EqualFunc(now, w.seen, func(a, b fs.FileInfo) bool {
		if a == nil || b == nil {
			return a == b
		}
		return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
	})
	w.seen = now
	return !same
}

// readBounded reads a file of at most so many bytes.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s: it has more than %d bytes", path, most)
	}
	return data, nil
}
