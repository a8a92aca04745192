package embedded_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/tree"
	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/compact"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

func TestStatesOfATree(t *testing.T) {
	for _, c := range []struct {
		state                      trillian.TreeState
		queue, sequence, storeRoot codes.Code
	}{
		{trillian.TreeState_ACTIVE, codes.OK, codes.OK, codes.OK},
		{trillian.TreeState_DRAINING, codes.PermissionDenied, codes.OK, codes.OK},
		{trillian.TreeState_FROZEN, codes.PermissionDenied, codes.PermissionDenied, codes.PermissionDenied},
	} {
		t.Run(c.state.String(), func(t *testing.T) {
			s := open(t, embedded.Options{})
			l := create(t, s, newTree(trillian.TreeType_LOG))
			p := create(t, s, newTree(trillian.TreeType_PREORDERED_LOG))
			p.add(t, logLeaves(0, 2)...)
			for _, x := range []*testLog{l, p} {
				x.update(t, func(tree *trillian.Tree) { tree.TreeState = c.state })
			}
			_, err := l.QueueLeaves(t.Context(), l.tree, logLeaves(0, 1), time.Now())
			wantCode(t, "queue", err, c.queue)
			_, err = p.AddSequencedLeaves(t.Context(), p.tree, logLeaves(2, 1), time.Now())
			wantCode(t, "sequence", err, c.sequence)
			wantCode(t, "store root", p.storeRoot(&types.LogRootV1{TimestampNanos: 5}), c.storeRoot)
			checkActive(t, l, c.state != trillian.TreeState_FROZEN)
			tx, err := p.SnapshotForTree(t.Context(), p.tree)
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func checkActive(t *testing.T, l *testLog, want bool) {
	t.Helper()
	ids, err := l.GetActiveLogIDs(t.Context())
	if err != nil || (len(ids) == 2) != want {
		t.Errorf("active logs %v, %v, want them: %v", ids, err, want)
	}
}

func TestADeletedTreeIsNotFound(t *testing.T) {
	s := open(t, embedded.Options{})
	l := create(t, s, newTree(trillian.TreeType_PREORDERED_LOG))
	kept := create(t, s, newTree(trillian.TreeType_PREORDERED_LOG))
	for _, x := range []*testLog{l, kept} {
		x.add(t, logLeaves(0, 300)...)
		mustIntegrate(t, x, 300, 300)
	}
	if _, err := storage.SoftDeleteTree(t.Context(), l.admin, l.tree.TreeId); err != nil {
		t.Fatal(err)
	}
	_, err := l.AddSequencedLeaves(t.Context(), l.tree, logLeaves(300, 1), time.Now())
	wantCode(t, "add to a deleted tree", err, codes.NotFound)
	if _, err := storage.UndeleteTree(t.Context(), l.admin, l.tree.TreeId); err != nil {
		t.Fatal(err)
	}
	l.check(t, values(0, 300))
	if _, err := storage.SoftDeleteTree(t.Context(), l.admin, l.tree.TreeId); err != nil {
		t.Fatal(err)
	}
	if err := storage.HardDeleteTree(t.Context(), l.admin, l.tree.TreeId); err != nil {
		t.Fatal(err)
	}
	_, err = l.SnapshotForTree(t.Context(), l.tree)
	wantCode(t, "read a tree that is gone", err, codes.NotFound)
	kept.check(t, values(0, 300))
}

func TestAPreorderedLogBecomesALog(t *testing.T) {
	s := open(t, embedded.Options{})
	l := create(t, s, newTree(trillian.TreeType_PREORDERED_LOG))
	l.add(t, logLeaves(0, 10)...)
	mustIntegrate(t, l, 9, 9)
	l.update(t, func(tree *trillian.Tree) { tree.TreeState = trillian.TreeState_FROZEN })
	toLog := func(tree *trillian.Tree) { tree.TreeType = trillian.TreeType_LOG }
	_, err := storage.UpdateTree(t.Context(), l.admin, l.tree.TreeId, toLog)
	wantCode(t, "with a leaf outside the tree", err, codes.FailedPrecondition)

	activate := func(tree *trillian.Tree) { tree.TreeState = trillian.TreeState_ACTIVE }
	l.update(t, activate)
	mustIntegrate(t, l, 9, 1)
	l.update(t, func(tree *trillian.Tree) { tree.TreeState = trillian.TreeState_FROZEN })
	l.update(t, toLog)
	l.update(t, activate)
	l.tree.TreeType = trillian.TreeType_LOG
	l.queue(t, time.Now(), logLeaves(8, 5)...)
	mustIntegrate(t, l, 10, 3)
	l.check(t, values(0, 13))
}

func TestTheSettingsOfATree(t *testing.T) {
	s := open(t, embedded.Options{})
	pack := func(fields map[string]any) *anypb.Any {
		settings, err := structpb.NewStruct(fields)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := anypb.New(settings)
		if err != nil {
			t.Fatal(err)
		}
		return packed
	}
	other, err := anypb.New(durationpb.New(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		kind     trillian.TreeType
		settings *anypb.Any
		want     codes.Code
	}{
		{"none", trillian.TreeType_LOG, nil, codes.OK},
		{"a pre-ordered log without an index", trillian.TreeType_PREORDERED_LOG, embedded.WithoutHashIndex(), codes.OK},
		{"a pre-ordered log with one", trillian.TreeType_PREORDERED_LOG, pack(map[string]any{"hash_index": true}), codes.OK},
		{"a log without an index", trillian.TreeType_LOG, embedded.WithoutHashIndex(), codes.InvalidArgument},
		{"an unknown setting", trillian.TreeType_LOG, pack(map[string]any{"index": true}), codes.InvalidArgument},
		{"one setting too many", trillian.TreeType_LOG, pack(map[string]any{"hash_index": true, "x": true}), codes.InvalidArgument},
		{"a setting that is no boolean", trillian.TreeType_LOG, pack(map[string]any{"hash_index": "no"}), codes.InvalidArgument},
		{"settings of another type", trillian.TreeType_LOG, other, codes.InvalidArgument},
	} {
		definition := newTree(c.kind)
		definition.StorageSettings = c.settings
		_, err := storage.CreateTree(t.Context(), s.AdminStorage(), definition)
		wantCode(t, c.name, err, c.want)
	}
	l := create(t, s, withoutIndex())
	_, err = storage.UpdateTree(t.Context(), l.admin, l.tree.TreeId, func(tree *trillian.Tree) { tree.StorageSettings = nil })
	wantCode(t, "an index for a tree that has none", err, codes.InvalidArgument)
}

func TestAHeadThatDoesNotFollowIsRefused(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_PREORDERED_LOG))
	l.add(t, logLeaves(0, 8)...)
	mustIntegrate(t, l, 7, 7)
	newest := uint64(time.Now().Add(time.Hour).UnixNano())
	_, root := compute(t, values(0, 7))
	for _, c := range []struct {
		name string
		root types.LogRootV1
		want codes.Code
	}{
		{"an older head", types.LogRootV1{TreeSize: 7, RootHash: root, TimestampNanos: 1}, codes.FailedPrecondition},
		{"a smaller head", types.LogRootV1{TreeSize: 6, RootHash: root, TimestampNanos: newest}, codes.FailedPrecondition},
		{"another root at the same size", types.LogRootV1{TreeSize: 7, RootHash: make([]byte, 32), TimestampNanos: newest}, codes.FailedPrecondition},
		{"the same root, newer", types.LogRootV1{TreeSize: 7, RootHash: root, TimestampNanos: newest}, codes.OK},
	} {
		wantCode(t, c.name, l.storeRoot(&c.root), c.want)
	}
	wantCode(t, "bytes that are no root", l.ReadWriteTransaction(t.Context(), l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
		return tx.StoreSignedLogRoot(ctx, &trillian.SignedLogRoot{LogRoot: []byte{1}})
	}), codes.InvalidArgument)
}

func TestANodeThatDoesNotFitIsRefused(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_PREORDERED_LOG))
	l.add(t, logLeaves(0, 8)...)
	mustIntegrate(t, l, 7, 7)
	hash := make([]byte, 32)
	for _, c := range []struct {
		name string
		node tree.Node
		want codes.Code
	}{
		{"a leaf of the tree", tree.Node{ID: compact.NewNodeID(0, 6), Hash: hash}, codes.FailedPrecondition},
		{"a node of the tree", tree.Node{ID: compact.NewNodeID(2, 0), Hash: hash}, codes.FailedPrecondition},
		{"a hash that is not the leaf's", tree.Node{ID: compact.NewNodeID(0, 7), Hash: hash}, codes.FailedPrecondition},
		{"a leaf that is not stored", tree.Node{ID: compact.NewNodeID(0, 8), Hash: hash}, codes.FailedPrecondition},
		{"a short hash", tree.Node{ID: compact.NewNodeID(3, 0), Hash: hash[1:]}, codes.InvalidArgument},
		{"the leaf's hash", tree.Node{ID: compact.NewNodeID(0, 7), Hash: logLeaf(7).MerkleLeafHash}, codes.OK},
	} {
		err := l.ReadWriteTransaction(t.Context(), l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
			if _, err := tx.DequeueLeaves(ctx, 1, time.Now()); err != nil {
				return err
			}
			if err := tx.SetMerkleNodes(ctx, []tree.Node{c.node}); err != nil {
				return err
			}
			got, err := tx.GetMerkleNodes(ctx, []compact.NodeID{c.node.ID})
			if err == nil && string(got[0].Hash) != string(c.node.Hash) {
				t.Errorf("%s: read back as %x", c.name, got[0].Hash)
			}
			return err
		})
		wantCode(t, c.name, err, c.want)
	}
	tx, err := l.SnapshotForTree(t.Context(), l.tree)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	for _, id := range []compact.NodeID{compact.NewNodeID(0, 7), compact.NewNodeID(3, 0), compact.NewNodeID(70, 0)} {
		_, err := tx.GetMerkleNodes(t.Context(), []compact.NodeID{id})
		wantCode(t, "a node beyond the tree", err, codes.NotFound)
	}
}

func TestLeavesThatCannotBeStoredAreRefused(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_PREORDERED_LOG))
	for _, c := range []struct {
		name   string
		change func(*trillian.LogLeaf)
	}{
		{"a negative index", func(l *trillian.LogLeaf) { l.LeafIndex = -1 }},
		{"a short leaf hash", func(l *trillian.LogLeaf) { l.MerkleLeafHash = l.MerkleLeafHash[1:] }},
		{"no identity hash", func(l *trillian.LogLeaf) { l.LeafIdentityHash = nil }},
		{"a value of 8 MiB", func(l *trillian.LogLeaf) { l.LeafValue = make([]byte, 8<<20) }},
	} {
		leaf := logLeaf(0)
		c.change(leaf)
		_, err := l.AddSequencedLeaves(t.Context(), l.tree, []*trillian.LogLeaf{leaf}, time.Now())
		wantCode(t, c.name, err, codes.InvalidArgument)
	}
	_, err := l.QueueLeaves(t.Context(), l.tree, logLeaves(0, 1), time.Now())
	wantCode(t, "a queue of a pre-ordered log", err, codes.InvalidArgument)
}

func TestATreeNeedsInitialising(t *testing.T) {
	s := open(t, embedded.Options{})
	created, err := storage.CreateTree(t.Context(), s.AdminStorage(), newTree(trillian.TreeType_LOG))
	if err != nil {
		t.Fatal(err)
	}
	l := &testLog{s.LogStorage(), s.AdminStorage(), created}
	if _, err := l.QueueLeaves(t.Context(), l.tree, logLeaves(0, 1), time.Now()); err != storage.ErrTreeNeedsInit {
		t.Errorf("queue: %v", err)
	}
	if _, err := l.AddSequencedLeaves(t.Context(), l.tree, logLeaves(0, 1), time.Now()); err != storage.ErrTreeNeedsInit {
		t.Errorf("add: %v", err)
	}
	tx, err := l.SnapshotForTree(t.Context(), l.tree)
	if err != storage.ErrTreeNeedsInit {
		t.Fatalf("snapshot: %v", err)
	}
	if _, err := tx.LatestSignedLogRoot(t.Context()); err != storage.ErrTreeNeedsInit {
		t.Errorf("latest root: %v", err)
	}
	if err := tx.Close(); err != nil {
		t.Error(err)
	}
}
