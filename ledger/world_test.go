package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// A world is everything around a ledger: storage and tree that fail and crash
// on demand, three witnesses and a policy of two of them.
type world struct {
	t         testing.TB
	plan      *fault.Plan
	mem       *memory.World
	tree      *memoryTree
	keys      []proofs.SigningKey
	secrets   Secrets
	policy    *proofs.Policy
	text      []byte
	witnesses []*testWitness
	copied    bool
}

func newWorld(t testing.TB) *world {
	t.Helper()
	plan := &fault.Plan{}
	w := &world{t: t, plan: plan, mem: memory.New(plan), tree: newMemoryTree(plan), copied: true}
	rng := &seeded{rand.NewChaCha8([32]byte{1})}
	key, err := proofs.GenerateKey("example.com/ledger", proofs.Ed25519, rng)
	if err != nil {
		t.Fatal(err)
	}
	w.keys = []proofs.SigningKey{key}
	tree, err := keytree.Generate(rng)
	if err != nil {
		t.Fatal(err)
	}
	w.secrets = Secrets{Tree: tree, Master: proofs.Key256{7}}
	text := "log " + key.Key().String() + "\n"
	for i := range 3 {
		k, err := proofs.GenerateKey(fmt.Sprintf("w%d.example", i), proofs.Ed25519Cosignature, rng)
		if err != nil {
			t.Fatal(err)
		}
		w.witnesses = append(w.witnesses, &testWitness{key: k, log: key.Key()})
		text += fmt.Sprintf("witness w%d %s\n", i, k.Key())
	}
	text += "group quorum-group 2 w0 w1 w2\nquorum quorum-group\n"
	w.setPolicy(text)
	return w
}

func (w *world) setPolicy(text string) {
	w.t.Helper()
	w.text = []byte(text)
	var err error
	if w.policy, err = proofs.ParsePolicy(w.text); err != nil {
		w.t.Fatal(err)
	}
}

// seeded is randomness that is the same in every run.
type seeded struct{ *rand.ChaCha8 }

func (w *world) config() Config {
	c := Config{
		Journal: w.mem.Journal("journal"), Vault: w.mem.Vault("vault"), Index: w.mem.Index("index"),
		Objects: w.mem.Objects("objects"), Registers: w.mem.Registers("registers"),
		Tree: w.tree, Keys: w.keys, Secrets: w.secrets, Policy: w.policy, PolicyText: w.text,
		Heartbeat: time.Hour,
	}
	if w.copied {
		c.SignedCopy = w.mem.Register("signed-copy")
	}
	if testing.Verbose() && os.Getenv("CAIRN_TEST_LOG") != "" {
		c.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	for i, tw := range w.witnesses {
		c.Witnesses = append(c.Witnesses, Witness{Names: []string{fmt.Sprintf("w%d", i)}, Cosigner: tw})
	}
	return c
}

func (w *world) create() {
	w.t.Helper()
	if err := Create(context.Background(), w.config()); err != nil {
		w.t.Fatalf("create: %v", err)
	}
}

func (w *world) open() *Ledger {
	w.t.Helper()
	l, err := Open(context.Background(), w.config())
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	return l
}

// started returns a new ledger that is closed when the test ends.
func (w *world) started() *Ledger {
	w.t.Helper()
	w.create()
	l := w.open()
	w.t.Cleanup(func() { l.Close() })
	return l
}

// beating returns a new ledger that has its checkpoint cosigned so often, and
// has done so once.
func (w *world) beating(every time.Duration) *Ledger {
	w.t.Helper()
	w.create()
	c := w.config()
	c.Heartbeat = every
	l, err := Open(context.Background(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	appendEvents(w.t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1000))
	return l
}

// operator is whoever runs the ledger.
func operator(l *Ledger) *Session { return l.As(Caller{Name: "operator", Role: "operator"}) }

// signed returns a checkpoint of some tree of a size, signed by the ledger.
func (w *world) signed(t testing.TB, size uint64) []byte {
	return w.signedTree(t, size, proofs.Hash{1})
}

func (w *world) signedTree(t testing.TB, size uint64, root proofs.Hash) []byte {
	t.Helper()
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: w.keys[0].Key().Name(), Size: size, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.keys[0].SignCheckpoint(text, 0)
	if err != nil {
		t.Fatal(err)
	}
	return proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{s}})
}

// die ends the process of a ledger, and returns when nothing of it runs that
// could still sign, write or ask a witness.
func die(l *Ledger) {
	l.queue.close()
	l.writer.Wait()
	l.cancel()
	l.wg.Wait()
}

// crash cuts the power: what was not synced is lost, or a part of it. A ledger
// that has not died goes on in the world before, and with the same witnesses.
func (w *world) crash(rng *rand.Rand) {
	w.mem = w.mem.Crash(rng)
	w.tree = w.tree.crash(rng)
}

// restart closes nothing and loses nothing: the process died, the machine
// did not.
func (w *world) restart() {
	w.mem = w.mem.Restart()
	w.tree.mu.Lock()
	w.tree.failed = false
	w.tree.mu.Unlock()
}

// A testWitness keeps the law of a witness in memory, and misbehaves on demand.
type testWitness struct {
	mu     sync.Mutex
	key    proofs.SigningKey
	log    proofs.Key
	latest proofs.Checkpoint
	seen   map[uint64]proofs.Hash // every root it cosigned
	wrong  func(witness.Request) ([]byte, error)
	shows  []byte           // in place of what it cosigned last
	clock  func() time.Time // nil: time.Now
	asked  int
	fork   string // what showed that the log forked
}

func (tw *testWitness) misbehave(f func(witness.Request) ([]byte, error)) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	tw.wrong = f
}

func (tw *testWitness) AddCheckpoint(_ context.Context, r witness.Request) ([]byte, error) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	tw.asked++
	if tw.wrong != nil {
		return tw.wrong(r)
	}
	c, err := proofs.ParseSignedCheckpoint(r.Checkpoint)
	if err != nil {
		return nil, &witness.Error{Status: http.StatusBadRequest}
	}
	if len(c.Note.Signatures) != 1 {
		return nil, errors.New("test: the log sends signatures of others")
	}
	if _, err := tw.log.CheckSignature(c.Note.Text, c.Note.Signatures[0]); err != nil {
		return nil, &witness.Error{Status: http.StatusForbidden}
	}
	if r.Old != tw.latest.Size {
		return nil, &witness.Error{Status: http.StatusConflict, Size: tw.latest.Size}
	}
	oldRoot := tw.latest.Root
	if tw.latest.Size == 0 {
		oldRoot = proofs.EmptyRoot()
	}
	if err := proofs.CheckConsistency(r.Old, c.Size, oldRoot, c.Root, r.Proof); err != nil {
		tw.fork = fmt.Sprintf("the log asked for size %d after %d: %v", c.Size, r.Old, err)
		return nil, &witness.Error{Status: http.StatusUnprocessableEntity}
	}
	if tw.seen == nil {
		tw.seen = make(map[uint64]proofs.Hash)
	}
	if root, ok := tw.seen[c.Size]; ok && root != c.Root {
		tw.fork = fmt.Sprintf("the witness saw two trees of size %d", c.Size)
	}
	tw.latest = c.Checkpoint
	tw.seen[c.Size] = c.Root
	tw.shows = r.Checkpoint
	return tw.cosign(c)
}

func (tw *testWitness) Checkpoint(context.Context, string) ([]byte, error) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	return tw.shows, nil
}

func (tw *testWitness) cosign(c proofs.SignedCheckpoint) ([]byte, error) {
	now := time.Now
	if tw.clock != nil {
		now = tw.clock
	}
	s, err := tw.key.SignCheckpoint(c.Note.Text, uint64(now().Unix()))
	if err != nil {
		return nil, err
	}
	return proofs.FormatSignatures([]proofs.Signature{s}), nil
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for start := time.Now(); !so(); time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("it does not become true that %s", what)
		}
	}
}

// event returns the i-th of distinct events.
func event(i int) client.Event {
	return client.Event{Data: fmt.Appendf(nil, `{"n":%d,"actor":"user-%d"}`, i, i%5), IdempotencyKey: fmt.Sprintf("key-%d", i)}
}

// appendEvents appends events and fails the test when one is refused.
func appendEvents(t testing.TB, l client.Log, wait client.State, events ...client.Event) []client.Appended {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	got, err := l.Append(ctx, DefaultStream, events, wait)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	for i, a := range got {
		if a.Err != nil {
			t.Fatalf("append event %d: %v", i, a.Err)
		}
		if !a.State.Reached(wait) {
			t.Fatalf("append event %d: got state %s, want %s", i, a.State, wait)
		}
	}
	return got
}

// checkEntry reads an entry back and checks that it holds exactly the event,
// and that its receipt verifies.
func checkEntry(t testing.TB, l client.Log, policy *proofs.Policy, index uint64, want client.Event) {
	t.Helper()
	ctx := context.Background()
	e, err := l.Entry(ctx, index)
	if err != nil {
		t.Fatalf("entry %d: %v", index, err)
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		t.Fatalf("entry %d: %v", index, err)
	}
	if err := e.Disclosure.Check(leaf); err != nil {
		t.Fatalf("entry %d: %v", index, err)
	}
	if got := e.Disclosure.Parts[0].Data; !bytes.Equal(got, want.Data) {
		t.Fatalf("entry %d: got %q, want %q", index, got, want.Data)
	}
	raw, err := l.Receipt(ctx, index)
	if err != nil {
		t.Fatalf("receipt %d: %v", index, err)
	}
	receipt, err := proofs.ParseReceipt(raw)
	if err != nil {
		t.Fatalf("receipt %d: %v", index, err)
	}
	if _, err := receipt.Check(policy, e.Leaf); err != nil {
		t.Fatalf("receipt %d: %v", index, err)
	}
}
