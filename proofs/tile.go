package proofs

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// TileHeight is the height of a tile: it holds the nodes of one level out
	// of eight (C2SP tlog-tiles).
	TileHeight = 8

	// TileWidth is how many hashes a full tile has, and entries a full bundle.
	TileWidth = 1 << TileHeight

	// MaxTileLevel is the highest level a tile's path can have.
	MaxTileLevel = 63

	// maxTileIndex keeps every leaf of a tile's tree below 2^63.
	maxTileIndex = 1<<(63-TileHeight) - 1
)

// A Tile is a place in the tree that a log serves as one file: Width nodes,
// side by side, at level 8·Level of the tree. Node i of a tile is
// NodeID{8·Level, 256·Index + i}. A tile with fewer than 256 nodes is partial.
type Tile struct {
	Level uint8  // 0..63
	Index uint64 // below 2^55
	Width int    // 1..256
}

// Path returns where the tile is served, relative to the log's prefix:
// "tile/0/x001/234" or, if it is partial, "tile/0/x001/234.p/5" (C2SP
// tlog-tiles, Merkle tree).
func (t Tile) Path() string {
	return "tile/" + strconv.Itoa(int(t.Level)) + "/" + formatPlace(t.Index, t.Width)
}

// ParseTilePath reads the form that [Tile.Path] writes and no other.
func ParseTilePath(path string) (Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	level, place, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return Tile{}, fmt.Errorf("%w: tile path: %q has no level", ErrMalformed, path)
	}
	l, err := parseDecimal(level, MaxTileLevel)
	if err != nil {
		return Tile{}, fmt.Errorf("%w: tile path: level %q: %v", ErrMalformed, level, err)
	}
	index, width, err := parsePlace(place)
	if err != nil {
		return Tile{}, fmt.Errorf("%w: tile path: %q: %v", ErrMalformed, path, err)
	}
	return Tile{Level: uint8(l), Index: index, Width: width}, nil
}

// TileIn returns the tile at a level and index as the tree of a size has it,
// full or partial, and false where that tree has none there.
func TileIn(size uint64, level uint8, index uint64) (Tile, bool) {
	nodes := size >> (TileHeight * uint(level))
	if index > maxTileIndex || index<<TileHeight >= nodes {
		return Tile{}, false
	}
	return Tile{Level: level, Index: index, Width: int(min(nodes-index<<TileHeight, TileWidth))}, true
}

// In reports whether the tree of a size has all of the tile's nodes.
func (t Tile) In(size uint64) bool {
	whole, ok := TileIn(size, t.Level, t.Index)
	return ok && t.Width <= whole.Width
}

// ParseTile reads the hashes of a tile of the width.
func ParseTile(b []byte, width int) ([]Hash, error) {
	if width < 1 || width > TileWidth {
		return nil, fmt.Errorf("parse tile: width %d is not within 1..%d", width, TileWidth)
	}
	if len(b) != width*HashSize {
		return nil, fmt.Errorf("%w: tile: %d bytes, not %d", ErrMalformed, len(b), width*HashSize)
	}
	hashes := make([]Hash, width)
	for i := range hashes {
		hashes[i] = Hash(b[i*HashSize:])
	}
	return hashes, nil
}

// FormatTile returns the bytes of a tile: its hashes, one after the other.
func FormatTile(hashes []Hash) []byte {
	b := make([]byte, 0, len(hashes)*HashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// FormatIndexPath writes a number as tlog-tiles writes a tile's index: in
// groups of three digits, each but the last with an x before it, so that no
// directory has more than 2,000 names. 1234067 is "x001/x234/067".
func FormatIndexPath(n uint64) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		s = fmt.Sprintf("x%03d/", n%1000) + s
	}
	return s
}

// ParseIndexPath reads the form that [FormatIndexPath] writes and no other,
// for numbers up to 2^63-1.
func ParseIndexPath(s string) (uint64, error) {
	n, err := parseIndex(s, 1<<63-1)
	if err != nil {
		return 0, fmt.Errorf("%w: index path: %q: %v", ErrMalformed, s, err)
	}
	return n, nil
}

func formatPlace(index uint64, width int) string {
	if width == TileWidth {
		return FormatIndexPath(index)
	}
	return FormatIndexPath(index) + ".p/" + strconv.Itoa(width)
}

func parsePlace(s string) (index uint64, width int, err error) {
	width = TileWidth
	place, partial, ok := strings.Cut(s, ".p/")
	if ok {
		w, err := parseDecimal(partial, TileWidth-1)
		if err != nil || w == 0 {
			return 0, 0, fmt.Errorf("width %q is not a number within 1..%d", partial, TileWidth-1)
		}
		width = int(w)
	}
	index, err = parseIndex(place, maxTileIndex)
	return index, width, err
}

func parseIndex(s string, max uint64) (n uint64, err error) {
	groups := strings.Split(s, "/")
	for i, g := range groups {
		if i < len(groups)-1 {
			var ok bool
			if g, ok = strings.CutPrefix(g, "x"); !ok {
				return 0, fmt.Errorf("a group before the last has no x")
			}
		}
		d, err := strconv.ParseUint(g, 10, 16)
		if err != nil || len(g) != 3 {
			return 0, fmt.Errorf("%q is not three digits", g)
		}
		if n > (max-d)/1000 {
			return 0, fmt.Errorf("larger than %d", max)
		}
		n = n*1000 + d
	}
	if FormatIndexPath(n) != s {
		return 0, fmt.Errorf("not canonical")
	}
	return n, nil
}
