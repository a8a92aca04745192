package pebbleindex_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/pebbleindex"
	"github.com/cairnlog/cairn/storage/storagetest"
)

// subject is an index on Pebble's file system in memory, whose power cuts keep
// any part of what was not synced.
func subject(t *testing.T, _ *fault.Plan) storagetest.Subject[storage.Index] {
	fsys := vfs.NewCrashableMem()
	created := false
	var x *pebbleindex.Index
	t.Cleanup(func() {
		if x != nil {
			_ = x.Close()
		}
	})
	cut := func(cfg vfs.CrashCloneCfg) {
		clone := fsys.CrashClone(cfg)
		_ = x.Close() // of the process that died: its goroutines end
		fsys = clone
	}
	return storagetest.Subject[storage.Index]{
		Open: func() (storage.Index, error) {
			var err error
			x, err = pebbleindex.Open("index", pebbleindex.Options{Create: !created, FS: fsys})
			created = created || err == nil
			return x, err
		},
		Close: func() error { return x.Close() },
		Crash: func(rng *rand.Rand) {
			if rng == nil {
				cut(vfs.CrashCloneCfg{})
				return
			}
			cut(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		},
	}
}

func TestIndex(t *testing.T) { storagetest.Index(t, subject) }

func TestNothingIsCreatedUnasked(t *testing.T) {
	_, err := pebbleindex.Open(t.TempDir()+"/index", pebbleindex.Options{})
	if !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Open = %v, want ErrNotFound", err)
	}
}

func TestClosedIndex(t *testing.T) {
	x, err := pebbleindex.Open("index", pebbleindex.Options{Create: true, FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := x.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	if _, _, err := x.Lookup(t.Context(), 0, [16]byte{}); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("Lookup after Close = %v, want ErrClosed", err)
	}
}

func Example() {
	path, _ := os.MkdirTemp("", "cairn-example")
	defer os.RemoveAll(path)
	ctx := context.Background()
	x, err := pebbleindex.Open(path, pebbleindex.Options{Create: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer x.Close()
	fmt.Println(x.Insert(ctx, []storage.IndexRow{{Bucket: 1, Key: [16]byte{1, 2, 3}, Value: 42}}))
	fmt.Println(x.Lookup(ctx, 1, [16]byte{1, 2, 3}))
	fmt.Println(x.Lookup(ctx, 2, [16]byte{1, 2, 3}))
	// Output:
	// <nil>
	// 42 true <nil>
	// 0 false <nil>
}

// randomRows returns rows with random keys.
func randomRows(rng *rand.Rand, rows []storage.IndexRow) []storage.IndexRow {
	for i := range rows {
		binary.BigEndian.PutUint64(rows[i].Key[:], rng.Uint64())
		rows[i].Value = rng.Uint64()
	}
	return rows
}

// BenchmarkInsert inserts rows with random keys, 1,000 a call, a Sync each 100
// calls.
func BenchmarkInsert(b *testing.B) {
	x, err := pebbleindex.Open(b.TempDir(), pebbleindex.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	rng, n := rand.New(rand.NewPCG(1, 1)), 0
	rows := make([]storage.IndexRow, 1000)
	for b.Loop() {
		if err := x.Insert(b.Context(), randomRows(rng, rows)); err != nil {
			b.Fatal(err)
		}
		if n++; n%100 == 0 {
			if err := x.Sync(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n*len(rows))/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkLookup looks up keys among a million, those that are there and those
// that are not.
func BenchmarkLookup(b *testing.B) {
	x, err := pebbleindex.Open(b.TempDir(), pebbleindex.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	held := make([]storage.IndexRow, 1000)
	for range 1000 {
		if err := x.Insert(b.Context(), randomRows(rng, held)); err != nil {
			b.Fatal(err)
		}
	}
	for name, rows := range map[string][]storage.IndexRow{
		"held":   held,
		"absent": randomRows(rng, make([]storage.IndexRow, 1000)),
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				_, ok, err := x.Lookup(b.Context(), 0, rows[i%len(rows)].Key)
				if err != nil || ok != (name == "held") {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
