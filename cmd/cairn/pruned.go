package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// errPruned means that entries are not there, and that the ledger says it has
// pruned them. Whether it may, an audit tells.
var errPruned = errors.New("the ledger has pruned them, as it says")

// prunedFiles are the files of a ledger. Of a bundle that is not there they say
// whether the ledger has pruned it.
type prunedFiles struct{ proofs.FileReader }

// ReadFile implements [proofs.FileReader].
func (f prunedFiles) ReadFile(ctx context.Context, path string) ([]byte, error) {
	b, err := f.FileReader.ReadFile(ctx, path)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	bundle, bad := proofs.ParseBundlePath(path)
	if bad != nil {
		return nil, err
	}
	minimum, failed := minimumIndex(ctx, f.FileReader)
	switch {
	case failed != nil:
		return nil, failed
	case !bundle.PrunedAt(minimum):
		return nil, err
	}
	first := bundle.Index * proofs.TileWidth
	return nil, fmt.Errorf("entries %d to %d: %w, with all others below %d that nothing else depends on: %w", first, first+proofs.TileWidth-1, errPruned, minimum, err)
}

// minimumIndex returns what a ledger says is its minimum index; 0 if it says
// nothing.
func minimumIndex(ctx context.Context, files proofs.FileReader) (uint64, error) {
	b, err := files.ReadFile(ctx, "log")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var info client.Info
	if err != nil || json.Unmarshal(b, &info) != nil {
		return 0, err
	}
	return info.MinimumIndex, nil
}

// publicLeaf returns the leaf of an entry. Of one that is pruned it is asked for in
// a receipt, for which one needs a token. Log may be nil.
func publicLeaf(ctx context.Context, view client.View, log *client.HTTP, index uint64) ([]byte, error) {
	leaf, err := view.Reader.Leaf(ctx, index)
	if !errors.Is(err, errPruned) {
		return leaf, err
	}
	const hint = "an export from before has them; and who may ask the ledger for receipts gets one of an entry that is pruned"
	if log == nil {
		return nil, command.Hinted(err, hint)
	}
	raw, asked := log.Receipt(ctx, index)
	if asked != nil {
		return nil, command.Hinted(fmt.Errorf("%w; and asked for a receipt: %w", err, asked), hint)
	}
	r, err := proofs.ParseReceipt(raw)
	if err != nil {
		return nil, fmt.Errorf("receipt of entry %d: %w", index, err)
	}
	hash, err := view.Reader.LeafHash(ctx, index)
	if err != nil {
		return nil, err
	}
	if proofs.LeafHash(r.Extra) != hash {
		return nil, fmt.Errorf("%w: the receipt of entry %d holds another leaf than the tree has there", proofs.ErrNotVerified, index)
	}
	return r.Extra, nil
}
