// Package pebbleindex keeps the contract storage.Index on Pebble, a
// log-structured merge tree.
//
// It is a package of its own because its importers link Pebble, which programs
// that need only files should not.
//
// Rows are written without a sync; Sync flushes the write-ahead log, in which
// everything before it lies. Bloom filters on all levels answer most look-ups of
// keys that are not there, which is what deduplication asks all day, without
// reading a row. A dropped bucket is one range deletion; its bytes leave the
// disk when Pebble compacts.
//
// A row is found under bucket ‖ key, 20 bytes, and holds its value in 8, all
// big-endian.
//
// A write, sync or rename that fails closes the index for good: Pebble is frozen
// at that call, nothing more reaches the disk, every later call returns
// storage.ErrFailed, and only opening the index again tells what was persisted.
// The process survives, which Pebble alone does not promise.
package pebbleindex

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/pebbleguard"
)

// Options say how to open an index.
type Options struct {
	// Create makes the index if it is not there. Without it a missing one is
	// storage.ErrNotFound.
	Create bool

	// CacheBytes bounds the memory for blocks of the tables. 0 means 64 MiB.
	// Besides, 16 MiB hold the newest rows, and the filters take about 10 bits
	// a row when they are used.
	CacheBytes int64

	// Logger gets what Pebble has to say. Nil: nobody does.
	Logger *slog.Logger

	// FS is the file system; nil means the operating system's.
	FS vfs.FS
}

// An Index is a storage.Index.
type Index struct {
	guard *pebbleguard.FS
	lock  io.Closer

	mu sync.RWMutex // held shared during calls, so that Close waits for them
	db *pebble.DB   // nil after Close
}

const (
	keySize       = 4 + 16
	memTableBytes = 16 << 20
	cacheBytes    = 64 << 20
	filterBits    = 10 // a row: one in a hundred look-ups of nothing reads a block
)

// Open opens the index in a directory. If another process has it open, the
// error matches storage.ErrLocked.
func Open(path string, o Options) (*Index, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = cacheBytes
	}
	report := func(err error) { o.Logger.Error("index failed", "path", path, "error", err) }
	x := &Index{guard: pebbleguard.New(o.FS, report)}
	if err := x.open(path, o); err != nil {
		return nil, fmt.Errorf("open index %s: %w", path, err)
	}
	return x, nil
}

func (x *Index) open(path string, o Options) (err error) {
	if o.Create {
		if err := makeDir(o.FS, path); err != nil {
			return err
		}
	}
	x.lock, err = o.FS.Lock(o.FS.PathJoin(path, "LOCK"))
	var file *fs.PathError // the lock's file cannot be made
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	case errors.As(err, &file):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", storage.ErrLocked, err)
	}
	var db *pebble.DB // not x.db: an opening that failed may still go on
	err = x.guard.Await(func() (err error) {
		db, err = pebble.Open(path, x.pebbleOptions(o))
		return err
	})
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		err = fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	}
	if err != nil {
		return errors.Join(err, x.lock.Close())
	}
	x.db = db
	return nil
}

// fail closes the index for good because of what Pebble met.
func (x *Index) fail(err error) {
	x.guard.Fail(err)
	// Pebble may report in the midst of a change, for which freeze waits.
	go x.guard.Freeze()
}

// begin returns the database for one call, which ends with x.mu.RUnlock unless
// there is an error.
func (x *Index) begin(ctx context.Context) (*pebble.DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := x.guard.Failure(); err != nil {
		return nil, fmt.Errorf("index: %w: %w", storage.ErrFailed, err)
	}
	x.mu.RLock()
	if x.db == nil {
		x.mu.RUnlock()
		return nil, fmt.Errorf("index: %w", storage.ErrClosed)
	}
	return x.db, nil
}

// Insert implements storage.Index.
func (x *Index) Insert(ctx context.Context, rows []storage.IndexRow) error {
	db, err := x.begin(ctx)
	if err != nil {
		return err
	}
	defer x.mu.RUnlock()
	batch := db.NewBatchWithSize(len(rows)*(keySize+8+8) + 64)
	for _, row := range rows {
		op := batch.SetDeferred(keySize, 8)
		appendKey(op.Key[:0], row.Bucket, row.Key)
		binary.BigEndian.PutUint64(op.Value, row.Value)
		if err := op.Finish(); err != nil {
			return fmt.Errorf("index: insert: %w", errors.Join(err, batch.Close()))
		}
	}
	return x.change("insert", func() error { return errors.Join(batch.Commit(pebble.NoSync), batch.Close()) })
}

func appendKey(b []byte, bucket uint32, key [16]byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, bucket), key[:]...)
}

// change makes a change of the database, after whose failure the index is
// closed.
func (x *Index) change(what string, do func() error) error {
	err := x.guard.Await(do)
	if err == nil {
		return nil
	}
	x.fail(err)
	return fmt.Errorf("index: %s: %w", what, err)
}

// Lookup implements storage.Index.
func (x *Index) Lookup(ctx context.Context, bucket uint32, key [16]byte) (uint64, bool, error) {
	db, err := x.begin(ctx)
	if err != nil {
		return 0, false, err
	}
	defer x.mu.RUnlock()
	value, ok, err := lookup(ctx, db, appendKey(make([]byte, 0, keySize), bucket, key))
	if errors.Is(err, pebble.ErrCorruption) {
		err = fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	}
	if err != nil {
		return 0, false, fmt.Errorf("index: look up: %w", err)
	}
	return value, ok, nil
}

// lookup reads one row. It goes by an iterator because Pebble's Get does not
// use the filters of the lowest level, in which most rows are.
func lookup(ctx context.Context, db *pebble.DB, key []byte) (value uint64, ok bool, err error) {
	it, err := db.NewIterWithContext(ctx, &pebble.IterOptions{UseL6Filters: true})
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !it.SeekPrefixGE(key) {
		return 0, false, nil // or an error, which Close returns
	}
	b, err := it.ValueAndErr()
	if err == nil && len(b) != 8 {
		err = storage.ErrCorrupt
	}
	if err != nil {
		return 0, false, err
	}
	return binary.BigEndian.Uint64(b), true, nil
}

// Drop implements storage.Index.
func (x *Index) Drop(ctx context.Context, bucket uint32) error {
	db, err := x.begin(ctx)
	if err != nil {
		return err
	}
	defer x.mu.RUnlock()
	start := binary.BigEndian.AppendUint32(nil, bucket)
	end := append(start[:4:4], 0xff) // behind every key of the bucket: they are
	for len(end) <= keySize {        // shorter
		end = append(end, 0xff)
	}
	return x.change("drop", func() error { return db.DeleteRange(start, end, pebble.NoSync) })
}

// Sync implements storage.Index. It appends an empty entry to the write-ahead
// log and syncs that.
func (x *Index) Sync(ctx context.Context) error {
	db, err := x.begin(ctx)
	if err != nil {
		return err
	}
	defer x.mu.RUnlock()
	return x.change("sync", func() error { return db.LogData(nil, pebble.Sync) })
}

// Close syncs and closes the index. After a failure it only releases the
// directory: the failure was that of an earlier call.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db == nil {
		return nil
	}
	db := x.db
	x.db = nil
	var err error
	if x.guard.Failure() == nil {
		err = x.guard.Await(func() error {
			return errors.Join(db.LogData(nil, pebble.Sync), db.Close())
		})
	}
	if x.guard.Failure() != nil {
		x.guard.Freeze()
	}
	return errors.Join(err, x.lock.Close())
}
