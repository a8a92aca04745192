package embedded

import (
	"context"
	"fmt"

	"github.com/google/trillian/storage"
	"github.com/transparency-dev/merkle/compact"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// NodeStorage is what the log storage of a Store can do besides: read nodes of
// a tree of which the caller knows a size, without a transaction. Nodes of an
// integrated tree never change, so a size that the tree had is enough.
type NodeStorage interface {
	// Nodes returns nodes that are complete at the size, in the order of ids.
	Nodes(ctx context.Context, tree int64, size uint64, ids []compact.NodeID) ([][hashSize]byte, error)
	// Tile returns the first width hashes, one after the other, of the index-th
	// tile at level 8*level, in a tree of the size.
	Tile(ctx context.Context, tree int64, size uint64, level uint8, index uint64, width int) ([]byte, error)
}

var _ interface {
	storage.LogStorage
	NodeStorage
} = logStorage{}

// Nodes implements NodeStorage.
func (l logStorage) Nodes(_ context.Context, tree int64, size uint64, ids []compact.NodeID) ([][hashSize]byte, error) {
	done, err := l.store.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	hashes := make([]hash, len(ids))
	for i, id := range ids {
		if !complete(id, size) {
			return nil, status.Errorf(codes.OutOfRange, "node %d/%d is not in a tree of size %d", id.Level, id.Index, size)
		}
		if hashes[i], err = l.store.readNode(l.store.db, tree, id, size); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// Tile implements NodeStorage. It does not fill the cache of nodes, which a
// copy of the whole tree would sweep out.
func (l logStorage) Tile(_ context.Context, tree int64, size uint64, level uint8, index uint64, width int) ([]byte, error) {
	if width < 1 || level > 7 || tileWidth(level, index, size) < width {
		return nil, status.Errorf(codes.OutOfRange, "tile %d/%d of width %d is not in a tree of size %d", level, index, width, size)
	}
	done, err := l.store.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	var hashes []hash
	if p := l.store.tiles.get(tileID{tree, level, index}); p != nil && len(p.nodes[0]) >= width {
		hashes = p.nodes[0]
	} else {
		t, err := readTile(l.store.db, tree, level, index)
		if err != nil {
			return nil, err
		}
		hashes = t.hashes[:t.width()]
	}
	if len(hashes) < width {
		return nil, fmt.Errorf("tile %d/%d: %w: %d hashes at size %d", level, index, errCorrupt, len(hashes), size)
	}
	out := make([]byte, 0, width*hashSize)
	for i := range width {
		out = append(out, hashes[i][:]...)
	}
	return out, nil
}
