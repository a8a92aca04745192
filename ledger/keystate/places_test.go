package keystate_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

// afterOne creates a store, destroys one key, and returns its disks as they
// were before that.
func afterOne(t *testing.T, w *world) (before []*memfs.FS) {
	t.Helper()
	ctx := context.Background()
	s, err := keystate.Create(ctx, w.options(), keytree.New(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range w.disks {
		before = append(before, d.Restart())
	}
	if _, err := s.Destroy(ctx, bucket(1)); err != nil {
		t.Fatal(err)
	}
	return before
}

func TestPlaceOfAnotherLedgerIsLeftAlone(t *testing.T) {
	ctx := context.Background()
	for name, wrapper := range map[string]keystate.Wrapper{"as it is": nil, "under a passphrase": keystate.Passphrase("battery", 4)} {
		t.Run(name, func(t *testing.T) {
			w, other := newWorld(t, nil), newWorld(t, nil)
			other.owner = [32]byte{2}
			afterOne(t, w)
			o := other.options()
			o.Wrapper = wrapper
			if _, err := keystate.Create(ctx, o, keytree.New([32]byte{6})); err != nil {
				t.Fatal(err)
			}
			w.disks[1] = other.disks[1]
			before := files(t, w.disks[1])
			if _, err := keystate.Open(ctx, w.options()); !errors.Is(err, keystate.ErrOther) {
				t.Errorf("got %v, want ErrOther", err)
			}
			if after := files(t, w.disks[1]); !bytes.Equal(after["cell-0"], before["cell-0"]) {
				t.Error("the cell of the other ledger is gone")
			}
		})
	}
}

func TestOlderStateIsNotTakenForOneThatIsDamaged(t *testing.T) {
	for _, damaged := range []string{"state-1", "cell-1"} {
		w := newWorld(t, nil)
		w.disks[1] = afterOne(t, w)[1]
		w.disks[2] = memfs.New(nil)
		if err := w.disks[0].Damage(damaged, 60, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := keystate.Open(context.Background(), w.options()); !errors.Is(err, keystate.ErrStale) {
			t.Errorf("%s: got %v, want ErrStale", damaged, err)
		}
		if len(files(t, w.disks[0])["cell-1"]) == 0 {
			t.Errorf("%s: the latest cell is erased", damaged)
		}
	}
}

func TestStateOlderThanTheEscrowIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	before := afterOne(t, w)
	w.disks[0], w.disks[1] = before[0], before[1]
	if _, err := keystate.Open(context.Background(), w.options()); !errors.Is(err, keystate.ErrStale) {
		t.Errorf("got %v, want ErrStale", err)
	}
	if len(files(t, w.disks[2])["escrow-1.age"]) == 0 {
		t.Error("the latest state is erased from the escrow")
	}
}

func TestCreateTakesNoEscrowThatIsInUse(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	if _, err := keystate.Create(ctx, w.options(), keytree.New(root)); err != nil {
		t.Fatal(err)
	}
	w.disks[0], w.disks[1] = memfs.New(nil), memfs.New(nil)
	if _, err := keystate.Create(ctx, w.options(), keytree.New([32]byte{6})); !errors.Is(err, keystate.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
}

func TestPlacesAreMadeAgainFromTheEscrow(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	before := afterOne(t, w)
	earlier, latest := files(t, before[2])["escrow-0.age"], files(t, w.disks[2])["escrow-1.age"]
	recover := func(b []byte, owner [32]byte) (*keytree.Tree, error) {
		return keystate.Recover(bytes.NewReader(b), owner, w.identity)
	}
	if _, err := recover(latest, [32]byte{2}); !errors.Is(err, keystate.ErrOther) {
		t.Errorf("of another ledger: got %v, want ErrOther", err)
	}
	tree, err := recover(latest, w.owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keystate.Restore(ctx, w.options(), tree); !errors.Is(err, keystate.ErrExists) {
		t.Errorf("over what is there: got %v, want ErrExists", err)
	}
	w.disks[0], w.disks[1] = memfs.New(nil), memfs.New(nil)
	old, err := recover(earlier, w.owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keystate.Restore(ctx, w.options(), old); !errors.Is(err, keystate.ErrStale) {
		t.Errorf("from a file that the escrow has replaced: got %v, want ErrStale", err)
	}
	if _, err := keystate.Restore(ctx, w.options(), tree); err != nil {
		t.Fatal(err)
	}
	s, err := keystate.Open(ctx, w.options())
	if err != nil {
		t.Fatal(err)
	}
	holds(t, s.Tree(), 1)
	if got := files(t, w.disks[2])["escrow-1.age"]; !bytes.Equal(got, latest) {
		t.Error("the escrow has another file")
	}
}

func TestDamagedStateIsMadeWholeFromAnotherPlace(t *testing.T) {
	w := newWorld(t, nil)
	afterOne(t, w)
	if err := w.disks[0].Damage("state-1", 40, 1); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time without the other place
		s, err := keystate.Open(context.Background(), w.options())
		if err != nil {
			t.Fatal(err)
		}
		holds(t, s.Tree(), 1)
		w.disks[1] = memfs.New(nil)
	}
}

func TestCurrentIsOneStateWhileKeysAreDestroyed(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	s, err := keystate.Create(ctx, w.options(), keytree.New(root))
	if err != nil {
		t.Fatal(err)
	}
	seen, said := make(map[keystate.Replacement]bool), map[keystate.Replacement]bool{s.Current(): true}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				seen[s.Current()] = true
			}
		}
	})
	for n := range 200 {
		r, err := s.Destroy(ctx, bucket(n))
		if err != nil {
			t.Fatal(err)
		}
		said[r] = true
	}
	close(done)
	wg.Wait()
	for r := range seen {
		if !said[r] {
			t.Errorf("epoch %d has the hash of another state", r.Epoch)
		}
	}
}

// A wideWrapper makes cells of several sectors, as a key service can. It opens
// only what is whole.
type wideWrapper struct{}

func (wideWrapper) Name() string { return "wide" }

func (wideWrapper) Wrap(_ context.Context, cell []byte) ([]byte, error) {
	return bytes.Repeat(cell, 50), nil
}

func (wideWrapper) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	if cell := wrapped[:32]; bytes.Equal(wrapped, bytes.Repeat(cell, 50)) {
		return cell, nil
	}
	return nil, errors.New("it was not wrapped here")
}

func TestCellThatAPowerCutTearsIsNoCell(t *testing.T) {
	ctx := context.Background()
	for step, struck := 0, true; struck; step++ {
		struck = false
		for seed := range uint64(8) {
			plan := &fault.Plan{Seed: seed}
			plan.At(step, fault.Torn)
			w := newWorld(t, plan)
			options := func() keystate.Options {
				o := w.options()
				o.Wrapper = wideWrapper{}
				return o
			}
			s, err := keystate.Create(ctx, options(), keytree.New(root))
			if err == nil {
				_, err = s.Destroy(ctx, bucket(1))
			}
			struck = struck || plan.Struck() > 0
			rng := rand.New(rand.NewPCG(seed, uint64(step)))
			w.crash(rng)
			if s == nil { // nothing was derived yet
				continue
			}
			s, openErr := keystate.Open(ctx, options())
			if errors.Is(openErr, fault.ErrInjected) {
				w.crash(rng)
				s, openErr = keystate.Open(ctx, options())
			}
			if openErr != nil {
				t.Fatalf("step %d, %s, seed %d: %v", step, plan.Steps()[step], seed, openErr)
			}
			if err == nil {
				holds(t, s.Tree(), 1)
			}
		}
	}
}

func TestFilesSayWhatAPlaceHolds(t *testing.T) {
	w := newWorld(t, nil)
	if _, ok, err := w.options().Places[0].Holding(); ok || err != nil {
		t.Errorf("an empty place: got %v, %v, want that it holds nothing", ok, err)
	}
	if _, ok, err := w.options().Escrow.Place.EscrowEpoch(); ok || err != nil {
		t.Errorf("an empty escrow: got %v, %v, want that it holds nothing", ok, err)
	}
	o := w.options()
	o.Wrapper = wideWrapper{}
	s, err := keystate.Create(context.Background(), o, keytree.New(root))
	if err == nil {
		_, err = s.Destroy(context.Background(), bucket(1))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range o.Places {
		if got, ok, err := p.Holding(); !ok || err != nil || got != (keystate.Holding{Owner: w.owner, Epoch: 1, Wrapping: "wide"}) {
			t.Errorf("%s: got %+v, %v, %v", p.Name, got, ok, err)
		}
	}
	if epoch, ok, err := o.Escrow.Place.EscrowEpoch(); epoch != 1 || !ok || err != nil {
		t.Errorf("the escrow: got %d, %v, %v, want 1", epoch, ok, err)
	}
}

func TestPlaceThatIsNoneAnyMoreIsErased(t *testing.T) {
	w := newWorld(t, nil)
	before := afterOne(t, w)
	old, now := keystate.Place{Name: "old", FS: before[0]}, w.options().Places[0]
	if err := old.Erase([32]byte{2}, 1); !errors.Is(err, keystate.ErrOther) {
		t.Errorf("of another ledger: got %v, want ErrOther", err)
	}
	if err := now.Erase(w.owner, 0); err == nil {
		t.Error("the latest state is erased")
	}
	if len(files(t, before[0])) != 2 || len(files(t, w.disks[0])) != 2 {
		t.Error("a refused erasure changed something")
	}
	if err := old.Erase(w.owner, 1); err != nil || len(files(t, before[0])) != 0 {
		t.Errorf("got %v, and %d files are left", err, len(files(t, before[0])))
	}
	if err := old.Erase(w.owner, 1); !errors.Is(err, keystate.ErrNone) {
		t.Errorf("again: got %v, want ErrNone", err)
	}
}

func TestCellIsClosedByWhatIsConfigured(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	afterOne(t, w)
	former := func(_ context.Context, name string) (keystate.Wrapper, error) {
		if name != "wide" {
			return nil, errors.New("another one")
		}
		return wideWrapper{}, nil
	}
	horse := keystate.Passphrase("correct horse", 4)
	for _, now := range []struct {
		wrapper keystate.Wrapper
		former  func(context.Context, string) (keystate.Wrapper, error)
		opens   bool
		name    string // of what closes it afterwards
	}{
		{wideWrapper{}, nil, true, "wide"}, {horse, nil, false, "wide"}, {horse, former, true, "passphrase"},
		{nil, former, false, "passphrase"}, {horse, nil, true, "passphrase"},
	} {
		o := w.options()
		o.Wrapper, o.Former = now.wrapper, now.former
		s, err := keystate.Open(ctx, o)
		if (err == nil) != now.opens {
			t.Fatalf("by %v: got %v, want that it opens: %v", now.wrapper, err, now.opens)
		}
		if err == nil {
			holds(t, s.Tree(), 1)
		}
		for _, p := range o.Places {
			if h, _, err := p.Holding(); err != nil || h.Wrapping != now.name {
				t.Errorf("%s is closed by %q (%v), want %q", p.Name, h.Wrapping, err, now.name)
			}
		}
	}
	// A place that was away meanwhile, closed by what nobody has any more.
	o := w.options()
	o.Wrapper = wideWrapper{}
	away := newWorld(t, nil)
	ao := away.options()
	ao.Wrapper = horse
	if _, err := keystate.Create(ctx, ao, keytree.New(root)); err != nil {
		t.Fatal(err)
	}
	w.disks[0], w.disks[2] = away.disks[0], memfs.New(nil)
	o = w.options()
	o.Wrapper = keystate.Passphrase("correct horse", 4)
	if s, err := keystate.Open(ctx, o); err != nil || s.Current().Epoch != 1 {
		t.Fatalf("with an old place: got %v, want epoch 1", err)
	}
}
