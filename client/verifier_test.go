package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/memory"
)

var ctx = context.Background()

func update(t *testing.T, w *watcher, size uint64) client.View {
	t.Helper()
	view, err := w.Update(ctx)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	if view.Checkpoint.Size != size {
		t.Fatalf("update: got size %d, want %d", view.Checkpoint.Size, size)
	}
	return view
}

// refused demands a HistoryError of a kind, saved evidence that shows it, and a
// memory that did not change.
func refused(t *testing.T, l *cheatingLog, w *watcher, err error, what string, believed []byte) {
	t.Helper()
	var h *client.HistoryError
	if !errors.As(err, &h) || !errors.Is(err, proofs.ErrNotVerified) || h.Evidence.What != what {
		t.Fatalf("got error %v, want a HistoryError: %s", err, what)
	}
	if len(w.evidence) != 1 {
		t.Fatalf("got %d pieces of evidence, want 1", len(w.evidence))
	}
	if err := w.evidence[0].Check(l.policy); err != nil {
		t.Errorf("the evidence does not convince: %v", err)
	}
	w.remembers(t, believed)
}

func TestVerifierFollowsALogThatGrows(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	for i, size := range []int{0, 1, 1, 2, 255, 256, 257, 600, 600} {
		signed := l.grow(size, "true", uint64(1000+i))
		view := update(t, w, uint64(size))
		w.remembers(t, signed)
		if !bytes.Equal(view.Signed, signed) || len(view.Cosignatures) != 2 {
			t.Errorf("size %d: the view is not of the checkpoint that was shown", size)
		}
		if i%2 == 0 { // also across processes
			w = w.again(l)
		}
	}
	view := update(t, w, 600)
	leaf, err := view.Reader.Leaf(ctx, 300)
	if err != nil || string(leaf) != "true 300" {
		t.Errorf("leaf 300: got %q and error %v, want the true one", leaf, err)
	}
}

func TestVerifierRefusesForks(t *testing.T) {
	tests := []struct {
		name             string
		before, kept, at int // the size believed, how much of it the fork keeps, the fork's size
	}{
		{"another tree of the same size", 5, 3, 5},
		{"a larger tree with another past", 5, 3, 9},
		{"another first entry", 300, 0, 700},
		{"only the last entry before differs", 256, 255, 513},
		{"another tree of size one", 1, 0, 1},
	}
	for _, tt := range tests {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, after a restart: %v", tt.name, restart), func(t *testing.T) {
				l := newCheatingLog(t)
				w := l.watch()
				believed := l.grow(tt.before, "true", 1000)
				update(t, w, uint64(tt.before))
				if restart {
					w = w.again(l)
				}
				l.rewrite(tt.kept)
				l.grow(tt.at, "false", 1001)
				_, err := w.Update(ctx)
				refused(t, l, w, err, client.Fork, believed)
			})
		}
	}
}

func TestVerifierRefusesRollbacks(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	believed := l.grow(300, "true", 1000)
	update(t, w, 300)
	l.grow(290, "true", 1001)
	_, err := w.Update(ctx)
	refused(t, l, w, err, client.Rollback, believed)
}

func TestVerifierSeesTheForkBehindARollback(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	believed := l.grow(300, "true", 1000)
	update(t, w, 300)
	honest := *l
	l.rewrite(200)
	l.grow(290, "false", 1001)
	// It still serves the files of the history that was believed.
	shown := l.shown
	*l = honest
	l.shown = shown
	_, err := w.Update(ctx)
	refused(t, l, w, err, client.Fork, believed)
}

func TestVerifierRefusesARollbackToNothing(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	believed := l.grow(3, "true", 1000)
	update(t, w, 3)
	l.rewrite(0)
	l.grow(0, "", 1001)
	_, err := w.Update(ctx)
	refused(t, l, w, err, client.Rollback, believed)
}

func TestVerifierRefusesCheckpointsThatThePolicyDoes(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	l.grow(10, "true", 1000)
	tests := []struct {
		name  string
		shown []byte
		want  error
	}{
		{"too few witnesses", l.sign(10, 1000, l.wit[0]), proofs.ErrNotVerified},
		{"no signature of the log", bytes.Replace(l.shown, []byte("— "+logOrigin+" "), []byte("— example.com/somebody "), 1), proofs.ErrNotVerified},
		{"a flipped bit in the root", bytes.Replace(l.shown, []byte("\n10\n"), []byte("\n11\n"), 1), proofs.ErrNotVerified},
		{"no checkpoint at all", []byte("hello\n"), proofs.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l.shown = tt.shown
			if _, err := w.Update(ctx); !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			if _, err := w.memory.Load(ctx); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("the memory was changed: error %v", err)
			}
		})
	}
}

// What is remembered of a log whose key the policy does not know accuses nobody,
// and is not forgotten either.
func TestVerifierTellsAnotherLedgerOfTheNameFromForks(t *testing.T) {
	for _, size := range []int{3, 10, 20, 300, 700} {
		before := newCheatingLog(t)
		w := before.watch()
		believed := before.grow(10, "before", 1000)
		update(t, w, 10)
		now := newCheatingLogOf(t, 2)
		now.grow(size, "now", 2000)
		w = w.again(now)
		_, err := w.Update(ctx)
		var h *client.HistoryError
		if !errors.Is(err, client.ErrOtherLedger) || !errors.Is(err, proofs.ErrNotVerified) || errors.As(err, &h) || len(w.evidence) > 0 {
			t.Errorf("size %d: got error %v, want that it is another ledger", size, err)
		}
		w.remembers(t, believed)
	}
	before := newCheatingLog(t)
	w := before.watch()
	before.grow(10, "the same", 1000)
	update(t, w, 10)
	now := newCheatingLogOf(t, 2) // the same log with a new key
	now.grow(20, "the same", 2000)
	update(t, w.again(now), 20)
}

func TestVerifierTellsDamageFromForks(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	believed := l.grow(300, "true", 1000)
	update(t, w, 300)
	l.grow(400, "true", 1001)
	l.altered["tile/0/001.p/144"] = make([]byte, 144*32)
	_, err := w.Update(ctx)
	var h *client.HistoryError
	if !errors.Is(err, proofs.ErrNotVerified) || errors.As(err, &h) {
		t.Errorf("got error %v, want one about a file and no HistoryError", err)
	}
	w.remembers(t, believed)
	delete(l.altered, "tile/0/001.p/144")
	update(t, w, 400)
}

func TestVerifierCouldNotTell(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	if _, err := w.Update(ctx); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("no checkpoint: got error %v, want fs.ErrNotExist alone", err)
	}
	l.grow(3, "true", 1000)
	other := memory.New(nil).Register("memory")
	if err := other.Swap(ctx, nil, []byte("not a checkpoint")); err != nil {
		t.Fatal(err)
	}
	w = l.watch(func(o *client.VerifierOptions) { o.Memory = other })
	if _, err := w.Update(ctx); err == nil || errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("a broken memory: got error %v, want one that does not blame the ledger", err)
	}
}

func TestVerifierDemandsFreshness(t *testing.T) {
	l := newCheatingLog(t)
	now := time.Unix(2000, 0)
	w := l.watch(func(o *client.VerifierOptions) {
		o.MaxAge, o.Clock = time.Minute, func() time.Time { return now }
	})
	l.grow(3, "true", 1940)
	update(t, w, 3)
	now = now.Add(time.Second)
	if _, err := w.Update(ctx); !errors.Is(err, proofs.ErrNotVerified) || !strings.Contains(err.Error(), "1m1s old") {
		t.Errorf("got error %v, want that the checkpoint is 1m1s old", err)
	}
	l.policy.Quorum = proofs.NoQuorum
	if _, err := l.watch(func(o *client.VerifierOptions) { o.MaxAge, o.Clock = time.Minute, time.Now }).Update(ctx); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("without witnesses: got error %v, want ErrNotVerified: nobody attests the age", err)
	}
}

func TestVerifierWaitsForCachesThatLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newCheatingLog(t)
		w := l.watch(func(o *client.VerifierOptions) { o.Patience = 8 * time.Second })
		believed := l.grow(300, "true", 1000)
		update(t, w, 300)
		l.shown = l.sign(290, 999, l.wit...)
		start := time.Now()
		l.asked = func(path string) {
			if path == "checkpoint" && time.Since(start) > 3500*time.Millisecond {
				l.shown = believed
			}
		}
		update(t, w, 300)
		if waited := time.Since(start); waited != 4*time.Second {
			t.Errorf("waited %v, want 4s", waited)
		}
		l.asked, l.shown = nil, l.sign(290, 999, l.wit...)
		_, err := w.Update(ctx)
		refused(t, l, w, err, client.Rollback, believed)
	})
}

// A sharedMemory lets another process change the memory between two calls.
type sharedMemory struct {
	storage.Register
	beforeSwap func()
}

func (m *sharedMemory) Swap(ctx context.Context, old, new []byte) error {
	if f := m.beforeSwap; f != nil {
		m.beforeSwap = nil
		f()
	}
	return m.Register.Swap(ctx, old, new)
}

func TestVerifiersShareAMemory(t *testing.T) {
	l := newCheatingLog(t)
	shared := &sharedMemory{Register: memory.New(nil).Register("memory")}
	first := l.watch(func(o *client.VerifierOptions) { o.Memory = shared })
	second := l.watch(func(o *client.VerifierOptions) { o.Memory = shared.Register })
	l.grow(10, "true", 1000)
	shared.beforeSwap = func() {
		l.grow(20, "true", 1001)
		update(t, second, 20)
	}
	update(t, first, 20) // and not a rollback from 20 to 10
	first.remembers(t, l.shown)
}

func TestNewVerifierNeedsItsParts(t *testing.T) {
	l := newCheatingLog(t)
	whole := client.VerifierOptions{Policy: l.policy, Files: l, Memory: memory.New(nil).Register("m")}
	for name, change := range map[string]func(*client.VerifierOptions){
		"policy": func(o *client.VerifierOptions) { o.Policy = nil },
		"files":  func(o *client.VerifierOptions) { o.Files = nil },
		"memory": func(o *client.VerifierOptions) { o.Memory = nil },
		"clock":  func(o *client.VerifierOptions) { o.MaxAge = time.Second },
	} {
		o := whole
		change(&o)
		if _, err := client.NewVerifier(o); err == nil {
			t.Errorf("without %s: got no error", name)
		}
	}
}

func TestVerifierSaysThatEvidenceIsLost(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch(func(o *client.VerifierOptions) {
		o.Evidence = func(context.Context, client.Evidence) error { return fs.ErrPermission }
	})
	l.grow(3, "true", 1000)
	update(t, w, 3)
	l.rewrite(0)
	l.grow(3, "false", 1001)
	_, err := w.Update(ctx)
	var h *client.HistoryError
	if !errors.As(err, &h) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got error %v, want the fork and that the evidence could not be saved", err)
	}
}

func ExampleVerifier() {
	// The policy comes from where one trusts, the files from the ledger: over
	// the network (Dial), or from a directory with an export, as here.
	text, export := sampleLedger()
	policy, err := proofs.ParsePolicy(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := client.NewVerifier(client.VerifierOptions{
		Policy: policy,
		Files:  proofs.FS(export),
		Memory: memory.New(nil).Register("memory"), // disk.OpenRegister remembers for longer
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	view, err := v.Update(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	leaf, err := view.Reader.Leaf(context.Background(), 1)
	fmt.Printf("%s has %d entries, and entry 1 is %q %v\n", view.Checkpoint.Origin, view.Checkpoint.Size, leaf, err)
	// Output: example.com/sample has 3 entries, and entry 1 is "entry 1" <nil>
}
