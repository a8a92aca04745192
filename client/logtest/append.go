package logtest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func witnessed(t *testing.T, s Subject) {
	ev := event(t)
	a := appendOne(t, s, ev, client.Witnessed)
	if a.Duplicate {
		t.Error("a new event is said to be a duplicate")
	}
	checkResult(t, s, a, ev)
}

func promised(t *testing.T, s Subject) {
	for _, wait := range []client.State{client.Sequenced, client.Integrated} {
		ev := event(t)
		a := appendOne(t, s, ev, wait)
		checkResult(t, s, a, ev)
		if a.State == client.Witnessed {
			continue // faster than asked for, and better
		}
		if a.Promise == nil {
			t.Fatalf("waiting for %s: there is no promise", wait)
		}
		text, err := a.Promise.Check(s.Policy, a.Index, a.Leaf)
		if err != nil {
			t.Errorf("waiting for %s: %v", wait, err)
		}
		if !client.State(text.State).Reached(wait) {
			t.Errorf("waiting for %s: the promise says %s", wait, text.State)
		}
	}
}

func inOrder(t *testing.T, s Subject) {
	events := make([]client.Event, 50)
	for i := range events {
		events[i] = event(t)
	}
	got, err := s.Writer.Append(within(t), s.Stream, events, client.Witnessed)
	if err != nil || len(got) != len(events) {
		t.Fatalf("got %d results and error %v, want %d", len(got), err, len(events))
	}
	for i, a := range got {
		if a.Err != nil {
			t.Fatalf("event %d: %v", i, a.Err)
		}
		if i > 0 && a.Index <= got[i-1].Index {
			t.Errorf("event %d has index %d after %d", i, a.Index, got[i-1].Index)
		}
		checkResult(t, s, a, events[i])
	}
}

func repeated(t *testing.T, s Subject) {
	ev := event(t)
	first := appendOne(t, s, ev, client.Witnessed)
	again := appendOne(t, s, ev, client.Witnessed)
	if again.Index != first.Index || !again.Duplicate || !bytes.Equal(again.Leaf, first.Leaf) {
		t.Errorf("got entry %d, duplicate %v, want entry %d as it was", again.Index, again.Duplicate, first.Index)
	}
	checkResult(t, s, again, ev)
	other := event(t)
	got, err := s.Writer.Append(within(t), s.Stream, []client.Event{other, other}, client.Sequenced)
	if err != nil || got[0].Err != nil || got[1].Err != nil {
		t.Fatalf("twice in one append: got %+v and error %v", got, err)
	}
	if got[0].Index != got[1].Index || got[0].Duplicate || !got[1].Duplicate {
		t.Errorf("twice in one append: got entries %d and %d", got[0].Index, got[1].Index)
	}
}

func conflict(t *testing.T, s Subject) {
	ev := event(t)
	first := appendOne(t, s, ev, client.Witnessed)
	changed := ev
	changed.Data = append(bytes.Clone(ev.Data), ' ')
	got, err := s.Writer.Append(within(t), s.Stream, []client.Event{changed, event(t)}, client.Witnessed)
	if err != nil || got[0].Err == nil {
		t.Fatalf("got %+v and error %v, want a conflict", got, err)
	}
	wantProblem(t, got[0].Err, client.Conflict)
	if got[0].Err.Index != first.Index {
		t.Errorf("the conflict is with entry %d, want %d", got[0].Err.Index, first.Index)
	}
	if got[1].Err != nil {
		t.Errorf("the event beside it is refused: %v", got[1].Err)
	}
}

func sourced(t *testing.T, s Subject) {
	source := unique(t, 0)
	ev := client.Event{Data: []byte(`{"n":1}`), Source: source, Sequence: 1}
	first := appendOne(t, s, ev, client.Witnessed)
	leaf, err := proofs.ParseLeaf(first.Leaf)
	if err != nil || leaf.Source == nil || leaf.Source.Sequence != 1 {
		t.Errorf("got leaf %+v and error %v, want sequence number 1", leaf, err)
	}
	if again := appendOne(t, s, ev, client.Witnessed); again.Index != first.Index || !again.Duplicate {
		t.Errorf("again: got entry %d, duplicate %v, want entry %d", again.Index, again.Duplicate, first.Index)
	}
	changed := client.Event{Data: []byte(`{"n":2}`), Source: source, Sequence: 1}
	got, err := s.Writer.Append(within(t), s.Stream, []client.Event{changed}, client.Witnessed)
	if err != nil || got[0].Err == nil {
		t.Fatalf("another event under the number: got %+v and error %v, want a conflict", got, err)
	}
	wantProblem(t, got[0].Err, client.Conflict)
}

func refusedAlone(t *testing.T, s Subject) {
	bad := []struct {
		name  string
		event client.Event
		want  client.ProblemCode
	}{
		{"it is not JSON", client.Event{Data: []byte(`{"a":`)}, client.Invalid},
		{"it has a name twice", client.Event{Data: []byte(`{"a":1,"a":2}`)}, client.Invalid},
		{"it is too large", client.Event{Data: bytes.Repeat([]byte(" "), s.MaxPayload+1), MediaType: "text/plain"}, client.TooLarge},
		{"its class is unknown", client.Event{Data: []byte(`{}`), Class: "no-such-class"}, client.Invalid},
		{"its field is not declared", client.Event{Data: []byte(`{}`), Fields: []proofs.GivenField{{Name: "nope", Value: []byte("x")}}}, client.Invalid},
		{"a subject is empty", client.Event{Data: []byte(`{}`), Subjects: []string{""}}, client.Invalid},
		{"its key is too long", client.Event{Data: []byte(`{}`), IdempotencyKey: string(bytes.Repeat([]byte("k"), 1025))}, client.Invalid},
	}
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			good := event(t)
			got, err := s.Writer.Append(within(t), s.Stream, []client.Event{good, tt.event, event(t)}, client.Witnessed)
			if err != nil || len(got) != 3 {
				t.Fatalf("got %+v and error %v", got, err)
			}
			if got[0].Err != nil || got[2].Err != nil {
				t.Errorf("the events beside it: got problems %v and %v", got[0].Err, got[2].Err)
			}
			if got[1].Err == nil {
				t.Fatalf("got entry %d, want problem %q", got[1].Index, tt.want)
			}
			wantProblem(t, got[1].Err, tt.want)
			checkResult(t, s, got[0], good)
		})
	}
}

func refusedWhole(t *testing.T, s Subject) {
	many := make([]client.Event, s.MaxBatch+1)
	for i := range many {
		many[i].Data = []byte("1")
	}
	tests := []struct {
		name   string
		stream string
		events []client.Event
		wait   client.State
		want   client.ProblemCode
	}{
		{"there is no such stream", "no-such-stream", []client.Event{event(t)}, client.Witnessed, client.NoSuchStream},
		{"the name of the stream is none", "no/such stream", []client.Event{event(t)}, client.Witnessed, client.NoSuchStream},
		{"there is no event", s.Stream, nil, client.Witnessed, client.BadRequest},
		{"there are too many events", s.Stream, many, client.Witnessed, client.TooLarge},
		{"there is no such state", s.Stream, []client.Event{event(t)}, "eternal", client.BadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Writer.Append(within(t), tt.stream, tt.events, tt.wait)
			if err == nil {
				t.Fatalf("got %d results, want problem %q", len(got), tt.want)
			}
			wantProblem(t, err, tt.want)
		})
	}
}

func ended(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	// Whether it was recorded is open; that it is soon over is not.
	got, err := s.Writer.Append(ctx, s.Stream, []client.Event{event(t)}, client.Witnessed)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if err == nil && len(got) != 1 {
		t.Errorf("got %d results without an error, want 1", len(got))
	}
}
