package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// errTxClosed means that a transaction was used after its end.
var errTxClosed = errors.New("transaction is closed")

// loadTrees reads the tree definitions, which stay in memory.
func (s *Store) loadTrees() error {
	trees := make(map[int64]*trillian.Tree)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefixTree}, UpperBound: []byte{prefixTree + 1}})
	if err != nil {
		return err
	}
	for it.First(); it.Valid(); it.Next() {
		tree := new(trillian.Tree)
		if err := proto.Unmarshal(it.Value(), tree); err != nil {
			return errors.Join(fmt.Errorf("tree %x: %w: %w", it.Key(), errCorrupt, err), it.Close())
		}
		trees[tree.TreeId] = tree
	}
	s.trees.Store(&trees)
	return it.Close()
}

// tree returns the definition of a tree that is not deleted. It must not be
// changed.
func (s *Store) tree(id int64) (*trillian.Tree, error) {
	tree := (*s.trees.Load())[id]
	if tree == nil || tree.Deleted {
		return nil, status.Errorf(codes.NotFound, "tree %d not found", id)
	}
	return tree, nil
}

// adminStorage is a Store as storage.AdminStorage.
type adminStorage struct{ store *Store }

func (a adminStorage) CheckDatabaseAccessible(context.Context) error { return a.store.check() }

// check returns why the store can't be used, or nil.
func (s *Store) check() error {
	done, err := s.begin()
	if err != nil {
		return err
	}
	done()
	return nil
}

func (a adminStorage) Snapshot(context.Context) (storage.ReadOnlyAdminTX, error) {
	if err := a.store.check(); err != nil {
		return nil, err
	}
	return &adminTX{store: a.store, trees: *a.store.trees.Load()}, nil
}

func (a adminStorage) ReadWriteTransaction(ctx context.Context, f storage.AdminTXFunc) error {
	a.store.admin.Lock()
	defer a.store.admin.Unlock()
	if err := a.store.check(); err != nil {
		return err
	}
	tx := &adminTX{store: a.store, trees: maps.Clone(*a.store.trees.Load()), changed: make(map[int64]bool)}
	defer tx.Close()
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// adminTX implements storage.AdminTX over a copy of the tree definitions. A
// definition in trees is replaced, never changed.
type adminTX struct {
	store   *Store
	trees   map[int64]*trillian.Tree
	changed map[int64]bool // nil in a snapshot
	closed  bool
}

func (tx *adminTX) Close() error {
	tx.closed = true
	return nil
}

// Commit writes the changed definitions, and forgets everything of the
// trees that are gone.
func (tx *adminTX) Commit() error {
	if tx.closed {
		return errTxClosed
	}
	tx.closed = true
	if len(tx.changed) == 0 {
		return nil
	}
	done, err := tx.store.begin()
	if err != nil {
		return err
	}
	defer done()
	b := tx.store.db.NewBatch()
	for _, id := range slices.Sorted(maps.Keys(tx.changed)) {
		// A writer of the tree ends before its definition changes.
		state := tx.store.state(id)
		state.mu.Lock()
		defer state.mu.Unlock()
		if err := writeTree(b, id, tx.trees[id]); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	if err := tx.store.commit(b, true); err != nil {
		return err
	}
	tx.store.trees.Store(&tx.trees)
	for id := range tx.changed {
		tx.store.state(id).logMemory = logMemory{}
	}
	return nil
}

// writeTree puts a definition into b, or deletes the tree with all it holds.
func writeTree(b *pebble.Batch, id int64, tree *trillian.Tree) error {
	if tree == nil {
		lower, upper := logBounds(id)
		return errors.Join(b.Delete(treeKey(id), nil), b.DeleteRange(lower, upper, nil))
	}
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(tree)
	if err != nil {
		return err
	}
	return b.Set(treeKey(id), value, nil)
}

func (tx *adminTX) GetTree(_ context.Context, id int64) (*trillian.Tree, error) {
	if tx.closed {
		return nil, errTxClosed
	}
	tree := tx.trees[id]
	if tree == nil {
		return nil, status.Errorf(codes.NotFound, "tree %d not found", id)
	}
	return proto.CloneOf(tree), nil
}

func (tx *adminTX) ListTrees(_ context.Context, includeDeleted bool) ([]*trillian.Tree, error) {
	if tx.closed {
		return nil, errTxClosed
	}
	var trees []*trillian.Tree
	for _, id := range slices.Sorted(maps.Keys(tx.trees)) {
		if tree := tx.trees[id]; includeDeleted || !tree.Deleted {
			trees = append(trees, proto.CloneOf(tree))
		}
	}
	return trees, nil
}

// put replaces a definition.
func (tx *adminTX) put(tree *trillian.Tree) {
	tx.trees[tree.TreeId] = proto.CloneOf(tree)
	tx.changed[tree.TreeId] = true
}

func (tx *adminTX) CreateTree(ctx context.Context, tree *trillian.Tree) (*trillian.Tree, error) {
	if tx.closed {
		return nil, errTxClosed
	}
	if err := storage.ValidateTreeForCreation(ctx, tree); err != nil {
		return nil, err
	}
	if err := validateSettings(tree); err != nil {
		return nil, err
	}
	id, err := storage.NewTreeID()
	if err != nil {
		return nil, err
	}
	if tx.trees[id] != nil {
		return nil, status.Errorf(codes.AlreadyExists, "tree %d exists", id)
	}
	tree = proto.CloneOf(tree)
	tree.TreeId = id
	tree.CreateTime = timestamppb.New(tx.store.opts.Now())
	tree.UpdateTime = proto.CloneOf(tree.CreateTime)
	tx.put(tree)
	return tree, nil
}

func (tx *adminTX) UpdateTree(ctx context.Context, id int64, update func(*trillian.Tree)) (*trillian.Tree, error) {
	tree, err := tx.GetTree(ctx, id)
	if err != nil {
		return nil, err
	}
	update(tree)
	if err := storage.ValidateTreeForUpdate(ctx, tx.trees[id], tree); err != nil {
		return nil, err
	}
	if err := validateSettings(tree); err != nil {
		return nil, err
	}
	if hashIndexed(tree) != hashIndexed(tx.trees[id]) {
		return nil, status.Error(codes.InvalidArgument, "storage_settings: the hash index stays as the tree was created")
	}
	if tree.TreeType != tx.trees[id].TreeType {
		if err := tx.store.checkIntegrated(id); err != nil {
			return nil, err
		}
	}
	tree.UpdateTime = timestamppb.New(latest(tx.store.opts.Now(), tree.UpdateTime.AsTime()))
	tx.put(tree)
	return tree, nil
}

func (tx *adminTX) SoftDeleteTree(ctx context.Context, id int64) (*trillian.Tree, error) {
	return tx.setDeleted(ctx, id, true)
}

func (tx *adminTX) UndeleteTree(ctx context.Context, id int64) (*trillian.Tree, error) {
	return tx.setDeleted(ctx, id, false)
}

func (tx *adminTX) setDeleted(ctx context.Context, id int64, deleted bool) (*trillian.Tree, error) {
	tree, err := tx.deletable(ctx, id, !deleted)
	if err != nil {
		return nil, err
	}
	tree.Deleted, tree.DeleteTime = deleted, nil
	if deleted {
		tree.DeleteTime = timestamppb.New(tx.store.opts.Now())
	}
	tx.put(tree)
	return tree, nil
}

func (tx *adminTX) HardDeleteTree(ctx context.Context, id int64) error {
	if _, err := tx.deletable(ctx, id, true); err != nil {
		return err
	}
	delete(tx.trees, id)
	tx.changed[id] = true
	return nil
}

// deletable returns the tree if it is soft deleted, or if it is not.
func (tx *adminTX) deletable(ctx context.Context, id int64, deleted bool) (*trillian.Tree, error) {
	tree, err := tx.GetTree(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case deleted && !tree.Deleted:
		return nil, status.Errorf(codes.FailedPrecondition, "tree %d is not soft deleted", id)
	case !deleted && tree.Deleted:
		return nil, status.Errorf(codes.FailedPrecondition, "tree %d is soft deleted", id)
	}
	return tree, nil
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
