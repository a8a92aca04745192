package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/storage/storagetest"
)

// subject is a store of a world that restarts and crashes.
func subject[S any](open func(w *memory.World) S) storagetest.Maker[S] {
	return func(t *testing.T, plan *fault.Plan) storagetest.Subject[S] {
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

func TestRegister(t *testing.T) {
	storagetest.Register(t, subject(func(w *memory.World) storage.Register { return w.Register("r") }))
}

func TestRegisters(t *testing.T) {
	storagetest.Registers(t, subject(func(w *memory.World) storage.Registers { return w.Registers("r") }))
}

func TestObjects(t *testing.T) {
	storagetest.Objects(t, subject(func(w *memory.World) storage.Objects { return w.Objects("o") }))
}

func TestJournal(t *testing.T) {
	storagetest.Journal(t, subject(func(w *memory.World) storage.Journal { return w.Journal("j") }))
}

func TestVault(t *testing.T) {
	storagetest.Vault(t, subject(func(w *memory.World) storage.Vault { return w.Vault("v") }))
}

func TestIndex(t *testing.T) {
	storagetest.Index(t, subject(func(w *memory.World) storage.Index { return w.Index("x") }))
}

func TestCrashLosesWhatWasNotSynced(t *testing.T) {
	ctx := t.Context()
	w := memory.New(nil)
	for i := range uint64(10) {
		if i == 5 {
			if err := w.Vault("v").Sync(ctx); err != nil {
				t.Fatal(err)
			}
		}
		r := storage.VaultRecord{Bucket: 1, Index: i, Data: []byte("x")}
		if err := w.Vault("v").Write(ctx, []storage.VaultRecord{r}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(w *memory.World) (n int) {
		for range w.Vault("v").Scan(ctx, 1, 0) {
			n++
		}
		return n
	}
	if got := count(w.Crash(nil)); got != 5 {
		t.Errorf("a power cut keeps %d records, want the 5 that were synced", got)
	}
	if got := count(w.Restart()); got != 10 {
		t.Errorf("a restart keeps %d records, want all 10", got)
	}
	seen := make(map[int]bool)
	for seed := range uint64(200) {
		seen[count(w.Crash(rand.New(rand.NewPCG(seed, 0))))] = true
	}
	if len(seen) != 6 || seen[4] || !seen[5] || !seen[10] {
		t.Errorf("power cuts keep %v records, want each of 5 to 10", seen)
	}
	if got := count(w); got != 10 {
		t.Errorf("the world itself has %d records after its crashes, want 10", got)
	}
}

func TestStoresFailAlone(t *testing.T) {
	plan := new(fault.Plan)
	plan.At(0, fault.Failed)
	w := memory.New(plan)
	if err := w.Register("a").Swap(t.Context(), nil, []byte("x")); err == nil {
		t.Error("the planned fault did not strike")
	}
	if err := w.Register("b").Swap(t.Context(), nil, []byte("x")); err != nil {
		t.Errorf("another store failed too: %v", err)
	}
}

// A swap that fails although it was persisted: only after a restart does the
// register tell what became of it.
func Example() {
	plan := new(fault.Plan)
	plan.At(1, fault.Persisted)
	world, ctx := memory.New(plan), context.Background()

	signed := world.Register("signed")
	fmt.Println(signed.Swap(ctx, nil, []byte("size 1")))
	fmt.Println(signed.Swap(ctx, []byte("size 1"), []byte("size 2")))
	_, err := signed.Load(ctx)
	fmt.Println(err)

	world = world.Restart()
	value, err := world.Register("signed").Load(ctx)
	fmt.Printf("%s %v\n", value, err)
	fmt.Printf("%q\n", plan.Steps())
	// Output:
	// <nil>
	// signed swap: failed but persisted: injected fault
	// signed: store failed earlier and must be opened again
	// size 2 <nil>
	// ["signed swap" "signed swap"]
}
