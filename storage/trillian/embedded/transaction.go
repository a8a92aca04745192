package embedded

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/tree"
	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/compact"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ReadWriteTransaction runs f alone on the tree, and commits what it did in one
// batch if it returns nil.
func (l logStorage) ReadWriteTransaction(ctx context.Context, tree *trillian.Tree, f storage.LogTXFunc) error {
	w, err := l.store.write(tree)
	if err != nil {
		return err
	}
	defer w.release()
	tx := &logTX{
		writer: w,
		reader: reader{l.store, w.tree, w.head, l.store.db},
	}
	defer tx.Close()
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// logTX implements storage.LogTreeTX. It must not be used by several
// goroutines at once, nor after f returned.
type logTX struct {
	writer   *writer
	reader   reader
	closed   bool
	dequeued []*trillian.LogLeaf
	nodes    []tree.Node
	newHead  *head
	queue    queueTX
	pieces   []piece
	stored   []*trillian.LogLeaf // sequenced leaves of a LOG tree
}

func (tx *logTX) Close() error {
	tx.closed = true
	return nil
}

// Commit writes leaves, nodes and head in one batch.
func (tx *logTX) Commit(context.Context) error {
	if tx.closed {
		return errTxClosed
	}
	tx.closed = true
	b := tx.writer.store.db.NewBatch()
	if err := tx.fill(b); err != nil {
		return errors.Join(err, b.Close())
	}
	if b.Empty() {
		return b.Close()
	}
	if err := tx.writer.store.reserve(b.Len()); err != nil {
		return errors.Join(err, b.Close())
	}
	if err := tx.writer.commit(b); err != nil {
		return err
	}
	tx.committed()
	return nil
}

func (tx *logTX) fill(b *pebble.Batch) error {
	if err := tx.fillLeaves(b); err != nil {
		return err
	}
	if err := tx.fillTiles(b); err != nil {
		return err
	}
	if tx.newHead == nil {
		return nil
	}
	return b.Set(headKey(tx.reader.tree.TreeId), tx.newHead.format(), nil)
}

// fillTiles writes the nodes at levels 8, 16, …: those at level 0 are there,
// and the others are computed.
func (tx *logTX) fillTiles(b *pebble.Batch) error {
	var kept []tree.Node
	for _, n := range tx.nodes {
		if n.ID.Level%8 == 0 && n.ID.Level > 0 {
			kept = append(kept, n)
		}
	}
	slices.SortFunc(kept, func(a, b tree.Node) int {
		return cmp.Or(cmp.Compare(a.ID.Level, b.ID.Level), cmp.Compare(a.ID.Index, b.ID.Index))
	})
	for len(kept) > 0 {
		first := kept[0].ID
		var hashes []byte
		n := 0
		for n < len(kept) && kept[n].ID == compact.NewNodeID(first.Level, first.Index+uint64(n)) &&
			kept[n].ID.Index/runSize == first.Index/runSize {
			hashes = append(hashes, kept[n].Hash...)
			n++
		}
		kept = kept[n:]
		key := tileKey(tx.reader.tree.TreeId, uint8(first.Level/8), first.Index/runSize)
		if err := b.Merge(key, tileValue(first.Index, hashes), nil); err != nil {
			return err
		}
	}
	return nil
}

// committed brings the memory of the tree up to date.
func (tx *logTX) committed() {
	state := tx.writer.state
	tx.writer.added(tx.pieces)
	tx.queue.committed(state)
	if tx.newHead != nil {
		state.head = tx.newHead
		state.parsed.Store(tx.newHead)
		state.tail.drop(tx.newHead.root.TreeSize)
	}
}

func (tx *logTX) LatestSignedLogRoot(context.Context) (*trillian.SignedLogRoot, error) {
	if tx.closed {
		return nil, errTxClosed
	}
	return tx.reader.latestSignedLogRoot()
}

func (tx *logTX) GetLeavesByRange(_ context.Context, start, count int64) ([]*trillian.LogLeaf, error) {
	if tx.closed {
		return nil, errTxClosed
	}
	return tx.reader.leavesByRange(start, count)
}

func (tx *logTX) GetLeavesByHash(_ context.Context, hashes [][]byte, inOrder bool) ([]*trillian.LogLeaf, error) {
	if tx.closed {
		return nil, errTxClosed
	}
	return tx.reader.leavesByHash(hashes, inOrder)
}

// GetMerkleNodes also returns what SetMerkleNodes set.
func (tx *logTX) GetMerkleNodes(_ context.Context, ids []compact.NodeID) ([]tree.Node, error) {
	if tx.closed {
		return nil, errTxClosed
	}
	return nodes(ids, func(id compact.NodeID) (hash, error) {
		if !complete(id, tx.reader.head.size()) {
			for _, n := range tx.nodes {
				if n.ID == id {
					return hash(n.Hash), nil
				}
			}
		}
		return tx.reader.node(id)
	})
}

// SetMerkleNodes refuses to change a node below the head, and one at level 0
// that is not the hash of the leaf that was dequeued.
func (tx *logTX) SetMerkleNodes(_ context.Context, set []tree.Node) error {
	if tx.closed {
		return errTxClosed
	}
	if err := tx.writer.refuseUnless(trillian.TreeState_ACTIVE, trillian.TreeState_DRAINING); err != nil {
		return err
	}
	for _, n := range set {
		if len(n.Hash) != hashSize {
			return status.Errorf(codes.InvalidArgument, "node %d/%d has %d bytes", n.ID.Level, n.ID.Index, len(n.Hash))
		}
		if complete(n.ID, tx.reader.head.size()) {
			return status.Errorf(codes.FailedPrecondition, "node %d/%d is in the tree of size %d already", n.ID.Level, n.ID.Index, tx.reader.head.size())
		}
		if n.ID.Level > 0 {
			continue
		}
		// Dequeued leaves have consecutive indices from the tree size on.
		i := n.ID.Index - tx.reader.head.size()
		if i >= uint64(len(tx.dequeued)) || !bytes.Equal(tx.dequeued[i].MerkleLeafHash, n.Hash) {
			return status.Errorf(codes.FailedPrecondition, "node 0/%d is not the hash of a dequeued leaf", n.ID.Index)
		}
	}
	tx.nodes = append(tx.nodes, set...)
	return nil
}

// StoreSignedLogRoot makes root the tree's head. It must be newer and not
// smaller than the last one, and its hash must be that of its nodes.
func (tx *logTX) StoreSignedLogRoot(_ context.Context, root *trillian.SignedLogRoot) error {
	if tx.closed {
		return errTxClosed
	}
	if tx.reader.head != nil {
		if err := tx.writer.refuseUnless(trillian.TreeState_ACTIVE, trillian.TreeState_DRAINING); err != nil {
			return err
		}
	}
	h := &head{logRoot: bytes.Clone(root.GetLogRoot())}
	if err := h.root.UnmarshalBinary(h.logRoot); err != nil {
		return status.Errorf(codes.InvalidArgument, "log root: %v", err)
	}
	if err := follows(tx.reader.head, &h.root); err != nil {
		return err
	}
	h.edge = tx.edge(h.root.TreeSize)
	if len(h.edge) > 0 {
		if want := edgeRoot(h.edge); !bytes.Equal(h.root.RootHash, want[:]) {
			return status.Errorf(codes.FailedPrecondition, "root of size %d is %x, its nodes say %x", h.root.TreeSize, h.root.RootHash, want)
		}
	}
	tx.newHead = h
	return nil
}

// follows says whether root may come after the head.
func follows(last *head, root *types.LogRootV1) error {
	switch {
	case last == nil:
		return nil
	case root.TimestampNanos <= last.root.TimestampNanos:
		return status.Errorf(codes.FailedPrecondition, "root of time %d follows one of time %d", root.TimestampNanos, last.root.TimestampNanos)
	case root.TreeSize < last.root.TreeSize:
		return status.Errorf(codes.FailedPrecondition, "root of size %d follows one of size %d", root.TreeSize, last.root.TreeSize)
	}
	return nil
}

// edge collects the right edge at the new size from the nodes that were set
// and the old edge. It is nil where a node is missing.
func (tx *logTX) edge(size uint64) []hash {
	ids := compact.RangeNodes(0, size, nil)
	edge := make([]hash, len(ids))
	missing := len(ids)
	for i, id := range ids {
		if h, ok := tx.reader.head.node(id); ok {
			edge[i] = h
			missing--
		}
	}
	for _, n := range tx.nodes {
		if onEdge(n.ID, size) {
			edge[slices.Index(ids, n.ID)] = hash(n.Hash)
			missing--
		}
	}
	if missing != 0 {
		return nil
	}
	return edge
}

// DequeueLeaves returns the next leaves to integrate, in order: of the queue,
// or of the stored leaves that follow the tree.
func (tx *logTX) DequeueLeaves(_ context.Context, limit int, cutoff time.Time) (leaves []*trillian.LogLeaf, err error) {
	switch {
	case tx.closed:
		return nil, errTxClosed
	case limit <= 0:
		return nil, status.Errorf(codes.InvalidArgument, "limit %d is not positive", limit)
	case tx.reader.tree.TreeType == trillian.TreeType_LOG:
		leaves, err = tx.dequeue(limit, cutoff)
	default:
		leaves, err = tx.following(limit)
		tx.dequeued = nil
	}
	tx.dequeued = append(tx.dequeued, leaves...)
	return leaves, err
}

// following returns stored leaves from the tree's size on.
func (tx *logTX) following(limit int) ([]*trillian.LogLeaf, error) {
	size := tx.reader.head.size()
	leaves, err := tx.writer.state.tail.leaves(size, limit)
	if err != nil || len(leaves) > 0 {
		return leaves, err
	}
	return tx.reader.leaves(size, uint64(limit), tailBytes)
}
