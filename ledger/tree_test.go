package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
)

// A memoryTree is a Tree in memory that fails and crashes on demand, as the
// worlds of storage/memory do. What was not synced is lost in a crash from
// some point on, never in the middle.
type memoryTree struct {
	mu     sync.Mutex
	plan   *fault.Plan
	failed bool
	leaves [][]byte
	nodes  leafTree // of so many leaves as were asked about
	size   uint64   // integrated
	synced int      // leaves
	root   uint64   // integrated size that is synced
}

func newMemoryTree(plan *fault.Plan) *memoryTree { return &memoryTree{plan: plan} }

// crash returns the tree as it is after a power cut.
func (t *memoryTree) crash(rng *rand.Rand) *memoryTree {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &memoryTree{plan: t.plan, synced: t.synced, root: t.root}
	n := t.synced
	if rng != nil && len(t.leaves) > n {
		n += rng.IntN(len(t.leaves) - n + 1)
	}
	c.leaves = append(c.leaves, t.leaves[:n]...)
	c.size = t.root
	if t.size <= uint64(n) {
		c.size = t.size
	}
	c.synced, c.root = n, c.size
	return c
}

// step asks the plan what becomes of a step.
func (t *memoryTree) step(name string, apply func()) error {
	if t.failed {
		return storage.ErrFailed
	}
	o := t.plan.Next("tree: " + name)
	if o == fault.Done || o == fault.Persisted {
		apply()
	}
	if o != fault.Done {
		t.failed = true
		return fault.Error("tree: "+name, o)
	}
	return nil
}

func (t *memoryTree) Head(ctx context.Context) (uint64, [32]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	root, err := t.rootAt(ctx, t.size)
	return t.size, root, err
}

func (t *memoryTree) rootAt(ctx context.Context, size uint64) ([32]byte, error) {
	return proofs.Root(ctx, size, t.grown())
}

// grown returns the nodes over all leaves.
func (t *memoryTree) grown() leafTree {
	if len(t.nodes) == 0 {
		t.nodes = leafTree{nil}
	}
	for _, leaf := range t.leaves[len(t.nodes[0]):] {
		t.nodes[0] = append(t.nodes[0], proofs.LeafHash(leaf))
		for level := 0; len(t.nodes[level])%2 == 0; level++ {
			if level+1 == len(t.nodes) {
				t.nodes = append(t.nodes, nil)
			}
			n := len(t.nodes[level])
			t.nodes[level+1] = append(t.nodes[level+1], proofs.NodeHash(t.nodes[level][n-2], t.nodes[level][n-1]))
		}
	}
	return t.nodes
}

func (t *memoryTree) Append(_ context.Context, first uint64, leaves [][]byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if first > uint64(len(t.leaves)) {
		return fmt.Errorf("leaves from %d on do not follow %d", first, len(t.leaves))
	}
	return t.step("append", func() {
		for i, leaf := range leaves {
			if at := first + uint64(i); at < uint64(len(t.leaves)) {
				if !bytes.Equal(t.leaves[at], leaf) {
					panic("foreign leaf")
				}
				continue
			}
			t.leaves = append(t.leaves, bytes.Clone(leaf))
		}
	})
}

func (t *memoryTree) Integrate(ctx context.Context, size uint64) (root [32]byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if size > uint64(len(t.leaves)) {
		return root, errors.New("integrate beyond the leaves")
	}
	if err := t.step("integrate", func() { t.size = max(t.size, size) }); err != nil {
		return root, err
	}
	return t.rootAt(ctx, size)
}

func (t *memoryTree) Sync(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.step("sync", func() { t.synced, t.root = len(t.leaves), t.size })
}

func (t *memoryTree) Leaves(_ context.Context, start, count uint64) ([][]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if start+count > uint64(len(t.leaves)) {
		return nil, fmt.Errorf("there are no leaves [%d, %d)", start, start+count)
	}
	return t.leaves[start : start+count], nil
}

func (t *memoryTree) ReadNodes(ctx context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.grown().ReadNodes(ctx, ids)
}
