package proofs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync"
	"sync/atomic"
)

const (
	cachedTiles   = 1 << 10 // in one generation; with what is above its hashes a tile takes 16 KiB
	cachedBundles = 8 << 20 // bytes in one generation
	sliceHeader   = 24      // bytes of one entry's slice
)

// A Reader reads the tree of one checkpoint from files that nobody vouches
// for. Every hash it gives has been checked against the checkpoint's root,
// and every entry against its hash; so the proofs made from it are right. What
// it has checked it keeps, up to 50 MiB, so that the proofs of neighbours cost
// little. It is safe for concurrent use.
//
// An error that matches [ErrNotVerified] or [ErrMalformed] means that a file is
// not part of the tree; any other that a file could not be read.
type Reader struct {
	checkpoint Checkpoint
	files      FileReader

	edgeMu sync.Mutex // held while the edge is loaded
	edge   atomic.Pointer[edge]

	tiles   *cache[Tile, *hashedTile] // full tiles, checked
	bundles *cache[Bundle, [][]byte]  // entries, not checked
}

// An edge is the partial tiles of a tree by their level, nil where there is
// none. Together they lead to the root.
type edge [MaxTileLevel/TileHeight + 1]*hashedTile

// NewReader returns a reader of the tree that c describes. The checkpoint is
// believed: the caller has checked it. The files are not. Nothing is read yet.
func NewReader(c Checkpoint, files FileReader) *Reader {
	return &Reader{
		checkpoint: c, files: files,
		tiles:   newCache[Tile, *hashedTile](cachedTiles),
		bundles: newCache[Bundle, [][]byte](cachedBundles),
	}
}

// Checkpoint returns the checkpoint that everything is checked against.
func (r *Reader) Checkpoint() Checkpoint { return r.checkpoint }

// Extend returns a reader of a later checkpoint of the same log, which shares
// what r keeps. It first makes sure that the new tree begins with the old one;
// an error that matches [ErrNotVerified] is evidence of a fork, a rollback or
// a damaged file.
func (r *Reader) Extend(ctx context.Context, c Checkpoint) (*Reader, error) {
	old := r.checkpoint
	if c.Origin != old.Origin || c.Size < old.Size {
		return nil, fmt.Errorf("%w: checkpoint of %q with size %d does not extend that of %q with size %d",
			ErrNotVerified, c.Origin, c.Size, old.Origin, old.Size)
	}
	next := NewReader(c, r.files)
	proof, err := ProveConsistency(ctx, old.Size, c.Size, next)
	if err != nil {
		return nil, err
	}
	if err := CheckConsistency(old.Size, c.Size, old.Root, c.Root, proof); err != nil {
		return nil, err
	}
	next.tiles, next.bundles = r.tiles, r.bundles
	return next, nil
}

// ReadNodes implements [NodeReader]. It refuses nodes whose subtree the tree
// does not wholly have.
func (r *Reader) ReadNodes(ctx context.Context, ids []NodeID) ([]Hash, error) {
	var at Tile
	var tile *hashedTile
	hashes := make([]Hash, len(ids))
	for i, id := range ids {
		level, height := id.Level/TileHeight, id.Level%TileHeight
		index := id.Index >> (TileHeight - height)
		if id.Level > MaxTileLevel || id.Index >= r.checkpoint.Size>>id.Level {
			return nil, fmt.Errorf("read nodes: level %d has no node %d in a tree of size %d", id.Level, id.Index, r.checkpoint.Size)
		}
		if tile == nil || at.Level != level || at.Index != index {
			var err error
			if tile, err = r.tile(ctx, level, index); err != nil {
				return nil, err
			}
			at = Tile{Level: level, Index: index}
		}
		hashes[i] = tile.row(int(height))[id.Index-index<<(TileHeight-height)]
	}
	return hashes, nil
}

// LeafHash returns the hash of the leaf at an index.
func (r *Reader) LeafHash(ctx context.Context, index uint64) (Hash, error) {
	hashes, err := r.ReadNodes(ctx, []NodeID{{Level: 0, Index: index}})
	if err != nil {
		return Hash{}, err
	}
	return hashes[0], nil
}

// Leaf returns the entry at an index.
func (r *Reader) Leaf(ctx context.Context, index uint64) ([]byte, error) {
	for leaf, err := range r.Leaves(ctx, index, index+1) {
		return bytes.Clone(leaf), err
	}
	return nil, fmt.Errorf("read leaf: index %d is not below size %d", index, r.checkpoint.Size)
}

// Leaves yields the entries [start, end) in order. The first error ends it.
// What it yields must not be changed.
func (r *Reader) Leaves(ctx context.Context, start, end uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if end > r.checkpoint.Size {
			yield(nil, fmt.Errorf("read leaves: end %d is above size %d", end, r.checkpoint.Size))
			return
		}
		for at := start; at < end; {
			b, _ := BundleIn(r.checkpoint.Size, at/TileWidth)
			entries, err := r.bundle(ctx, b)
			if err != nil {
				yield(nil, err)
				return
			}
			tile, err := r.tile(ctx, 0, b.Index)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := int(at % TileWidth); i < b.Width && at < end; i++ {
				if LeafHash(entries[i]) != tile.nodes[i] {
					r.bundles.drop(b) // so that a repaired file is seen
					yield(nil, fmt.Errorf("%w: %s: entry %d is not the leaf that the tree has there", ErrNotVerified, b.Path(), at))
					return
				}
				if !yield(entries[i], nil) {
					return
				}
				at++
			}
		}
	}
}

// tile returns a checked tile.
func (r *Reader) tile(ctx context.Context, level uint8, index uint64) (*hashedTile, error) {
	place, ok := TileIn(r.checkpoint.Size, level, index)
	if !ok {
		return nil, fmt.Errorf("read tile: level %d has no tile %d in a tree of size %d", level, index, r.checkpoint.Size)
	}
	if place.Width < TileWidth {
		e, err := r.loadEdge(ctx)
		if err != nil {
			return nil, err
		}
		return e[level], nil
	}
	if t, ok := r.tiles.load(place); ok {
		return t, nil
	}
	above, err := r.tile(ctx, level+1, index/TileWidth)
	if err != nil {
		return nil, err
	}
	t, err := r.readTile(ctx, place)
	if err != nil {
		return nil, err
	}
	if t.root() != above.nodes[index%TileWidth] {
		return nil, fmt.Errorf("%w: %s: its hashes do not lead to the root of size %d", ErrNotVerified, place.Path(), r.checkpoint.Size)
	}
	r.tiles.store(place, t, 1)
	return t, nil
}

// loadEdge reads the partial tiles, which are checked all at once.
func (r *Reader) loadEdge(ctx context.Context) (*edge, error) {
	if e := r.edge.Load(); e != nil {
		return e, nil
	}
	r.edgeMu.Lock()
	defer r.edgeMu.Unlock()
	if e := r.edge.Load(); e != nil {
		return e, nil
	}
	var e edge
	var subtrees []Hash
	for level := len(e) - 1; level >= 0; level-- {
		nodes := r.checkpoint.Size >> (TileHeight * level)
		place, ok := TileIn(r.checkpoint.Size, uint8(level), nodes/TileWidth)
		if !ok {
			continue
		}
		t, err := r.readTile(ctx, place)
		if err != nil {
			return nil, err
		}
		e[level], subtrees = t, t.appendEdge(subtrees)
	}
	if foldRight(subtrees) != r.checkpoint.Root {
		return nil, fmt.Errorf("%w: the partial tiles of size %d do not lead to its root", ErrNotVerified, r.checkpoint.Size)
	}
	r.edge.Store(&e)
	return &e, nil
}

// readTile reads a tile that is not checked yet.
func (r *Reader) readTile(ctx context.Context, t Tile) (*hashedTile, error) {
	b, got, err := readWidest(ctx, r.files, t.Width, func(width int) string {
		return Tile{Level: t.Level, Index: t.Index, Width: width}.Path()
	})
	if err != nil {
		return nil, err
	}
	if len(b) != got*HashSize {
		t.Width = got
		return nil, fmt.Errorf("%w: %s: %d bytes, not %d", ErrMalformed, t.Path(), len(b), got*HashSize)
	}
	return hashTile(b[:t.Width*HashSize]), nil
}

// bundle reads the entries of a bundle, which are not checked.
func (r *Reader) bundle(ctx context.Context, b Bundle) ([][]byte, error) {
	if entries, ok := r.bundles.load(b); ok {
		return entries, nil
	}
	data, got, err := readWidest(ctx, r.files, b.Width, func(width int) string {
		return Bundle{Index: b.Index, Width: width}.Path()
	})
	if err != nil {
		return nil, err
	}
	entries, err := ParseBundle(data, got)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Bundle{Index: b.Index, Width: got}.Path(), err)
	}
	r.bundles.store(b, entries, len(data)+len(entries)*sliceHeader)
	return entries, nil
}

// readWidest reads the file of the width or, where that is partial and gone,
// the full one: a log may delete a partial file once the full one exists
// (C2SP tlog-tiles, partial tiles).
func readWidest(ctx context.Context, files FileReader, width int, path func(width int) string) (b []byte, got int, err error) {
	b, err = files.ReadFile(ctx, path(width))
	if errors.Is(err, fs.ErrNotExist) && width < TileWidth {
		if full, errFull := files.ReadFile(ctx, path(TileWidth)); errFull == nil {
			return full, TileWidth, nil
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", path(width), err)
	}
	return b, width, nil
}
