package embedded

import (
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// memTableBytes bounds what is replayed from the write-ahead log at open, and
// how much one flush writes.
const memTableBytes = 32 << 20

// pebbleOptions are the options that the layout counts on: the merger is
// Pebble's default, which appends.
func (s *Store) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		FS:                          s.guard,
		ErrorIfNotExists:            !s.opts.Create,
		FormatMajorVersion:          pebble.FormatValueSeparation,
		CacheSize:                   s.opts.CacheBytes / 2,
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: 4,
		Merger:                      pebble.DefaultMerger,
		Logger:                      pebbleLogger{s},
		EventListener:               s.pebbleEvents(),
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// pebbleEvents turns an error of a background task into a failure of the
// store: Pebble would repeat the task for ever. A damaged block that a read
// meets is that read's error, and reported.
func (s *Store) pebbleEvents() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			s.guard.Fail(fmt.Errorf("background task: %w", err))
			// Pebble may report in the midst of a change, for which freeze waits.
			go s.guard.Freeze()
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.opts.Logger.Error("trillian store is damaged", "file", info.Path, "error", info.Details)
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			s.opts.Logger.Warn("trillian store stalls writes", "reason", info.Reason)
		},
		WriteStallEnd: func() { s.opts.Logger.Info("trillian store accepts writes again") },
	}
}

// pebbleLogger passes Pebble's messages to the store's logger.
type pebbleLogger struct{ store *Store }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.store.opts.Logger.Debug("pebble", "message", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.store.opts.Logger.Error("pebble", "message", fmt.Sprintf(format, args...))
}

// Fatalf must not return. Errors of the disk never come here, see pebbleguard: what
// does is a broken invariant of Pebble.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	l.store.opts.Logger.Error("pebble", "fatal", message)
	panic("pebble: " + message)
}

// spaceCheck remembers for a while that there was room.
type spaceCheck struct {
	// credit is how many bytes may be written before the next look.
	credit atomic.Int64
}

// reserve refuses a write of n bytes when the file system has not MinFree left
// besides. It looks once per 8 MiB written.
func (s *Store) reserve(n int) error {
	const lookEvery = 8 << 20
	if s.space.credit.Add(-int64(n)) >= 0 {
		return nil
	}
	usage, err := s.opts.FS.GetDiskUsage(s.opts.Dir)
	if err == nil && usage.AvailBytes < s.opts.MinFree+uint64(n) {
		return fmt.Errorf("%w: %d MiB", ErrNoSpace, usage.AvailBytes>>20)
	}
	// A file system that cannot tell, such as one in memory, is not limited.
	s.space.credit.Store(lookEvery)
	return nil
}
