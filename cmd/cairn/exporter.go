package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// An exporter writes the files of a ledger, as one believed checkpoint shows
// it, into a directory. Each file is verified before it is written, and whole
// once it has its name; the checkpoint comes last. So at any moment the
// directory is a complete export of the size that its checkpoint says, and
// without a checkpoint it is a cut one.
type exporter struct {
	dir      string
	policy   *proofs.Policy
	view     client.View
	files    proofs.FileReader
	kept     keptSizes
	vault    vaultSource
	receipts bool
	workers  int
	convict  func(ctx context.Context, signed []byte) error // compares a checkpoint with the published one, and saves evidence
	renew    func(ctx context.Context) error                // takes the newest view, and what is kept by then
	from     uint64                                         // size of the complete export that was there already
	have     uint64                                         // entries that are there, and right
	stale    map[uint64]bool                                // bundles whose sealed records are read again
	rounds   int                                            // that were judged
	progress func(done uint64)                              // entries

	mu      sync.Mutex
	dirs    map[string]bool // written to, to be synced
	written atomic.Uint64   // files
	done    atomic.Uint64   // entries
	pruned  atomic.Uint64   // entries that are not there any more
	keeps   uint64          // kept checkpoints
}

// An exportReport says what was exported.
type exportReport struct {
	Directory   string `json:"directory"`
	Origin      string `json:"origin"`
	Size        uint64 `json:"size"`
	Root        string `json:"root"`
	From        uint64 `json:"from"` // entries before were there
	Files       uint64 `json:"files"`
	Checkpoints uint64 `json:"checkpoints"`      // kept ones
	Pruned      uint64 `json:"pruned,omitempty"` // entries that the ledger has pruned
	Vault       bool   `json:"vault"`
	Receipts    bool   `json:"receipts"`
}

func (e *exporter) report() exportReport {
	c := e.view.Checkpoint
	return exportReport{e.dir, c.Origin, c.Size, c.Root.String(), e.from, e.written.Load(), e.keeps, e.pruned.Load(), e.vault != nil, e.receipts}
}

// run writes everything, the checkpoint last.
func (e *exporter) run(ctx context.Context) error {
	e.have = e.from
	for {
		for _, write := range []func(context.Context) error{e.writeBundles, e.writeInfo, e.writeTiles, e.writeKept} {
			if err := write(ctx); err != nil {
				return err
			}
		}
		if settled, err := e.settle(ctx); err != nil {
			return err
		} else if settled {
			break
		}
	}
	size := e.view.Checkpoint.Size
	if path := audit.CheckpointPath(size); !e.has(path) {
		if err := e.write(path, e.view.Signed); err != nil {
			return err
		}
	}
	// All that the checkpoint covers is durable before it is there.
	if err := e.sync(); err != nil {
		return err
	}
	if err := command.WriteFile(e.path(audit.CheckpointFile), e.view.Signed, publicMode); err != nil {
		return err
	}
	return errors.Join(e.removeReplaced(), os.RemoveAll(e.path(partialDir))) // with what a cut export left
}

// writeInfo writes what the ledger says of itself. Nobody believes it, but cairn
// log shows it. It tells an auditor which bundles may be pruned, so it is newer
// than the bundles that are here.
func (e *exporter) writeInfo(ctx context.Context) error {
	info, err := e.files.ReadFile(ctx, "log")
	if err != nil {
		return ctx.Err() // a ledger of files alone says nothing
	}
	return e.write("log", info)
}

// writeBundles writes the entries, their hashes and what belongs to them.
func (e *exporter) writeBundles(ctx context.Context) error {
	size := e.view.Checkpoint.Size
	e.done.Store(0)
	e.pruned.Store(0)
	first := e.have / proofs.TileWidth
	if e.vault != nil || e.receipts {
		first = 0 // an earlier export may not have had them
	}
	g, all := errgroup.WithContext(ctx)
	g.SetLimit(e.workers)
	for i := first; i < (size+proofs.TileWidth-1)/proofs.TileWidth && all.Err() == nil; i++ {
		b, _ := proofs.BundleIn(size, i)
		g.Go(func() error {
			err := e.bundle(all, b)
			if errors.Is(err, errPruned) {
				e.pruned.Add(uint64(b.Width))
				err = nil
			}
			if err != nil {
				return fmt.Errorf("entries %d to %d: %w", b.Index*proofs.TileWidth, b.Index*proofs.TileWidth+uint64(b.Width)-1, err)
			}
			e.progress(e.done.Add(uint64(b.Width)))
			return nil
		})
	}
	return errors.Join(g.Wait(), ctx.Err())
}

// bundle writes one bundle and what belongs to it, unless it is there.
func (e *exporter) bundle(ctx context.Context, b proofs.Bundle) error {
	start := b.Index * proofs.TileWidth
	if end := start + uint64(b.Width); end > e.have {
		if err := e.entries(ctx, b); err != nil {
			return err
		}
	}
	if e.vault != nil && (e.stale[b.Index] || !e.has(audit.VaultPath(b))) {
		if err := e.records(ctx, b); err != nil {
			return err
		}
	}
	if e.receipts {
		return e.writeReceipts(ctx, b)
	}
	return nil
}

// entries writes a bundle and its tile of level 0. What an export that was cut
// left of them is kept if it is right.
func (e *exporter) entries(ctx context.Context, b proofs.Bundle) error {
	hashes, err := e.hashes(ctx, proofs.Tile{Level: 0, Index: b.Index, Width: b.Width})
	if err != nil {
		return err
	}
	if !e.hasEntries(b, hashes) {
		leaves, err := e.leaves(ctx, b)
		if errors.Is(err, errPruned) { // their hashes stay
			if err := e.tile(proofs.Tile{Level: 0, Index: b.Index, Width: b.Width}, hashes); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		data, err := proofs.FormatBundle(leaves)
		if err != nil {
			return err
		}
		if err := e.write(b.Path(), data); err != nil {
			return err
		}
	}
	return e.tile(proofs.Tile{Level: 0, Index: b.Index, Width: b.Width}, hashes)
}

// leaves returns the entries of a bundle, each of which is in the tree.
func (e *exporter) leaves(ctx context.Context, b proofs.Bundle) (leaves [][]byte, err error) {
	start := b.Index * proofs.TileWidth
	for leaf, err := range e.view.Reader.Leaves(ctx, start, start+uint64(b.Width)) {
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}

// hashes returns the hashes of a tile, which lead to the checkpoint's root.
func (e *exporter) hashes(ctx context.Context, t proofs.Tile) ([]proofs.Hash, error) {
	ids := make([]proofs.NodeID, t.Width)
	for i := range ids {
		ids[i] = proofs.NodeID{Level: t.Level * proofs.TileHeight, Index: t.Index*proofs.TileWidth + uint64(i)}
	}
	return e.view.Reader.ReadNodes(ctx, ids)
}

// hasEntries reports whether the bundle is there and right.
func (e *exporter) hasEntries(b proofs.Bundle, hashes []proofs.Hash) bool {
	data, err := e.read(b.Path())
	if err != nil {
		return false
	}
	entries, err := proofs.ParseBundle(data, b.Width)
	if err != nil {
		return false
	}
	for i, entry := range entries {
		if proofs.LeafHash(entry) != hashes[i] {
			return false
		}
	}
	return true
}

// tile writes a tile unless it is there.
func (e *exporter) tile(t proofs.Tile, hashes []proofs.Hash) error {
	want := proofs.FormatTile(hashes)
	if have, err := e.read(t.Path()); err == nil && string(have) == string(want) {
		return nil
	}
	return e.write(t.Path(), want)
}

// writeTiles writes the tiles above level 0.
func (e *exporter) writeTiles(ctx context.Context) error {
	size := e.view.Checkpoint.Size
	for level := uint8(1); level <= proofs.MaxTileLevel && size>>(proofs.TileHeight*uint(level)) > 0; level++ {
		first := e.have >> (proofs.TileHeight * uint(level)) / proofs.TileWidth
		for i := first; ; i++ {
			t, ok := proofs.TileIn(size, level, i)
			if !ok {
				break
			}
			hashes, err := e.hashes(ctx, t)
			if err != nil {
				return err
			}
			if err := e.tile(t, hashes); err != nil {
				return err
			}
		}
	}
	return nil
}
