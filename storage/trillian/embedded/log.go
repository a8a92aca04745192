package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// logStorage is a Store as storage.LogStorage.
type logStorage struct{ store *Store }

func (l logStorage) CheckDatabaseAccessible(context.Context) error { return l.store.check() }

// GetActiveLogIDs lists the trees that are ACTIVE or DRAINING.
func (l logStorage) GetActiveLogIDs(context.Context) ([]int64, error) {
	if err := l.store.check(); err != nil {
		return nil, err
	}
	var ids []int64
	trees := *l.store.trees.Load()
	for _, id := range slices.Sorted(maps.Keys(trees)) {
		tree := trees[id]
		active := tree.TreeState == trillian.TreeState_ACTIVE || tree.TreeState == trillian.TreeState_DRAINING
		if active && !tree.Deleted {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// logState is what is kept in memory of a tree, by and for its one writer at
// a time.
type logState struct {
	parsed atomic.Pointer[head] // the last head that was read or written

	mu sync.Mutex
	logMemory
}

// logMemory can always be loaded again.
type logMemory struct {
	loaded    bool
	head      *head  // nil when the tree needs initialising
	end       uint64 // one more than the largest index of a stored leaf
	tail      tail
	queueFrom []byte // no key of the queue is smaller
	queueNext uint64 // larger than the number in any key of the queue
}

// state returns the tree's state, which may have to be loaded.
func (s *Store) state(id int64) *logState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.logs[id]
	if state == nil {
		state = new(logState)
		s.logs[id] = state
	}
	return state
}

// writer is the one call that changes a tree at this moment.
type writer struct {
	store *Store
	tree  *trillian.Tree
	state *logState
	head  *head // nil when the tree needs initialising
	index bool  // the tree has a hash index
	done  func()
}

// write waits until no other call changes the tree. The writer must be
// released.
func (s *Store) write(tree *trillian.Tree) (*writer, error) {
	if tree == nil {
		return nil, status.Error(codes.InvalidArgument, "a tree is required")
	}
	state := s.state(tree.TreeId)
	state.mu.Lock()
	w, err := s.writeLocked(tree.TreeId, state)
	if err != nil {
		state.mu.Unlock()
		return nil, err
	}
	return w, nil
}

func (s *Store) writeLocked(id int64, state *logState) (*writer, error) {
	done, err := s.begin()
	if err != nil {
		return nil, err
	}
	w := &writer{store: s, state: state, done: done}
	if err := w.load(id); err != nil {
		done()
		return nil, err
	}
	return w, nil
}

// load reads what the writer needs to know.
func (w *writer) load(id int64) (err error) {
	if w.tree, err = w.store.tree(id); err != nil {
		return err
	}
	w.index = hashIndexed(w.tree)
	if !w.state.loaded {
		err = w.remember(id)
	}
	w.head = w.state.head
	return err
}

// remember reads what the tree's memory holds.
func (w *writer) remember(id int64) error {
	head, err := w.store.readHead(w.store.db, id)
	if err != nil && err != storage.ErrTreeNeedsInit {
		return err
	}
	end, err := readEnd(w.store.db, id)
	if err != nil {
		return err
	}
	next, err := readQueueNext(w.store.db, id)
	if err != nil {
		return err
	}
	from, _ := tableBounds(id, tableQueue)
	w.state.logMemory = logMemory{loaded: true, head: head, end: end, queueFrom: from, queueNext: next}
	return nil
}

// readEnd returns one more than the index of a tree's last leaf.
func readEnd(r pebble.Reader, id int64) (uint64, error) {
	lower, upper := tableBounds(id, tableLeaves)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return 0, err
	}
	if !it.Last() {
		return 0, errors.Join(it.Error(), it.Close())
	}
	number := binary.BigEndian.Uint64(it.Key()[len(lower):])
	if err := it.Close(); err != nil {
		return 0, err
	}
	run, err := readRun(r, id, number)
	if err != nil {
		return 0, err
	}
	return number*runSize + uint64(run.last()) + 1, nil
}

func (w *writer) release() {
	w.done()
	w.state.mu.Unlock()
}

// commit applies b, and forgets the state in memory if that fails.
func (w *writer) commit(b *pebble.Batch) error {
	err := w.store.commit(b, !w.store.opts.Deferred)
	if err != nil {
		w.state.logMemory = logMemory{}
	}
	return err
}

// refuseUnless returns PermissionDenied unless the tree is in one of states.
func (w *writer) refuseUnless(states ...trillian.TreeState) error {
	if slices.Contains(states, w.tree.TreeState) {
		return nil
	}
	return status.Errorf(codes.PermissionDenied, "tree %d is %v", w.tree.TreeId, w.tree.TreeState)
}
