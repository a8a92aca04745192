package proofs

import "math/bits"

// A hashedTile is a tile together with the complete subtrees above its
// hashes, below its own root: rows of 256, 128 … 2 nodes.
type hashedTile struct {
	width int
	nodes [2*TileWidth - 2]Hash
}

// hashTile takes the bytes of a tile, 32 for each node of its width, and
// hashes upward.
func hashTile(b []byte) *hashedTile {
	t := &hashedTile{width: len(b) / HashSize}
	for i := range t.width {
		t.nodes[i] = Hash(b[i*HashSize:])
	}
	for height := 1; height < TileHeight; height++ {
		below, row := t.row(height-1), t.row(height)
		for i := range t.width >> height {
			row[i] = NodeHash(below[2*i], below[2*i+1])
		}
	}
	return t
}

// row returns the place of the nodes at a height 0..7 above the tile's hashes.
// The first width>>height of them are known.
func (t *hashedTile) row(height int) []Hash {
	start := 2*TileWidth - 2*TileWidth>>height
	return t.nodes[start : start+TileWidth>>height]
}

// root returns the root of a full tile.
func (t *hashedTile) root() Hash {
	top := t.row(TileHeight - 1)
	return NodeHash(top[0], top[1])
}

// appendEdge appends the largest complete subtrees over the hashes of a
// partial tile, from left to right.
func (t *hashedTile) appendEdge(dst []Hash) []Hash {
	for w := t.width; w > 0; w &^= 1 << (bits.Len(uint(w)) - 1) {
		height := bits.Len(uint(w)) - 1
		dst = append(dst, t.row(height)[t.width>>height-1])
	}
	return dst
}
