package embedded

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/transparency-dev/merkle/compact"
)

// hash is a Merkle tree hash.
type hash = [hashSize]byte

// A tile is stored as fragments, one after the other, of consecutive hashes:
//
//	uint8  first;               // of the 256 hashes of the tile
//	uint8  last;
//	opaque hashes[32*(last-first+1)];

// appendHashes appends a fragment of a tile. Its hashes are hashSize bytes
// each, one after the other.
func appendHashes(b []byte, first int, hashes []byte) []byte {
	b = append(b, byte(first), byte(first+len(hashes)/hashSize-1))
	return append(b, hashes...)
}

// cutHashes parses the first fragment of b and returns the rest.
func cutHashes(b []byte) (first int, hashes, rest []byte, err error) {
	if len(b) < 2 || b[1] < b[0] {
		return 0, nil, nil, fmt.Errorf("tile: %w: header %x", errCorrupt, b[:min(2, len(b))])
	}
	n := hashSize * (int(b[1]) - int(b[0]) + 1)
	if len(b) < 2+n {
		return 0, nil, nil, fmt.Errorf("tile: %w: %d bytes of %d", errCorrupt, len(b)-2, n)
	}
	return int(b[0]), b[2 : 2+n], b[2+n:], nil
}

// tileHashes are the hashes of one tile that are stored.
type tileHashes struct {
	hashes  [runSize]hash
	present [runSize]bool
}

// width is how many hashes there are from the first one on without a gap.
func (t *tileHashes) width() int {
	for i, ok := range t.present {
		if !ok {
			return i
		}
	}
	return runSize
}

// readTile reads a tile; one that is not stored is empty.
func readTile(r pebble.Reader, tree int64, level uint8, tile uint64) (*tileHashes, error) {
	t := new(tileHashes)
	value, closer, err := r.Get(tileKey(tree, level, tile))
	if errors.Is(err, pebble.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read tile %d/%d: %w", level, tile, err)
	}
	for len(value) > 0 && err == nil {
		var first int
		var hashes []byte
		if first, hashes, value, err = cutHashes(value); err != nil {
			break
		}
		for i := 0; len(hashes) > 0; i++ {
			t.present[first+i] = true
			hashes = hashes[copy(t.hashes[first+i][:], hashes):]
		}
	}
	return t, errors.Join(err, closer.Close())
}

// pyramid is a tile with the levels above it that lie within the tile:
// nodes[h] are the complete nodes at height h over the tile's hashes. It never
// changes.
type pyramid struct {
	nodes [8][]hash
}

func newPyramid(hashes []hash) *pyramid {
	p := new(pyramid)
	p.nodes[0] = hashes
	for h := 1; h < len(p.nodes); h++ {
		below := p.nodes[h-1]
		p.nodes[h] = make([]hash, len(below)/2)
		for i := range p.nodes[h] {
			p.nodes[h][i] = hashNode(&below[2*i], &below[2*i+1])
		}
	}
	return p
}

// hashNode is MTH of an inner node, RFC 6962 section 2.1.
func hashNode(left, right *hash) hash {
	var b [1 + 2*hashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+hashSize:], right[:])
	return sha256.Sum256(b[:])
}

// place says where a node is found: at height h of a tile, as its i-th node
// there.
func place(id compact.NodeID) (level uint8, tile uint64, h uint, i uint64) {
	h = id.Level % 8
	perTile := uint64(1) << (8 - h)
	return uint8(id.Level / 8), id.Index / perTile, h, id.Index % perTile
}

// complete says whether all leaves under the node are in a tree of this size.
func complete(id compact.NodeID, size uint64) bool {
	if id.Level > 63 {
		return false
	}
	return id.Index < size>>id.Level
}

// onEdge says whether the node is one of compact.RangeNodes(0, size).
func onEdge(id compact.NodeID, size uint64) bool {
	return id.Level < 64 && size>>id.Level&1 == 1 && id.Index == size>>id.Level-1
}

// readNode computes a node of a tree that has at least size leaves, from
// stored tiles. It must be complete at that size.
func (s *Store) readNode(r pebble.Reader, tree int64, id compact.NodeID, size uint64) (hash, error) {
	level, tile, h, i := place(id)
	p, err := s.readPyramid(r, tree, level, tile, size)
	if err != nil {
		return hash{}, err
	}
	if i >= uint64(len(p.nodes[h])) {
		return hash{}, fmt.Errorf("tile %d/%d: %w: %d hashes at size %d", level, tile, errCorrupt, len(p.nodes[0]), size)
	}
	return p.nodes[h][i], nil
}

// readPyramid returns the pyramid over a tile as it is when the tree has size
// leaves, or wider.
func (s *Store) readPyramid(r pebble.Reader, tree int64, level uint8, tile, size uint64) (*pyramid, error) {
	width := tileWidth(level, tile, size)
	key := tileID{tree, level, tile}
	if p := s.tiles.get(key); p != nil && len(p.nodes[0]) >= width {
		return p, nil
	}
	t, err := readTile(r, tree, level, tile)
	if err != nil {
		return nil, err
	}
	// What lies beyond size may not be part of a committed tree.
	hashes := t.hashes[:min(width, t.width())]
	p := newPyramid(append([]hash(nil), hashes...))
	s.tiles.put(key, p)
	return p, nil
}

// tileWidth is how many hashes a tile has in a tree of this size.
func tileWidth(level uint8, tile, size uint64) int {
	nodes := size >> (8 * uint(level))
	if nodes <= tile*runSize {
		return 0
	}
	return int(min(nodes-tile*runSize, runSize))
}

// tileValue is the value to merge into the tile that holds the hashes of
// consecutive nodes. They must lie in one tile.
func tileValue(first uint64, hashes []byte) []byte {
	return appendHashes(make([]byte, 0, 2+len(hashes)), int(first%runSize), hashes)
}
