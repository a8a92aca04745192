package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// refusedActs returns how many acts record refused attempts, and how many
// attempts they tell of.
func refusedActs(t *testing.T, l *Ledger) (acts int, attempts uint64) {
	t.Helper()
	for _, r := range history(t, l, client.HistoryQuery{}) {
		if r.Act.Outcome == proofs.OutcomeRefused {
			acts++
			attempts += max(r.Act.Results, 1)
		}
	}
	return acts, attempts
}

// refusedRead lets somebody read what they may not.
func refusedRead(t *testing.T, l *Ledger, c Caller) {
	t.Helper()
	c.May = func(proofs.Kind, string) bool { return false }
	_, err := l.As(c).Entry(context.Background(), 0)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.Forbidden {
		t.Errorf("%s: got error %v, want that it is forbidden", c.Name, err)
	}
}

func TestTenThousandRefusalsAreFewEntries(t *testing.T) {
	const attempts = 10_000
	for name, tt := range map[string]struct {
		who  func(i int) Caller
		most int // acts
	}{
		"of one caller":              {func(int) Caller { return Caller{Name: "eve", From: "192.0.2.1"} }, 2},
		"of one name, from anywhere": {func(i int) Caller { return Caller{Name: "eve", From: fmt.Sprintf("192.0.2.%d", i%20)} }, 40},
		"of as many callers":         {func(i int) Caller { return Caller{Name: fmt.Sprint("eve-", i), From: "192.0.2.1"} }, maxRefusals + 2},
		"of nobody, from anywhere":   {func(i int) Caller { return Caller{Name: "nobody known", From: fmt.Sprint(i)} }, maxRefusals + 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := newWorld(t).started()
			before := l.Status().Sizes.Sequenced
			var callers sync.WaitGroup
			for worker := range 8 {
				callers.Go(func() {
					for i := worker; i < attempts; i += 8 {
						refusedRead(t, l, tt.who(i))
					}
				})
			}
			callers.Wait()
			l.flushRefusals(t.Context()) // the minute is over
			if grown := l.Status().Sizes.Sequenced - before; grown > uint64(tt.most)+2 {
				t.Errorf("the ledger grew by %d entries, want %d at most", grown, tt.most+2)
			}
			acts, told := refusedActs(t, l)
			if acts > tt.most || told != attempts {
				t.Errorf("%d acts tell of %d attempts, want at most %d that tell of %d", acts, told, tt.most, attempts)
			}
		})
	}
}

func TestTheFirstRefusalOfAMinuteIsRecordedAtOnceWithWhatItWas(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	for range 2 { // minutes
		refusedRead(t, l, Caller{Name: "eve", Role: "reader", From: "192.0.2.1"})
		refusedRead(t, l, Caller{Name: "eve", Role: "reader", From: "192.0.2.1", Because: "the last reason"})
		refusedRead(t, l, Caller{Name: "eve", Role: "reader", From: "192.0.2.1", Because: "the last reason"})
		l.flushRefusals(t.Context())
		l.flushRefusals(t.Context()) // which has nothing to say
	}
	acts := history(t, l, client.HistoryQuery{Who: "eve"})
	if len(acts) != 4 {
		t.Fatalf("got %+v, want a first one and a sum for each minute", acts)
	}
	for i, r := range acts {
		want := proofs.Act{What: proofs.ActRead, Who: "eve", Role: "reader", From: "192.0.2.1", Entries: []proofs.Run{{}}, Outcome: proofs.OutcomeRefused, Detail: "forbidden"}
		if i%2 == 1 {
			want.What, want.Because, want.Results = proofs.ActRefused, "the last reason", 2
		}
		if got := mustFormatAct(t, r.Act); got != mustFormatAct(t, want) {
			t.Errorf("act %d: got %s, want %s", i, got, mustFormatAct(t, want))
		}
	}
}

// The end of the ledger tells what was counted.
func TestRefusalsAreToldAtTheEnd(t *testing.T) {
	w := newWorld(t)
	w.create()
	l := w.open()
	for range 5 {
		refusedRead(t, l, Caller{Name: "eve"})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = w.open()
	defer l.Close()
	if acts, told := refusedActs(t, l); acts != 2 || told != 5 {
		t.Errorf("%d acts tell of %d attempts, want 2 of 5", acts, told)
	}
}

// Whoever is refused is refused, whether or not that can be recorded.
func TestWhoeverIsRefusedIsRefusedByALedgerThatTakesNothing(t *testing.T) {
	w := newWorld(t)
	w.create()
	l := w.open()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	refusedRead(t, l, Caller{Name: "eve"})
}
