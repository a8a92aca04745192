package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

func down(witness.Request) ([]byte, error) { return nil, errors.New("connection refused") }

func refuse(status int) func(witness.Request) ([]byte, error) {
	return func(witness.Request) ([]byte, error) { return nil, &witness.Error{Status: status} }
}

func TestOneBadWitnessOfThreeChangesNothing(t *testing.T) {
	for name, wrong := range map[string]func(witness.Request) ([]byte, error){
		"is down":                    down,
		"answers 400":                refuse(http.StatusBadRequest),
		"does not know the log":      refuse(http.StatusNotFound),
		"refuses the signature":      refuse(http.StatusForbidden),
		"finds the proof wrong":      refuse(http.StatusUnprocessableEntity),
		"has too much to do":         refuse(http.StatusTooManyRequests),
		"has an error":               refuse(http.StatusInternalServerError),
		"answers nothing":            func(witness.Request) ([]byte, error) { return nil, nil },
		"answers garbage":            func(witness.Request) ([]byte, error) { return []byte("<html>\n"), nil },
		"repeats the log's own line": func(r witness.Request) ([]byte, error) { return r.Checkpoint[len(r.Checkpoint)-10:], nil },
		"is slow":                    func(witness.Request) ([]byte, error) { time.Sleep(300 * time.Millisecond); return nil, nil },
		"always claims size 1":       func(witness.Request) ([]byte, error) { return nil, &witness.Error{Status: 409, Size: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.witnesses[1].misbehave(wrong)
			l := w.started()
			for i := range 3 {
				appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(i))
			}
		})
	}
}

func TestWithoutQuorumNothingIsPublishedAndNothingLost(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(0))
	before, _ := l.progress.snapshot()
	w.witnesses[0].misbehave(down)
	w.witnesses[2].misbehave(down)
	got := appendEvents(t, l.As(Caller{Name: "alice"}), client.Integrated, event(1))
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	late, err := l.As(Caller{Name: "alice"}).Append(ctx, DefaultStream, []client.Event{event(2)}, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	if late[0].State == client.Witnessed || late[0].Promise == nil {
		t.Errorf("got state %s and promise %v, want a weaker state with a promise", late[0].State, late[0].Promise)
	}
	if sizes, _ := l.progress.snapshot(); sizes.Published != before.Published {
		t.Errorf("got published size %d, want still %d", sizes.Published, before.Published)
	}
	w.witnesses[0].misbehave(nil)
	w.witnesses[2].misbehave(nil)
	again := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1), event(2))
	if again[0].Index != got[0].Index || again[1].Index != late[0].Index {
		t.Errorf("got indices %d, %d, want %d, %d", again[0].Index, again[1].Index, got[0].Index, late[0].Index)
	}
}

func TestWitnessAheadStopsTheLedger(t *testing.T) {
	w := newWorld(t)
	w.create()
	old := w.mem.Crash(nil)
	oldTree := w.tree.crash(nil)
	l := w.open()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The directory of an hour ago comes back, without the copy of "signed".
	w.mem, w.tree, w.copied = old, oldTree, false
	l = w.open()
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := l.As(Caller{Name: "alice"}).Append(ctx, DefaultStream, []client.Event{event(2)}, client.Sequenced)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	var ahead *AheadError
	if !errors.As(l.Stopped(), &ahead) {
		t.Errorf("got %v, want that a witness is ahead", l.Stopped())
	}
}

func TestRestoredCopyIsRefusedByTheCopyOfSigned(t *testing.T) {
	w := newWorld(t)
	w.create()
	l := w.open()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	fresh, err := w.mem.Register("signed-copy").Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	older := newWorld(t)
	older.create()
	c := older.config()
	old, err := c.SignedCopy.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SignedCopy.Swap(context.Background(), old, fresh); err != nil {
		t.Fatal(err)
	}
	var restored *RestoredError
	if _, err := Open(context.Background(), c); !errors.As(err, &restored) {
		t.Errorf("got %v, want a RestoredError", err)
	}
}

func TestCopyOfAnotherHistoryIsRefusedAlsoAfterARestart(t *testing.T) {
	w := newWorld(t)
	w.create()
	l := w.open()
	ctx := context.Background()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	// Another ledger with these keys signs one entry more.
	register := w.mem.Register("signed-copy")
	raw, err := register.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSigned(raw, w.keys)
	if err != nil {
		t.Fatal(err)
	}
	e := s.edge.clone()
	e.append([]byte("foreign"))
	if err := register.Swap(ctx, raw, formatSigned(w.signedTree(t, e.size, e.root()), e)); err != nil {
		t.Fatal(err)
	}
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Integrated, event(2), event(3), event(4))
	<-l.Failed()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.restart()
	var restored *RestoredError
	for range 2 {
		if _, err := Open(ctx, w.config()); !errors.As(err, &restored) {
			t.Fatalf("got %v, want a RestoredError", err)
		}
	}
}

func TestNothingIsSignedAfterAStartBeforeEnoughWitnessesAnswered(t *testing.T) {
	w := newWorld(t)
	w.create()
	for _, tw := range w.witnesses[:2] {
		tw.misbehave(down)
	}
	l := w.open()
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := l.As(Caller{Name: "alice"}).Append(ctx, DefaultStream, []client.Event{event(1)}, client.Sequenced); err == nil {
		t.Error("the ledger takes entries before its witnesses have answered")
	}
	w.witnesses[0].misbehave(nil)
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
}

func TestIdleLedgerHasFreshCosignatures(t *testing.T) {
	w := newWorld(t)
	l := w.beating(20 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.progress.wait(ctx, func(*progress) bool {
		w.witnesses[0].mu.Lock()
		defer w.witnesses[0].mu.Unlock()
		return w.witnesses[0].asked >= 4
	}); err != nil {
		t.Errorf("the witness was not asked again: %v", err)
	}
}

func TestClockThatDiffersFromTheWitnessesTakesNoEntries(t *testing.T) {
	w := newWorld(t)
	w.create()
	c := w.config()
	c.Clock = func() time.Time { return time.Now().Add(2 * time.Minute) }
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, []client.Event{event(1)}, client.Witnessed)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

// claim makes a witness say that it is far ahead, after the others are a
// quorum, and show a checkpoint. It returns when it has said so.
func claim(tw *testWitness, shows []byte) {
	said := make(chan struct{}, 1)
	tw.mu.Lock()
	tw.shows = shows
	tw.wrong = func(witness.Request) ([]byte, error) {
		time.Sleep(20 * time.Millisecond)
		select {
		case said <- struct{}{}:
		default:
		}
		return nil, &witness.Error{Status: http.StatusConflict, Size: 1 << 40}
	}
	tw.mu.Unlock()
	<-said
}

func TestWitnessThatProvesThatItIsAheadStopsTheLedger(t *testing.T) {
	w := newWorld(t)
	l := w.beating(10 * time.Millisecond)
	claim(w.witnesses[2], w.signed(t, 1<<40))
	select {
	case <-l.Failed():
	case <-time.After(time.Minute):
		t.Fatal("the ledger goes on")
	}
	var ahead *AheadError
	if !errors.As(l.Stopped(), &ahead) || ahead.Checkpoint == nil || ahead.Size != 1<<40 {
		t.Errorf("got %v, want that a witness proved that it is ahead", l.Stopped())
	}
}

func TestWitnessThatOnlySaysThatItIsAheadStopsNothing(t *testing.T) {
	others := newWorld(t) // another ledger of the same name
	key, err := proofs.GenerateKey(others.keys[0].Key().Name(), proofs.Ed25519, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	others.keys = []proofs.SigningKey{key}
	for name, shows := range map[string][]byte{
		"shows nothing":            nil,
		"shows garbage":            []byte("<html>"),
		"shows what others signed": others.signed(t, 1<<40),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			l := w.beating(10 * time.Millisecond)
			claim(w.witnesses[2], shows)
			appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
			if err := l.Stopped(); err != nil {
				t.Errorf("got %v, want that the ledger goes on", err)
			}
			eventually(t, "the witness does not prove what it says", func() bool {
				return strings.Contains(lastTrouble(l), "does not prove it")
			})
		})
	}
}

func TestOneWrongClockAmongTheWitnessesChangesNothing(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		w := newWorld(t)
		w.witnesses[0].clock = func() time.Time { return time.Now().Add(off) }
		right := w.witnesses[1].key
		w.witnesses[1].misbehave(func(r witness.Request) ([]byte, error) { // the third is last to answer
			time.Sleep(50 * time.Millisecond)
			c, err := proofs.ParseSignedCheckpoint(r.Checkpoint)
			if err != nil {
				return nil, err
			}
			return (&testWitness{key: right}).cosign(c)
		})
		l := w.started()
		appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(0))
		appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	}
}

func TestWitnessThatDeniesWhatItCosignedChangesNothing(t *testing.T) {
	w := newWorld(t)
	l := w.beating(10 * time.Millisecond)
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(0))
	time.Sleep(50 * time.Millisecond) // all have cosigned
	denied := make(chan struct{}, 100)
	w.witnesses[1].misbehave(func(witness.Request) ([]byte, error) {
		select {
		case denied <- struct{}{}:
		default:
		}
		return nil, &witness.Error{Status: http.StatusUnprocessableEntity}
	})
	<-denied
	<-denied
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	if err := l.Stopped(); err != nil {
		t.Errorf("got %v, want that the ledger goes on", err)
	}
}

func TestWitnessWithAnotherTreeOfOurSizeStopsTheLedger(t *testing.T) {
	w := newWorld(t)
	w.create()
	size := uint64(5) // of a new ledger
	denied := make(chan struct{})
	var once sync.Once
	w.witnesses[0].misbehave(func(r witness.Request) ([]byte, error) {
		if r.Old != size {
			return nil, &witness.Error{Status: http.StatusConflict, Size: size}
		}
		once.Do(func() { close(denied) })
		return nil, &witness.Error{Status: http.StatusUnprocessableEntity}
	})
	for _, tw := range w.witnesses[1:] { // the start is not over before
		tw.misbehave(func(witness.Request) ([]byte, error) {
			<-denied
			time.Sleep(50 * time.Millisecond)
			return nil, errors.New("connection reset")
		})
	}
	l := w.open()
	defer l.Close()
	select {
	case <-l.Failed():
	case <-time.After(time.Minute):
		t.Fatal("the ledger goes on")
	}
	var ahead *AheadError
	if !errors.As(l.Stopped(), &ahead) || ahead.Size != size {
		t.Errorf("got %v, want that a witness has another tree of size %d", l.Stopped(), size)
	}
}

func TestWitnessThatHasAnotherHistoryOfTheLogStopsTheLedger(t *testing.T) {
	w := newWorld(t)
	w.witnesses[2].misbehave(down)
	l := w.beating(10 * time.Millisecond)
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1), event(2), event(3))
	tw := w.witnesses[2]
	tw.mu.Lock() // it has a smaller tree than ours, which is not a part of ours
	tw.latest, tw.shows, tw.wrong = proofs.Checkpoint{Size: 5, Root: proofs.Hash{1}}, w.signed(t, 5), nil
	tw.mu.Unlock()
	select {
	case <-l.Failed():
	case <-time.After(time.Minute):
		t.Fatal("the ledger goes on")
	}
	var ahead *AheadError
	if !errors.As(l.Stopped(), &ahead) || ahead.Checkpoint == nil || ahead.Size != 5 {
		t.Errorf("got %v, want that a witness proved another history", l.Stopped())
	}
}

// A fed witness gets from somebody else, while it is asked, what the ledger
// has published meanwhile.
type fedWitness struct {
	*testWitness
	feed func(witness.Request)
}

func (f *fedWitness) AddCheckpoint(ctx context.Context, r witness.Request) ([]byte, error) {
	f.feed(r)
	return f.testWitness.AddCheckpoint(ctx, r)
}

func TestWitnessThatOthersGaveOurPublicCheckpointStopsNothing(t *testing.T) {
	w := newWorld(t)
	w.create()
	c := w.config()
	fed := make(chan struct{})
	var l *Ledger
	opened := make(chan struct{})
	f := &fedWitness{testWitness: w.witnesses[2]}
	f.feed = func(r witness.Request) {
		<-opened
		asked, err := proofs.ParseSignedCheckpoint(r.Checkpoint)
		if err != nil {
			t.Error(err)
			return
		}
		if asked.Size < 5 { // until there is something to feed
			return
		}
		select {
		case <-fed:
			return
		default:
		}
		defer close(fed)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Published > asked.Size }); err != nil {
			t.Error(err)
			return
		}
		public, err := proofs.ParseSignedCheckpoint(l.progress.publication().note)
		if err != nil {
			t.Error(err)
			return
		}
		public.Note.Signatures = public.Note.Signatures[:1]
		old := f.latest.Size
		proof, err := l.ProveConsistency(ctx, old, public.Size)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := f.testWitness.AddCheckpoint(ctx, witness.Request{Old: old, Proof: proof, Checkpoint: proofs.FormatSignedCheckpoint(public)}); err != nil {
			t.Errorf("feed: %v", err)
		}
	}
	c.Witnesses[2].Cosigner = f
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	close(opened)
	for i, done := 0, false; !done; i++ {
		appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(i))
		select {
		case <-fed:
			done = true
		default:
		}
	}
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(-1))
	eventually(t, "the witness cosigns again", func() bool { return lastTrouble(l) == "" })
}

// lastTrouble returns what the last of three witnesses has said.
func lastTrouble(l *Ledger) string {
	if w := l.Status().Witness; len(w) == 3 {
		return w[2].Trouble
	}
	return "not all have answered"
}

func TestWitnessOfTwoKeysMayAnswerWithOne(t *testing.T) {
	w := newWorld(t)
	second, err := proofs.GenerateKey("w0.example", proofs.MLDSA44, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.setPolicy("log " + w.keys[0].Key().String() + "\nwitness w0 " + w.witnesses[0].key.Key().String() +
		"\nwitness w0pq " + second.Key().String() + "\ngroup w any w0 w0pq\nquorum w\n")
	w.witnesses = w.witnesses[:1]
	w.create()
	c := w.config()
	c.Witnesses[0].Names = []string{"w0", "w0pq"}
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
}

// A shiftedClock is a clock that can be set.
type shiftedClock struct{ shift atomic.Int64 }

func (c *shiftedClock) now() time.Time        { return time.Now().Add(time.Duration(c.shift.Load())) }
func (c *shiftedClock) set(off time.Duration) { c.shift.Store(int64(off)) }

func TestOutageOfAWitnessIsNoWrongClock(t *testing.T) {
	w := newWorld(t)
	w.setPolicy(strings.Replace(string(w.text), "quorum-group 2", "quorum-group 3", 1))
	w.create()
	var clock shiftedClock
	c := w.config()
	c.Clock, c.Heartbeat = clock.now, time.Hour
	for _, tw := range w.witnesses {
		tw.clock = clock.now
	}
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	w.witnesses[2].misbehave(down)
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Integrated, event(2))
	time.Sleep(200 * time.Millisecond) // the others have cosigned
	clock.set(2 * time.Minute)         // the time passes
	w.witnesses[2].misbehave(nil)
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(2), event(3))
}

func TestClockThatIsSetWrongTakesNoEntries(t *testing.T) {
	for _, off := range []time.Duration{-24 * time.Hour, 365 * 24 * time.Hour} {
		w := newWorld(t)
		w.create()
		var clock shiftedClock
		c := w.config()
		c.Clock = clock.now
		l, err := Open(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
		clock.set(off)
		_, err = l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, []client.Event{event(2)}, client.Sequenced)
		var p *client.Problem
		if !errors.As(err, &p) || p.Code() != client.Unavailable {
			t.Errorf("clock set by %v: got %v, want unavailable", off, err)
		}
		if s := l.Status(); s.Ready || math.Abs(s.ClockAhead-off.Seconds()) > 5 {
			t.Errorf("clock set by %v: status says ready %v and %v s ahead", off, s.Ready, s.ClockAhead)
		}
		clock.set(0)
		appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(3))
		judged(t, l, w.policy)
	}
}

func TestClockThatIsSetRightTakesEntriesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.create()
	var clock shiftedClock
	c := w.config()
	c.Clock = clock.now
	for _, tw := range w.witnesses {
		tw.clock = clock.now // for them the time has passed too: the machine slept
	}
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	clock.set(8 * time.Hour)
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(2))
}

func TestOneWitnessCannotVouchForAClockAgainstAQuorum(t *testing.T) {
	w := newWorld(t)
	w.create()
	var clock shiftedClock
	clock.set(time.Hour)
	c := w.config()
	c.Clock = clock.now
	w.witnesses[2].clock = clock.now // it lies
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, []client.Event{event(1)}, client.Sequenced)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}
