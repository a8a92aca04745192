package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
)

// ReadFile reads a file of the public face.
func (s *Session) ReadFile(ctx context.Context, path string) ([]byte, error) {
	return s.l.ReadFile(ctx, path)
}

// ReadFile reads a file of the public face; see [client.Log]. Tiles and
// bundles are those of the published tree: what is not published is not
// shown, and what is pruned not any more.
func (l *Ledger) ReadFile(ctx context.Context, path string) ([]byte, error) {
	published := l.progress.publication()
	switch {
	case path == "log":
		return l.info()
	case published == nil:
		return nil, fmt.Errorf("%s: nothing is published yet: %w", path, fs.ErrNotExist)
	case path == audit.CheckpointFile:
		return published.note, nil
	case strings.HasPrefix(path, audit.CheckpointsDir+"/"):
		return l.keptCheckpoint(ctx, path)
	case strings.HasPrefix(path, "tile/entries/"):
		return l.bundle(ctx, path, published.size())
	}
	return l.tile(ctx, path, published.size())
}

func (l *Ledger) keptCheckpoint(ctx context.Context, path string) ([]byte, error) {
	data, err := l.cfg.Objects.Read(ctx, path)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrInvalid) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return data, err
}

// KeptCheckpoints yields the paths of the checkpoints that are kept for
// auditors.
func (l *Ledger) KeptCheckpoints(ctx context.Context) iter.Seq2[string, error] {
	return l.cfg.Objects.List(ctx, audit.CheckpointsDir+"/")
}

func (l *Ledger) tile(ctx context.Context, path string, size uint64) ([]byte, error) {
	t, err := proofs.ParseTilePath(path)
	if err != nil || !t.In(size) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	ids := make([]proofs.NodeID, t.Width)
	for i := range ids {
		ids[i] = proofs.NodeID{Level: t.Level * proofs.TileHeight, Index: t.Index*proofs.TileWidth + uint64(i)}
	}
	hashes, err := l.cfg.Tree.ReadNodes(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := make([]byte, 0, len(hashes)*proofs.HashSize)
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out, nil
}

func (l *Ledger) bundle(ctx context.Context, path string, size uint64) ([]byte, error) {
	b, err := proofs.ParseBundlePath(path)
	if err != nil || !inTree(b, size) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	// All of a full bundle decides whether it is pruned, for each part of it.
	whole, _ := proofs.BundleIn(size, b.Index)
	leaves, err := l.cfg.Tree.Leaves(ctx, b.Index*proofs.TileWidth, uint64(whole.Width))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	withheld, err := l.withheld(b, leaves, size)
	if withheld {
		err = errPruned
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	leaves = leaves[:b.Width]
	return proofs.FormatBundle(leaves)
}

// inTree reports whether the tree of a size has all entries of a bundle.
func inTree(b proofs.Bundle, size uint64) bool {
	whole, ok := proofs.BundleIn(size, b.Index)
	return ok && b.Width >= 1 && b.Width <= whole.Width
}

// sealedRecord returns the sealed record of an entry, wherever it is now; nil where
// there is none.
func (l *Ledger) sealedRecord(ctx context.Context, index uint64, leafBytes []byte) ([]byte, error) {
	if e, ok := l.pending.entry(index); ok {
		return e.record, nil
	}
	leaf, err := proofs.ParseLeaf(leafBytes)
	if err != nil || leaf.Bucket == 0 {
		return nil, err
	}
	record, err := l.cfg.Vault.Read(ctx, leaf.Bucket, index)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return record, nil
}

func (l *Ledger) info() ([]byte, error) {
	sizes, _ := l.progress.snapshot()
	info := client.Info{
		Origin: l.origin(), Policy: string(l.cfg.PolicyText), Sizes: sizes, MinimumIndex: l.retain.Minimum(sizes.Published),
		MaxPayload: l.cfg.Limits.Payload, MaxBatch: l.cfg.Limits.Batch,
	}
	for _, k := range l.cfg.Keys {
		info.Keys = append(info.Keys, k.Key().String())
	}
	return json.Marshal(info)
}
