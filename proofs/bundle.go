package proofs

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// MaxBundleSize is the largest entry bundle in bytes: 256 entries of 65,535
// bytes, each behind its length.
const MaxBundleSize = TileWidth * (2 + MaxLeafSize)

// A Bundle is a place in the log that it serves as one file: Width entries
// side by side, the first of which has the index 256·Index. Entry i of a
// bundle is the leaf whose hash is node i of the tile at level 0 with the same
// index and width. A bundle with fewer than 256 entries is partial.
type Bundle struct {
	Index uint64 // below 2^55
	Width int    // 1..256
}

// Path returns where the bundle is served, relative to the log's prefix:
// "tile/entries/x001/234" or, if it is partial, "tile/entries/x001/234.p/5"
// (C2SP tlog-tiles, log entries).
func (b Bundle) Path() string { return "tile/entries/" + formatPlace(b.Index, b.Width) }

// ParseBundlePath reads the form that [Bundle.Path] writes and no other.
func ParseBundlePath(path string) (Bundle, error) {
	place, ok := strings.CutPrefix(path, "tile/entries/")
	if !ok {
		return Bundle{}, fmt.Errorf("%w: bundle path: %q", ErrMalformed, path)
	}
	index, width, err := parsePlace(place)
	if err != nil {
		return Bundle{}, fmt.Errorf("%w: bundle path: %q: %v", ErrMalformed, path, err)
	}
	return Bundle{Index: index, Width: width}, nil
}

// BundleIn returns the bundle at an index as the log of a size has it, full or
// partial, and false where that log has none there.
func BundleIn(size, index uint64) (Bundle, bool) {
	t, ok := TileIn(size, 0, index)
	return Bundle{Index: t.Index, Width: t.Width}, ok
}

// ParseBundle reads the entries of a bundle of the width: each is its length
// in two bytes, big-endian, and its bytes. The entries alias b. An error names
// the first entry that is wrong.
func ParseBundle(b []byte, width int) (entries [][]byte, err error) {
	if width < 1 || width > TileWidth {
		return nil, fmt.Errorf("parse bundle: width %d is not within 1..%d", width, TileWidth)
	}
	entries = make([][]byte, 0, width)
	for i := range width {
		if len(b) < 2 {
			return nil, fmt.Errorf("%w: bundle: entry %d of %d is missing", ErrMalformed, i, width)
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		if len(b) < n {
			return nil, fmt.Errorf("%w: bundle: entry %d of %d is cut off", ErrMalformed, i, width)
		}
		entries = append(entries, b[2:n:n])
		b = b[n:]
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("%w: bundle: %d bytes after the last entry", ErrMalformed, len(b))
	}
	return entries, nil
}

// FormatBundle returns the bytes of a bundle of 1 to 256 entries of at most
// 65,535 bytes each.
func FormatBundle(entries [][]byte) ([]byte, error) {
	if len(entries) < 1 || len(entries) > TileWidth {
		return nil, fmt.Errorf("format bundle: %d entries, not 1..%d", len(entries), TileWidth)
	}
	n := 0
	for i, e := range entries {
		if len(e) > MaxLeafSize {
			return nil, fmt.Errorf("format bundle: entry %d of %d bytes is larger than %d", i, len(e), MaxLeafSize)
		}
		n += 2 + len(e)
	}
	b := make([]byte, 0, n)
	for _, e := range entries {
		b = appendVector(b, 2, e)
	}
	return b, nil
}
