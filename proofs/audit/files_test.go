package audit_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// Files that are missing, too many, or from somewhere else.
func TestFiles(t *testing.T) {
	l := aLedger(t)
	bigger := l.copy()
	l2 := aLedger(t)
	l2.publish(1300)
	for path, f := range l2.files {
		if _, ok := bigger[path]; !ok && !strings.HasPrefix(path, "checkpoints/") {
			bigger[path] = f
		}
	}
	stranger := newLedger(t)
	stranger.log = check(proofs.GenerateKey(origin, proofs.Ed25519, randomness(99)))
	for _, tt := range []struct {
		name   string
		change func(files fstest.MapFS)
		want   []want
	}{
		{"nothing is changed", func(fstest.MapFS) {}, nil},
		{"a full bundle is missing", remove("tile/entries/001"), []want{{audit.BundleMissing, "tile/entries/001", 256}}},
		{"the last bundle is missing", remove("tile/entries/003.p/232"), []want{{audit.BundleMissing, "tile/entries/003.p/232", 768}}},
		{"a full tile is missing", remove("tile/0/002"), []want{{audit.TileMissing, "tile/0/002", 512}}},
		{"the last tile is missing", remove("tile/0/003.p/232"), []want{{audit.TileMissing, "tile/0/003.p/232", 768}}},
		{"a tile of level 1 is missing", remove("tile/1/000.p/3"), []want{{audit.TileMissing, "tile/1/000.p/3", 0}}},
		{"a bundle and its tile are missing", remove("tile/entries/001", "tile/0/001"),
			[]want{{audit.TileMissing, "tile/0/001", 256}, {audit.BundleMissing, "tile/entries/001", 256}}},
		{"partial files of earlier sizes are missing", remove("tile/0/000.p/1", "tile/entries/000.p/100", "tile/1/000.p/1", "vault/003.p/9"), nil},
		{"the bundles were cut short", remove("tile/entries/001", "tile/entries/002", "tile/entries/003.p/232"),
			[]want{{audit.BundleMissing, "tile/entries/001", 256}}},
		{"kept checkpoints are missing", remove("checkpoints/300", "checkpoints/777"), nil},
		{"a file of records is missing", remove("vault/001"), []want{{audit.VaultMissing, "vault/001", 256}}},
		{"there is no vault", func(files fstest.MapFS) {
			for path := range files {
				if strings.HasPrefix(path, audit.VaultDir) {
					delete(files, path)
				}
			}
		}, nil},
		{"the ledger went on meanwhile", func(files fstest.MapFS) { clear(files); copyAll(files, bigger) }, nil},
		{"the ledger went on, and partial files were deleted", func(files fstest.MapFS) {
			clear(files)
			copyAll(files, bigger)
			remove("tile/0/003.p/232", "tile/entries/003.p/232", "vault/003.p/232")(files)
		}, nil},
		{"a file that grew meanwhile disagrees", func(files fstest.MapFS) {
			clear(files)
			copyAll(files, bigger)
			files["tile/0/003"] = l2.flipped("tile/0/003", 8*32*5)["tile/0/003"]
		}, []want{{audit.TileAltered, "tile/0/003", 773}}},
		{"a partial tile is of another log", func(files fstest.MapFS) {
			files["tile/0/000.p/77"] = &fstest.MapFile{Data: make([]byte, 77*32)}
		}, altered(audit.TileAltered, "tile/0/000.p/77", 0, 77)},
		{"a partial tile has the wrong size", func(files fstest.MapFS) {
			files["tile/0/000.p/77"] = &fstest.MapFile{Data: make([]byte, 76*32)}
		}, []want{{audit.TileMalformed, "tile/0/000.p/77", 0}}},
		{"a tile has the wrong size", func(files fstest.MapFS) {
			files["tile/0/001"] = &fstest.MapFile{Data: files["tile/0/001"].Data[:8191]}
		}, []want{{audit.TileMalformed, "tile/0/001", 256}}},
		{"names that are none of the layout", func(files fstest.MapFS) {
			for _, path := range []string{"README", "tile/0/000.p/256", "tile/0/000.p/01", "checkpoints/1", "checkpoints/x000/001", "checkpoints/x001/000.tmp", "receipts/notes.txt"} {
				files[path] = &fstest.MapFile{Data: []byte("something")}
			}
		}, nil},
		{"two bundles changed places", func(files fstest.MapFS) {
			files["tile/entries/001"], files["tile/entries/002"] = files["tile/entries/002"], files["tile/entries/001"]
		}, append(altered(audit.EntryAltered, "tile/entries/001", 256, 512), altered(audit.EntryAltered, "tile/entries/002", 512, 768)...)},
		{"an entry was deleted from a bundle", func(files fstest.MapFS) {
			b := files["tile/entries/001"].Data
			files["tile/entries/001"] = &fstest.MapFile{Data: b[2+int(b[0])<<8+int(b[1]):]}
		}, []want{{audit.BundleMalformed, "tile/entries/001", 256}}},
		{"a bundle larger than any", func(files fstest.MapFS) {
			files["tile/entries/001"] = &fstest.MapFile{Data: make([]byte, proofs.MaxBundleSize+1)}
		}, []want{{audit.BundleMalformed, "tile/entries/001", 256}}},
		{"a record behind the last one", func(files fstest.MapFS) {
			files["vault/001"] = &fstest.MapFile{Data: append(slices.Clone(files["vault/001"].Data), 0, 0, 0, 0)}
		}, []want{{audit.VaultMalformed, "vault/001", 256}}},
		{"a record of two gigabytes", func(files fstest.MapFS) {
			files["vault/001"] = &fstest.MapFile{Data: []byte{0x80, 0, 0, 0}}
		}, []want{{audit.VaultMalformed, "vault/001", 256}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := l.copy()
			tt.change(files)
			demand(t, l.audit(files, nil), tt.want...)
		})
	}
}

func remove(paths ...string) func(fstest.MapFS) {
	return func(files fstest.MapFS) {
		for _, path := range paths {
			if files[path] == nil {
				panic(path + " is not there")
			}
			delete(files, path)
		}
	}
}

func copyAll(to, from fstest.MapFS) {
	for path, f := range from {
		to[path] = f
	}
}

func altered(kind audit.FindingKind, path string, from, to int64) (list []want) {
	for i := from; i < to; i++ {
		list = append(list, want{kind, path, i})
	}
	return list
}
