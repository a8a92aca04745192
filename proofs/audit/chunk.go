package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A chunk is what became of a job. Nothing in it depends on other jobs.
type chunk struct {
	job
	found    []Finding
	disputes []dispute
	edge     []proofs.Hash // the complete subtrees over its entries; nil: not known
	kept     []keptCheckpoint
	facts    facts
	tiles    uint64
	bundles  uint64
}

// A dispute is an entry or subtree, and another hash for it in a tile that is
// not known to be of the signed tree. One of them was chosen to go on with.
// Whether that was right shows at the root.
type dispute struct {
	index uint64  // the first entry's
	below Finding // about the entry or subtree, for where the hash is right
	tile  string  // the file of the hash, for where it is wrong
	hash  bool    // the hash was chosen
}

func (c *chunk) first() uint64 { return c.bundle.Index * proofs.TileWidth }

// whole returns a finding about a whole file of the bundle.
func (c *chunk) whole(kind FindingKind, path string, format string, args ...any) Finding {
	first := c.first()
	return Finding{Kind: kind, Index: int64(first), Path: path, Detail: fmt.Sprintf(format, args...), end: int64(first) + int64(c.bundle.Width)}
}

// at returns a finding about the bundle's i-th entry.
func (c *chunk) at(kind FindingKind, i int, path string, format string, args ...any) Finding {
	return Finding{Kind: kind, Index: int64(c.first()) + int64(i), Path: path, Detail: fmt.Sprintf(format, args...)}
}

// judge does a job. Its errors mean that a file could not be read.
func (l *ledger) judge(ctx context.Context, j job) (*chunk, error) {
	c := &chunk{job: j}
	entries, usedBundle, err := l.readEntries(ctx, c)
	if err != nil {
		return nil, err
	}
	published, usedTile, err := l.readHashes(ctx, c)
	if err != nil {
		return nil, err
	}
	hashes, believed, err := l.settle(ctx, c, entries, published)
	if err != nil {
		return nil, err
	}
	if err := l.compareOthers(ctx, c, hashes, usedTile, usedBundle); err != nil {
		return nil, err
	}
	edges := c.hash(hashes)
	if hashes == nil {
		c.edge, err = l.signedEdge(ctx, c)
		if err != nil {
			return nil, err
		}
	}
	leaves := c.readLeaves(entries, believed, l.vault)
	if l.vault {
		if err := l.judgeVault(ctx, c, leaves.all); err != nil {
			return nil, err
		}
	}
	for i, m := range j.marks {
		k, err := l.readMark(ctx, m)
		if err != nil {
			return nil, err
		}
		if k.edge, k.known = edges[i], hashes != nil; k.known && m.size > c.first() {
			k.entryTime = leaves.times[m.size-c.first()-1]
		}
		c.kept = append(c.kept, k)
	}
	return c, nil
}

// readMark returns the checkpoint of a mark.
func (l *ledger) readMark(ctx context.Context, m mark) (keptCheckpoint, error) {
	if m.state == nil {
		return l.readKept(ctx, m.size)
	}
	return keptCheckpoint{size: m.size, verdict: proofs.Verdict{Checkpoint: m.state.Checkpoint}}, nil
}

// readEntries returns the entries of the bundle, nil where its file is not
// there or can't be read as one, and the width of the file.
func (l *ledger) readEntries(ctx context.Context, c *chunk) (entries [][]byte, used int, err error) {
	p := bundlePlace(c.bundle)
	b, used, err := l.read(ctx, p)
	if errors.Is(err, fs.ErrNotExist) {
		c.found = append(c.found, c.whole(BundleMissing, p.String(), "The entries from %d on are missing: there is no such file.", c.first()))
		return nil, used, nil
	}
	if err == nil {
		entries, err = proofs.ParseBundle(b, used)
	}
	switch {
	case wrong(err):
		c.found = append(c.found, c.whole(BundleMalformed, p.path(used), "The file of the entries from %d on is damaged: %v.", c.first(), err))
		return nil, used, nil
	case err != nil:
		return nil, used, fmt.Errorf("read %v: %w", p, err)
	}
	c.bundles++
	return entries[:c.bundle.Width], used, nil
}

// readHashes returns the hashes of the tile at level 0 beside the bundle, nil
// where its file is not there or has the wrong size, and the width of the file.
func (l *ledger) readHashes(ctx context.Context, c *chunk) (hashes []proofs.Hash, used int, err error) {
	t := proofs.Tile{Level: 0, Index: c.bundle.Index, Width: c.bundle.Width}
	hashes, used, f, err := l.readTile(ctx, t)
	if f != nil {
		f.end = f.Index + int64(t.Width)
		c.found = append(c.found, *f)
	} else {
		c.tiles++
	}
	return hashes, used, err
}

// settle decides what the hashes of the bundle's entries are. Where entry and
// tile contradict each other, a tile that leads to the signed root is right.
// It returns nil for hashes that nothing tells.
func (l *ledger) settle(ctx context.Context, c *chunk, entries [][]byte, published []proofs.Hash) (hashes []proofs.Hash, believed []bool, err error) {
	hashes, believed = make([]proofs.Hash, c.bundle.Width), make([]bool, c.bundle.Width)
	var differ []proofs.NodeID
	for i := range hashes {
		if entries != nil {
			hashes[i], believed[i] = proofs.LeafHash(entries[i]), true
		}
		if entries == nil || published != nil && hashes[i] != published[i] {
			differ = append(differ, proofs.NodeID{Level: 0, Index: c.first() + uint64(i)})
		}
	}
	if len(differ) == 0 {
		return hashes, believed, nil
	}
	signed, err := l.reader.ReadNodes(ctx, differ)
	switch {
	case err != nil && !wrong(err):
		return nil, nil, err
	case err != nil && entries == nil:
		return nil, believed, nil
	}
	tile := proofs.Tile{Level: 0, Index: c.bundle.Index, Width: c.bundle.Width}
	vouched := false
	if err != nil {
		signed = nil
		if vouched, err = l.vouched(ctx, tile, published); err != nil {
			return nil, nil, err
		}
	}
	for n, id := range differ {
		i := int(id.Index - c.first())
		altered := c.at(EntryAltered, i, bundlePlace(c.bundle).String(), "Entry %d is not the one that the log signed: its bytes were changed.", id.Index)
		switch {
		case signed == nil:
			c.disputes = append(c.disputes, dispute{id.Index, altered, tile.Path(), vouched})
			if believed[i] = !vouched; vouched {
				hashes[i] = published[i]
			}
		case entries != nil && hashes[i] != signed[n]:
			believed[i] = false
			c.found = append(c.found, altered)
			hashes[i] = signed[n]
		default:
			hashes[i] = signed[n]
		}
	}
	return hashes, believed, nil
}

// compareOthers demands that the other files of the bundle and of its tile have
// the same entries and hashes.
func (l *ledger) compareOthers(ctx context.Context, c *chunk, hashes []proofs.Hash, usedTile, usedBundle int) error {
	if hashes == nil {
		return nil
	}
	found, n, err := l.compareTile(ctx, proofs.Tile{Index: c.bundle.Index, Width: c.bundle.Width}, hashes, usedTile)
	if err != nil {
		return err
	}
	c.found, c.tiles = append(c.found, found...), c.tiles+n
	p := bundlePlace(c.bundle)
	widths, err := l.leftovers(p, usedBundle)
	for _, w := range widths {
		if err == nil {
			err = l.compareBundle(ctx, c, p.path(w), w, hashes)
		}
	}
	return err
}

// compareBundle demands that another file of the bundle has entries of the
// same hashes.
func (l *ledger) compareBundle(ctx context.Context, c *chunk, path string, width int, hashes []proofs.Hash) error {
	b, err := l.files.ReadFile(ctx, path)
	if err != nil && !wrong(err) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	var entries [][]byte
	if err == nil {
		entries, err = proofs.ParseBundle(b, width)
	}
	if err != nil {
		c.found = append(c.found, c.at(BundleMalformed, 0, path, "The file of the entries from %d on is damaged: %v.", c.first(), err))
		return nil
	}
	c.bundles++
	for i := range min(width, len(hashes)) {
		if proofs.LeafHash(entries[i]) != hashes[i] {
			c.found = append(c.found, c.at(EntryAltered, i, path, "Entry %d is not the one that the log signed: its bytes were changed.", c.first()+uint64(i)))
		}
	}
	return nil
}

// hash computes the edge of the chunk, and what it was at the sizes of the
// marks.
func (c *chunk) hash(hashes []proofs.Hash) (edges [][]proofs.Hash) {
	edges = make([][]proofs.Hash, len(c.marks))
	var f frontier
	next := 0
	for i := 0; i <= len(hashes); i++ {
		for ; next < len(c.marks) && c.marks[next].size == c.first()+uint64(i); next++ {
			edges[next] = slices.Clone(f.nodes)
		}
		if i < len(hashes) {
			f.push(hashes[i])
		}
	}
	c.edge = f.nodes
	return edges
}

// signedEdge returns the root of a full bundle whose entries are not known, if
// a tile above it tells.
func (l *ledger) signedEdge(ctx context.Context, c *chunk) ([]proofs.Hash, error) {
	if c.bundle.Width < proofs.TileWidth {
		return nil, nil
	}
	root, err := l.reader.ReadNodes(ctx, []proofs.NodeID{{Level: proofs.TileHeight, Index: c.bundle.Index}})
	if err != nil && !wrong(err) {
		return nil, err
	}
	return root, nil
}
