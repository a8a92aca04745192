package trillian_test

import (
	"bytes"
	"errors"
	"flag"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	google "github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/testonly"
	"k8s.io/klog/v2"

	"github.com/cairnlog/cairn/storage/trillian"
)

func TestATreeIsOnlyMadeWhenAskedFor(t *testing.T) {
	o := trillian.EmbeddedOptions{Dir: "tree", FS: vfs.NewMem()}
	open := func() (*trillian.Tree, error) { return trillian.OpenEmbedded(t.Context(), o) }
	if _, err := open(); !errors.Is(err, trillian.ErrNotFound) {
		t.Fatalf("nothing there: %v, want %v", err, trillian.ErrNotFound)
	}
	o.Create = true
	for range 2 { // creation can be repeated
		tree, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Close(); err != nil {
			t.Fatal(err)
		}
	}
	o.Create = false
	tree, err := open()
	if err != nil {
		t.Fatal(err)
	}
	extend(t, tree, new(reference), 1)
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	o.Create = true
	if _, err := open(); !errors.Is(err, trillian.ErrExists) {
		t.Fatalf("created over a leaf: %v, want %v", err, trillian.ErrExists)
	}
}

func TestWhichTreeIsOpened(t *testing.T) {
	s := openStore(t)
	o := trillian.Options{LogStorage: s.LogStorage(), AdminStorage: s.AdminStorage()}
	add := func(definition *google.Tree) int64 {
		t.Helper()
		tree, err := storage.CreateTree(t.Context(), o.AdminStorage, definition)
		if err != nil {
			t.Fatal(err)
		}
		return tree.TreeId
	}
	wantNotFound := func(what string) {
		t.Helper()
		if _, err := trillian.Open(t.Context(), o); !errors.Is(err, trillian.ErrNotFound) {
			t.Errorf("%s: %v, want %v", what, err, trillian.ErrNotFound)
		}
	}
	add(testonly.LogTree)
	wantNotFound("a log that is not pre-ordered")
	id := add(testonly.PreorderedLogTree)
	wantNotFound("a tree that was created by half")
	o.Create = true
	if _, err := trillian.Open(t.Context(), o); err != nil {
		t.Errorf("creation resumed: %v", err)
	}
	o.Create = false
	if _, err := trillian.Open(t.Context(), o); err != nil {
		t.Errorf("the only tree: %v", err)
	}
	add(testonly.PreorderedLogTree)
	if _, err := trillian.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "name one") {
		t.Errorf("one of two trees: %v", err)
	}
	o.TreeID = id
	if _, err := trillian.Open(t.Context(), o); err != nil {
		t.Errorf("a tree by its ID: %v", err)
	}
	o.TreeID = id + 1
	wantNotFound("an unknown ID")
}

func TestAClockThatGoesBackDoesNotStopTheTree(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	fs := vfs.NewMem()
	o := trillian.EmbeddedOptions{Dir: "tree", FS: fs, Create: true, Now: func() time.Time { return now }}
	r := new(reference)
	for size := uint64(5); size < 30; size += 5 {
		tree, err := trillian.OpenEmbedded(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		extend(t, tree, r, size)
		now = now.Add(-time.Hour)
		extend(t, tree, r, size+1)
		if err := tree.Close(); err != nil {
			t.Fatal(err)
		}
		o.Create = false
	}
}

func TestOnlyTheTreeIsRead(t *testing.T) {
	tree := openEmbedded(t, trillian.EmbeddedOptions{})
	extend(t, tree, new(reference), 300)
	if err := tree.Append(t.Context(), 300, leaves(300, 300)); err != nil {
		t.Fatal(err) // stored, not integrated
	}
	ctx := t.Context()
	tile := func(level uint8, index uint64, width int) error {
		_, err := tree.Tile(ctx, level, index, width)
		return err
	}
	node := func(level uint8, index uint64) error {
		_, err := tree.Nodes(ctx, []trillian.NodeID{{Level: level, Index: index}})
		return err
	}
	values := func(start, count uint64) error {
		_, err := tree.Leaves(ctx, start, count)
		return err
	}
	for name, err := range map[string]error{
		"a leaf beyond":             values(300, 1),
		"leaves across the end":     values(299, 2),
		"a range that overflows":    values(1, 1<<64-1),
		"a node beyond":             node(0, 300),
		"a node that is incomplete": node(3, 37),
		"a level beyond":            node(255, 0),
		"a node index beyond":       node(0, 1<<64-1),
		"a tile index beyond":       tile(1, 1<<60, 1),
		"a tile beyond":             tile(0, 2, 1),
		"a tile too wide":           tile(0, 1, 45),
		"a tile of width 0":         tile(0, 0, 0),
		"a tile of width 257":       tile(0, 0, 257),
		"a tile level beyond":       tile(8, 0, 1),
		"an empty leaf":             tree.Append(ctx, 600, []trillian.Leaf{{}}),
		"an index above 2^63":       tree.Append(ctx, 1<<63-1, leaves(0, 1)),
	} {
		if !errors.Is(err, trillian.ErrRange) {
			t.Errorf("%s: %v, want %v", name, err, trillian.ErrRange)
		}
	}
	var size *trillian.SizeError
	if _, err := tree.Integrate(ctx, 299); !errors.As(err, &size) || size.Got != 300 {
		t.Errorf("integrate to less: %v, want size 300", err)
	}
	if _, err := tree.Integrate(ctx, 601); err == nil || !strings.Contains(err.Error(), "leaf 600 is not stored") {
		t.Errorf("integrate what is not there: %v", err)
	}
}

func TestACrashLosesNothingThatWasSynced(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		fs := vfs.NewCrashableMem()
		tree, r := openEmbedded(t, trillian.EmbeddedOptions{FS: fs, Create: true}), new(reference)
		size, synced := uint64(0), uint64(0)
		for range random.IntN(6) {
			size += 1 + random.Uint64N(500)
			extend(t, tree, r, size)
			if random.IntN(2) == 0 {
				if err := tree.Sync(t.Context()); err != nil {
					t.Fatal(err)
				}
				synced = size
			}
		}
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: random})
		again := openEmbedded(t, trillian.EmbeddedOptions{FS: clone})
		head, err := again.Head(t.Context())
		if err != nil || head.Size < synced || head.Size > size {
			t.Fatalf("size %d, %v, after %d were synced of %d", head.Size, err, synced, size)
		}
		check(t, again, r, head.Size)
		extend(t, again, r, size+1)
		check(t, again, r, size+1)
	}
}

func TestAFailedTreeSaysSoAndDoesNotHang(t *testing.T) {
	var broken errorfs.Toggle
	broken.Injector = errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			return errors.New("disk is gone")
		}
		return nil
	})
	var report bytes.Buffer
	tree, err := trillian.OpenEmbedded(t.Context(), trillian.EmbeddedOptions{
		Dir:    "tree",
		FS:     errorfs.Wrap(vfs.NewMem(), &broken),
		Create: true,
		Logger: slog.New(slog.NewTextHandler(&report, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	extend(t, tree, new(reference), 300)
	if err := tree.Err(); err != nil {
		t.Fatal(err)
	}
	broken.On()
	ctx := t.Context()
	sync := tree.Sync(ctx)
	add := tree.Append(ctx, 300, leaves(300, 5))
	_, integrate := tree.Integrate(ctx, 305)
	_, read := tree.Leaves(ctx, 0, 1)
	for name, err := range map[string]error{
		"sync": sync, "append": add, "integrate": integrate, "leaves": read, "err": tree.Err(), "close": tree.Close(),
	} {
		if !errors.Is(err, trillian.ErrFailed) || !strings.Contains(err.Error(), "disk is gone") {
			t.Errorf("%s: %v, want %v with the reason", name, err, trillian.ErrFailed)
		}
	}
	if n := strings.Count(report.String(), "disk is gone"); n != 1 {
		t.Errorf("reported %d times, want once:\n%s", n, &report)
	}
}

func TestTrillianLogsToTheTreesLogger(t *testing.T) {
	var report bytes.Buffer
	openEmbedded(t, trillian.EmbeddedOptions{Logger: slog.New(slog.NewTextHandler(&report, nil))})
	klog.Errorf("tree %d is odd", 7)
	klog.Warning("and old") // klog tells slog errors from the rest only
	for _, want := range []string{`level=ERROR msg=trillian message="tree 7 is odd"`, `level=INFO msg=trillian message="and old"`} {
		if got := report.String(); !strings.Contains(got, want) {
			t.Errorf("log holds %q, want %q", got, want)
		}
	}
	openEmbedded(t, trillian.EmbeddedOptions{}) // discards
	report.Reset()
	klog.Error("to nobody")
	if report.Len() != 0 {
		t.Errorf("log holds %q", &report)
	}
}

// Importing Trillian must not change what our commands parse or print: they
// have flag sets of their own.
func TestTrillianRegistersOneFlagAndParsesNone(t *testing.T) {
	var theirs []string
	flag.VisitAll(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") {
			theirs = append(theirs, f.Name)
		}
	})
	if want := []string{"tree_ids_with_no_ephemeral_nodes"}; !slices.Equal(theirs, want) {
		t.Errorf("flags of the process: %v, want %v", theirs, want)
	}
	var usage bytes.Buffer
	ours := flag.NewFlagSet("ours", flag.ContinueOnError)
	ours.SetOutput(&usage)
	ours.PrintDefaults()
	if usage.Len() != 0 {
		t.Errorf("a new flag set prints %q", &usage)
	}
}

func TestLeavesMayHaveIdentities(t *testing.T) {
	s := openStore(t)
	tree, err := trillian.Open(t.Context(), trillian.Options{LogStorage: s.LogStorage(), AdminStorage: s.AdminStorage(), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	same := []trillian.Leaf{{Value: []byte("same")}, {Value: []byte("same"), Identity: [32]byte{1}}}
	if err := tree.Append(t.Context(), 0, same); err != nil {
		t.Errorf("two identities: %v", err)
	}
	if err := tree.Append(t.Context(), 2, same[:1]); err == nil {
		t.Error("one identity at two indices was accepted by a storage that has an index")
	}
	if _, err := tree.Integrate(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
}
