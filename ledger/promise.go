package ledger

import (
	"context"
	"fmt"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A batchPromise is the log's signed word about a whole batch, made when the
// first caller needs it: one signature serves all entries of a batch.
type batchPromise struct {
	mu    sync.Mutex
	note  []byte // nil: nobody needed it yet, or it could not be signed
	nodes leafTree
}

// promise returns the promise for one entry of a batch.
func (l *Ledger) promise(b *batch, index uint64, state client.State) (*proofs.Promise, error) {
	p := &b.promises[0]
	if state == client.Integrated {
		p = &b.promises[1]
	}
	if err := l.sharePromise(p, b, state); err != nil {
		return nil, fmt.Errorf("promise: %w", err)
	}
	proof, err := proofs.ProveInclusion(context.Background(), index-b.first, uint64(len(b.entries)), p.nodes)
	if err != nil {
		return nil, fmt.Errorf("promise: %w", err)
	}
	return &proofs.Promise{Note: p.note, Proof: proof}, nil
}

// sharePromise signs a batch's promise, unless somebody did before.
func (l *Ledger) sharePromise(p *batchPromise, b *batch, state client.State) error {
	if p.made() {
		return nil
	}
	release, err := l.signer.turn()
	if err != nil {
		return err
	}
	defer release()
	if p.made() {
		return nil
	}
	nodes := newLeafTree(b.leaves())
	root, err := proofs.Root(context.Background(), uint64(len(b.entries)), nodes)
	if err != nil {
		return err
	}
	note, err := l.signer.promise(proofs.PromiseText{
		Origin: l.origin(), State: string(state), Start: b.first, End: b.end(),
		Root: root, Time: uint64(l.cfg.Clock().UnixMicro()),
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note, p.nodes = note, nodes
	return nil
}

// made reports whether the promise was made, and never changes any more.
func (p *batchPromise) made() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.note != nil
}

// A leafTree holds all complete subtrees of a small tree, by level.
type leafTree [][]proofs.Hash

func newLeafTree(leaves [][]byte) leafTree {
	level := make([]proofs.Hash, len(leaves))
	for i, leaf := range leaves {
		level[i] = proofs.LeafHash(leaf)
	}
	tree := leafTree{level}
	for len(level) > 1 {
		above := make([]proofs.Hash, len(level)/2)
		for i := range above {
			above[i] = proofs.NodeHash(level[2*i], level[2*i+1])
		}
		tree = append(tree, above)
		level = above
	}
	return tree
}

// ReadNodes returns the hashes of subtrees, all of which there are.
func (t leafTree) ReadNodes(_ context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	hashes := make([]proofs.Hash, len(ids))
	for i, id := range ids {
		if int(id.Level) >= len(t) || id.Index >= uint64(len(t[id.Level])) {
			return nil, fmt.Errorf("there is no node %d at level %d", id.Index, id.Level)
		}
		hashes[i] = t[id.Level][id.Index]
	}
	return hashes, nil
}
