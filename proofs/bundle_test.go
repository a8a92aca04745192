package proofs_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestBundlePaths(t *testing.T) {
	for _, tt := range []struct {
		path   string
		bundle proofs.Bundle
	}{
		{"tile/entries/000", proofs.Bundle{Index: 0, Width: 256}},
		{"tile/entries/x001/234.p/5", proofs.Bundle{Index: 1234, Width: 5}},
	} {
		if got := tt.bundle.Path(); got != tt.path {
			t.Errorf("%+v.Path() = %q, want %q", tt.bundle, got, tt.path)
		}
		if got, err := proofs.ParseBundlePath(tt.path); err != nil || got != tt.bundle {
			t.Errorf("ParseBundlePath(%q) = %+v, %v; want %+v", tt.path, got, err, tt.bundle)
		}
	}
	for _, path := range []string{"", "tile/entries", "tile/entries/", "tile/0/000", "tile/entries/0",
		"tile/entries/000.p/0", "tile/entries/000.p/256", "tile/entries/x000/000", "tile/entries/0/000"} {
		if got, err := proofs.ParseBundlePath(path); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("ParseBundlePath(%q) = %+v, %v; want ErrMalformed", path, got, err)
		}
	}
}

func TestBundleOfALog(t *testing.T) {
	for _, tt := range []struct {
		size, index uint64
		want        proofs.Bundle
		ok          bool
	}{
		{0, 0, proofs.Bundle{}, false},
		{1, 0, proofs.Bundle{Index: 0, Width: 1}, true},
		{256, 0, proofs.Bundle{Index: 0, Width: 256}, true},
		{256, 1, proofs.Bundle{}, false},
		{300, 1, proofs.Bundle{Index: 1, Width: 44}, true},
	} {
		if got, ok := proofs.BundleIn(tt.size, tt.index); got != tt.want || ok != tt.ok {
			t.Errorf("BundleIn(%d, %d) = %+v, %v; want %+v, %v", tt.size, tt.index, got, ok, tt.want, tt.ok)
		}
	}
}

func TestBundleContent(t *testing.T) {
	entries := [][]byte{[]byte("first"), {}, bytes.Repeat([]byte{7}, proofs.MaxLeafSize)}
	b, err := proofs.FormatBundle(entries)
	if err != nil {
		t.Fatal(err)
	}
	got, err := proofs.ParseBundle(b, len(entries))
	if err != nil || len(got) != len(entries) {
		t.Fatalf("ParseBundle = %d entries, %v", len(got), err)
	}
	for i := range entries {
		if !bytes.Equal(got[i], entries[i]) {
			t.Errorf("entry %d is %q, want %q", i, got[i], entries[i])
		}
	}
	for name, tt := range map[string]struct {
		b     []byte
		width int
	}{
		"an entry too many": {b, 2}, "an entry too few": {b, 4},
		"cut off in the last entry": {b[:len(b)-1], 3}, "cut off in a length": {b[:8], 2},
		"a byte after the last entry": {append(bytes.Clone(b), 0), 3}, "nothing at all": {nil, 1},
	} {
		if _, err := proofs.ParseBundle(tt.b, tt.width); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", name, err)
		}
	}
}

func TestBundlesOutOfBounds(t *testing.T) {
	for name, entries := range map[string][][]byte{
		"no entry": nil, "257 entries": make([][]byte, 257), "an entry of 65,536 bytes": {make([]byte, 65536)},
	} {
		if b, err := proofs.FormatBundle(entries); err == nil {
			t.Errorf("%s: formats to %d bytes", name, len(b))
		}
	}
	for _, width := range []int{-1, 0, 257} {
		if _, err := proofs.ParseBundle(make([]byte, 2*257), width); err == nil {
			t.Errorf("width %d is accepted", width)
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 0}, 2)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		entries, err := proofs.ParseBundle(b, width)
		if err != nil {
			return
		}
		if again, err := proofs.FormatBundle(entries); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x parses, and formats to %x, %v", b, again, err)
		}
	})
}

func FuzzParseBundlePath(f *testing.F) {
	f.Add("tile/entries/x001/234.p/5")
	f.Fuzz(func(t *testing.T, path string) {
		if b, err := proofs.ParseBundlePath(path); err == nil && b.Path() != path {
			t.Errorf("%q parses as %+v, which is %q", path, b, b.Path())
		}
	})
}
