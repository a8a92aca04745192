package storagetest_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/storage/storagetest"
)

// in makes subjects of stores in a world.
func in[S any](open func(w *memory.World) S) storagetest.Maker[S] {
	return func(_ *testing.T, plan *fault.Plan) storagetest.Subject[S] {
		w := memory.New(plan)
		return storagetest.Subject[S]{
			Open:        func() (S, error) { return open(w), nil },
			Close:       func() error { w = w.Restart(); return nil },
			Kill:        func() { w = w.Restart() },
			Crash:       func(rng *rand.Rand) { w = w.Crash(rng) },
			FollowsPlan: true,
		}
	}
}

// forgivingRegister goes on after a failure.
type forgivingRegister struct{ storage.Register }

func (r forgivingRegister) Swap(ctx context.Context, old, new []byte) error {
	_ = r.Register.Swap(ctx, old, new)
	return nil
}

// lazyVault leaves syncs out.
type lazyVault struct{ storage.Vault }

func (lazyVault) Sync(context.Context) error { return nil }

// A hidingVault only hides the buckets that are dropped.
type hidingVault struct {
	storage.Vault
	hidden *sync.Map // by bucket
}

func (v hidingVault) Drop(_ context.Context, bucket uint32) error {
	v.hidden.Store(bucket, true)
	return nil
}

func (v hidingVault) Scan(ctx context.Context, bucket uint32, from uint64) iter.Seq2[storage.VaultRecord, error] {
	if _, ok := v.hidden.Load(bucket); ok {
		from = math.MaxUint64
	}
	return v.Vault.Scan(ctx, bucket, from)
}

// A hastyVault drops a bucket that it rewrites and writes it anew.
type hastyVault struct{ storage.Vault }

func (v hastyVault) Rewrite(ctx context.Context, bucket uint32, change func([]storage.VaultRecord) error) error {
	var left []storage.VaultRecord
	for r, err := range v.Scan(ctx, bucket, 0) {
		if err != nil {
			return err
		}
		one := []storage.VaultRecord{r}
		if err := change(one); err != nil {
			return err
		}
		if one[0].Data != nil {
			left = append(left, one...)
		}
	}
	if err := v.Drop(ctx, bucket); err != nil {
		return err
	}
	if err := v.Write(ctx, left); err != nil {
		return err
	}
	return v.Sync(ctx)
}

// A trustingVault takes bytes that were altered in place for unchanged.
type trustingVault struct{ storage.Vault }

func (v trustingVault) Rewrite(ctx context.Context, bucket uint32, change func([]storage.VaultRecord) error) error {
	return v.Vault.Rewrite(ctx, bucket, func(records []storage.VaultRecord) error {
		old, held := slices.Clone(records), make([][]byte, len(records))
		for i, r := range records {
			held[i] = bytes.Clone(r.Data)
		}
		err := change(records)
		for i, r := range records {
			if len(r.Data) > 0 && len(r.Data) == len(old[i].Data) && &r.Data[0] == &old[i].Data[0] {
				records[i].Data = held[i]
			}
		}
		return err
	})
}

// lazyIndex leaves syncs out.
type lazyIndex struct{ storage.Index }

func (lazyIndex) Sync(context.Context) error { return nil }

// shiftedJournal counts from 1.
type shiftedJournal struct{ storage.Journal }

func (j shiftedJournal) Append(ctx context.Context, record []byte) (uint64, error) {
	position, err := j.Journal.Append(ctx, record)
	return position + 1, err
}

// silentObjects takes other bytes for an object and says nothing.
type silentObjects struct{ storage.Objects }

func (o silentObjects) Put(ctx context.Context, name string, data []byte) error {
	if _, err := o.Read(ctx, name); err == nil {
		return nil
	}
	return o.Objects.Put(ctx, name, data)
}

// hidingObjects only hide what is removed.
type hidingObjects struct {
	storage.Objects
	hidden *sync.Map // by name
}

func (o hidingObjects) Remove(_ context.Context, name string) error {
	o.hidden.Store(name, true)
	return nil
}

func (o hidingObjects) Read(ctx context.Context, name string) ([]byte, error) {
	if _, ok := o.hidden.Load(name); ok {
		name = "hidden"
	}
	return o.Objects.Read(ctx, name)
}

// broken are suites run on stores that break the law.
func broken() map[string]func(t *testing.T) {
	return map[string]func(t *testing.T){
		"a register that forgets a failure": func(t *testing.T) {
			storagetest.Register(t, in(func(w *memory.World) storage.Register { return forgivingRegister{w.Register("r")} }))
		},
		"a vault without syncs": func(t *testing.T) {
			storagetest.Vault(t, in(func(w *memory.World) storage.Vault { return lazyVault{w.Vault("v")} }))
		},
		"a vault whose drops do not last": func(t *testing.T) {
			storagetest.Vault(t, in(func(w *memory.World) storage.Vault { return hidingVault{w.Vault("v"), new(sync.Map)} }))
		},
		"a vault that rewrites in steps": func(t *testing.T) {
			storagetest.Vault(t, in(func(w *memory.World) storage.Vault { return hastyVault{w.Vault("v")} }))
		},
		"a vault that overlooks changes": func(t *testing.T) {
			storagetest.Vault(t, in(func(w *memory.World) storage.Vault { return trustingVault{w.Vault("v")} }))
		},
		"objects whose removals do not last": func(t *testing.T) {
			storagetest.Objects(t, in(func(w *memory.World) storage.Objects {
				return hidingObjects{w.Objects("o"), new(sync.Map)}
			}))
		},
		"an index without syncs": func(t *testing.T) {
			storagetest.Index(t, in(func(w *memory.World) storage.Index { return lazyIndex{w.Index("x")} }))
		},
		"a journal that counts from 1": func(t *testing.T) {
			storagetest.Journal(t, in(func(w *memory.World) storage.Journal { return shiftedJournal{w.Journal("j")} }))
		},
		"objects that swallow conflicts": func(t *testing.T) {
			storagetest.Objects(t, in(func(w *memory.World) storage.Objects { return silentObjects{w.Objects("o")} }))
		},
	}
}

const brokenVariable = "CAIRN_STORAGETEST_BROKEN"

// TestBroken runs the suite on the broken store that the environment names, and
// is meant to fail. TestSuitesCatchBrokenStores runs it.
func TestBroken(t *testing.T) {
	if run := broken()[os.Getenv(brokenVariable)]; run != nil {
		run(t)
	}
}

// TestSuitesCatchBrokenStores tests the tests: each broken store must fail.
func TestSuitesCatchBrokenStores(t *testing.T) {
	for name := range broken() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBroken$")
			cmd.Env = append(os.Environ(), brokenVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBroken/") {
				t.Errorf("the suite passes: %v\n%s", err, out)
			}
		})
	}
}

// A subject opens a store, ends it and opens it again.
func ExampleSubject() {
	world, ctx := memory.New(nil), context.Background()
	subject := storagetest.Subject[storage.Register]{
		Open:  func() (storage.Register, error) { return world.Register("signed"), nil },
		Crash: func(rng *rand.Rand) { world = world.Crash(rng) },
	}
	register, _ := subject.Open()
	fmt.Println(register.Swap(ctx, nil, []byte("size 1")))
	subject.Crash(nil)
	register, _ = subject.Open()
	value, err := register.Load(ctx)
	fmt.Printf("%s %v\n", value, err)
	// Output:
	// <nil>
	// size 1 <nil>
}
