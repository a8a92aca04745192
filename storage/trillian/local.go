package trillian

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// local is a tree in this process.
type local struct {
	logs  storage.LogStorage
	tree  *trillian.Tree
	clock *risingClock
	store *embedded.Store      // nil when the storage is the caller's
	quick embedded.NodeStorage // logs, if it can do that, else nil

	// known is a size that the tree had. What is below it never changes.
	known atomic.Uint64
}

// read runs f in a snapshot of the tree.
func (l *local) read(ctx context.Context, f func(storage.ReadOnlyLogTreeTX) error) error {
	tx, err := l.logs.SnapshotForTree(ctx, l.tree)
	if err != nil {
		if tx != nil {
			err = errors.Join(err, tx.Close())
		}
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Close())
	}
	return tx.Commit(ctx)
}

func (l *local) head(ctx context.Context) (h Head, err error) {
	err = l.read(ctx, func(tx storage.ReadOnlyLogTreeTX) error {
		root, err := tx.LatestSignedLogRoot(ctx)
		if err != nil {
			return err
		}
		h, _, err = parseRoot(root)
		return err
	})
	if err == nil {
		l.known.Store(h.Size)
	}
	return h, err
}

// has returns a size that the tree has, at least size if it can.
func (l *local) has(ctx context.Context, size uint64) (uint64, error) {
	if known := l.known.Load(); known >= size {
		return known, nil
	}
	h, err := l.head(ctx)
	return h.Size, err
}

// parseRoot reads a head and its time, in nanoseconds since 1970.
func parseRoot(signed *trillian.SignedLogRoot) (h Head, nanos uint64, err error) {
	var root types.LogRootV1
	if err := root.UnmarshalBinary(signed.GetLogRoot()); err != nil {
		return Head{}, 0, fmt.Errorf("parse log root: %w", err)
	}
	if len(root.RootHash) != HashSize {
		return Head{}, 0, fmt.Errorf("parse log root: hash of %d bytes", len(root.RootHash))
	}
	return Head{Size: root.TreeSize, Root: [HashSize]byte(root.RootHash)}, root.TimestampNanos, nil
}

// chunk is how many leaves can be added at once: there is no limit.
func (l *local) chunk(leaves []*trillian.LogLeaf) int { return len(leaves) }

func (l *local) add(ctx context.Context, leaves []*trillian.LogLeaf) ([]*trillian.QueuedLogLeaf, error) {
	return l.logs.AddSequencedLeaves(ctx, l.tree, leaves, l.clock.Now())
}

func (l *local) stored(ctx context.Context, start, count uint64) (leaves []*trillian.LogLeaf, err error) {
	err = l.read(ctx, func(tx storage.ReadOnlyLogTreeTX) (err error) {
		leaves, err = tx.GetLeavesByRange(ctx, int64(start), int64(count))
		return err
	})
	return leaves, err
}

// integrate runs Trillian's sequencer until the tree has the size.
func (l *local) integrate(ctx context.Context, size uint64) (Head, error) {
	for {
		h, err := l.head(ctx)
		switch {
		case err != nil:
			return Head{}, err
		case h.Size == size:
			return h, nil
		case h.Size > size:
			return Head{}, &SizeError{Want: size, Got: h.Size}
		}
		limit := int(min(size-h.Size, 1<<16))
		n, err := log.IntegrateBatch(ctx, l.tree, limit, 0, 0, l.clock, l.logs, quota.Noop())
		if err != nil {
			// Trillian may have turned the storage's error into text.
			return Head{}, errors.Join(l.err(), err)
		}
		if n == 0 {
			return Head{}, fmt.Errorf("leaf %d is not stored", h.Size)
		}
	}
}

func (l *local) sync(ctx context.Context) error {
	if l.store == nil {
		return nil
	}
	return l.store.Sync(ctx)
}

func (l *local) nodes(ctx context.Context, ids []compact.NodeID) (hashes [][HashSize]byte, err error) {
	end := uint64(0)
	for _, id := range ids {
		if id.Level > 63 || id.Index >= math.MaxUint64>>id.Level {
			return nil, fmt.Errorf("%w: node %d/%d", ErrRange, id.Level, id.Index)
		}
		end = max(end, (id.Index+1)<<id.Level)
	}
	size, err := l.has(ctx, end)
	if err != nil {
		return nil, err
	}
	if size < end {
		return nil, fmt.Errorf("%w: tree has size %d", ErrRange, size)
	}
	if l.quick != nil {
		return l.quick.Nodes(ctx, l.tree.TreeId, size, ids)
	}
	err = l.read(ctx, func(tx storage.ReadOnlyLogTreeTX) error {
		hashes, err = readNodes(ctx, tx, ids)
		return err
	})
	return hashes, err
}

// readNodes reads nodes that the tree has.
func readNodes(ctx context.Context, tx storage.ReadOnlyLogTreeTX, ids []compact.NodeID) ([][HashSize]byte, error) {
	nodes, err := tx.GetMerkleNodes(ctx, ids)
	if err != nil {
		return nil, err
	}
	if len(nodes) != len(ids) {
		return nil, fmt.Errorf("%d nodes instead of %d", len(nodes), len(ids))
	}
	hashes := make([][HashSize]byte, len(nodes))
	for i, n := range nodes {
		if n.ID != ids[i] || len(n.Hash) != HashSize {
			return nil, fmt.Errorf("node %v of %d bytes where node %v should be", n.ID, len(n.Hash), ids[i])
		}
		hashes[i] = [HashSize]byte(n.Hash)
	}
	return hashes, nil
}

func (l *local) tile(ctx context.Context, level uint8, index uint64, width int) ([]byte, error) {
	if index > math.MaxUint64>>(8*uint(level))/tileWidth-1 {
		return nil, fmt.Errorf("%w: tile %d/%d", ErrRange, level, index)
	}
	if l.quick == nil {
		return l.tileOfNodes(ctx, level, index, width)
	}
	end := (index*tileWidth + uint64(width)) << (8 * uint(level))
	size, err := l.has(ctx, end)
	if err != nil {
		return nil, err
	}
	if size < end {
		return nil, fmt.Errorf("%w: tree has size %d", ErrRange, size)
	}
	return l.quick.Tile(ctx, l.tree.TreeId, size, level, index, width)
}

// tileOfNodes is tile by reading nodes.
func (l *local) tileOfNodes(ctx context.Context, level uint8, index uint64, width int) ([]byte, error) {
	ids := make([]compact.NodeID, width)
	for i := range ids {
		ids[i] = compact.NewNodeID(8*uint(level), index*tileWidth+uint64(i))
	}
	hashes, err := l.nodes(ctx, ids)
	out := make([]byte, 0, width*HashSize)
	for i := range hashes {
		out = append(out, hashes[i][:]...)
	}
	return out, err
}

func (l *local) err() error {
	if l.store == nil {
		return nil
	}
	return l.store.Err()
}

func (l *local) close() error {
	if l.store == nil {
		return nil
	}
	return l.store.Close()
}

// initTree gives a new tree its first head, of size 0.
func (l *local) initTree(ctx context.Context) error {
	return l.logs.ReadWriteTransaction(ctx, l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
		_, err := tx.LatestSignedLogRoot(ctx)
		if !errors.Is(err, storage.ErrTreeNeedsInit) {
			return err
		}
		root, err := (&types.LogRootV1{
			RootHash:       rfc6962.DefaultHasher.EmptyRoot(),
			TimestampNanos: uint64(l.clock.Now().UnixNano()),
		}).MarshalBinary()
		if err != nil {
			return err
		}
		return tx.StoreSignedLogRoot(ctx, &trillian.SignedLogRoot{LogRoot: root})
	})
}

// start reads the head, so that the clock goes on after it.
func (l *local) start(ctx context.Context) (Head, error) {
	var h Head
	err := l.read(ctx, func(tx storage.ReadOnlyLogTreeTX) error {
		root, err := tx.LatestSignedLogRoot(ctx)
		if err != nil {
			return err
		}
		var nanos uint64
		h, nanos, err = parseRoot(root)
		l.clock.passed(time.Unix(0, int64(nanos)))
		return err
	})
	return h, err
}
