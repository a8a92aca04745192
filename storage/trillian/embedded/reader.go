package embedded

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/tree"
	"github.com/transparency-dev/merkle/compact"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// maxRangeBytes bounds an answer of GetLeavesByRange, so that a server can
// send it in one message of gRPC's default size.
const maxRangeBytes = 3 << 20

// leafOverhead is about what a leaf costs in a message besides its data.
const leafOverhead = 160

// reader reads a tree at its head.
type reader struct {
	store *Store
	tree  *trillian.Tree
	head  *head // nil when the tree needs initialising
	from  pebble.Reader
}

func (r *reader) latestSignedLogRoot() (*trillian.SignedLogRoot, error) {
	if r.head == nil {
		return nil, storage.ErrTreeNeedsInit
	}
	return r.head.signed(), nil
}

// node returns a node of the tree at its head.
func (r *reader) node(id compact.NodeID) (hash, error) {
	if !complete(id, r.head.size()) {
		return hash{}, status.Errorf(codes.NotFound, "node %d/%d is not in a tree of size %d", id.Level, id.Index, r.head.size())
	}
	if h, ok := r.head.node(id); ok {
		return h, nil
	}
	return r.store.readNode(r.from, r.tree.TreeId, id, r.head.size())
}

// nodes returns nodes, in the order of ids.
func nodes(ids []compact.NodeID, node func(compact.NodeID) (hash, error)) ([]tree.Node, error) {
	out := make([]tree.Node, len(ids))
	hashes := make([]hash, len(ids))
	var err error
	for i, id := range ids {
		if hashes[i], err = node(id); err != nil {
			return nil, err
		}
		out[i] = tree.Node{ID: id, Hash: hashes[i][:]}
	}
	return out, nil
}

// leavesByRange implements GetLeavesByRange.
func (r *reader) leavesByRange(start, count int64) ([]*trillian.LogLeaf, error) {
	if count <= 0 {
		return nil, status.Errorf(codes.InvalidArgument, "count %d is not positive", count)
	}
	if start < 0 {
		return nil, status.Errorf(codes.InvalidArgument, "start %d is negative", start)
	}
	if r.tree.TreeType == trillian.TreeType_LOG {
		size := int64(r.head.size())
		if start >= size {
			return nil, status.Errorf(codes.OutOfRange, "start %d is not in a tree of size %d", start, size)
		}
		count = min(count, size-start)
	}
	return r.leaves(uint64(start), uint64(count), maxRangeBytes)
}

// leaves returns stored leaves from start on: count of them, or fewer where
// they would exceed maxBytes or where a leaf is not stored, which is an error
// inside the tree.
func (r *reader) leaves(start, count uint64, maxBytes int) ([]*trillian.LogLeaf, error) {
	leaves := make([]*trillian.LogLeaf, 0, min(count, runSize))
	var slab []trillian.LogLeaf
	var run *run
	var err error
	for index := start; index < start+count; index++ {
		if run == nil || index%runSize == 0 {
			if run, err = readRun(r.from, r.tree.TreeId, index/runSize); err != nil {
				return nil, err
			}
		}
		at := int(index % runSize)
		if !run.has(at) {
			if index < r.head.size() {
				return nil, status.Errorf(codes.DataLoss, "leaf %d is not stored, tree size is %d", index, r.head.size())
			}
			return leaves, nil
		}
		if maxBytes -= run.size(at) + leafOverhead; maxBytes < 0 && len(leaves) > 0 {
			return leaves, nil
		}
		if len(slab) == 0 {
			slab = make([]trillian.LogLeaf, min(start+count-index, runSize))
		}
		run.fill(&slab[0], at)
		leaves, slab = append(leaves, &slab[0]), slab[1:]
	}
	return leaves, nil
}

// leavesByHash implements GetLeavesByHash.
func (r *reader) leavesByHash(hashes [][]byte, inOrder bool) ([]*trillian.LogLeaf, error) {
	if !hashIndexed(r.tree) {
		return nil, status.Errorf(codes.Unimplemented, "tree %d has no hash index", r.tree.TreeId)
	}
	var leaves []*trillian.LogLeaf
	for _, hash := range hashes {
		found, err := findLeaves(r.from, r.tree.TreeId, hash, merkleLeafHash)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, found...)
	}
	if inOrder {
		slices.SortFunc(leaves, func(a, b *trillian.LogLeaf) int { return cmp.Compare(a.LeafIndex, b.LeafIndex) })
	}
	return leaves, nil
}

// SnapshotForTree starts a read-only transaction. It neither waits for writers
// nor makes them wait.
func (l logStorage) SnapshotForTree(_ context.Context, tree *trillian.Tree) (storage.ReadOnlyLogTreeTX, error) {
	done, err := l.store.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	tree, err = l.store.tree(tree.GetTreeId())
	if err != nil {
		return nil, err
	}
	snapshot := l.store.db.NewSnapshot()
	head, err := l.store.readHead(snapshot, tree.TreeId)
	if err == storage.ErrTreeNeedsInit {
		// Trillian's contract wants a transaction beside this error, and its log
		// server forgets to close it. There is nothing to read, so nothing to hold.
		if err := snapshot.Close(); err != nil {
			return nil, err
		}
		return &snapshotTX{reader: reader{l.store, tree, nil, l.store.db}, open: true}, storage.ErrTreeNeedsInit
	}
	if err != nil {
		return nil, errors.Join(err, snapshot.Close())
	}
	return &snapshotTX{reader{l.store, tree, head, snapshot}, snapshot, true}, nil
}

// snapshotTX implements storage.ReadOnlyLogTreeTX. It must not be used by
// several goroutines at once.
type snapshotTX struct {
	reader   reader
	snapshot *pebble.Snapshot // nil where the tree needs initialising
	open     bool
}

// use runs a read of the transaction.
func (tx *snapshotTX) use(do func() error) error {
	if !tx.open {
		return errTxClosed
	}
	done, err := tx.reader.store.begin()
	if err != nil {
		return err
	}
	defer done()
	return do()
}

func (tx *snapshotTX) Commit(context.Context) error { return tx.use(tx.end) }

// Close may be called after Commit.
func (tx *snapshotTX) Close() error {
	if !tx.open {
		return nil
	}
	return tx.use(tx.end)
}

func (tx *snapshotTX) end() error {
	tx.open = false
	if tx.snapshot == nil {
		return nil
	}
	return tx.snapshot.Close()
}

func (tx *snapshotTX) GetMerkleNodes(_ context.Context, ids []compact.NodeID) (out []tree.Node, err error) {
	err = tx.use(func() (err error) {
		out, err = nodes(ids, tx.reader.node)
		return err
	})
	return out, err
}

func (tx *snapshotTX) GetLeavesByRange(_ context.Context, start, count int64) (out []*trillian.LogLeaf, err error) {
	err = tx.use(func() (err error) {
		out, err = tx.reader.leavesByRange(start, count)
		return err
	})
	return out, err
}

func (tx *snapshotTX) GetLeavesByHash(_ context.Context, hashes [][]byte, inOrder bool) (out []*trillian.LogLeaf, err error) {
	err = tx.use(func() (err error) {
		out, err = tx.reader.leavesByHash(hashes, inOrder)
		return err
	})
	return out, err
}

func (tx *snapshotTX) LatestSignedLogRoot(context.Context) (root *trillian.SignedLogRoot, err error) {
	err = tx.use(func() (err error) {
		root, err = tx.reader.latestSignedLogRoot()
		return err
	})
	return root, err
}
