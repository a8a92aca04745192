package witness_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/storage/storagetest"
	"github.com/cairnlog/cairn/witness"
)

// A ground is what a witness's registers stand on.
type ground interface {
	open() (storage.Registers, error)
	end(rng *rand.Rand) // the process dies, or the power is cut
}

// memoryGround is registers in memory; each swap is one durable step.
type memoryGround struct{ world *memory.World }

func (g *memoryGround) open() (storage.Registers, error) { return g.world.Registers("cosigned"), nil }

func (g *memoryGround) end(rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		g.world = g.world.Restart()
	} else {
		g.world = g.world.Crash(rng)
	}
}

// diskGround is registers in files; each write, sync and rename is a step.
type diskGround struct{ fs *memfs.FS }

func (g *diskGround) open() (storage.Registers, error) {
	d, err := disk.Open("witness", disk.Options{Create: true, FS: g.fs})
	if err != nil {
		return nil, err
	}
	return d.Registers("cosigned")
}

func (g *diskGround) end(rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		g.fs = g.fs.Restart()
	} else {
		g.fs = g.fs.Crash(rng)
	}
}

// forgetful is ground that keeps nothing.
type forgetful struct{ memoryGround }

func (g *forgetful) end(*rand.Rand) { g.world = memory.New(nil) }

// Every durable step of a witness, each with every fault: whatever happens it
// has cosigned one history, and goes on cosigning it.
func TestFaults(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		storagetest.Table(t, func(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
			must(t, live(t, &memoryGround{memory.New(plan)}, rng, 30))
		})
	})
	t.Run("disk", func(t *testing.T) {
		storagetest.Table(t, func(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
			must(t, live(t, &diskGround{memfs.New(plan)}, rng, 12))
		})
	})
}

// The test would find a witness that forgets.
func TestFaultsAreFound(t *testing.T) {
	for seed := range uint64(20) {
		ground := &forgetful{memoryGround{memory.New(nil)}}
		if err := live(t, ground, rand.New(rand.NewPCG(seed, 0)), 60); err != nil {
			return
		}
	}
	t.Error("no court finds fault with a witness that forgets")
}

// most is a size that no history comes to.
const most = 200

// live leads a witness through requests for two histories of a log, and ends
// it now and then, and whenever the store fails.
func live(t *testing.T, g ground, rng *rand.Rand, requests int) error {
	log, clock := key(t, origin, proofs.Ed25519), newClock(noon)
	c := &court{histories: []history{newHistory(4, "a"), newHistory(4, "b")}}
	w := rise(t, g, rng, clock, trust(log))
	old := [2]uint64{} // what each side believes that the witness cosigned last
	for range requests {
		clock.set(noon + rng.Int64N(5))
		h := rng.IntN(2)
		size := old[h] + rng.Uint64N(3)
		text := c.histories[h].text(t, origin, size)
		answer, err := w.AddCheckpoint(context.Background(), witness.Request{
			Old: old[h], Proof: c.histories[h].proof(t, old[h], size), Checkpoint: sign(t, text, log)})
		var refused *witness.Error
		switch {
		case err == nil:
			time, err := timeOf(w.Keys(), answer, text)
			if err != nil {
				return err
			}
			c.hear(h, size, time)
			old[h] = size
		case errors.As(err, &refused):
			if refused.Status == 409 {
				old[h] = refused.Size
			}
		case !errors.Is(err, storage.ErrNoSpace):
			if err := gaveUp(w); err != nil {
				return err
			}
		}
		if err != nil && refused == nil || rng.IntN(5) == 0 {
			g.end(rng)
			w = rise(t, g, rng, clock, trust(log))
		}
	}
	err := goesOn(t, w, c, log)
	if errors.Is(err, fault.ErrInjected) || errors.Is(err, storage.ErrFailed) { // there is one fault in a life
		g.end(rng)
		err = goesOn(t, rise(t, g, rng, clock, trust(log)), c, log)
	}
	return errors.Join(c.judge(), c.inOrder(), err)
}

// rise opens the ground and starts a witness, again where a fault strikes.
func rise(t *testing.T, g ground, rng *rand.Rand, c *clock, logs []witness.Log) *witness.Witness {
	t.Helper()
	for range 3 {
		registers, err := g.open()
		if err == nil {
			return open(t, registers, c, logs)
		}
		if !errors.Is(err, fault.ErrInjected) {
			t.Fatal(err)
		}
		g.end(rng)
	}
	t.Fatal("three faults in a row")
	return nil
}

// gaveUp checks that a witness whose store failed says so, and cosigns
// nothing more.
func gaveUp(w *witness.Witness) error {
	select {
	case <-w.Failed():
	default:
		return errors.New("the store failed, and the witness does not say so")
	}
	if _, err := w.Checkpoint(context.Background(), origin); !errors.Is(err, storage.ErrFailed) {
		return fmt.Errorf("after the store failed: %v", err)
	}
	return nil
}

// goesOn checks that one of the histories still gets its cosignatures.
func goesOn(t *testing.T, w *witness.Witness, c *court, log proofs.SigningKey) error {
	var all []error
	for _, h := range c.histories {
		_, err := w.AddCheckpoint(context.Background(), witness.Request{Old: most, Checkpoint: sign(t, h.text(t, origin, most), log)})
		var refused *witness.Error
		if !errors.As(err, &refused) || refused.Status != 409 {
			return fmt.Errorf("asked for the size: %w", err)
		}
		size := refused.Size
		_, err = w.AddCheckpoint(context.Background(), witness.Request{
			Old: size, Proof: h.proof(t, size, size+1), Checkpoint: sign(t, h.text(t, origin, size+1), log)})
		if err == nil {
			return nil
		}
		all = append(all, err)
	}
	return fmt.Errorf("no history is cosigned any more: %w", errors.Join(all...))
}
