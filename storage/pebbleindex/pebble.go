package pebbleindex

import (
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/pebbleguard"
)

func (x *Index) pebbleOptions(o Options) *pebble.Options {
	po := &pebble.Options{
		FS:                 x.guard,
		ErrorIfNotExists:   !o.Create,
		FormatMajorVersion: pebble.FormatValueSeparation,
		CacheSize:          o.CacheBytes,
		MemTableSize:       memTableBytes,
		Logger:             pebbleLogger{o.Logger},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { x.fail(fmt.Errorf("background task: %w", err)) },
			DataCorruption: func(info pebble.DataCorruptionInfo) {
				x.fail(fmt.Errorf("%s: %w: %w", info.Path, storage.ErrCorrupt, info.Details))
			},
		},
	}
	for i := range po.Levels {
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(filterBits)
	}
	return po
}

// makeDir makes a directory and its name durable.
func makeDir(fs vfs.FS, path string) error {
	if err := fs.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return pebbleguard.SyncDir(fs, fs.PathDir(path))
}

// pebbleLogger passes Pebble's messages on. Errors of the disk never are fatal
// to it, see pebbleguard: what is is a broken invariant of Pebble, and a panic.
type pebbleLogger struct{ *slog.Logger }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.Debug("pebble", "message", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.Error("pebble", "message", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	panic("index: " + fmt.Sprintf(format, args...))
}
