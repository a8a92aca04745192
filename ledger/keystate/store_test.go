package keystate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

// A world is the disks that a store uses.
type world struct {
	disks    []*memfs.FS // two places and the escrow
	identity *age.X25519Identity
	owner    [32]byte
	rand     *rand.ChaCha8
}

func newWorld(t testing.TB, plan *fault.Plan) *world {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{identity: identity, owner: [32]byte{1}, rand: rand.NewChaCha8([32]byte{3})}
	for range 3 {
		w.disks = append(w.disks, memfs.New(plan))
	}
	return w
}

func (w *world) options() keystate.Options {
	o := keystate.Options{Rand: w.rand, Owner: w.owner}
	for i, d := range w.disks[:2] {
		o.Places = append(o.Places, keystate.Place{Name: fmt.Sprintf("place %d", i), FS: d})
	}
	o.Escrow = &keystate.Escrow{Place: keystate.Place{Name: "escrow", FS: w.disks[2]}, Recipients: []age.Recipient{w.identity.Recipient()}}
	return o
}

// crash cuts the power, or where rng is nil only ends the process.
func (w *world) crash(rng *rand.Rand) {
	for i, d := range w.disks {
		if rng == nil {
			w.disks[i] = d.Restart()
		} else {
			w.disks[i] = d.Crash(rng)
		}
	}
}

// open opens the store, once more where a fault struck.
func (w *world) open(rng *rand.Rand) (*keystate.Store, error) {
	s, err := keystate.Open(context.Background(), w.options())
	if errors.Is(err, fault.ErrInjected) {
		w.crash(rng)
		s, err = keystate.Open(context.Background(), w.options())
	}
	return s, err
}

// files returns the names and bytes of all files of a disk.
func files(t testing.TB, d *memfs.FS) map[string][]byte {
	t.Helper()
	infos, err := d.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, i := range infos {
		info, err := d.Stat(i.Name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := d.Open(i.Name)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, info.Size)
		if _, err := f.ReadAt(b, 0); err != nil && len(b) > 0 {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		all[i.Name] = b
	}
	return all
}

var root = [32]byte{5}

// bucket returns the path of the n-th bucket's sealing key.
func bucket(n int) keytree.Path { return keytree.Bucket(1, 1, uint32(n)).For(keytree.Sealing) }

// holds checks that exactly these buckets have their keys, and that they are
// the keys that they always had.
func holds(t testing.TB, tree *keytree.Tree, gone ...int) {
	t.Helper()
	whole := keytree.New(root)
	for n := range 8 {
		want, err := whole.Derive(bucket(n))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tree.Derive(bucket(n))
		destroyed := false
		for _, g := range gone {
			destroyed = destroyed || g == n
		}
		switch {
		case destroyed && !errors.Is(err, keytree.ErrDestroyed):
			t.Errorf("bucket %d: got error %v, want that its key is destroyed", n, err)
		case !destroyed && (err != nil || got != want):
			t.Errorf("bucket %d: its key is another one, error %v", n, err)
		}
	}
}

func TestStoreKeepsTheLatestStateInAllPlaces(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	s, err := keystate.Create(ctx, w.options(), keytree.New(root))
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		r, err := s.Destroy(ctx, bucket(n))
		if err != nil {
			t.Fatal(err)
		}
		if r.Epoch != uint64(n) || r != s.Current() {
			t.Errorf("got %+v, want epoch %d, the current one", r, n)
		}
	}
	for i, want := range []string{"cell-3 state-3", "cell-3 state-3", "escrow-3.age"} {
		var names []string
		for name := range files(t, w.disks[i]) {
			names = append(names, name)
		}
		if len(names) == 2 && names[0] > names[1] {
			names[0], names[1] = names[1], names[0]
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("disk %d has %s, want %s", i, got, want)
		}
	}
	again, err := keystate.Open(ctx, w.options())
	if err != nil {
		t.Fatal(err)
	}
	holds(t, again.Tree(), 1, 2, 3)
	if again.Current() != s.Current() {
		t.Errorf("got %+v, want %+v", again.Current(), s.Current())
	}
	if r, err := again.Destroy(ctx, bucket(2)); err != nil || r.Epoch != 3 {
		t.Errorf("destroyed again: got %+v, %v, want that nothing changes", r, err)
	}
	recovered, err := keystate.Recover(bytes.NewReader(files(t, w.disks[2])["escrow-3.age"]), w.owner, w.identity)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, recovered, 1, 2, 3)
}

func TestPlaceThatIsEmptyIsFilled(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	s, err := keystate.Create(ctx, w.options(), keytree.New(root))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Destroy(ctx, bucket(1)); err != nil {
		t.Fatal(err)
	}
	w.disks[0], w.disks[2] = memfs.New(nil), memfs.New(nil)
	if _, err := keystate.Open(ctx, w.options()); err != nil {
		t.Fatal(err)
	}
	w.disks[1] = memfs.New(nil)
	if s, err = keystate.Open(ctx, w.options()); err != nil {
		t.Fatal(err)
	}
	holds(t, s.Tree(), 1)
	if got := len(files(t, w.disks[2])); got != 1 {
		t.Errorf("the escrow has %d files, want 1", got)
	}
}

func TestOnePlaceIsNotEnoughToDestroyKeys(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	o := w.options()
	o.Places, o.Escrow = o.Places[:1], nil
	s, err := keystate.Create(ctx, o, keytree.New(root))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Destroy(ctx, bucket(1)); !errors.Is(err, keystate.ErrOneCopy) || !errors.Is(s.Check(), keystate.ErrOneCopy) {
		t.Errorf("got %v, and %v before it was tried, want ErrOneCopy", err, s.Check())
	}
	holds(t, s.Tree())
	two := w.options()
	two.Escrow = nil
	if s, err = keystate.Open(ctx, two); err != nil || s.Check() != nil {
		t.Errorf("with two places: got %v and %v, want that keys can be destroyed", err, s.Check())
	}
}

func TestCreateTakesNoPlaceThatIsInUse(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	if _, err := keystate.Open(ctx, w.options()); !errors.Is(err, keystate.ErrNone) {
		t.Errorf("open of nothing: got %v, want ErrNone", err)
	}
	if _, err := keystate.Create(ctx, w.options(), keytree.New(root)); err != nil {
		t.Fatal(err)
	}
	before := files(t, w.disks[1])
	w.disks[0] = memfs.New(nil)
	if _, err := keystate.Create(ctx, w.options(), keytree.New([32]byte{6})); !errors.Is(err, keystate.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	if len(files(t, w.disks[0])) != 0 || !bytes.Equal(files(t, w.disks[1])["cell-0"], before["cell-0"]) {
		t.Error("a refused creation changed something")
	}
}

func TestPlacesThatDisagreeAreRefused(t *testing.T) {
	ctx := context.Background()
	w, other := newWorld(t, nil), newWorld(t, nil)
	if _, err := keystate.Create(ctx, w.options(), keytree.New(root)); err != nil {
		t.Fatal(err)
	}
	if _, err := keystate.Create(ctx, other.options(), keytree.New([32]byte{6})); err != nil {
		t.Fatal(err)
	}
	w.disks[1] = other.disks[1]
	if _, err := keystate.Open(ctx, w.options()); err == nil || !strings.Contains(err.Error(), "place 1") {
		t.Errorf("got %v, want that place 1 has another state", err)
	}
}

// TestErasedIsGone looks for what must not be there: nothing of the old cell,
// and no way from all old files, but for it, to a destroyed key.
func TestErasedIsGone(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	s, err := keystate.Create(ctx, w.options(), keytree.New(root))
	if err != nil {
		t.Fatal(err)
	}
	old := files(t, w.disks[0])
	if _, err := s.Destroy(ctx, bucket(1)); err != nil {
		t.Fatal(err)
	}
	cell := old["cell-0"][len(old["cell-0"])-32:]
	for i, d := range w.disks {
		for name, b := range files(t, d) {
			if bytes.Contains(b, cell) {
				t.Errorf("disk %d: %s holds the old cell", i, name)
			}
		}
	}
	// A backup brings the old state back, and not the cell.
	backup := memfs.New(nil)
	for _, name := range []string{"state-0", "cell-1"} {
		b := old[name]
		if b == nil {
			b = files(t, w.disks[0])[name]
		}
		f, err := backup.Create(strings.Replace(name, "cell-1", "cell-0", 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	o := w.options()
	o.Places, o.Escrow = []keystate.Place{{Name: "backup", FS: backup}}, nil
	if _, err := keystate.Open(ctx, o); !errors.Is(err, keystate.ErrMalformed) {
		t.Errorf("the backup opens with the new cell: %v", err)
	}
}

func TestPassphraseClosesTheCell(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, nil)
	o := w.options()
	o.Wrapper = keystate.Passphrase("correct horse", 4)
	s, err := keystate.Create(ctx, o, keytree.New(root))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Destroy(ctx, bucket(1)); err != nil {
		t.Fatal(err)
	}
	for what, wrapper := range map[string]keystate.Wrapper{"no wrapper": nil, "another passphrase": keystate.Passphrase("battery", 4)} {
		o.Wrapper = wrapper
		if _, err := keystate.Open(ctx, o); err == nil {
			t.Errorf("it opens with %s", what)
		}
	}
	o.Wrapper = keystate.Passphrase("correct horse", 4)
	if s, err = keystate.Open(ctx, o); err != nil {
		t.Fatal(err)
	}
	holds(t, s.Tree(), 1)
}

// TestEveryStepEveryOutcome takes the life of a store once for every durable
// step of it and every way in which that can end. Then the process dies or
// the power goes, and Open has to find what was acknowledged.
func TestEveryStepEveryOutcome(t *testing.T) {
	tried, seeds := 0, uint64(4)
	if testing.Short() {
		seeds = 2
	}
	for step := 0; ; step++ {
		struck := false
		for _, outcome := range fault.Outcomes() {
			for seed := range seeds { // the first ends the process only
				plan := &fault.Plan{Seed: seed}
				plan.At(step, outcome)
				var rng *rand.Rand
				if seed > 0 {
					rng = rand.New(rand.NewPCG(seed, uint64(step)))
				}
				live(t, plan, rng)
				if t.Failed() {
					t.Fatalf("step %d, %s: %v, seed %d", step, plan.Steps()[step], outcome, seed)
				}
				struck = struck || plan.Struck() > 0
				tried++
			}
		}
		if !struck {
			break
		}
	}
	if tried < 200 {
		t.Errorf("only %d faults were tried", tried)
	}
	t.Logf("%d faults", tried)
}

func live(t *testing.T, plan *fault.Plan, rng *rand.Rand) {
	ctx := context.Background()
	w := newWorld(t, plan)
	s, err := keystate.Create(ctx, w.options(), keytree.New(root))
	if err != nil { // nothing was derived yet: it is created again
		w.crash(rng)
		if s, err = keystate.Create(ctx, w.options(), keytree.New(root)); errors.Is(err, keystate.ErrExists) {
			s, err = keystate.Open(ctx, w.options())
		}
		if err != nil {
			t.Errorf("create again: %v", err)
			return
		}
	}
	for n := 1; n <= 3; n++ {
		if _, err = s.Destroy(ctx, bucket(n)); err == nil {
			continue
		}
		if _, err := s.Destroy(ctx, bucket(n)); !errors.Is(err, keystate.ErrFailed) || !errors.Is(s.Check(), keystate.ErrFailed) {
			t.Errorf("after a failure: got %v, want ErrFailed", err)
		}
		w.crash(rng)
		if s, err = w.open(rng); err != nil {
			t.Errorf("open: %v", err)
			return
		}
		if _, err = s.Destroy(ctx, bucket(n)); err != nil { // the log repeats it
			t.Errorf("destroy again: %v", err)
			return
		}
	}
	w.crash(rand.New(rand.NewPCG(9, 9)))
	if s, err = w.open(rng); err != nil {
		t.Errorf("open at the end: %v", err)
		return
	}
	holds(t, s.Tree(), 1, 2, 3)
	for i, d := range w.disks {
		for name := range files(t, d) {
			if !strings.Contains(name, "-3") {
				t.Errorf("disk %d still has %s", i, name)
			}
		}
	}
}
