package main

import (
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// A tileVector is a path, or the content of a tile of a width.
type tileVector struct {
	Name   string     `json:"name"`
	Path   *string    `json:"path,omitempty"`
	Tile   *tile      `json:"tile,omitempty"` // what the path says
	Bytes  *hexBytes  `json:"bytes,omitempty"`
	Width  int        `json:"width,omitempty"`
	Hashes []hexBytes `json:"hashes,omitempty"` // what the bytes are
	verdict
}

type tile struct {
	Level *uint8 `json:"level,omitempty"` // not of bundles
	Index uint64 `json:"index,string"`
	Width int    `json:"width"`
}

// A bundleVector is a path, or the content of a bundle of a width.
type bundleVector struct {
	Name    string     `json:"name"`
	Path    *string    `json:"path,omitempty"`
	Bundle  *tile      `json:"bundle,omitempty"` // what the path says
	Bytes   *hexBytes  `json:"bytes,omitempty"`
	Width   int        `json:"width,omitempty"`
	Entries []hexBytes `json:"entries,omitempty"` // what the bytes are
	verdict
}

func tileVectors() (vectors []tileVector) {
	accept := func(name string, t proofs.Tile) {
		path := t.Path()
		vectors = append(vectors, tileVector{Name: name, Path: &path, Tile: &tile{&t.Level, t.Index, t.Width}, verdict: ok()})
	}
	accept("the first tile of leaf hashes", proofs.Tile{Level: 0, Index: 0, Width: 256})
	accept("a partial tile of one hash", proofs.Tile{Level: 0, Index: 0, Width: 1})
	accept("the widest partial tile", proofs.Tile{Level: 1, Index: 999, Width: 255})
	accept("an index of two groups", proofs.Tile{Level: 2, Index: 1000, Width: 256})
	accept("an index of three groups, partial", proofs.Tile{Level: 0, Index: 1234067, Width: 5})
	accept("the highest level", proofs.Tile{Level: 63, Index: 0, Width: 256})
	accept("the largest index", proofs.Tile{Level: 0, Index: 1<<55 - 1, Width: 256})
	refuse := func(path, name, why string) {
		vectors = append(vectors, tileVector{Name: name, Path: &path, verdict: malformed(why)})
	}
	refuse("tile/00/000", "a level with a leading zero", "levels have no leading zeros")
	refuse("tile/64/000", "level 64", "63 is the last level")
	refuse("tile/-1/000", "a level below 0", "levels are decimal numbers")
	refuse("tile//000", "no level", "levels are decimal numbers")
	refuse("tile/0", "no index", "a tile has an index")
	refuse("/tile/0/000", "an absolute path", "paths are relative")
	for _, r := range refusedPlaces() {
		refuse("tile/0/"+r.place, r.name, r.why)
	}
	hashes := []proofs.Hash{proofs.LeafHash([]byte("leaf 0")), proofs.LeafHash([]byte("leaf 1"))}
	b := hexBytes(proofs.FormatTile(hashes))
	content := func(name string, b hexBytes, width int, v tileVector) {
		v.Name, v.Bytes, v.Width = name, &b, width
		vectors = append(vectors, v)
	}
	content("the bytes of a tile of two hashes", b, 2, tileVector{Hashes: hexHashes(hashes), verdict: ok()})
	content("two hashes where the width is 1", b, 1, tileVector{verdict: malformed("it has 64 bytes, not 32")})
	content("two hashes where the width is 3", b, 3, tileVector{verdict: malformed("it has 64 bytes, not 96")})
	content("a tile that lacks its last byte", b[:63], 2, tileVector{verdict: malformed("it has 63 bytes, not 64")})
	content("an empty tile", nil, 1, tileVector{verdict: malformed("it has 0 bytes, not 32")})
	return vectors
}

func bundleVectors() (vectors []bundleVector) {
	for _, b := range []struct {
		name string
		proofs.Bundle
	}{
		{"the first bundle", proofs.Bundle{Index: 0, Width: 256}},
		{"a partial bundle of one entry", proofs.Bundle{Index: 0, Width: 1}},
		{"an index of three groups, partial", proofs.Bundle{Index: 1234067, Width: 255}},
	} {
		path := b.Path()
		vectors = append(vectors, bundleVector{Name: b.name, Path: &path, Bundle: &tile{nil, b.Index, b.Width}, verdict: ok()})
	}
	for _, r := range refusedPlaces() {
		path := "tile/entries/" + r.place
		vectors = append(vectors, bundleVector{Name: r.name, Path: &path, verdict: malformed(r.why)})
	}
	entries := [][]byte{[]byte("first"), {}, []byte("third")}
	b := hexBytes(must(proofs.FormatBundle(entries)))
	content := func(name string, b hexBytes, width int, v bundleVector) {
		v.Name, v.Bytes, v.Width = name, &b, width
		vectors = append(vectors, v)
	}
	content("three entries, one of them empty", b, 3, bundleVector{Entries: []hexBytes{entries[0], entries[1], entries[2]}, verdict: ok()})
	content("three entries where the width is 2", b, 2, bundleVector{verdict: malformed("nothing may follow the last entry")})
	content("three entries where the width is 4", b, 4, bundleVector{verdict: malformed("the fourth entry is missing")})
	content("a bundle that lacks its last byte", b[:len(b)-1], 3, bundleVector{verdict: malformed("the third entry is cut off")})
	content("a bundle that ends within a length", b[:8], 2, bundleVector{verdict: malformed("the second entry has half a length")})
	content("a byte after the last entry", append(b[:len(b):len(b)], 0), 3, bundleVector{verdict: malformed("nothing may follow the last entry")})
	content("no bytes at all", nil, 1, bundleVector{verdict: malformed("the first entry is missing")})
	return vectors
}

type refusedPlace struct{ place, name, why string }

// refusedPlaces are the ends of paths that name neither a tile nor a bundle.
func refusedPlaces() []refusedPlace {
	return []refusedPlace{
		{"", "an empty index", "a group has three digits"},
		{"0", "one digit", "a group has three digits"},
		{"0000", "four digits", "a group has three digits"},
		{"+01", "a sign", "a group has three digits"},
		{"٣٣٣", "digits that are not ASCII", "a group has three ASCII digits"},
		{"x001", "an x before the last group", "only groups before the last have an x"},
		{"001/000", "no x before a group that is not the last", "groups before the last have an x"},
		{"X001/000", "an upper-case X", "the x is in lower case"},
		{"x000/001", "a first group of zeros", "an index has no leading groups of zeros"},
		{"000/", "a slash at the end", "a group has three digits"},
		{"x036/x028/x797/x018/x963/968", "an index of 2^55", "its leaves are beyond 2^63-1"},
		{"x999/x999/x999/x999/x999/x999/999", "an index beyond 64 bits", "its leaves are beyond 2^63-1"},
		{"000.p/0", "a width of 0", "partial widths are 1..255"},
		{"000.p/01", "a width with a leading zero", "widths have no leading zeros"},
		{"000.p/256", "a partial width of 256", "a full one has no width"},
		{"000.p/" + strings.Repeat("9", 30), "a width beyond 64 bits", "partial widths are 1..255"},
		{"000.p/", "a partial one without a width", "partial widths are 1..255"},
		{"000.p/5/", "a slash after the width", "nothing follows the width"},
		{"000.p/5.p/5", "two widths", "nothing follows the width"},
	}
}
