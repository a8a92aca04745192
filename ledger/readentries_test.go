package ledger

import (
	"errors"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// TestManyEntriesAreOneRead for each stream that they are about, and each is
// shown or says why not.
func TestManyEntriesAreOneRead(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	a.short("places", 0)
	people := a.record("people", "alice", "bob", "carol")
	places := a.record("places", "x")
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "bob", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.as("carla").AwaitDone(t.Context(), plan.Announced); err != nil {
		t.Fatal(err)
	}
	reader := a.l.As(Caller{Name: "reader", May: func(k proofs.Kind, stream string) bool { return k == proofs.Event && stream == "people" }})
	all := append(slices.Clone(people), places...)
	got := make(map[uint64]client.ProblemCode)
	for e, err := range reader.Entries(t.Context(), proofs.RunsOf(all)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Problem != nil {
			got[e.Index] = e.Problem.Code()
		} else if got[e.Index] = ""; e.Entry.Index != e.Index || len(e.Entry.Disclosure.Parts) == 0 {
			t.Errorf("entry %d: got %+v", e.Index, e.Entry)
		}
	}
	for i, want := range []client.ProblemCode{"", client.Gone, "", client.Forbidden} {
		if code, ok := got[all[i]]; !ok || code != want {
			t.Errorf("entry %d: got %q, want %q", all[i], code, want)
		}
	}
	acts := history(t, a.l, client.HistoryQuery{Who: "reader"})
	if len(acts) != 2 {
		t.Fatalf("got the acts %+v, want two", acts)
	}
	for _, r := range acts {
		want := proofs.Act{Stream: "people", Entries: proofs.RunsOf(people), Results: 3, Outcome: proofs.OutcomeDone}
		if r.Act.Outcome != proofs.OutcomeDone {
			want = proofs.Act{Stream: "places", Entries: proofs.RunsOf(places), Outcome: proofs.OutcomeRefused}
		}
		if r.Act.What != proofs.ActRead || r.Act.Stream != want.Stream || !slices.Equal(r.Act.Entries, want.Entries) || r.Act.Results != want.Results || r.Act.Outcome != want.Outcome {
			t.Errorf("got %+v, want %+v", r.Act, want)
		}
	}
}

func TestReadsThatCannotBe(t *testing.T) {
	l := newWorld(t).started()
	for name, tt := range map[string]struct {
		runs []proofs.Run
		want client.ProblemCode
	}{
		"nothing":           {nil, client.BadRequest},
		"a run that falls":  {[]proofs.Run{{First: 2, Last: 1}}, client.BadRequest},
		"runs that fall":    {[]proofs.Run{{First: 1, Last: 2}, {First: 2, Last: 3}}, client.BadRequest},
		"too many":          {[]proofs.Run{{Last: client.MaxRead}}, client.TooLarge},
		"too many in two":   {[]proofs.Run{{Last: client.MaxRead - 1}, {First: client.MaxRead, Last: client.MaxRead}}, client.TooLarge},
		"all that there is": {[]proofs.Run{{Last: 1<<64 - 1}}, client.TooLarge},
		"what is not there": {[]proofs.Run{{First: 1000, Last: 1000}}, client.NoSuchEntry},
	} {
		for _, err := range l.As(Caller{Name: "reader"}).Entries(t.Context(), tt.runs) {
			var p *client.Problem
			if !errors.As(err, &p) || p.Code() != tt.want {
				t.Errorf("%s: got %v, want %s", name, err, tt.want)
			}
		}
	}
	if acts := history(t, l, client.HistoryQuery{Who: "reader"}); len(acts) != 0 {
		t.Errorf("got the acts %+v", acts)
	}
}
