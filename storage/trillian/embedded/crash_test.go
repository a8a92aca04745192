package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/types"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// history is what a writer did to one tree, and what it was promised.
type history struct {
	log    *testLog
	tried  int // leaves that were to be added
	stored int // leaves added
	size   int // leaves integrated
	synced int // the size that is durable
	extra  int // bytes of extra data in each leaf
}

// leaves are the leaves [first, first+n) with their extra data.
func (h *history) leaves(first, n int) []*trillian.LogLeaf {
	leaves := logLeaves(first, n)
	for _, leaf := range leaves {
		leaf.ExtraData = make([]byte, h.extra)
	}
	return leaves
}

// step adds leaves and integrates some.
func (h *history) step(random *rand.Rand) error {
	n := 1 + random.IntN(400)
	h.tried = h.stored + n
	results, err := h.log.AddSequencedLeaves(context.Background(), h.log.tree, h.leaves(h.stored, n), h.log.tree.CreateTime.AsTime())
	if err != nil {
		return err
	}
	if len(results) != n {
		return fmt.Errorf("%d results for %d leaves", len(results), n)
	}
	h.stored += n
	n, err = h.log.integrate(1 + random.IntN(h.stored-h.size))
	h.size += n
	return err
}

// reopened is the tree in a store that was opened again.
func reopened(t testing.TB, s *embedded.Store) *testLog {
	t.Helper()
	trees, err := storage.ListTrees(t.Context(), s.AdminStorage(), false)
	if err != nil || len(trees) != 1 {
		t.Fatal(trees, err)
	}
	return &testLog{s.LogStorage(), s.AdminStorage(), trees[0]}
}

// sizeOf is the size in the tree's head.
func sizeOf(t testing.TB, l *testLog) int {
	t.Helper()
	tx, err := l.SnapshotForTree(t.Context(), l.tree)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	signed, err := tx.LatestSignedLogRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var root types.LogRootV1
	if err := root.UnmarshalBinary(signed.LogRoot); err != nil {
		t.Fatal(err)
	}
	return int(root.TreeSize)
}

// judge checks a store after a crash: it has at least what was promised, at
// most what was done, all of it is there, and it can go on.
func (h *history) judge(t testing.TB, s *embedded.Store) {
	t.Helper()
	l := reopened(t, s)
	size := sizeOf(t, l)
	if size < h.synced || size > h.tried {
		t.Fatalf("size %d after the crash, %d were promised and %d written", size, h.synced, h.tried)
	}
	l.check(t, values(0, size))
	// Replayed: what is stored already, and what is not.
	end := h.tried + 10
	l.add(t, h.leaves(size, end-size)...)
	mustIntegrate(t, l, end, end-size)
	l.check(t, values(0, end))
}

func TestACrashLosesASuffixOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	lost, rounds := 0, 40
	if testing.Short() {
		rounds = 9
	}
	for round := range rounds {
		fs := vfs.NewCrashableMem()
		s := open(t, embedded.Options{FS: fs, Create: true, Deferred: true})
		h := &history{log: create(t, s, withoutIndex())}
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 1 + random.IntN(8) {
			if err := h.step(random); err != nil {
				t.Fatal(err)
			}
			if random.IntN(3) == 0 {
				if err := s.Sync(t.Context()); err != nil {
					t.Fatal(err)
				}
				h.synced = h.size
			}
		}
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 30, 100}[round%3], RNG: random})
		again := open(t, embedded.Options{FS: clone, Deferred: true})
		if sizeOf(t, reopened(t, again)) < h.size {
			lost++
		}
		h.judge(t, again)
	}
	if lost == 0 {
		t.Error("no crash lost anything: the test proves nothing")
	}
}

func TestACrashLosesNothingThatWasSynced(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		fs := vfs.NewCrashableMem()
		s := open(t, embedded.Options{FS: fs, Create: true})
		h := &history{log: create(t, s, newTree(trillian.TreeType_PREORDERED_LOG))}
		for range 1 + random.IntN(5) {
			if err := h.step(random); err != nil {
				t.Fatal(err)
			}
		}
		h.synced = h.size
		h.judge(t, open(t, embedded.Options{FS: fs.CrashClone(vfs.CrashCloneCfg{})}))
	}
}

func TestOpenRefuses(t *testing.T) {
	fs := vfs.NewMem()
	if _, err := embedded.Open(embedded.Options{Dir: "a", FS: fs}); !errors.Is(err, embedded.ErrNotFound) {
		t.Errorf("no directory: %v", err)
	}
	if err := fs.MkdirAll("a", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(embedded.Options{Dir: "a", FS: fs}); !errors.Is(err, embedded.ErrNotFound) {
		t.Errorf("an empty directory: %v", err)
	}
	open(t, embedded.Options{Dir: "a", FS: fs, Create: true})
	if _, err := embedded.Open(embedded.Options{Dir: "a", FS: fs}); err == nil || !strings.Contains(err.Error(), "lock") {
		t.Errorf("a store that is open: %v", err)
	}
}

func TestAClosedStoreAnswersErrClosed(t *testing.T) {
	s, err := embedded.Open(embedded.Options{Dir: "a", FS: vfs.NewMem(), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	l := create(t, s, newTree(trillian.TreeType_LOG))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, snapshot := l.SnapshotForTree(t.Context(), l.tree)
	_, queue := l.QueueLeaves(t.Context(), l.tree, logLeaves(0, 1), l.tree.CreateTime.AsTime())
	_, list := storage.ListTrees(t.Context(), l.admin, true)
	for name, err := range map[string]error{
		"close": s.Close(), "sync": s.Sync(t.Context()), "snapshot": snapshot, "queue": queue, "list": list,
		"check": l.CheckDatabaseAccessible(t.Context()),
	} {
		if !errors.Is(err, embedded.ErrClosed) {
			t.Errorf("%s: %v, want %v", name, err, embedded.ErrClosed)
		}
	}
}

func TestAFullDiskIsRefusedBeforeItIsFull(t *testing.T) {
	fs := vfs.NewMem()
	l := create(t, open(t, embedded.Options{FS: fs, Create: true, MinFree: 1 << 30}), newTree(trillian.TreeType_PREORDERED_LOG))
	l.add(t, logLeaves(0, 10)...)
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 29, TotalBytes: 1 << 40})
	large := logLeaves(10, 100)
	for _, leaf := range large {
		leaf.LeafValue = make([]byte, 100_000)
	}
	if _, err := l.AddSequencedLeaves(t.Context(), l.tree, large, l.tree.CreateTime.AsTime()); !errors.Is(err, embedded.ErrNoSpace) {
		t.Errorf("err = %v, want %v", err, embedded.ErrNoSpace)
	}
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 31, TotalBytes: 1 << 40})
	l.add(t, large...)
	mustIntegrate(t, l, 200, 110)
}

func TestAFailedBackgroundTaskStopsTheStore(t *testing.T) {
	var unreadable errorfs.Toggle
	unreadable.Injector = errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, ".sst") {
			return errFault
		}
		return nil
	})
	s, err := embedded.Open(embedded.Options{Dir: "store", FS: errorfs.Wrap(vfs.NewMem(), &unreadable), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	l := create(t, s, withoutIndex())
	unreadable.On() // so that tables cannot be compacted
	for i := 0; err == nil && i < 2000; i++ {
		leaves := logLeaves(20*i, 20)
		for _, leaf := range leaves {
			leaf.ExtraData = make([]byte, 50_000)
		}
		_, err = l.AddSequencedLeaves(t.Context(), l.tree, leaves, l.tree.CreateTime.AsTime())
	}
	for what, err := range map[string]error{"add": err, "err": s.Err(), "close": s.Close()} {
		if !errors.Is(err, embedded.ErrFailed) || !errors.Is(err, errFault) {
			t.Errorf("%s: %v, want %v and the reason", what, err, embedded.ErrFailed)
		}
	}
}
