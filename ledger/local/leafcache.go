package local

import (
	"bytes"
	"context"
	"sync"

	"github.com/cairnlog/cairn/ledger"
)

// A leafCache is a tree that remembers leaves which were read one by one. The
// tree keeps 256 of them in one value, and who reads an entry needs one: reading
// the value again each time was most of what a read cost.
//
// Leaves never change, so that what is remembered is right.
type leafCache struct {
	ledger.Tree

	mu   sync.Mutex
	size uint64              // there are at least so many leaves
	runs map[uint64][][]byte // by their number: the first leaves of each, or all

	bytes int // of all that is in runs
}

const (
	leafRun  = 256 // leaves that a tree keeps together
	leafRuns = 128 // that are remembered: about 5 MB

	// leafBytes bounds what is remembered. A leaf that announces what is closed
	// can be five hundred times as long as most.
	leafBytes = 16 << 20
)

func newLeafCache(t ledger.Tree) *leafCache {
	return &leafCache{Tree: t, runs: make(map[uint64][][]byte)}
}

// Head returns the size and root of what is integrated.
func (c *leafCache) Head(ctx context.Context) (uint64, [32]byte, error) {
	size, root, err := c.Tree.Head(ctx)
	if err == nil {
		c.grown(size)
	}
	return size, root, err
}

// Integrate brings the tree to exactly this size and returns its root.
func (c *leafCache) Integrate(ctx context.Context, size uint64) ([32]byte, error) {
	root, err := c.Tree.Integrate(ctx, size)
	if err == nil {
		c.grown(size)
	}
	return root, err
}

func (c *leafCache) grown(size uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size = max(c.size, size)
}

// Leaves returns count leaves from index start on. Those of one run are
// remembered; many at once are read past it.
func (c *leafCache) Leaves(ctx context.Context, start, count uint64) ([][]byte, error) {
	number, at := start/leafRun, start%leafRun
	if count == 0 || at+count > leafRun {
		return c.Tree.Leaves(ctx, start, count)
	}
	run, want := c.lookup(number, at+count)
	if run == nil {
		var err error
		if run, err = c.Tree.Leaves(ctx, number*leafRun, want); err != nil {
			return nil, err
		}
		c.keep(number, run)
	}
	leaves := make([][]byte, count)
	for i := range leaves {
		leaves[i] = bytes.Clone(run[at+uint64(i)]) // whoever gets it may do with it what they like
	}
	return leaves, nil
}

// lookup returns the first leaves of a run, as many as are needed or more; nil
// if they are not remembered, and then how many of it there are to read.
func (c *leafCache) lookup(number, needed uint64) (run [][]byte, want uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if run = c.runs[number]; uint64(len(run)) >= needed {
		return run, 0
	}
	if first := number * leafRun; c.size > first {
		needed = max(needed, min(c.size-first, leafRun))
	}
	return nil, needed
}

// keep remembers a run, and forgets others where they are too many.
func (c *leafCache) keep(number uint64, run [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := bytesIn(run)
	if len(c.runs[number]) >= len(run) || size > leafBytes {
		return
	}
	c.forget(number)
	for other := range c.runs {
		if len(c.runs) < leafRuns && c.bytes+size <= leafBytes {
			break
		}
		c.forget(other)
	}
	c.runs[number], c.bytes = run, c.bytes+size
}

func (c *leafCache) forget(number uint64) {
	c.bytes -= bytesIn(c.runs[number])
	delete(c.runs, number)
}

func bytesIn(run [][]byte) (n int) {
	for _, leaf := range run {
		n += len(leaf)
	}
	return n
}
