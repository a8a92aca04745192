package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"

	"github.com/cairnlog/cairn/storage/pebbleguard"
)

// ErrFailed means that a write, a sync or a background task failed, now or
// earlier. What is durable is in doubt until the store is opened again.
var ErrFailed = errors.New("trillian store failed and must be opened again")

// ErrClosed means that the store was closed.
var ErrClosed = errors.New("trillian store is closed")

// ErrNotFound means that the directory holds no store, and Create was not
// asked for.
var ErrNotFound = errors.New("no trillian store")

// ErrNoSpace means that the file system has less than Options.MinFree left.
// Nothing was written, and the call can be repeated when there is room.
var ErrNoSpace = errors.New("too little disk space left")

// Options say where a store lives and how it behaves.
type Options struct {
	// Dir is the store's directory. One process at a time can open it.
	Dir string
	// FS is the file system of Dir; nil is the operating system's.
	FS vfs.FS
	// Create makes the directory and an empty store where there is none.
	Create bool
	// Deferred writes without waiting for the disk: a write is durable after
	// the next Sync, and a crash before that loses a suffix of the writes.
	Deferred bool
	// MinFree is how many bytes the file system must have left for a write to
	// be accepted; less is ErrNoSpace. Zero stands for 64 MiB.
	MinFree uint64
	// CacheBytes bounds the memory for what was read from disk and for the
	// nodes computed from it, half each. Zero stands for 128 MiB.
	CacheBytes int64
	// Logger gets what Pebble reports; nil discards it.
	Logger *slog.Logger
	// Now is the clock of tree definitions; nil is time.Now.
	Now func() time.Time
}

// Store is an open directory of Trillian trees. It is safe for concurrent use.
type Store struct {
	opts  Options
	guard *pebbleguard.FS
	lock  io.Closer
	db    *pebble.DB
	tiles *tileCache
	space spaceCheck

	life   sync.Mutex
	closed bool           // guarded by life
	users  sync.WaitGroup // calls that touch db; rises only under life, until closed

	// admin serialises changes of tree definitions. trees is replaced as a
	// whole, under admin, and its trees never change.
	admin sync.Mutex
	trees atomic.Pointer[map[int64]*trillian.Tree]

	mu   sync.Mutex
	logs map[int64]*logState // guarded by mu
}

// Open opens the store in o.Dir. Without o.Create a missing store is
// ErrNotFound.
func Open(o Options) (*Store, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	s := &Store{
		opts:  o,
		guard: pebbleguard.New(o.FS, func(err error) { o.Logger.Error("trillian store failed", "dir", o.Dir, "error", err) }),
		tiles: newTileCache(int(o.CacheBytes / 2 / pyramidBytes)),
		logs:  make(map[int64]*logState),
	}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("open trillian store %s: %w", o.Dir, err)
	}
	return s, nil
}

func (s *Store) open() (err error) {
	if s.opts.Create {
		if err := makeDir(s.opts.FS, s.opts.Dir); err != nil {
			return err
		}
	}
	s.lock, err = s.opts.FS.Lock(s.opts.FS.PathJoin(s.opts.Dir, "LOCK"))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("lock, which another process may hold: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.lock.Close())
		}
	}()
	err = s.guard.Await(func() (err error) {
		s.db, err = pebble.Open(s.opts.Dir, s.pebbleOptions())
		return err
	})
	switch {
	case s.guard.Failure() != nil:
		return s.failedErr()
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return ErrNotFound
	case err != nil:
		return err
	}
	if err := s.load(); err != nil {
		return errors.Join(err, s.closeDB())
	}
	return nil
}

// closeDB closes Pebble when no call uses it any more. After a failure it
// leaves Pebble frozen.
func (s *Store) closeDB() error {
	if s.guard.Failure() == nil {
		err := s.guard.Await(func() error {
			s.users.Wait()
			return s.db.Close()
		})
		if s.guard.Failure() == nil {
			return err
		}
	}
	s.guard.Freeze()
	return s.failedErr()
}

// makeDir makes a directory and its entry in the one above durable.
func makeDir(fs vfs.FS, dir string) error {
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return pebbleguard.SyncDir(fs, fs.PathDir(dir))
}

// load checks the format and reads the tree definitions.
func (s *Store) load() error {
	version, err := get(s.db, formatKey())
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		if !s.opts.Create {
			return ErrNotFound
		}
		b := s.db.NewBatch()
		if err := b.Set(formatKey(), []byte(formatVersion), nil); err != nil {
			return err
		}
		if err := s.commit(b, true); err != nil {
			return err
		}
	case err != nil:
		return err
	case string(version) != formatVersion:
		return fmt.Errorf("format %q is unknown, this version reads %q", version, formatVersion)
	}
	return s.loadTrees()
}

// LogStorage is the store as Trillian's log storage.
func (s *Store) LogStorage() storage.LogStorage { return logStorage{s} }

// AdminStorage is the store as Trillian's admin storage.
func (s *Store) AdminStorage() storage.AdminStorage { return adminStorage{s} }

// Sync makes durable what earlier calls wrote.
func (s *Store) Sync(context.Context) error {
	done, err := s.begin()
	if err != nil {
		return err
	}
	defer done()
	return s.settled(s.guard.Await(func() error { return s.db.LogData(nil, pebble.Sync) }))
}

// Err returns nil while the store works, and an error wrapping ErrFailed and
// the reason after it failed.
func (s *Store) Err() error {
	if s.guard.Failure() == nil {
		return nil
	}
	return s.failedErr()
}

// Close closes the store. What was written is durable when it returns nil.
// After a failure it only releases the directory, and returns the failure.
func (s *Store) Close() error {
	s.life.Lock()
	wasClosed := s.closed
	s.closed = true
	s.life.Unlock()
	if wasClosed {
		return ErrClosed
	}
	return errors.Join(s.closeDB(), s.lock.Close())
}

// begin enters a call that touches the database; done leaves it.
func (s *Store) begin() (done func(), err error) {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.guard.Failure() != nil {
		return nil, s.failedErr()
	}
	s.users.Add(1)
	return s.users.Done, nil
}

// failedErr is the error of every call after a failure.
func (s *Store) failedErr() error {
	return fmt.Errorf("%w: %w", ErrFailed, s.guard.Failure())
}

// commit applies b, which it consumes, atomically.
func (s *Store) commit(b *pebble.Batch, sync bool) error {
	options := pebble.NoSync
	if sync {
		options = pebble.Sync
	}
	err := s.guard.Await(func() error {
		if err := s.db.Apply(b, options); err != nil {
			return err
		}
		return b.Close()
	})
	return s.settled(err)
}

// settled is how a write ended that returned err.
func (s *Store) settled(err error) error {
	if s.guard.Failure() != nil {
		return s.failedErr()
	}
	return err
}

// get returns a copy of the value at key.
func get(r pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	value = append([]byte(nil), value...)
	return value, closer.Close()
}
