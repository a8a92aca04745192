package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A queued leaf is a trillian.LogLeaf at a queue key. The last 16 bytes of
// that key, its time and number, are the value at its queued key.

// readQueueNext returns a number larger than that of any leaf in the queue.
func readQueueNext(r pebble.Reader, tree int64) (uint64, error) {
	lower, upper := tableBounds(tree, tableQueue)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return 0, err
	}
	var next uint64
	for it.First(); it.Valid(); it.Next() {
		next = max(next, binary.BigEndian.Uint64(it.Key()[len(it.Key())-8:])+1)
	}
	return next, errors.Join(it.Error(), it.Close())
}

// QueueLeaves puts leaves at the end of a LOG tree's queue, in order. One with
// the identity hash of a leaf that is queued or in the tree is a duplicate.
func (l logStorage) QueueLeaves(_ context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) ([]*trillian.QueuedLogLeaf, error) {
	w, err := l.store.write(tree)
	if err != nil {
		return nil, err
	}
	defer w.release()
	if w.head == nil {
		return nil, storage.ErrTreeNeedsInit
	}
	if w.tree.TreeType != trillian.TreeType_LOG {
		return nil, status.Errorf(codes.InvalidArgument, "tree %d is of type %v", w.tree.TreeId, w.tree.TreeType)
	}
	if err := w.refuseUnless(trillian.TreeState_ACTIVE); err != nil {
		return nil, err
	}
	if err := checkLeaves(leaves); err != nil {
		return nil, err
	}
	if err := w.store.reserve(leavesSize(leaves)); err != nil {
		return nil, err
	}
	// An indexed batch, in which duplicates within leaves are found too.
	b := w.store.db.NewIndexedBatch()
	results := newSlab(leaves)
	for i, leaf := range leaves {
		other, err := w.enqueue(b, leaf, at)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		if other != nil {
			results[i].Leaf = other
			results[i].Status = status.Newf(codes.AlreadyExists, "leaf %x is known already", leaf.LeafIdentityHash).Proto()
		}
	}
	return results, w.commit(b)
}

// enqueue puts a leaf into the queue, or returns the one it duplicates.
func (w *writer) enqueue(b *pebble.Batch, leaf *trillian.LogLeaf, at time.Time) (*trillian.LogLeaf, error) {
	id := w.tree.TreeId
	found, err := findLeaves(w.store.db, id, leaf.LeafIdentityHash, identityHash)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	place, err := get(b, queuedKey(id, leaf.LeafIdentityHash))
	if err == nil {
		return readQueued(b, append(logKey(id, tableQueue), place...))
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return nil, err
	}
	leaf.QueueTimestamp = timestamp(at.UnixNano())
	value, err := proto.Marshal(leaf)
	if err != nil {
		return nil, err
	}
	key := queueKey(id, at.UnixNano(), w.state.queueNext)
	w.state.queueNext++
	if bytes.Compare(key, w.state.queueFrom) < 0 {
		w.state.queueFrom = key
	}
	return nil, errors.Join(b.Set(key, value, nil), b.Set(queuedKey(id, leaf.LeafIdentityHash), key[len(key)-16:], nil))
}

func readQueued(r pebble.Reader, key []byte) (*trillian.LogLeaf, error) {
	value, err := get(r, key)
	if err != nil {
		return nil, err
	}
	return parseQueued(value)
}

func parseQueued(value []byte) (*trillian.LogLeaf, error) {
	leaf := new(trillian.LogLeaf)
	if err := proto.Unmarshal(value, leaf); err != nil {
		return nil, fmt.Errorf("queue: %w: %w", errCorrupt, err)
	}
	return leaf, nil
}

// queueTX is what a transaction does to a queue.
type queueTX struct {
	from []byte            // where the next leaf may be; nil before the first
	keys map[string][]byte // of the dequeued leaves, by identity hash
	used [][]byte          // of the sequenced leaves
}

// dequeue returns leaves of the queue that were queued up to cutoff and not
// returned before.
func (tx *logTX) dequeue(limit int, cutoff time.Time) ([]*trillian.LogLeaf, error) {
	id := tx.reader.tree.TreeId
	from := tx.queue.from
	if from == nil {
		from = tx.writer.state.queueFrom
		tx.queue.keys = make(map[string][]byte)
	}
	upper := append(queueKey(id, cutoff.UnixNano(), math.MaxUint64), 0)
	it, err := tx.writer.store.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: upper})
	if err != nil {
		return nil, err
	}
	var leaves []*trillian.LogLeaf
	for it.First(); it.Valid() && len(leaves) < limit; it.Next() {
		leaf, err := parseQueued(it.Value())
		if err != nil {
			return nil, errors.Join(err, it.Close())
		}
		tx.queue.keys[string(leaf.LeafIdentityHash)] = bytes.Clone(it.Key())
		tx.queue.from = append(bytes.Clone(it.Key()), 0)
		leaves = append(leaves, leaf)
	}
	return leaves, errors.Join(it.Error(), it.Close())
}

// UpdateSequencedLeaves moves dequeued leaves from the queue to their indices.
// Leaves of a PREORDERED_LOG tree are there already.
func (tx *logTX) UpdateSequencedLeaves(_ context.Context, leaves []*trillian.LogLeaf) error {
	if tx.closed {
		return errTxClosed
	}
	if tx.reader.tree.TreeType != trillian.TreeType_LOG {
		return nil
	}
	if err := tx.writer.refuseUnless(trillian.TreeState_ACTIVE, trillian.TreeState_DRAINING); err != nil {
		return err
	}
	if err := checkLeaves(leaves); err != nil {
		return err
	}
	j := judge{writer: tx.writer, taken: make(map[int64]*trillian.LogLeaf), identities: make(map[string]*trillian.LogLeaf)}
	for _, leaf := range leaves {
		key := tx.queue.keys[string(leaf.LeafIdentityHash)]
		if key == nil {
			return status.Errorf(codes.FailedPrecondition, "leaf %x was not dequeued", leaf.LeafIdentityHash)
		}
		if err := leaf.IntegrateTimestamp.CheckValid(); err != nil {
			return status.Errorf(codes.InvalidArgument, "integrate timestamp: %v", err)
		}
		other, err := j.conflict(leaf)
		if err != nil {
			return err
		}
		if other != nil {
			return status.Errorf(codes.FailedPrecondition, "leaf %x conflicts with leaf %d", leaf.LeafIdentityHash, other.LeafIndex)
		}
		delete(tx.queue.keys, string(leaf.LeafIdentityHash))
		tx.queue.used = append(tx.queue.used, key)
	}
	tx.stored = append(tx.stored, leaves...)
	return nil
}

// fillLeaves writes the sequenced leaves of a LOG tree.
func (tx *logTX) fillLeaves(b *pebble.Batch) (err error) {
	id := tx.reader.tree.TreeId
	for i, leaf := range tx.stored {
		if err := errors.Join(
			b.Delete(tx.queue.used[i], nil),
			b.Delete(queuedKey(id, leaf.LeafIdentityHash), nil),
		); err != nil {
			return err
		}
	}
	for rest := tx.stored; len(rest) > 0; {
		n := 1
		integrated := rest[0].IntegrateTimestamp.AsTime()
		for n < len(rest) && rest[n].IntegrateTimestamp.AsTime().Equal(integrated) {
			n++
		}
		pieces, err := tx.writer.put(b, rest[:n], queuedNanos, integrated.UnixNano())
		if err != nil {
			return err
		}
		tx.pieces = append(tx.pieces, pieces...)
		rest = rest[n:]
	}
	return nil
}

func queuedNanos(leaf *trillian.LogLeaf) int64 { return leaf.QueueTimestamp.AsTime().UnixNano() }

// committed notes where the queue starts now: every leaf before the last one
// dequeued is gone, or was left in the queue and is its start.
func (q *queueTX) committed(state *logState) {
	if q.from == nil {
		return
	}
	state.queueFrom = q.from
	for _, key := range q.keys {
		if slices.Compare(key, state.queueFrom) < 0 {
			state.queueFrom = key
		}
	}
}

// checkIntegrated refuses unless the tree's leaves are all in the tree: as a
// LOG tree it would take their indices for new leaves.
func (s *Store) checkIntegrated(id int64) error {
	done, err := s.begin()
	if err != nil {
		return err
	}
	defer done()
	head, err := s.readHead(s.db, id)
	if err != nil && err != storage.ErrTreeNeedsInit {
		return err
	}
	end, err := readEnd(s.db, id)
	if err != nil {
		return err
	}
	if end > head.size() {
		return status.Errorf(codes.FailedPrecondition, "tree %d has leaves up to %d, and %d are integrated", id, end, head.size())
	}
	return nil
}
