package main

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"
)

// A reloader loads files again that have changed. What fails to load is
// reported once for each change, and what was loaded before stays.
type reloader struct {
	log     *slog.Logger
	watches []*watch
}

// A watch is files that are loaded together.
type watch struct {
	paths []string
	seen  []fs.FileInfo // nil: the file is missing
	load  func() error
}

// watch loads files for the first time.
func (r *reloader) watch(paths []string, load func() error) error {
	w := &watch{paths: paths, load: load}
	r.watches = append(r.watches, w)
	w.changed() // looked at before they are loaded, so that no change is missed
	return load()
}

// run looks at the files now and then until the context ends.
func (r *reloader) run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, w := range r.watches {
			if !w.changed() {
				continue
			}
			if err := w.load(); err != nil {
				r.log.Error("a change cannot be used, and is not", "files", w.paths, "error", err)
				continue
			}
			r.log.Info("loaded what has changed", "files", w.paths)
		}
	}
}

// changed reports whether a file is another than it was at the last look.
func (w *watch) changed() bool {
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
