package local

import (
	"context"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/trillian"
)

// tree makes a ledger's tree of a Trillian tree: the two packages know
// nothing of each other's types.
type tree struct{ *trillian.Tree }

var _ ledger.Tree = tree{}

func (t tree) Head(ctx context.Context) (uint64, [32]byte, error) {
	h, err := t.Tree.Head(ctx)
	return h.Size, h.Root, err
}

func (t tree) Append(ctx context.Context, first uint64, leaves [][]byte) error {
	theirs := make([]trillian.Leaf, len(leaves))
	for i, leaf := range leaves {
		theirs[i].Value = leaf
	}
	return t.Tree.Append(ctx, first, theirs)
}

func (t tree) Integrate(ctx context.Context, size uint64) ([32]byte, error) {
	h, err := t.Tree.Integrate(ctx, size)
	return h.Root, err
}

func (t tree) ReadNodes(ctx context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	theirs := make([]trillian.NodeID, len(ids))
	for i, id := range ids {
		theirs[i] = trillian.NodeID(id)
	}
	hashes, err := t.Tree.Nodes(ctx, theirs)
	if err != nil {
		return nil, err
	}
	out := make([]proofs.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = h
	}
	return out, nil
}
