package ledger

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func TestRequestThatIsTooLargeStopsNothing(t *testing.T) {
	l := newWorld(t).started()
	var events []client.Event
	for i := range 40 {
		events = append(events, client.Event{Data: bytes.Repeat([]byte{byte(i)}, 1<<20), MediaType: "application/octet-stream"})
	}
	_, err := l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, events, client.Sequenced)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.TooLarge {
		t.Errorf("got %v, want too-large", err)
	}
	if err := l.Stopped(); err != nil {
		t.Errorf("the ledger stopped: %v", err)
	}
}

func TestEventAdmittedUnderOldSettingsIsAdmittedAgain(t *testing.T) {
	l := newWorld(t).started()
	ctx := context.Background()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	old, err := l.admitAll(ctx, "alice", DefaultStream, []client.Event{event(7)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := operator(l).SetStream(ctx, StreamConfig{Name: DefaultStream, Fields: []FieldConfig{{Name: "actor", Path: "$.actor"}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.submit(ctx, newRequest(old)); !errors.Is(err, errStale) {
		t.Errorf("got %v, want that the settings have changed", err)
	}
	a := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(7))[0]
	if len(a.Disclosure.Tags) != 1 {
		t.Errorf("got %d lists of tags, want the one of the declared field", len(a.Disclosure.Tags))
	}
}

func TestNothingIsSignedAfterTheLedgerStopped(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	for _, tw := range w.witnesses {
		tw.misbehave(refuse(http.StatusServiceUnavailable))
	}
	index := appendEvents(t, l.As(Caller{Name: "alice"}), client.Integrated, event(2))[0].Index
	eventually(t, "it is signed", func() bool { return l.Status().Sizes.Signed > index })
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Integrated, event(3))
	at, _ := l.progress.snapshot()
	l.stop(errors.New("a reason"))
	for _, tw := range w.witnesses {
		tw.misbehave(nil)
	}
	time.Sleep(300 * time.Millisecond)
	if after, _ := l.progress.snapshot(); after.Signed != at.Signed || after.Published != at.Published {
		t.Errorf("got %+v after the stop, want %+v", after, at)
	}
}

func TestRepeatWithAnotherSequenceNumberIsAConflict(t *testing.T) {
	l := newWorld(t).started()
	first := client.Event{Data: []byte("x"), MediaType: "text/plain", IdempotencyKey: "k", Source: "s", Sequence: 1}
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, first)
	for name, change := range map[string]func(*client.Event){
		"another sequence number": func(e *client.Event) { e.Sequence = 2 },
		"another signature":       func(e *client.Event) { e.Signature = []byte("other") },
		"another subject":         func(e *client.Event) { e.Subjects = []string{"bob"} },
		"another idempotency key": func(e *client.Event) { e.IdempotencyKey = "k2" },
		"no idempotency key":      func(e *client.Event) { e.IdempotencyKey = "" },
		"no sequence number":      func(e *client.Event) { e.Source, e.Sequence = "", 0 },
	} {
		again := first
		change(&again)
		got, err := l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, []client.Event{again}, client.Sequenced)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Err == nil || got[0].Err.Code() != client.Conflict {
			t.Errorf("%s: got %+v, want a conflict", name, got[0])
		}
	}
}

func TestKeyThatWasNotRecordedIsNotAcknowledged(t *testing.T) {
	l := newWorld(t).started()
	send := func(e client.Event) client.Appended {
		t.Helper()
		got, err := l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, []client.Event{e}, client.Witnessed)
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	x := client.Event{Data: []byte("x"), MediaType: "text/plain", IdempotencyKey: "k"}
	send(x)
	send(client.Event{Data: []byte("y"), MediaType: "text/plain", Source: "s", Sequence: 1})
	for _, number := range []uint64{1, 2} { // of another event; of none
		x.Source, x.Sequence = "s", number
		if a := send(x); a.Err == nil || a.Err.Code() != client.Conflict {
			t.Errorf("number %d: got %+v, want a conflict", number, a)
		}
	}
	if a := send(client.Event{Data: []byte("v"), MediaType: "text/plain", Source: "s", Sequence: 2}); a.Err != nil || a.Duplicate {
		t.Errorf("got %+v, want a new entry", a)
	}
}

func TestRepeatIsRecognisedUnderOtherSettings(t *testing.T) {
	l := newWorld(t).started()
	first := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))[0]
	if _, _, err := operator(l).SetStream(context.Background(), StreamConfig{Name: DefaultStream, Fields: []FieldConfig{{Name: "actor", Path: "$.actor", Subject: true}}}); err != nil {
		t.Fatal(err)
	}
	if again := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))[0]; !again.Duplicate || again.Index != first.Index {
		t.Errorf("got index %d, duplicate %v, want %d again", again.Index, again.Duplicate, first.Index)
	}
}

func TestRepeatInAWeakerStateCarriesAPromise(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	for _, tw := range w.witnesses {
		tw.misbehave(down)
	}
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Sequenced, event(2))
	got := appendEvents(t, l.As(Caller{Name: "alice"}), client.Integrated, event(2))[0]
	if got.Promise == nil {
		t.Fatal("there is no promise")
	}
	text, err := got.Promise.Check(w.policy, got.Index, got.Leaf)
	if err != nil || text.State != string(client.Integrated) {
		t.Errorf("got %+v, %v, want a promise of the state integrated", text, err)
	}
}

func TestTileOfALevelThatCannotBeIsNotThere(t *testing.T) {
	l := newWorld(t).started()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	for _, path := range []string{"tile/32/000.p/1", "tile/1/000.p/1", "tile/0/001.p/1"} {
		if _, err := l.ReadFile(context.Background(), path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want not exist", path, err)
		}
	}
}

// TestCopyThatAnotherLedgerMovedStopsTheLog moves the copy of "signed" on, as
// a second ledger with the same keys would.
func TestCopyThatAnotherLedgerMovedStopsTheLog(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	ctx := context.Background()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
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
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: l.origin(), Size: e.size, Root: e.root()})
	if err != nil {
		t.Fatal(err)
	}
	signature, err := w.keys[0].SignCheckpoint(text, 1)
	if err != nil {
		t.Fatal(err)
	}
	note := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{signature}})
	if err := register.Swap(ctx, raw, formatSigned(note, e)); err != nil {
		t.Fatal(err)
	}
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Integrated, event(2))
	select {
	case <-l.Failed():
	case <-time.After(time.Minute):
		t.Fatal("the ledger goes on")
	}
	var restored *RestoredError
	if !errors.As(l.Stopped(), &restored) {
		t.Errorf("got %v, want a RestoredError", l.Stopped())
	}
}

func TestFullQueueRefusesAtOnceAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.create()
	c := w.config()
	c.Limits.Queue = 3
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(0))
	// The sequencer stands still, so that what comes has to wait.
	entered, leave := make(chan struct{}), make(chan struct{})
	still := newRequest(nil)
	still.alone = true
	still.change = func(uint64) ([]*admission, error) {
		close(entered)
		<-leave
		return nil, nil
	}
	if err := l.queue.put(still); err != nil {
		t.Fatal(err)
	}
	<-entered
	var wg sync.WaitGroup
	for i := 1; i <= 3; i++ {
		wg.Go(func() { appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(i)) })
	}
	eventually(t, "three events wait", func() bool { return l.Status().Queue == 3 })
	_, err = l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, []client.Event{event(4)}, client.Witnessed)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Overloaded || p.RetryAfter <= 0 {
		t.Errorf("got %v, want overloaded and a time to try again", err)
	}
	close(leave)
	wg.Wait()
	if again := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(4))[0]; again.Duplicate {
		t.Error("what was refused is recorded")
	}
}

func TestRepeatInAnotherClassIsAConflict(t *testing.T) {
	l := newWorld(t).started()
	ctx := context.Background()
	for _, c := range []ClassConfig{{Name: "short", Days: 30}, {Name: "long", Days: 3650}} {
		if _, err := operator(l).AddClass(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := operator(l).AddStream(ctx, StreamConfig{Name: "s", Class: "short"}); err != nil {
		t.Fatal(err)
	}
	e := event(1)
	longer := e
	longer.Class = "long"
	got, err := l.As(Caller{Name: "alice"}).Append(ctx, "s", []client.Event{e, longer}, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil || got[1].Err == nil || got[1].Err.Code() != client.Conflict {
		t.Errorf("in one batch: got %v, want a conflict", got[1].Err)
	}
	got, err = l.As(Caller{Name: "alice"}).Append(ctx, "s", []client.Event{longer}, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err == nil || got[0].Err.Code() != client.Conflict {
		t.Errorf("later: got %v, want a conflict", got[0].Err)
	}
}

func TestCallerMayChangeWhatItHasSent(t *testing.T) {
	l := newWorld(t).started()
	e := event(1)
	e.Subjects = []string{"carol"}
	first := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, e)[0]
	again, err := l.admitAll(context.Background(), "alice", DefaultStream, []client.Event{e})
	if err != nil {
		t.Fatal(err)
	}
	e.Subjects[0] = "bob" // it did not wait for the sequencer
	r := newRequest(again)
	if r.acts, _, err = l.accessBucket(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := l.submit(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if a := again[0]; !a.duplicate || a.index != first.Index {
		t.Errorf("got %v, want a repeat of %d", a.problem, first.Index)
	}
}
