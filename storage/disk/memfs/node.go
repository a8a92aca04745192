package memfs

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
)

// sectorSize is what a disk writes whole or not at all, in bytes.
const sectorSize = 512

// A node is a file or a directory.
type node struct {
	dir bool

	data    []byte // of a file: what is read
	durable []byte // what a power cut leaves for certain
	writes  []write

	names        map[string]*node // of a directory: what is read
	durableNames map[string]*node
	changes      []change
}

// A write is a part of a file that was written since the last sync, at most one
// sector; without bytes it is a truncation to offset.
type write struct {
	offset int64
	bytes  []byte
}

// A change is a name that was given to a node since the last sync, or with a nil
// node removed; old is a name in the same directory that is removed by it.
type change struct {
	name string
	node *node
	old  string
}

func newFile() *node { return &node{} }

func newDir() *node {
	return &node{dir: true, names: make(map[string]*node), durableNames: make(map[string]*node)}
}

// sectors cuts a write at the borders of sectors.
func sectors(b []byte, offset int64) []write {
	b = bytes.Clone(b)
	parts := make([]write, 0, len(b)/sectorSize+2)
	for len(b) > 0 {
		n := min(len(b), int(sectorSize-offset%sectorSize))
		parts = append(parts, write{offset, b[:n:n]})
		b, offset = b[n:], offset+int64(n)
	}
	return parts
}

// write changes what is read, and remembers that it is not durable.
func (n *node) write(parts []write) {
	for _, w := range parts {
		n.data = w.apply(n.data)
		n.writes = append(n.writes, w)
	}
}

func (w write) apply(b []byte) []byte {
	if w.bytes == nil {
		return resize(b, w.offset)
	}
	if end := w.offset + int64(len(w.bytes)); end > int64(len(b)) {
		b = resize(b, end)
	}
	copy(b[w.offset:], w.bytes)
	return b
}

// resize cuts b, or appends zeros to it.
func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	n := len(b)
	b = slices.Grow(b, int(size)-n)[:size]
	clear(b[n:])
	return b
}

// change changes a directory.
func (n *node) change(c change) {
	c.apply(n.names)
	n.changes = append(n.changes, c)
}

func (c change) apply(names map[string]*node) {
	delete(names, c.old)
	if c.node == nil {
		delete(names, c.name)
	} else {
		names[c.name] = c.node
	}
}

// settle makes those writes and changes durable that keep picks, and forgets the
// others. What is read stays.
func (n *node) settle(keep func() bool) {
	for _, w := range n.writes {
		if keep() {
			n.durable = w.apply(n.durable)
		}
	}
	n.writes = nil
	for _, c := range n.changes {
		if keep() {
			c.apply(n.durableNames)
		}
	}
	n.changes = nil
}

// sync makes durable what was written since the last sync.
func (n *node) sync() {
	n.settle(func() bool { return true })
	n.durableNames = maps.Clone(n.names)
}

// A cloner copies nodes, each once, however many names it has.
type cloner struct {
	copies map[*node]*node
	keep   func() bool // which of the undurable things a power cut keeps; nil: no power cut
	grow   func() bool // whether a file keeps its size where it loses its bytes
}

// powerCut returns what survives one: nothing undurable, everything, or any
// part of it.
func powerCut(rng *rand.Rand) cloner {
	never := func() bool { return false }
	c := cloner{copies: make(map[*node]*node), keep: never, grow: never}
	if rng == nil {
		return c
	}
	if kind := rng.IntN(4); kind > 0 {
		c.keep = func() bool { return kind == 1 || rng.IntN(2) == 0 }
	}
	c.grow = func() bool { return rng.IntN(2) == 0 }
	return c
}

// clone copies a node. After a power cut the copy is what is left of it, all
// durable; else the copy is as durable as the node.
func (c cloner) clone(n *node) *node {
	if n == nil {
		return nil
	}
	if done := c.copies[n]; done != nil {
		return done
	}
	m := &node{dir: n.dir, durable: bytes.Clone(n.durable), writes: n.writes[:len(n.writes):len(n.writes)]}
	c.copies[n] = m
	if n.dir {
		m.names, m.durableNames = c.cloneNames(n.names), c.cloneNames(n.durableNames)
		for _, ch := range n.changes {
			m.changes = append(m.changes, change{ch.name, c.clone(ch.node), ch.old})
		}
	}
	if c.keep == nil {
		m.data = bytes.Clone(n.data)
		return m
	}
	m.settle(c.keep)
	if size := int64(len(n.data)); size > int64(len(m.durable)) && c.grow() {
		m.durable = resize(m.durable, size)
	}
	m.data, m.names = bytes.Clone(m.durable), maps.Clone(m.durableNames)
	return m
}

func (c cloner) cloneNames(names map[string]*node) map[string]*node {
	copies := make(map[string]*node)
	for _, name := range slices.Sorted(maps.Keys(names)) { // so that a seed tells all
		copies[name] = c.clone(names[name])
	}
	return copies
}
