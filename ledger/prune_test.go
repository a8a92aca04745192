package ledger

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
)

// many is enough events to fill two bundles.
func many() []string { return slices.Repeat([]string{"alice"}, 600) }

// prunable returns an archive of which 600 events have expired.
func prunable(t *testing.T) (a *archive, events []uint64) {
	a = newArchive(t)
	a.short("week", 7)
	events = a.record("week", many()...)
	a.later(10)
	a.gone(events[0])
	return a, events
}

// pure is the bundle that holds nothing but events.
var pure = proofs.Bundle{Index: 1, Width: proofs.TileWidth}

func (a *archive) minimum() uint64 { return a.l.Pruning().Minimum }

func (a *archive) isWithheld(path string) bool {
	a.t.Helper()
	_, err := a.l.ReadFile(context.Background(), path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.t.Fatal(err)
	}
	return err != nil
}

// pruned waits until the minimum index is in force.
func (a *archive) pruned(minimum uint64) {
	a.t.Helper()
	eventually(a.t, "the minimum index is in force", func() bool { a.l.closer.nudge(); return a.minimum() >= minimum })
	if got := a.minimum(); got != minimum {
		a.t.Fatalf("the minimum index is %d, want %d", got, minimum)
	}
}

func TestWhatHasBeenClosedForLongEnoughIsPruned(t *testing.T) {
	a, events := prunable(t)
	ctx := t.Context()
	before := exported(t, a.l)
	bundle, err := a.l.ReadFile(ctx, pure.Path())
	if err != nil {
		t.Fatal(err)
	}
	a.later(400)
	if info := a.l.Pruning(); info != (PruningInfo{Closed: 512, Stream: DefaultStream}) {
		t.Errorf("where nothing says that anything is pruned: %+v", info)
	}
	if _, requested, err := a.as("operator").SetPruning(ctx, PruningConfig{Days: 401}); err != nil || requested {
		t.Fatalf("requested %t, %v", requested, err)
	}
	a.later(0)
	if a.minimum() != 0 || a.isWithheld(pure.Path()) {
		t.Error("it is pruned too early")
	}
	a.later(2)
	a.pruned(512)
	for range 2 {
		for path, withheld := range map[string]bool{
			pure.Path(): true,
			proofs.Bundle{Index: 1, Width: 200}.Path():                      true,
			proofs.Bundle{Width: proofs.TileWidth}.Path():                   false, // it says how to read the rest
			proofs.Bundle{Index: 2, Width: 5}.Path():                        false,
			proofs.Tile{Level: 0, Index: 1, Width: proofs.TileWidth}.Path(): false,
			proofs.Tile{Level: 1, Index: 0, Width: 2}.Path():                false,
		} {
			if got := a.isWithheld(path); got != withheld {
				t.Errorf("%s is withheld: %t, want %t", path, got, withheld)
			}
		}
		a.provesEverything(events, bundle)
		judged(t, a.l, a.policy)
		a.restart()
		eventually(t, "it serves again", func() bool { return a.minimum() == 512 })
	}
	if report, err := audit.Run(ctx, before, audit.Options{Policy: a.policy}); err != nil || !report.OK() {
		t.Errorf("an export from before: %v, %+v", err, report)
	}
}

// forgetful are registers that lost the snapshot of the state.
type forgetful struct{ storage.Registers }

func (f forgetful) Register(name string) storage.Register {
	if name == registerState {
		return memory.New(nil).Register(name)
	}
	return f.Registers.Register(name)
}

// TestAStartNeedsNoSnapshotOfWhatIsPruned: what is withheld is still there for
// the ledger itself.
func TestAStartNeedsNoSnapshotOfWhatIsPruned(t *testing.T) {
	a, events := prunable(t)
	if _, _, err := a.as("operator").SetPruning(t.Context(), PruningConfig{Days: 30}); err != nil {
		t.Fatal(err)
	}
	a.later(31)
	a.pruned(512)
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	store, err := keystate.Open(t.Context(), a.keystate())
	if err != nil {
		t.Fatal(err)
	}
	c := a.config()
	c.Keystate, c.Secrets.Tree, c.Registers = store, store.Tree(), forgetful{c.Registers}
	if a.l, err = Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it serves again", func() bool { return a.minimum() == 512 })
	if !a.isWithheld(pure.Path()) {
		t.Error("what was announced is not known any more")
	}
	a.gone(events[0])
	judged(t, a.l, a.policy)
}

// provesEverything demands that proofs of what is pruned, and of the rest, are
// made as before, and that witnesses go on to cosign.
func (a *archive) provesEverything(events []uint64, bundle []byte) {
	a.t.Helper()
	ctx := a.t.Context()
	leaves, err := proofs.ParseBundle(bundle, pure.Width)
	if err != nil {
		a.t.Fatal(err)
	}
	fresh := a.record(DefaultStream, "bob")[0]
	for _, index := range []uint64{events[0], 300, fresh} {
		raw, err := a.as("reader").Receipt(ctx, index)
		if err != nil {
			a.t.Fatalf("receipt of entry %d: %v", index, err)
		}
		r, err := proofs.ParseReceipt(raw)
		if err != nil {
			a.t.Fatal(err)
		}
		if _, err := r.Check(a.policy, r.Extra); err != nil {
			a.t.Errorf("receipt of entry %d: %v", index, err)
		}
		if index == 300 && !bytes.Equal(r.Extra, leaves[300-256]) {
			a.t.Errorf("entry %d is another one", index)
		}
	}
	if _, err := a.l.ProveConsistency(ctx, 10, fresh+1); err != nil {
		a.t.Errorf("consistency: %v", err)
	}
}

func TestWhatIsHeldIsNotPruned(t *testing.T) {
	a, _ := prunable(t)
	hold, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: 300, Last: 300}}, Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.as("operator").SetPruning(t.Context(), PruningConfig{Days: 30}); err != nil {
		t.Fatal(err)
	}
	a.later(31)
	a.pruned(256)
	if info := a.l.Pruning(); info.Hold != hold.Hold || info.Closed != 256 {
		t.Errorf("got %+v, want that the hold keeps entry 300", info)
	}
	if _, err := a.as("custodian").Release(t.Context(), Release{Hold: hold.Hold, Reason: "it is settled"}); err != nil {
		t.Fatal(err)
	}
	a.later(2)
	a.pruned(512)
	judged(t, a.l, a.policy)
}

func TestPruningNeedsTwoCustodiansWhereTheyAreSet(t *testing.T) {
	a, _ := prunable(t)
	ctx := t.Context()
	if _, _, err := a.as("operator").SetCustody(ctx, CustodyConfig{Custodians: 2}); err != nil {
		t.Fatal(err)
	}
	a.later(40)
	request, requested, err := a.as("carla").SetPruning(ctx, PruningConfig{Days: 30})
	if err != nil || !requested {
		t.Fatalf("requested %t, %v", requested, err)
	}
	if _, err := a.as("conrad").Approve(ctx, request); err != nil {
		t.Fatal(err)
	}
	a.pruned(512)
	if _, requested, err := a.as("carla").SetPruning(ctx, PruningConfig{}); err != nil || requested {
		t.Errorf("to prune nothing more: requested %t, %v", requested, err)
	}
	if a.minimum() != 512 {
		t.Error("what is pruned is back")
	}
	judged(t, a.l, a.policy)
}

// TestEveryStepOfPruningEveryOutcome lets every durable step end in every way
// from the setting on, and the ledger start again after each. The minimum index
// is in force once it was announced and published, and never before.
func TestEveryStepOfPruningEveryOutcome(t *testing.T) {
	plan := new(fault.Plan)
	first := newPruningJourney(t, plan, rand.New(rand.NewPCG(7, 7))).take(func(int) {})
	steps, tried := len(plan.Steps())-first, 0
	stride := closingStride
	if testing.Short() {
		stride *= 4
	}
	for step := int(time.Now().UnixNano()) % stride; step < steps; step += stride {
		for _, outcome := range fault.Outcomes() {
			plan := new(fault.Plan)
			first := newPruningJourney(t, plan, rand.New(rand.NewPCG(3, uint64(step)))).take(func(first int) { plan.At(first+step, outcome) })
			if t.Failed() {
				taken := plan.Steps()
				t.Fatalf("step %d, %s: %v", step, taken[min(first+step, len(taken)-1)], outcome)
			}
			tried++
		}
	}
	if steps < 20 {
		t.Errorf("only %d steps: the journey has become too short", steps)
	}
	t.Logf("%d steps, %d faults tried", steps, tried)
}

type pruningJourney struct{ *closingJourney }

func newPruningJourney(t *testing.T, plan *fault.Plan, rng *rand.Rand) pruningJourney {
	w := newWorld(t)
	w.plan, w.mem, w.tree = plan, memory.New(plan), newMemoryTree(plan)
	a := &archive{world: w, calendar: new(calendar), places: []*memfs.FS{memfs.New(plan), memfs.New(plan)}}
	for _, tw := range w.witnesses {
		tw.clock = a.now
	}
	return pruningJourney{&closingJourney{archive: a, rng: rng}}
}

// take returns how many steps come before pruning, which begin is told when they
// are over: it varies a little.
func (j pruningJourney) take(begin func(first int)) (first int) {
	j.begin()
	defer func() {
		if j.l != nil {
			j.l.Close()
		}
	}()
	ctx := context.Background()
	j.short("week", 7)
	events := j.record("week", many()...)
	j.later(10)
	j.gone(events[0])
	j.later(40)
	first = len(j.plan.Steps())
	begin(first)
	j.until("pruning", func() bool { return j.l.retain.Pruning().Days == 30 }, func() error {
		_, _, err := j.as("operator").SetPruning(ctx, PruningConfig{Days: 30})
		return err
	})
	nudge := func() error { j.l.closer.nudge(); return errors.New("again") }
	j.until("it is pruned", func() bool {
		withheld, minimum := j.isWithheld(pure.Path()), j.minimum()
		if withheld && minimum == 0 {
			j.t.Error("a bundle is withheld below no minimum index")
		}
		return withheld
	}, nudge)
	j.plan.Heal()
	j.until("an event is witnessed", func() bool { return j.minimum() == 512 && j.l.ready(ctx) == nil }, nudge)
	if _, err := j.as("app").Append(ctx, DefaultStream, []client.Event{{Data: []byte("{}")}}, client.Witnessed); err != nil {
		j.t.Error(err)
	}
	judged(j.t, j.l, j.policy)
	return first
}
