package pebbleindex_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/pebbleindex"
)

var errFault = errors.New("fault")

// failing is a file system whose n-th change from now on fails.
func failing(fs vfs.FS, n int64) vfs.FS {
	var in atomic.Int64
	in.Store(n)
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFilePreallocate, errorfs.OpFileSyncTo: // whose errors Pebble ignores
			return nil
		}
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && in.Add(-1) == 0 {
			return errFault
		}
		return nil
	}))
}

// A writer inserts rows and knows which of them are durable.
type writer struct{ inserted, synced uint64 }

func rowOf(i uint64) storage.IndexRow {
	return storage.IndexRow{Bucket: uint32(i % 3), Key: [16]byte{byte(i >> 8), byte(i)}, Value: i}
}

// write opens the index some times and inserts into it until something fails.
func (w *writer) write(fs vfs.FS) error {
	for range 3 {
		x, err := pebbleindex.Open("index", pebbleindex.Options{Create: true, FS: fs})
		if err != nil {
			return err
		}
		if err := w.insert(x); err != nil {
			return errors.Join(err, x.Close())
		}
		if err := x.Close(); err != nil {
			return err
		}
		w.synced = w.inserted
	}
	return nil
}

func (w *writer) insert(x *pebbleindex.Index) error {
	ctx := context.Background()
	for n := range 4 {
		var rows []storage.IndexRow
		for range 50 {
			rows = append(rows, rowOf(w.inserted))
			w.inserted++
		}
		err := x.Insert(ctx, rows)
		if err == nil && n%2 == 1 {
			if err = x.Sync(ctx); err == nil {
				w.synced = w.inserted
			}
		}
		if err != nil {
			_, _, after := x.Lookup(ctx, 0, [16]byte{})
			if !errors.Is(after, storage.ErrFailed) {
				return fmt.Errorf("after %w a look-up says %w", err, after)
			}
			return err
		}
	}
	return nil
}

// judge opens the index in the ordinary way: what was synced is there.
func (w *writer) judge(t *testing.T, fs vfs.FS) {
	t.Helper()
	x, err := pebbleindex.Open("index", pebbleindex.Options{Create: w.synced == 0, FS: fs})
	if err != nil {
		t.Errorf("open again: %v", err)
		return
	}
	for i := range w.inserted {
		row := rowOf(i)
		got, ok, err := x.Lookup(t.Context(), row.Bucket, row.Key)
		if err != nil || ok && got != i || !ok && i < w.synced {
			t.Errorf("row %d of %d synced: got %d, %v, %v", i, w.synced, got, ok, err)
			break
		}
	}
	if err := x.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestEachFault fails each change of the file system, in turn: the index ends,
// the process does not. Then it is opened again, as it is and after a power
// cut at that moment.
func TestEachFault(t *testing.T) {
	every := int64(1)
	if testing.Short() {
		every = 8
	}
	faults := int64(0)
	for n := int64(1); ; n += every {
		mem, w := vfs.NewCrashableMem(), new(writer)
		err := w.write(failing(mem, n))
		if err == nil {
			break
		}
		faults++
		if !errors.Is(err, errFault) {
			t.Errorf("change %d: %v, which hides the fault", n, err)
		}
		cut := vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(uint64(n), 1))}
		w.judge(t, mem.CrashClone(cut))
		w.judge(t, mem)
		if t.Failed() {
			t.Fatalf("change %d: %v", n, err)
		}
	}
	if faults < 100/every {
		t.Errorf("only %d faults", faults)
	}
	t.Logf("%d faults", faults)
}

// TestNamesAreDurableBeforeWhatRestsOnThem watches the directory of an index:
// a power cut keeps any of the changes of names since it was last synced.
func TestNamesAreDurableBeforeWhatRestsOnThem(t *testing.T) {
	var mu sync.Mutex
	fresh, removed := map[string]bool{}, 0 // names made since the last sync
	watch := errorfs.InjectorFunc(func(op errorfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		name := path.Base(op.Path)
		switch {
		case op.Kind == errorfs.OpFileSync && op.Path == "index":
			clear(fresh)
		case op.Kind == errorfs.OpCreate:
			if _, manifest, ok := strings.Cut(name, ".MANIFEST-"); ok && fresh["MANIFEST-"+manifest] {
				t.Errorf("%s is made before the name of the file that it names is durable", name)
			}
			fresh[name] = true
		case op.Kind == errorfs.OpRemove && strings.HasPrefix(name, "marker."):
			removed++
			for other := range fresh {
				if strings.HasPrefix(other, "marker.") {
					t.Errorf("%s is removed before the name of %s is durable", name, other)
				}
			}
		}
		return nil
	})
	if err := new(writer).write(errorfs.Wrap(vfs.NewMem(), watch)); err != nil {
		t.Fatal(err)
	}
	if removed < 3 {
		t.Errorf("only %d markers were removed", removed)
	}
}

func TestIndexThatIsOpenIsLocked(t *testing.T) {
	for name, fs := range map[string]vfs.FS{"in memory": vfs.NewMem(), "on disk": nil} {
		dir := path.Join(t.TempDir(), "index")
		x, err := pebbleindex.Open(dir, pebbleindex.Options{Create: true, FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pebbleindex.Open(dir, pebbleindex.Options{FS: fs}); !errors.Is(err, storage.ErrLocked) {
			t.Errorf("%s: got %v, want ErrLocked", name, err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}
