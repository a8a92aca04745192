package audit_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// named reports whether a finding names the path and, unless it is NoIndex,
// the index.
func named(r *audit.Report, path string, index int64) bool {
	return slices.ContainsFunc(r.Findings, func(f audit.Finding) bool {
		return f.Path == path && (index == audit.NoIndex || f.Index == index)
	})
}

// Flip one bit in any file: the finding names the file and, where the file
// has entries, the entry; and nothing else is blamed.
func TestEveryFlippedBitIsFoundWhereItIs(t *testing.T) {
	l := aLedger(t)
	for path, file := range l.files {
		n := len(file.Data) * 8
		bits := []int{0, n / 3, n/2 + 5, n - 9}
		for _, bit := range bits {
			r := l.audit(l.flipped(path, bit), nil)
			index := entryAt(path, file.Data, bit)
			if !named(r, path, index) {
				t.Errorf("%s, bit %d, entry %d: not found in %v", path, bit, index, r.Findings)
			}
			for _, f := range r.Findings {
				if f.Path != path {
					t.Errorf("%s, bit %d: %s is blamed too: %v", path, bit, f.Path, f)
				}
			}
			if r.State != nil {
				t.Errorf("%s, bit %d: there is a state to go on from", path, bit)
			}
		}
	}
}

// entryAt returns the index of the entry that a bit of a file belongs to, or
// NoIndex where it belongs to none: where it is a length, what follows it is
// read wrongly.
func entryAt(path string, data []byte, bit int) int64 {
	if t, err := proofs.ParseTilePath(path); err == nil {
		first := t.Index*proofs.TileWidth + uint64(bit/8/proofs.HashSize)
		return int64(first << (8 * t.Level))
	}
	if b, err := proofs.ParseBundlePath(path); err == nil {
		return itemAt(data, 2, bit/8, b.Index*proofs.TileWidth)
	}
	if place, ok := strings.CutPrefix(path, audit.VaultDir+"/"); ok {
		b := check(proofs.ParseBundlePath("tile/entries/" + place))
		return itemAt(data, 4, bit/8, b.Index*proofs.TileWidth)
	}
	return audit.NoIndex
}

// itemAt returns the index of the item that the byte at pos belongs to, where
// items are behind lengths of as many bytes as prefix says.
func itemAt(data []byte, prefix, pos int, index uint64) int64 {
	for at := 0; ; index++ {
		n := 0
		for _, b := range data[at : at+prefix] {
			n = n<<8 | int(b)
		}
		if pos < at+prefix {
			return audit.NoIndex
		}
		if at += prefix + n; pos < at {
			return int64(index)
		}
	}
}

// Each bit of a small ledger's checkpoint, and one of each byte of its other
// files.
func TestAFlippedBitInAnyByteIsFound(t *testing.T) {
	l := newLedger(t, proofs.Ed25519Cosignature, proofs.Ed25519Cosignature) // one of them is a quorum
	l.publish(3)
	l.publish(6)
	l.receipt(4, 6)
	all := l.files
	for path, file := range all {
		// Without the other signed files, which take long to verify.
		l.files = maps.Clone(all)
		maps.DeleteFunc(l.files, func(p string, _ *fstest.MapFile) bool {
			return p != path && (strings.HasPrefix(p, audit.CheckpointsDir) || strings.HasPrefix(p, audit.ReceiptsDir))
		})
		for i := range file.Data {
			bits := []int{8*i + i%8}
			if path == audit.CheckpointFile {
				bits = []int{8 * i, 8*i + 1, 8*i + 2, 8*i + 3, 8*i + 4, 8*i + 5, 8*i + 6, 8*i + 7}
			}
			for _, bit := range bits {
				if r := l.audit(l.flipped(path, bit), nil); !named(r, path, audit.NoIndex) {
					t.Errorf("%s, bit %d: not found in %v", path, bit, r.Findings)
				}
			}
		}
	}
}

// In a ledger of more than 65,536 entries there are full tiles at level 1 and
// a partial one at level 2.
func TestFlippedBitsInTheUpperTiles(t *testing.T) {
	l := newLedger(t)
	l.vault = false
	l.publish(66_000)
	for _, path := range []string{"tile/2/000.p/1", "tile/1/000", "tile/1/001.p/1", "tile/0/255", "tile/0/257.p/208", "tile/entries/256", "tile/entries/257.p/208"} {
		for _, bit := range []int{len(l.files[path].Data)*8 - 1} {
			r := l.audit(l.flipped(path, bit), nil)
			if index := entryAt(path, l.files[path].Data, bit); !named(r, path, index) || r.Total != 1 {
				t.Errorf("%s, bit %d, entry %d: found %v", path, bit, index, r.Findings)
			}
		}
	}
}

// Two files that were changed alike agree with each other; the tile above
// tells. Where that was changed too, up to the root, only the root tells.
func TestEntriesAndHashesChangedAlike(t *testing.T) {
	l := newLedger(t)
	l.publish(1000)
	forged := newLedger(t)
	forged.grow(300)
	leaf := check(proofs.ParseLeaf(forged.leaves[299]))
	leaf.C[0] ^= 1
	forged.leaves[299] = check(proofs.FormatLeaf(leaf))
	forged.rehash()
	forged.publish(1000)

	files := l.copy()
	for _, path := range []string{"tile/entries/001", "tile/0/001"} {
		files[path] = forged.files[path]
	}
	r := l.audit(files, nil)
	if !named(r, "tile/entries/001", 256) || r.Total != 1 {
		t.Errorf("a bundle and its tile: found %v", r.Findings)
	}

	files["tile/1/000.p/3"] = forged.files["tile/1/000.p/3"]
	r = l.audit(files, nil)
	if !named(r, audit.CheckpointFile, audit.NoIndex) || r.Findings[0].Kind != audit.RootMismatch {
		t.Errorf("all of them: found %v", r.Findings)
	}
}

// Several faults at once are all found.
func TestSeveralFaultsAtOnce(t *testing.T) {
	l := aLedger(t)
	files := l.copy()
	want := []string{"tile/entries/000", "tile/0/001", "tile/0/003.p/232", "tile/1/000.p/1", "vault/002", "checkpoints/777", "receipts/5-100.tlog-proof"}
	for _, path := range want {
		files[path] = l.flipped(path, len(files[path].Data)*4+3)[path]
	}
	r := l.audit(files, nil)
	for _, path := range want {
		if !named(r, path, audit.NoIndex) {
			t.Errorf("%s is not found", path)
		}
	}
	for _, f := range r.Findings {
		if !slices.Contains(want, f.Path) {
			t.Errorf("%s is blamed too: %v", f.Path, f)
		}
	}
}

// Findings are sentences.
func TestFindingsAreSentences(t *testing.T) {
	l := aLedger(t)
	for path, file := range l.files {
		for _, f := range l.audit(l.flipped(path, len(file.Data)*4), nil).Findings {
			if s := f.Detail; !strings.HasSuffix(s, ".") || s[:1] != strings.ToUpper(s[:1]) || len(s) < 30 || strings.Contains(s, "malformed: ") {
				t.Errorf("%s: %q", f.Kind, s)
			}
			if !strings.HasPrefix(f.String(), f.Path+": ") {
				t.Errorf("%q does not begin with its file", f.String())
			}
		}
	}
}
