package audit

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// A tree is the tree over the chunks so far, compared with the tiles above
// level 0 as it grows.
type tree struct {
	*ledger
	bundles  uint64 // full ones so far
	nodes    []node // the largest complete subtrees over them, from left to right
	levels   [8]row
	found    *findings
	disputes []dispute
	tiles    uint64
}

// A node is the root of a complete subtree, if it is known.
type node struct {
	hash  proofs.Hash
	known bool
}

// A row is the tile that grows at a level.
type row struct {
	tile      proofs.Tile
	used      int           // width of its file
	published []proofs.Hash // nil where the file is not there
	hashes    []proofs.Hash // those derived so far
	lost      bool          // not all of them are known
}

// resume takes what the first bundles lead to from the tiles, which the tree's
// reader checks, and not from the entries.
func (t *tree) resume(ctx context.Context, bundles uint64) error {
	t.bundles = bundles
	for bit, at := 63, uint64(0); bit >= 0; bit-- {
		if bundles>>bit&1 == 1 {
			h, err := t.reader.ReadNodes(ctx, []proofs.NodeID{{Level: proofs.TileHeight + uint8(bit), Index: at >> bit}})
			if err != nil {
				return err
			}
			t.nodes = append(t.nodes, node{h[0], true})
			at += 1 << bit
		}
	}
	for level := uint8(1); level < uint8(len(t.levels)); level++ {
		nodes := bundles >> (proofs.TileHeight * uint(level-1))
		if nodes%proofs.TileWidth == 0 {
			continue
		}
		var ids []proofs.NodeID
		for i := nodes &^ (proofs.TileWidth - 1); i < nodes; i++ {
			ids = append(ids, proofs.NodeID{Level: proofs.TileHeight * level, Index: i})
		}
		hashes, err := t.reader.ReadNodes(ctx, ids)
		if err != nil {
			return err
		}
		if err := t.begin(ctx, level, nodes/proofs.TileWidth); err != nil {
			return err
		}
		t.levels[level].hashes = append(t.levels[level].hashes, hashes...)
	}
	return nil
}

// root returns the root over the bundles so far and the edge behind them, and
// whether it is known.
func (t *tree) root(edge []proofs.Hash) (root proofs.Hash, known bool) {
	hashes := make([]proofs.Hash, 0, len(t.nodes)+len(edge))
	for _, n := range t.nodes {
		if !n.known {
			return root, false
		}
		hashes = append(hashes, n.hash)
	}
	return foldRight(append(hashes, edge...)), true
}

// push adds the next full bundle. It returns false where the tile above says
// that the bundle, with its tile, is not part of the signed tree.
func (t *tree) push(ctx context.Context, n node) (believed bool, err error) {
	index := t.bundles
	t.bundles++
	n, believed, err = t.settle(ctx, 1, index, n)
	for height := uint8(1); err == nil && index&1 == 1; height++ {
		last := len(t.nodes) - 1
		left := t.nodes[last]
		t.nodes = t.nodes[:last]
		n = node{proofs.NodeHash(left.hash, n.hash), left.known && n.known}
		if index >>= 1; height%proofs.TileHeight == 0 {
			n, _, err = t.settle(ctx, 1+height/proofs.TileHeight, index, n)
		}
	}
	t.nodes = append(t.nodes, n)
	return believed, err
}

// settle compares the node that the entries lead to with the tile that holds
// it. Where they contradict each other, a tile that leads to the signed root
// is right: its node is returned, and false.
func (t *tree) settle(ctx context.Context, level uint8, index uint64, n node) (_ node, believed bool, err error) {
	r := &t.levels[level]
	if at := index / proofs.TileWidth; r.hashes == nil || r.tile.Index != at {
		if err := t.begin(ctx, level, at); err != nil {
			return n, false, err
		}
	}
	pos := int(index % proofs.TileWidth)
	believed = true
	if !n.known || r.published != nil && r.published[pos] != n.hash {
		signed, err := t.reader.ReadNodes(ctx, []proofs.NodeID{{Level: proofs.TileHeight * level, Index: index}})
		switch {
		case err != nil && !wrong(err):
			return n, false, err
		case err != nil && n.known:
			vouched, err := t.vouched(ctx, r.tile, r.published)
			if err != nil {
				return n, false, err
			}
			t.disputes = append(t.disputes, dispute{firstEntry(r.tile, pos), alike(below(level-1, index)), r.tile.Path(), vouched})
			if vouched {
				n.hash, believed = r.published[pos], false
			}
		case err == nil:
			if believed = !n.known || n.hash == signed[0]; !believed {
				t.found.add(alike(below(level-1, index)))
			}
			n = node{signed[0], true}
		}
	}
	r.lost = r.lost || !n.known
	r.hashes = append(r.hashes, n.hash)
	return n, believed, nil
}

// below returns the full tile at a level whose root is the node of the index.
func below(level uint8, index uint64) proofs.Tile {
	return proofs.Tile{Level: level, Index: index, Width: proofs.TileWidth}
}

// alike is the finding about a full tile, and all below it, that agree with
// each other and not with the signed tree.
func alike(tile proofs.Tile) Finding {
	first := firstEntry(tile, 0)
	f := Finding{Kind: TileAltered, Index: int64(first), Path: tile.Path(),
		Detail: fmt.Sprintf("Entries from %d on and the hashes over them were changed alike: they agree with each other and are not those that the log signed.", first)}
	if tile.Level == 0 {
		f.Kind, f.Path = EntryAltered, proofs.Bundle{Index: tile.Index, Width: tile.Width}.Path()
	}
	return f
}

// begin ends the row of a level and starts the next.
func (t *tree) begin(ctx context.Context, level uint8, index uint64) error {
	if err := t.finish(ctx, level); err != nil {
		return err
	}
	tile, _ := proofs.TileIn(t.head.Size, level, index)
	r := row{tile: tile, hashes: make([]proofs.Hash, 0, tile.Width)}
	var f *Finding
	var err error
	if r.published, r.used, f, err = t.readTile(ctx, tile); err != nil {
		return err
	}
	if f != nil {
		t.found.add(*f)
	} else {
		t.tiles++
	}
	t.levels[level] = r
	return nil
}

// finish compares the other files of a level's tile.
func (t *tree) finish(ctx context.Context, level uint8) error {
	r := t.levels[level]
	if r.hashes == nil || r.lost {
		return nil
	}
	found, n, err := t.compareTile(ctx, r.tile, r.hashes, r.used)
	t.found.add(found...)
	t.tiles += n
	return err
}

// close compares what is left, given the edge behind the last full bundle, and
// returns whether the entries lead to the signed root. If they do they are all
// right, and a tile that disagrees is wrong.
func (t *tree) close(ctx context.Context, edge []proofs.Hash, known bool) (root proofs.Hash, _ bool, err error) {
	for level := range t.levels {
		if err := t.finish(ctx, uint8(level)); err != nil {
			return root, false, err
		}
	}
	root, all := t.root(edge)
	known = known && all
	for _, d := range t.disputes {
		t.found.add(d.finding(known && root == t.head.Root))
	}
	return root, known, nil
}

// finding blames the one that was not chosen where the choice led to the
// signed root, and otherwise both.
func (d dispute) finding(right bool) Finding {
	f := Finding{Index: int64(d.index)}
	switch {
	case right && d.hash:
		f = d.below
	case right:
		f.Kind, f.Path = TileAltered, d.tile
		f.Detail = fmt.Sprintf("The hash over entry %d was changed: the entries lead to the root that the log signed, this hash does not.", d.index)
	default:
		f.Kind, f.Path = TreeDisagrees, d.tile
		f.Detail = fmt.Sprintf("The hash over entry %d is not the one that %s leads to. Which of them was changed can't be told, since the hashes that would tell are damaged too.", d.index, d.below.Path)
	}
	return f
}
