package disk

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/storage"
)

// cells are named values in one segment. A frame is a batch of changes:
//
//	struct {
//	    opaque name<1..255>;
//	    opaque value<0..2^20>;           a length of 3 bytes; empty: removed
//	} Cell;
//
//	Cell Batch<1..>;                     as many as fill the record
//
// Changes that wait at the same time share a frame and its sync. When the
// segment has grown to several times what is alive, a new one with the live
// cells takes its place; the chain of frames goes on in it.
type cells struct {
	site
	health health
	chain  chain

	turn chan struct{} // holds one while a batch is written; guards log
	log  *segment

	mu     sync.Mutex // guards what follows, never held while writing
	queue  []*request
	values map[string][]byte // durable
	live   int64             // bytes of values, with their names
}

// A request is changes that become durable together.
type request struct {
	changes []cell
	guarded bool // of one change: only if the value is old (empty: not set)
	old     []byte

	done chan struct{} // closed when err is set
	err  error
}

type cell struct {
	name  string
	value []byte // empty: removed
}

const (
	batchLimit   = 8 << 20 // bytes, after which a batch takes no more requests
	compactRatio = 4
	snapshotSize = 1 << 20 // bytes, after which a snapshot begins another frame
	cellOverhead = 4
)

// openCells opens the file of that name. With create it makes one if there is
// none, else that is storage.ErrNotFound.
func openCells(at site, label string) (*cells, error) {
	c := &cells{site: at, chain: chain{label: label}, turn: make(chan struct{}, 1), values: make(map[string][]byte)}
	info, err := c.fs.Stat(c.name)
	if absent(err) && c.create {
		return c, c.replace(link{})
	}
	if err != nil {
		return nil, notFound(err)
	}
	if err := c.fs.SyncDir(path.Dir(c.name)); err != nil { // the file's name may be in memory only
		return nil, err
	}
	f, err := c.fs.Open(c.name)
	if err != nil {
		return nil, err
	}
	c.log, err = recoverSegment(f, info.Size, c.chain, func(record []byte) error {
		batch, err := parseCells(record)
		c.apply(batch)
		return err
	})
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	c.log.ahead = c.limits.Ahead
	return c, nil
}

// apply makes changes visible. The caller holds mu or is alone.
func (c *cells) apply(batch []cell) {
	for _, change := range batch {
		if old, ok := c.values[change.name]; ok {
			c.live -= cellSize(change.name, old)
		}
		if len(change.value) == 0 {
			delete(c.values, change.name)
			continue
		}
		c.live += cellSize(change.name, change.value)
		c.values[change.name] = bytes.Clone(change.value)
	}
}

func cellSize(name string, value []byte) int64 {
	return int64(cellOverhead + len(name) + len(value))
}

// load returns a durable value, not to be changed.
func (c *cells) load(name string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := c.values[name]
	return value, ok
}

// all yields the durable cells sorted by name. Nothing may change meanwhile.
func (c *cells) all() iter.Seq[cell] {
	return func(yield func(cell) bool) {
		for _, name := range slices.Sorted(maps.Keys(c.values)) {
			if !yield(cell{name, c.values[name]}) {
				return
			}
		}
	}
}

// change makes a request durable, together with others that wait. Whoever has
// the turn works for all in the queue.
func (c *cells) change(r *request) error {
	r.done = make(chan struct{})
	c.mu.Lock()
	c.queue = append(c.queue, r)
	c.mu.Unlock()
	for {
		select {
		case <-r.done:
			return r.err
		case c.turn <- struct{}{}:
			c.work()
			<-c.turn
		}
	}
}

// work commits the first requests of the queue.
func (c *cells) work() {
	c.mu.Lock()
	var size int64
	n := 0
	for n < len(c.queue) && size < batchLimit {
		for _, change := range c.queue[n].changes {
			size += cellSize(change.name, change.value)
		}
		n++
	}
	requests := c.queue[:n:n]
	c.queue = slices.Clone(c.queue[n:])
	batch := c.admit(requests)
	c.mu.Unlock()

	err := c.write(batch)
	if err == nil {
		c.mu.Lock()
		c.apply(batch)
		c.mu.Unlock()
	}
	for _, r := range requests {
		if err != nil { // also for those that lost against what is in doubt now
			r.err = err
		}
		close(r.done)
	}
}

// admit returns the changes of the requests that win, each seeing those before
// it. One that loses is told only when what it lost against is durable.
func (c *cells) admit(requests []*request) []cell {
	ahead := make(map[string][]byte)
	var batch []cell
	for _, r := range requests {
		if r.guarded {
			name := r.changes[0].name
			value, ok := ahead[name]
			if !ok {
				value = c.values[name]
			}
			if !bytes.Equal(value, r.old) {
				r.err = fmt.Errorf("register %q: %w", name, storage.ErrConflict)
				continue
			}
		}
		for _, change := range r.changes {
			ahead[change.name] = change.value
		}
		batch = append(batch, r.changes...)
	}
	return batch
}

// write makes a batch durable.
func (c *cells) write(batch []cell) error {
	if err := c.health.check(context.Background()); err != nil || len(batch) == 0 {
		return err
	}
	if c.log.end >= max(c.limits.Compact, compactRatio*c.live) {
		if err := c.replace(c.log.at); err != nil {
			return c.health.doubt(fmt.Errorf("%s: compact: %w", c.name, err))
		}
	}
	if err := c.log.append(formatCells(nil, batch)); err != nil {
		return c.health.doubt(fmt.Errorf("%s: append: %w", c.name, err))
	}
	return nil
}

// replace puts a segment with the live cells in the file's place. The error is
// as that of place.
func (c *cells) replace(at link) error {
	var records [][]byte
	var batch []cell
	var size int64
	for live := range c.all() {
		batch = append(batch, live)
		if size += cellSize(live.name, live.value); size >= snapshotSize {
			records, batch, size = append(records, formatCells(nil, batch)), nil, 0
		}
	}
	if len(batch) > 0 {
		records = append(records, formatCells(nil, batch))
	}
	var s *segment
	err := place(c.fs, c.name, beside(c.name), func(f File) (err error) {
		s, err = writeSegment(f, c.chain, at, records)
		return err
	})
	if err != nil {
		return err
	}
	if s.file, err = c.fs.Open(c.name); err != nil {
		return err
	}
	if c.log != nil {
		_ = c.log.file.Close() // every byte of it was synced
	}
	s.ahead = c.limits.Ahead
	c.log = s
	return nil
}

// close ends the cells; nothing is lost by it.
func (c *cells) close() error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.health.close()
	return c.log.file.Close()
}

// formatCells appends the batch to b.
func formatCells(b []byte, batch []cell) []byte {
	for _, change := range batch {
		n := len(change.value)
		b = append(b, byte(len(change.name)))
		b = append(b, change.name...)
		b = append(b, byte(n>>16), byte(n>>8), byte(n))
		b = append(b, change.value...)
	}
	return b
}

// parseCells parses a batch. The values are parts of b.
func parseCells(b []byte) ([]cell, error) {
	var batch []cell
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 || len(b) < cellOverhead+n {
			return nil, fmt.Errorf("cell: name: %w", storage.ErrCorrupt)
		}
		name, rest := string(b[1:1+n]), b[1+n:]
		n = int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2])
		if rest = rest[3:]; n > storage.MaxRegister || len(rest) < n {
			return nil, fmt.Errorf("cell %q: value: %w", name, storage.ErrCorrupt)
		}
		batch, b = append(batch, cell{name, rest[:n]}), rest[n:]
	}
	return batch, nil
}
