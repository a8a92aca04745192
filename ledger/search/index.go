package search

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
)

// A Config says where an index is and how it is sealed.
type Config struct {
	// FS is the index's directory, which nobody else uses. It is made if it is
	// not there.
	FS disk.FS

	// Key returns the index key of a generation. An error that matches
	// storage.ErrNotFound means that the key was destroyed: an index that was
	// sealed under it begins anew. Any other error lets the call fail.
	Key func(generation uint64) (proofs.Key256, error)

	// Generation is what is written under, unless the index is of a later one.
	Generation uint64

	// Rand is where keys and names come from, for any number of goroutines:
	// crypto/rand's Reader. No 48 bytes of it may come again.
	Rand io.Reader

	// Anew begins the index anew: whatever is there is removed.
	Anew bool

	// CacheBytes bounds the memory for opened blocks. 0: 64 MiB.
	CacheBytes int

	shape     shape // for tests, as is
	openBytes int   // how much of the open segment is held in memory
}

const (
	defaultCache = 64 << 20
	defaultOpen  = 64 << 20
	openFiles    = 256
)

// An Index is the search index of a ledger. It can be used by many goroutines
// at once: one change is made after another, and queries go on meanwhile.
type Index struct {
	cfg     Config
	shape   shape
	handles *handles
	cache   *cache
	anew    error
	now     atomic.Pointer[snapshot]

	build sync.Mutex // one Build at a time

	write    sync.Mutex // guards what follows, held while it is changed
	reg      *register
	base     uint64 // the first entry of the open segment
	next     uint64
	lastTime uint64
	open     map[uint32]opened                // by bucket
	cost     int                              // about the bytes of memory that they take
	room     map[uint32]map[section]termsSize // how much the last segment's had
	garbage  []fileName                       // files to be removed once the register is written
	forgets  int                              // counts Forget and Drop
	failed   error
}

// Open opens the index in a directory, or begins one. What is unreadable there
// does not stop it: a part that is lost is [Index.Missing], and without its
// register the index begins anew; see [Index.Anew].
func Open(ctx context.Context, cfg Config) (*Index, error) {
	if cfg.CacheBytes <= 0 {
		cfg.CacheBytes = defaultCache
	}
	if cfg.shape == (shape{}) {
		cfg.shape = shape{SmallSegment, LargeSegment}
	}
	if cfg.openBytes == 0 {
		cfg.openBytes = defaultOpen
	}
	x := &Index{cfg: cfg, shape: cfg.shape, handles: newHandles(cfg.FS, openFiles), cache: newCache(cfg.CacheBytes), open: make(map[uint32]opened), room: make(map[uint32]map[section]termsSize)}
	if err := cfg.FS.Mkdir("."); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("open index: %w", err)
	}
	if err := x.load(); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	if err := x.sweep(ctx); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	x.base, x.next, x.lastTime = x.reg.next, x.reg.next, x.reg.lastTime()
	x.show()
	return x, nil
}

// load loads the register.
func (x *Index) load() error {
	x.reg = newRegister(x.cfg.Generation)
	if x.cfg.Anew {
		return x.beginAnew(nil)
	}
	b, err := readRegister(x.cfg.FS)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var reg *register
	if err == nil {
		reg, err = openRegister(b, x.cfg.Key)
	}
	if err == nil && !x.shape.fits(reg) {
		err = malformed("register: segments of other sizes")
	}
	switch {
	case lost(err) || errors.Is(err, storage.ErrNotFound):
		return x.beginAnew(err)
	case err != nil:
		return err
	}
	reg.generation = max(reg.generation, x.cfg.Generation)
	x.reg = reg
	return nil
}

// beginAnew lets the index begin anew. The register goes first: it would have
// files that are not there.
func (x *Index) beginAnew(why error) error {
	x.anew = why
	err := x.cfg.FS.Remove(registerName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, x.cfg.FS.SyncDir("."))
}

// sweep removes what the register does not have, and notes what it has and is
// not there as it should be.
func (x *Index) sweep(ctx context.Context) error {
	infos, err := x.cfg.FS.ReadDir(".")
	if err != nil {
		return err
	}
	records := make(map[string]record, len(x.reg.files))
	for _, r := range x.reg.files {
		records[r.name.String()] = r
	}
	for _, r := range x.reg.outlines {
		records[r.name.String()] = r.record
	}
	for _, info := range infos {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, ours := records[info.Name]; ours || info.Name == registerName || info.Dir {
			continue
		}
		if err := x.cfg.FS.Remove(info.Name); err != nil {
			return err
		}
	}
	for name, r := range records {
		info, err := x.cfg.FS.Stat(name)
		if err == nil && info.Size != int64(r.offset)+int64(r.size) {
			err = malformed("size")
		}
		if lost(err) {
			x.reg.lose(r)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Anew returns why the index began anew when it was opened though something was
// there, or nil.
func (x *Index) Anew() error { return x.anew }

// Next returns the index of the entry to go on from: all documents below it are
// in the index, or in what is Missing. It may fall: see Forget.
func (x *Index) Next() uint64 { return x.now.Load().size }

// Stats says how much an index has.
type Stats struct {
	Next      uint64 // as Next returns it
	Documents uint64 // at rest
	Files     int    // at rest
	Bytes     uint64 // of the files, with those of the outlines
	Outlines  int    // at rest
	Missing   int    // parts
}

// Stats returns how much the index has.
func (x *Index) Stats() Stats {
	now := x.now.Load()
	s := Stats{Next: now.size, Missing: len(now.gaps())}
	for _, of := range now.files {
		for _, f := range of {
			if !f.lost.Load() {
				s.Files, s.Documents, s.Bytes = s.Files+1, s.Documents+uint64(f.documents), s.Bytes+f.offset+uint64(f.size)
			}
		}
	}
	for _, o := range now.outlines {
		if !o.lost.Load() {
			s.Outlines, s.Bytes = s.Outlines+1, s.Bytes+o.offset+uint64(o.size)
		}
	}
	return s
}

// Close lets go of the files. Nothing is written: what is not at rest is added
// again after the next opening.
func (x *Index) Close() error {
	x.write.Lock()
	defer x.write.Unlock()
	x.failed = storage.ErrClosed
	x.now.Store(&snapshot{size: x.next, closed: true})
	return x.handles.close()
}

// A snapshot is what queries see. It is never changed.
type snapshot struct {
	size     uint64
	files    map[uint32][]*file // by bucket, in the order of their segments
	outlines map[FileID]*Outline
	open     map[uint32]opened
	missing  []FileID
	closed   bool
}

// show lets queries see the files of the register, and what is open.
func (x *Index) show() {
	old := map[fileName]*file{}
	if s := x.now.Load(); s != nil {
		for _, of := range s.files {
			for _, f := range of {
				old[f.name] = f
			}
		}
		for _, o := range s.outlines {
			old[o.name] = o.file
		}
	}
	s := &snapshot{size: x.next, files: make(map[uint32][]*file), outlines: make(map[FileID]*Outline), open: maps.Clone(x.open)}
	for _, r := range x.reg.files {
		f := old[r.name]
		if f == nil {
			f = x.file(r)
		}
		s.files[r.Bucket] = append(s.files[r.Bucket], f)
	}
	for id, r := range x.reg.outlines {
		f := old[r.name]
		if f == nil {
			f = x.file(r.record)
		}
		s.outlines[id] = &Outline{f, r.rows}
	}
	for _, of := range s.files {
		slices.SortFunc(of, func(a, b *file) int { return compareIDs(a.FileID, b.FileID) })
	}
	s.missing = slices.SortedFunc(maps.Keys(x.reg.missing), compareIDs)
	x.now.Store(s)
}

// advance lets queries see what was added to the open segment.
func (x *Index) advance() {
	s := *x.now.Load()
	s.size = x.next
	if len(s.open) != len(x.open) {
		s.open = maps.Clone(x.open)
	}
	x.now.Store(&s)
}

// usable returns why nothing can be written, if so.
func (x *Index) usable(ctx context.Context) error {
	if x.failed != nil {
		return x.failed
	}
	return ctx.Err()
}
