package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
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
				appendEvents(t, l.As("alice"), client.Witnessed, event(i))
			}
		})
	}
}

func TestWithoutQuorumNothingIsPublishedAndNothingLost(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	appendEvents(t, l.As("alice"), client.Witnessed, event(0))
	before, _ := l.progress.snapshot()
	w.witnesses[0].misbehave(down)
	w.witnesses[2].misbehave(down)
	got := appendEvents(t, l.As("alice"), client.Integrated, event(1))
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	late, err := l.As("alice").Append(ctx, DefaultStream, []client.Event{event(2)}, client.Witnessed)
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
	again := appendEvents(t, l.As("alice"), client.Witnessed, event(1), event(2))
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
	appendEvents(t, l.As("alice"), client.Witnessed, event(1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The directory of an hour ago comes back, without the copy of "signed".
	w.mem, w.tree, w.copied = old, oldTree, false
	l = w.open()
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := l.As("alice").Append(ctx, DefaultStream, []client.Event{event(2)}, client.Sequenced)
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
	appendEvents(t, l.As("alice"), client.Witnessed, event(1))
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
	if _, err := l.As("alice").Append(ctx, DefaultStream, []client.Event{event(1)}, client.Sequenced); err == nil {
		t.Error("the ledger takes entries before its witnesses have answered")
	}
	w.witnesses[0].misbehave(nil)
	appendEvents(t, l.As("alice"), client.Witnessed, event(1))
}

func TestIdleLedgerHasFreshCosignatures(t *testing.T) {
	w := newWorld(t)
	l := w.beating(20 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
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
	_, err = l.As("alice").Append(context.Background(), DefaultStream, []client.Event{event(1)}, client.Witnessed)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

// claim makes a witness say that it is far ahead, after the others are a
// quorum, and returns when it has said so twice.
func claim(tw *testWitness) {
	said := make(chan struct{}, 100)
	tw.misbehave(func(witness.Request) ([]byte, error) {
		time.Sleep(20 * time.Millisecond)
		said <- struct{}{}
		return nil, &witness.Error{Status: http.StatusConflict, Size: 1 << 40}
	})
	<-said
	<-said
}

func TestWitnessThatProvesThatItIsAheadStopsTheLedger(t *testing.T) {
	w := newWorld(t)
	l := w.beating(10 * time.Millisecond)
	w.witnesses[2].shows = w.signed(t, 1<<40)
	claim(w.witnesses[2])
	select {
	case <-l.Failed():
	case <-time.After(10 * time.Second):
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
			w.witnesses[2].shows = shows
			claim(w.witnesses[2])
			appendEvents(t, l.As("alice"), client.Witnessed, event(1))
			if err := l.Stopped(); err != nil {
				t.Errorf("got %v, want that the ledger goes on", err)
			}
			if trouble := l.Status().Witness[2].Trouble; !strings.Contains(trouble, "does not prove it") {
				t.Errorf("got trouble %q, want that the witness does not prove what it says", trouble)
			}
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
		appendEvents(t, l.As("alice"), client.Witnessed, event(0))
		appendEvents(t, l.As("alice"), client.Witnessed, event(1))
	}
}

func TestWitnessThatDeniesWhatItCosignedChangesNothing(t *testing.T) {
	w := newWorld(t)
	l := w.beating(10 * time.Millisecond)
	appendEvents(t, l.As("alice"), client.Witnessed, event(0))
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
	appendEvents(t, l.As("alice"), client.Witnessed, event(1))
	if err := l.Stopped(); err != nil {
		t.Errorf("got %v, want that the ledger goes on", err)
	}
}

func TestWitnessWithAnotherTreeOfOurSizeStopsTheLedger(t *testing.T) {
	w := newWorld(t)
	w.create()
	size := uint64(4) // of a new ledger
	w.witnesses[0].misbehave(func(r witness.Request) ([]byte, error) {
		if r.Old != size {
			return nil, &witness.Error{Status: http.StatusConflict, Size: size}
		}
		return nil, &witness.Error{Status: http.StatusUnprocessableEntity}
	})
	l := w.open()
	defer l.Close()
	select {
	case <-l.Failed():
	case <-time.After(10 * time.Second):
		t.Fatal("the ledger goes on")
	}
	var ahead *AheadError
	if !errors.As(l.Stopped(), &ahead) || ahead.Size != size {
		t.Errorf("got %v, want that a witness has another tree of size %d", l.Stopped(), size)
	}
}
