package ledger

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// TestATailOverAllStreamsNamesEach: who asks who read a stream is told.
func TestATailOverAllStreamsNamesEach(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	a.short("places", 0)
	first := a.record("people", "a", "b")
	a.record("places", "c")
	last := a.record("people", "d")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for e, err := range a.as("reader").Tail(ctx, client.TailQuery{From: first[0]}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Index == last[0] {
			break
		}
	}
	for stream, want := range map[string]uint64{"people": 3, "places": 1} {
		var got uint64
		for _, r := range history(t, a.l, client.HistoryQuery{Who: "reader", What: proofs.ActTail, Stream: stream}) {
			for _, run := range r.Act.Entries {
				got += run.Last - run.First + 1
			}
		}
		if got != want {
			t.Errorf("the history of %s has %d entries, want %d", stream, got, want)
		}
	}
}

// TestAHistoryIsBounded: of a long log a page is an answer, whatever it finds.
func TestAHistoryIsBounded(t *testing.T) {
	l := newWorld(t).started()
	reader := l.As(Caller{Name: "app"})
	for i := range 20 {
		var events []client.Event
		for j := range 4000 {
			events = append(events, client.Event{Data: fmt.Appendf(nil, "%d", i*4000+j)})
		}
		appendEvents(t, reader, client.Integrated, events...)
	}
	h, err := auditor(l).History(t.Context(), client.HistoryQuery{Who: "nobody"})
	if err != nil || len(h.Acts) != 0 || h.Next == nil || *h.Next != historyPage {
		t.Fatalf("got %+v, %v, want a page that goes on at %d", h, err, historyPage)
	}
	if h, err = auditor(l).History(t.Context(), client.HistoryQuery{Who: "nobody", From: *h.Next}); err != nil || h.Next != nil {
		t.Errorf("got %+v, %v, want the last page", h, err)
	}
	if h, err = auditor(l).History(t.Context(), client.HistoryQuery{Who: "nobody", From: 1<<64 - 1}); err != nil || h.Next != nil {
		t.Errorf("got %+v, %v, want nothing", h, err)
	}
	if got := history(t, l, client.HistoryQuery{Who: "audit"}); len(got) < 3 {
		t.Errorf("got %+v, want what was asked before", got)
	}
}

// refuseAttempt refuses an attempt of eve's.
func refuseAttempt(ctx context.Context, l *Ledger) {
	s := l.As(Caller{Name: "eve", May: func(proofs.Kind, string) bool { return false }})
	_ = s.Refused(ctx, s.Act(proofs.ActRead), client.NewProblem(client.Forbidden, "", ""))
}

// TestRefusalsThatCannotBeRecordedAreCountedOn until they can be.
func TestRefusalsThatCannotBeRecordedAreCountedOn(t *testing.T) {
	w := newWorld(t)
	w.create()
	for _, tw := range w.witnesses { // before they answer nothing is recorded
		tw.misbehave(down)
	}
	l := w.open()
	defer l.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		refuseAttempt(gone, l)
	}
	l.flushRefusals(gone)
	l.flushRefusals(gone)
	for _, tw := range w.witnesses {
		tw.misbehave(nil)
	}
	refuseAttempt(t.Context(), l)
	l.flushRefusals(t.Context())
	if acts, told := refusedActs(t, l); acts != 1 || told != 4 {
		t.Errorf("%d acts tell of %d attempts, want one of 4", acts, told)
	}
}

// TestRefusalOfACallerWhoGoesAwayIsToldOnce: it is recorded all the same, and
// not counted again.
func TestRefusalOfACallerWhoGoesAwayIsToldOnce(t *testing.T) {
	l := newWorld(t).started()
	appendEvents(t, alice(l), client.Sequenced, event(0)) // what follows is recorded at once
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		refuseAttempt(gone, l)
	}
	l.flushRefusals(t.Context())
	if acts, told := refusedActs(t, l); acts != 2 || told != 3 {
		t.Errorf("%d acts tell of %d attempts, want the first and one of 2", acts, told)
	}
}
