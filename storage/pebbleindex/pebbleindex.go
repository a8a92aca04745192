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
// Pebble cannot go on when its write-ahead log cannot be written, and ends the
// process then. Nothing is lost by that but rows that were never synced.
package pebbleindex

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage"
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
	mu     sync.RWMutex // held shared during calls, so that Close waits for them
	db     *pebble.DB   // nil after Close
	failed atomic.Pointer[error]
}

const (
	keySize       = 4 + 16
	memTableBytes = 16 << 20
	cacheBytes    = 64 << 20
	filterBits    = 10 // a row: one in a hundred look-ups of nothing reads a block
)

// Open opens the index in a directory, which the caller has locked or which
// nobody else knows.
func Open(path string, o Options) (*Index, error) {
	x := new(Index)
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	po := &pebble.Options{
		FS:                 o.FS,
		ErrorIfNotExists:   !o.Create,
		FormatMajorVersion: pebble.FormatValueSeparation,
		CacheSize:          cacheBytes,
		MemTableSize:       memTableBytes,
		Logger:             pebbleLogger{logger},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { x.fail(err) },
			DataCorruption: func(info pebble.DataCorruptionInfo) {
				x.fail(fmt.Errorf("%s: %w: %w", info.Path, storage.ErrCorrupt, info.Details))
			},
		},
	}
	if o.CacheBytes > 0 {
		po.CacheSize = o.CacheBytes
	}
	for i := range po.Levels {
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(filterBits)
	}
	db, err := pebble.Open(path, po)
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		err = fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", path, err)
	}
	x.db = db
	return x, nil
}

// fail closes the index for good because of what Pebble met in the background.
func (x *Index) fail(err error) { x.failed.CompareAndSwap(nil, &err) }

// begin returns the database for one call, which ends with x.mu.RUnlock unless
// there is an error.
func (x *Index) begin(ctx context.Context) (*pebble.DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := x.failed.Load(); err != nil {
		return nil, fmt.Errorf("index: %w: %w", storage.ErrFailed, *err)
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
	defer batch.Close() // it holds memory, nothing else
	for _, row := range rows {
		op := batch.SetDeferred(keySize, 8)
		appendKey(op.Key[:0], row.Bucket, row.Key)
		binary.BigEndian.PutUint64(op.Value, row.Value)
		if err := op.Finish(); err != nil {
			return x.doubt("insert", err)
		}
	}
	return x.doubt("insert", batch.Commit(pebble.NoSync))
}

func appendKey(b []byte, bucket uint32, key [16]byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, bucket), key[:]...)
}

// doubt closes the index because a change failed, and returns the error.
func (x *Index) doubt(what string, err error) error {
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
	return x.doubt("drop", db.DeleteRange(start, end, pebble.NoSync))
}

// Sync implements storage.Index. It appends an empty entry to the write-ahead
// log and syncs that.
func (x *Index) Sync(ctx context.Context) error {
	db, err := x.begin(ctx)
	if err != nil {
		return err
	}
	defer x.mu.RUnlock()
	return x.doubt("sync", db.LogData(nil, pebble.Sync))
}

// Close syncs and closes the index.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db == nil {
		return nil
	}
	db := x.db
	x.db = nil
	if x.failed.Load() != nil {
		return db.Close()
	}
	return errors.Join(db.LogData(nil, pebble.Sync), db.Close())
}

// pebbleLogger passes Pebble's messages on. What is fatal to it is a panic: it
// could not go on.
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
