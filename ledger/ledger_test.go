package ledger

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func TestAppendIsWitnessedAndReadBack(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	log := l.As(Caller{Name: "alice"})
	events := []client.Event{event(1), event(2), event(3)}
	got := appendEvents(t, log, client.Witnessed, events...)
	for i, a := range got {
		leaf, err := proofs.ParseLeaf(a.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		a.Disclosure.Parts[0].Data = events[i].Data
		if err := a.Disclosure.Check(leaf); err != nil {
			t.Errorf("event %d: what the writer is shown: %v", i, err)
		}
		receipt, err := proofs.ParseReceipt(a.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := receipt.Check(w.policy, a.Leaf); err != nil {
			t.Errorf("event %d: receipt: %v", i, err)
		}
		checkEntry(t, log, w.policy, a.Index, events[i])
	}
}

func TestWeakerStateCarriesAPromise(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(0))
	for _, tw := range w.witnesses {
		tw.misbehave(down)
	}
	for i, state := range []client.State{client.Sequenced, client.Integrated} {
		a := appendEvents(t, l.As(Caller{Name: "alice"}), state, event(10+i))[0]
		if a.Promise == nil {
			t.Fatalf("%s: there is no promise", state)
		}
		if _, err := a.Promise.Check(w.policy, a.Index, a.Leaf); err != nil {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestEventIsRecordedOncePerKey(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	first := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1), event(2))
	again := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(2), event(1), event(3), event(3))
	for i, want := range []struct {
		index     uint64
		duplicate bool
	}{{first[1].Index, true}, {first[0].Index, true}, {first[1].Index + 1, false}, {first[1].Index + 1, true}} {
		if again[i].Index != want.index || again[i].Duplicate != want.duplicate {
			t.Errorf("event %d: got index %d, duplicate %v, want %v", i, again[i].Index, again[i].Duplicate, want)
		}
	}
	other := appendEvents(t, l.As(Caller{Name: "bob"}), client.Witnessed, event(1))
	if other[0].Duplicate {
		t.Error("another identity's event was taken for a repeat")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.restart()
	l = w.open()
	defer l.Close()
	if a := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1)); !a[0].Duplicate || a[0].Index != first[0].Index {
		t.Errorf("after a restart: got index %d, duplicate %v, want %d", a[0].Index, a[0].Duplicate, first[0].Index)
	}
}

func TestSameKeyWithOtherContentIsAConflict(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	first := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))[0]
	changed := event(1)
	changed.Data = []byte(`{"n":1,"actor":"mallory"}`)
	for name, events := range map[string][]client.Event{
		"of an earlier entry": {changed},
		"within one batch":    {event(7), {Data: []byte(`{}`), IdempotencyKey: event(7).IdempotencyKey}},
	} {
		got, err := l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream, events, client.Sequenced)
		if err != nil {
			t.Fatal(err)
		}
		last := got[len(got)-1]
		if last.Err == nil || last.Err.Code() != client.Conflict {
			t.Errorf("%s: got %v, want a conflict", name, last.Err)
		}
		// What refuses it records it, in the same batch.
		sizes, _ := l.progress.snapshot()
		e, err := l.As(Caller{Name: "auditor"}).Entry(context.Background(), sizes.Sequenced-1)
		if err != nil {
			t.Fatal(err)
		}
		want := proofs.Act{
			What: proofs.ActAppendConflict, Who: "alice", Stream: DefaultStream, Results: 1,
			Entries: []proofs.Run{{First: last.Err.Index, Last: last.Err.Index}}, Outcome: proofs.OutcomeRefused, Detail: "conflict",
		}
		if got, err := proofs.ParseAct(e.Disclosure.Parts[0].Data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the last entry is %+v, %v; want %+v", name, got, err, want)
		}
	}
	checkEntry(t, l.As(Caller{Name: "alice"}), w.policy, first.Index, event(1))
}

func TestSourceSequenceIsRecordedOnce(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	ev := client.Event{Data: []byte(`{"a":1}`), Source: "host-1", Sequence: 9}
	first := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, ev)[0]
	leaf, err := proofs.ParseLeaf(first.Leaf)
	if err != nil || leaf.Source == nil || leaf.Source.Sequence != 9 {
		t.Fatalf("got leaf %+v, %v, want sequence 9", leaf, err)
	}
	if again := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, ev)[0]; !again.Duplicate || again.Index != first.Index {
		t.Errorf("got index %d, duplicate %v, want %d again", again.Index, again.Duplicate, first.Index)
	}
}

func TestOneBadEventRefusesNoOther(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	got, err := l.As(Caller{Name: "alice"}).Append(context.Background(), DefaultStream,
		[]client.Event{event(1), {Data: []byte(`{"a":1,"a":2}`)}, event(2)}, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil || got[2].Err != nil || got[1].Err == nil || got[1].Err.Code() != client.Invalid {
		t.Errorf("got %v, %v, %v, want only the second refused", got[0].Err, got[1].Err, got[2].Err)
	}
}

func TestUnknownStreamIsAProblem(t *testing.T) {
	l := newWorld(t).started()
	_, err := l.As(Caller{Name: "alice"}).Append(context.Background(), "nowhere", []client.Event{event(1)}, client.Witnessed)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.NoSuchStream {
		t.Errorf("got %v, want no-such-stream", err)
	}
}

func TestDeclaredFieldsAndSubjects(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	ctx := context.Background()
	if _, err := operator(l).AddStream(ctx, StreamConfig{Name: "audit", Fields: []FieldConfig{
		{Name: "actor", Path: "$.actor", Subject: true}, {Name: "n", Path: "$.n"},
	}}); err != nil {
		t.Fatal(err)
	}
	got, err := l.As(Caller{Name: "alice"}).Append(ctx, "audit", []client.Event{event(3)}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got[0].Err)
	}
	e, err := l.As(Caller{Name: "alice"}).Entry(ctx, got[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Disclosure.Check(leaf); err != nil {
		t.Fatal(err)
	}
	if len(e.Disclosure.Tags) != 1 {
		t.Errorf("got %d lists of tags, want one, closed as the event is", len(e.Disclosure.Tags))
	}
	fields := []proofs.Field{{Number: 1, Name: "actor", Path: "$.actor", Subject: true}, {Number: 2, Name: "n", Path: "$.n"}}
	values, err := proofs.ExtractFields(event(3).Data, fields)
	if err != nil {
		t.Fatal(err)
	}
	keys := make(map[uint16]proofs.Key256)
	for n, k := range e.FieldKeys {
		keys[n] = proofs.Key256(k)
	}
	if err := e.Disclosure.CheckFields(values, keys); err != nil {
		t.Error(err)
	}
	values[1].Value = []byte("4")
	if err := e.Disclosure.CheckFields(values, keys); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("another value: got %v, want ErrNotVerified", err)
	}
}

func TestCreateTwiceIsRefused(t *testing.T) {
	w := newWorld(t)
	w.create()
	if err := Create(context.Background(), w.config()); !errors.Is(err, ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
}

func TestOpenWithoutCreateIsRefused(t *testing.T) {
	if _, err := Open(context.Background(), newWorld(t).config()); !errors.Is(err, ErrNoLedger) {
		t.Errorf("got %v, want ErrNoLedger", err)
	}
}
