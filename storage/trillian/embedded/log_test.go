package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/tree"
	"github.com/google/trillian/types"
	"github.com/google/trillian/util/clock"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// testLog is one tree of a store.
type testLog struct {
	storage.LogStorage
	admin storage.AdminStorage
	tree  *trillian.Tree
}

// newTree is a definition of a tree to create.
func newTree(kind trillian.TreeType) *trillian.Tree {
	return &trillian.Tree{TreeState: trillian.TreeState_ACTIVE, TreeType: kind, MaxRootDuration: durationpb.New(0)}
}

// create makes an initialised tree.
func create(t testing.TB, s *embedded.Store, definition *trillian.Tree) *testLog {
	t.Helper()
	l, err := tryCreate(s, definition)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func tryCreate(s *embedded.Store, definition *trillian.Tree) (*testLog, error) {
	log.InitMetrics(monitoring.InertMetricFactory{})
	created, err := storage.CreateTree(context.Background(), s.AdminStorage(), definition)
	if err != nil {
		return nil, err
	}
	l := &testLog{s.LogStorage(), s.AdminStorage(), created}
	return l, l.storeRoot(&types.LogRootV1{RootHash: rfc6962.DefaultHasher.EmptyRoot(), TimestampNanos: 1})
}

func (l *testLog) storeRoot(root *types.LogRootV1, nodes ...tree.Node) error {
	return l.ReadWriteTransaction(context.Background(), l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
		if err := tx.SetMerkleNodes(ctx, nodes); err != nil {
			return err
		}
		b, err := root.MarshalBinary()
		if err != nil {
			return err
		}
		return tx.StoreSignedLogRoot(ctx, &trillian.SignedLogRoot{LogRoot: b})
	})
}

// update changes the tree's definition.
func (l *testLog) update(t testing.TB, change func(*trillian.Tree)) {
	t.Helper()
	if _, err := storage.UpdateTree(t.Context(), l.admin, l.tree.TreeId, change); err != nil {
		t.Fatal(err)
	}
}

func value(i int) []byte { return fmt.Appendf(nil, "value %d", i) }

// logLeaf is leaf i, whose identity hash is its leaf hash.
func logLeaf(i int) *trillian.LogLeaf {
	h := rfc6962.DefaultHasher.HashLeaf(value(i))
	return &trillian.LogLeaf{LeafIndex: int64(i), LeafValue: value(i), MerkleLeafHash: h, LeafIdentityHash: h}
}

func logLeaves(first, n int) []*trillian.LogLeaf {
	leaves := make([]*trillian.LogLeaf, n)
	for i := range leaves {
		leaves[i] = logLeaf(first + i)
	}
	return leaves
}

// add adds leaves and returns the codes of their statuses.
func (l *testLog) add(t testing.TB, leaves ...*trillian.LogLeaf) []codes.Code {
	t.Helper()
	results, err := l.AddSequencedLeaves(t.Context(), l.tree, leaves, time.Unix(1, 0))
	return statuses(t, results, err)
}

// queue queues leaves and returns the codes of their statuses.
func (l *testLog) queue(t testing.TB, at time.Time, leaves ...*trillian.LogLeaf) []codes.Code {
	t.Helper()
	results, err := l.QueueLeaves(t.Context(), l.tree, leaves, at)
	return statuses(t, results, err)
}

func statuses(t testing.TB, results []*trillian.QueuedLogLeaf, err error) []codes.Code {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]codes.Code, len(results))
	for i, r := range results {
		out[i] = codes.Code(r.Status.GetCode())
	}
	return out
}

// integrate runs Trillian's sequencer once.
func (l *testLog) integrate(limit int) (int, error) {
	return log.IntegrateBatch(context.Background(), l.tree, limit, 0, 0, clock.System, l.LogStorage, quota.Noop())
}

func mustIntegrate(t testing.TB, l *testLog, limit, want int) {
	t.Helper()
	if n, err := l.integrate(limit); n != want || err != nil {
		t.Fatalf("integrated %d, %v, want %d", n, err, want)
	}
}

// check compares everything of the tree with the values it should hold.
func (l *testLog) check(t testing.TB, values [][]byte) {
	t.Helper()
	ctx := context.Background()
	nodes, root := compute(t, values)
	tx, err := l.SnapshotForTree(ctx, l.tree)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	signed, err := tx.LatestSignedLogRoot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got types.LogRootV1
	if err := got.UnmarshalBinary(signed.LogRoot); err != nil {
		t.Fatal(err)
	}
	if got.TreeSize != uint64(len(values)) || !bytes.Equal(got.RootHash, root) {
		t.Fatalf("root of size %d is %x, want %x at %d", got.TreeSize, got.RootHash, root, len(values))
	}
	checkLeaves(t, tx, values)
	ids := make([]compact.NodeID, 0, len(nodes))
	for id := range nodes {
		ids = append(ids, id)
	}
	stored, err := tx.GetMerkleNodes(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range stored {
		if !bytes.Equal(n.Hash, nodes[n.ID]) {
			t.Fatalf("node %v is %x, want %x", n.ID, n.Hash, nodes[n.ID])
		}
	}
}

func checkLeaves(t testing.TB, tx storage.ReadOnlyLogTreeTX, values [][]byte) {
	t.Helper()
	for start := 0; start < len(values); {
		leaves, err := tx.GetLeavesByRange(context.Background(), int64(start), int64(len(values)-start))
		if err != nil || len(leaves) == 0 {
			t.Fatalf("%d leaves from %d, %v", len(leaves), start, err)
		}
		for _, leaf := range leaves {
			if !bytes.Equal(leaf.LeafValue, values[start]) || leaf.LeafIndex != int64(start) {
				t.Fatalf("leaf %d is %d: %q, want %q", start, leaf.LeafIndex, leaf.LeafValue, values[start])
			}
			if want := rfc6962.DefaultHasher.HashLeaf(values[start]); !bytes.Equal(leaf.MerkleLeafHash, want) {
				t.Fatalf("hash of leaf %d is %x, want %x", start, leaf.MerkleLeafHash, want)
			}
			start++
		}
	}
}

// compute is a tree's complete nodes and root by transparency-dev/merkle.
func compute(t testing.TB, values [][]byte) (map[compact.NodeID][]byte, []byte) {
	t.Helper()
	nodes := make(map[compact.NodeID][]byte)
	r := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for _, v := range values {
		if err := r.Append(rfc6962.DefaultHasher.HashLeaf(v), func(id compact.NodeID, h []byte) { nodes[id] = h }); err != nil {
			t.Fatal(err)
		}
	}
	if len(values) == 0 {
		return nodes, rfc6962.DefaultHasher.EmptyRoot()
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		t.Fatal(err)
	}
	return nodes, root
}

func values(first, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = value(first + i)
	}
	return out
}

func wantCode(t testing.TB, what string, err error, want codes.Code) {
	t.Helper()
	if status.Code(err) != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
