package trillian

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"

	"github.com/google/trillian"
	"github.com/transparency-dev/merkle/compact"
)

// HashSize is the size of every hash, in bytes.
const HashSize = sha256.Size

// tileWidth is how many hashes a full tile has.
const tileWidth = 256

// Head is a tree's size and the root hash that Trillian computed for it.
type Head struct {
	Size uint64
	Root [HashSize]byte
}

// Leaf is a leaf to append.
type Leaf struct {
	// Value is what is hashed; at least one byte.
	Value []byte
	// Identity is Trillian's leaf identity hash, different for each leaf of a
	// tree. All zero stands for the leaf hash of Value.
	Identity [HashSize]byte
}

// NodeID names the root of the subtree of leaves [Index<<Level, (Index+1)<<Level).
type NodeID struct {
	Level uint8
	Index uint64
}

// Tree is one pre-ordered Trillian log. One goroutine at a time may call Append
// and Integrate; everything else may be called by many at once.
type Tree struct {
	engine engine
}

// engine is where a tree lives: in this process, or in a server.
type engine interface {
	head(ctx context.Context) (Head, error)
	// has returns a size that the tree has, at least size if it can.
	has(ctx context.Context, size uint64) (uint64, error)
	// chunk is how many leaves, from the first one on, add takes at once.
	chunk(leaves []*trillian.LogLeaf) int
	// add stores leaves and returns a result for each, or an error.
	add(ctx context.Context, leaves []*trillian.LogLeaf) ([]*trillian.QueuedLogLeaf, error)
	// stored reads leaves back that may not be integrated yet. It may return
	// fewer than count.
	stored(ctx context.Context, start, count uint64) ([]*trillian.LogLeaf, error)
	integrate(ctx context.Context, size uint64) (Head, error)
	sync(ctx context.Context) error
	nodes(ctx context.Context, ids []compact.NodeID) ([][HashSize]byte, error)
	tile(ctx context.Context, level uint8, index uint64, width int) ([]byte, error)
	err() error
	close() error
}

// Head returns the tree's last head.
func (t *Tree) Head(ctx context.Context) (Head, error) {
	h, err := t.engine.head(ctx)
	if err != nil {
		return Head{}, fmt.Errorf("read tree head: %w", err)
	}
	return h, nil
}

// Append stores leaves at the indices from first on. It repeats what fails for
// a reason that may pass, until ctx is done, and returns nil when every index
// holds the leaf given, also if it did before. On an error some may be stored:
// the same call can be made again.
func (t *Tree) Append(ctx context.Context, first uint64, leaves []Leaf) error {
	if err := appendLeaves(ctx, t.engine, first, leaves); err != nil {
		return fmt.Errorf("append %d leaves at %d: %w", len(leaves), first, err)
	}
	return nil
}

// Integrate returns the head at exactly this size, when the tree has it. The
// leaves must have been appended. A larger tree is a *SizeError.
func (t *Tree) Integrate(ctx context.Context, size uint64) (Head, error) {
	h, err := t.engine.integrate(ctx, size)
	if err != nil {
		return Head{}, fmt.Errorf("integrate to %d: %w", size, err)
	}
	return h, nil
}

// Sync makes durable what Append and Integrate did before it was called.
func (t *Tree) Sync(ctx context.Context) error {
	if err := t.engine.sync(ctx); err != nil {
		return fmt.Errorf("sync tree: %w", err)
	}
	return nil
}

// Leaves returns the values of the leaves [start, start+count), all of which
// must be in the tree at its head.
func (t *Tree) Leaves(ctx context.Context, start, count uint64) ([][]byte, error) {
	values, err := t.leaves(ctx, start, count)
	if err != nil {
		return nil, fmt.Errorf("read %d leaves from %d: %w", count, start, err)
	}
	return values, nil
}

func (t *Tree) leaves(ctx context.Context, start, count uint64) ([][]byte, error) {
	if count > math.MaxUint64-start {
		return nil, ErrRange
	}
	size, err := t.engine.has(ctx, start+count)
	if err != nil {
		return nil, err
	}
	if start+count > size {
		return nil, fmt.Errorf("%w: tree has size %d", ErrRange, size)
	}
	values := make([][]byte, 0, min(count, 1<<16))
	for end := start + count; start < end; {
		leaves, err := readLeaves(ctx, t.engine, start, end-start)
		if err != nil {
			return nil, err
		}
		if len(leaves) == 0 {
			return nil, fmt.Errorf("leaf %d is not stored in a tree of size %d", start, size)
		}
		for _, leaf := range leaves {
			values = append(values, leaf.LeafValue)
		}
		start += uint64(len(leaves))
	}
	return values, nil
}

// Nodes returns complete nodes of the tree at its head, in the order of ids.
func (t *Tree) Nodes(ctx context.Context, ids []NodeID) ([][HashSize]byte, error) {
	theirs := make([]compact.NodeID, len(ids))
	for i, id := range ids {
		theirs[i] = compact.NewNodeID(uint(id.Level), id.Index)
	}
	hashes, err := t.engine.nodes(ctx, theirs)
	if err != nil {
		return nil, fmt.Errorf("read %d nodes: %w", len(ids), err)
	}
	return hashes, nil
}

// Tile returns the first width hashes, one after the other, of the index-th
// tile at level 8*level, as tlog-tiles numbers them. Width is 1 to 256, and
// the tree must have the hashes at its head.
func (t *Tree) Tile(ctx context.Context, level uint8, index uint64, width int) ([]byte, error) {
	if level > 7 || width < 1 || width > tileWidth {
		return nil, fmt.Errorf("read tile: %w: level %d, width %d", ErrRange, level, width)
	}
	hashes, err := t.engine.tile(ctx, level, index, width)
	if err != nil {
		return nil, fmt.Errorf("read tile %d/%d: %w", level, index, err)
	}
	return hashes, nil
}

// Err returns nil while the tree works. After a failure of the embedded
// storage in the background it returns that, and so does every other call;
// the tree must then be closed and opened again.
func (t *Tree) Err() error { return t.engine.err() }

// Close releases the tree. What an embedded tree was given is durable when it
// returns nil.
func (t *Tree) Close() error {
	if err := t.engine.close(); err != nil {
		return fmt.Errorf("close tree: %w", err)
	}
	return nil
}
