package proofs_test

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/cairnlog/cairn/proofs"
)

func TestTilePaths(t *testing.T) {
	for _, tt := range []struct {
		path string
		tile proofs.Tile
	}{
		{"tile/0/000", proofs.Tile{Level: 0, Index: 0, Width: 256}},
		{"tile/0/000.p/1", proofs.Tile{Level: 0, Index: 0, Width: 1}},
		{"tile/1/255.p/255", proofs.Tile{Level: 1, Index: 255, Width: 255}},
		{"tile/63/x001/x234/067", proofs.Tile{Level: 63, Index: 1234067, Width: 256}},
		{"tile/0/x001/x000/000.p/7", proofs.Tile{Level: 0, Index: 1000000, Width: 7}},
		{"tile/0/x036/x028/x797/x018/x963/967", proofs.Tile{Level: 0, Index: 1<<55 - 1, Width: 256}},
	} {
		if got := tt.tile.Path(); got != tt.path {
			t.Errorf("%+v.Path() = %q, want %q", tt.tile, got, tt.path)
		}
		if got, err := proofs.ParseTilePath(tt.path); err != nil || got != tt.tile {
			t.Errorf("ParseTilePath(%q) = %+v, %v; want %+v", tt.path, got, err, tt.tile)
		}
	}
}

// What C2SP tlog-tiles says a server must answer with 404 has no tile.
func TestTilePathsThatNameNoTile(t *testing.T) {
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "/tile/0/000", "tile/0/000/", "tile//000",
		"tile/00/000", "tile/+1/000", "tile/-1/000", "tile/64/000", "tile/x/000", "tile/entries/000",
		"tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/1000", "tile/0/+01", "tile/0/x01/000", "tile/0/x001",
		"tile/0/x000/001", "tile/0/001/000", "tile/0/x001/x000", "tile/0/X001/000", "tile/0/xx01/000", "tile/0//000",
		"tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/256", "tile/0/000.p/-1",
		"tile/0/000.p/1/2", "tile/0/000.p/1.p/1", "tile/0/x001.p/000", "tile/0/000.P/1", "tile/0/000.p/٣",
		"tile/0/x036/x028/x797/x018/x963/968", "tile/0/x999/x999/x999/x999/x999/x999/999",
	} {
		if got, err := proofs.ParseTilePath(path); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("ParseTilePath(%q) = %+v, %v; want ErrMalformed", path, got, err)
		}
	}
}

// The tiles of a tree are those x/mod publishes for it.
func TestTilesOfATreeAreThoseOfTheChecksumDatabase(t *testing.T) {
	for _, size := range []uint64{0, 1, 255, 256, 257, 511, 512, 65535, 65536, 65537, 70000, 1 << 24, 1<<24 + 1} {
		want := map[string]bool{}
		for _, tile := range tlog.NewTiles(proofs.TileHeight, 0, int64(size)) {
			want[proofs.Tile{Level: uint8(tile.L), Index: uint64(tile.N), Width: tile.W}.Path()] = true
		}
		n := 0
		for level := range uint8(proofs.MaxTileLevel + 1) {
			for index := uint64(0); ; index++ {
				tile, ok := proofs.TileIn(size, level, index)
				if !ok {
					break
				}
				n++
				if !want[tile.Path()] {
					t.Errorf("size %d has %s, x/mod says it has not", size, tile.Path())
				}
				if wider := (proofs.Tile{Level: level, Index: index, Width: tile.Width + 1}); !tile.In(size) || wider.In(size) {
					t.Errorf("size %d: In is %v for %v and %v for a wider one", size, tile.In(size), tile, wider.In(size))
				}
			}
		}
		if n != len(want) {
			t.Errorf("size %d has %d tiles, want %d", size, n, len(want))
		}
	}
	if tile, ok := proofs.TileIn(1<<63-1, 0, 1<<60); ok {
		t.Errorf("a tile beyond every tree: %v", tile)
	}
}

func TestTileContent(t *testing.T) {
	hashes := []proofs.Hash{{1}, {2}, {3}}
	b := proofs.FormatTile(hashes)
	got, err := proofs.ParseTile(b, 3)
	if err != nil || len(got) != 3 || got[0] != hashes[0] || got[2] != hashes[2] {
		t.Fatalf("ParseTile = %v, %v", got, err)
	}
	for _, width := range []int{2, 4} {
		if _, err := proofs.ParseTile(b, width); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("width %d: got %v, want ErrMalformed", width, err)
		}
	}
	for _, width := range []int{-1, 0, 257} {
		if _, err := proofs.ParseTile(make([]byte, max(0, width)*proofs.HashSize), width); err == nil {
			t.Errorf("width %d is accepted", width)
		}
	}
}

func FuzzParseTilePath(f *testing.F) {
	f.Add("tile/0/000")
	f.Add("tile/3/x001/234.p/5")
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := proofs.ParseTilePath(path)
		if err == nil && tile.Path() != path {
			t.Errorf("%q parses as %+v, which is %q", path, tile, tile.Path())
		}
		if err == nil && (tile.Width < 1 || tile.Width > proofs.TileWidth || tile.Level > proofs.MaxTileLevel) {
			t.Errorf("%q is out of bounds: %+v", path, tile)
		}
	})
}

func FuzzParseIndexPath(f *testing.F) {
	f.Add("x001/x234/067")
	f.Add("x009/x223/x372/x036/x854/x775/807")
	f.Fuzz(func(t *testing.T, path string) {
		if n, err := proofs.ParseIndexPath(path); err == nil && (proofs.FormatIndexPath(n) != path || n > 1<<63-1) {
			t.Errorf("%q parses as %d, which is %q", path, n, proofs.FormatIndexPath(n))
		}
	})
}

func FuzzParseTile(f *testing.F) {
	f.Add(make([]byte, 64), 2)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		if hashes, err := proofs.ParseTile(b, width); err == nil && !bytes.Equal(proofs.FormatTile(hashes), b) {
			t.Errorf("%d bytes are not what their hashes format to", len(b))
		}
	})
}
