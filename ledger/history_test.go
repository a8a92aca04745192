package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// auditor is whoever may see everything that the ledger says of itself.
func auditor(l *Ledger) *Session {
	return l.As(Caller{Name: "audit", Role: "auditor", May: func(k proofs.Kind, _ string) bool { return k != proofs.Event }})
}

// history returns all acts that a query selects, page by page.
func history(t testing.TB, l *Ledger, q client.HistoryQuery) (acts []client.RecordedAct) {
	t.Helper()
	for {
		h, err := auditor(l).History(context.Background(), q)
		if err != nil {
			t.Fatalf("history: %v", err)
		}
		acts = append(acts, h.Acts...)
		if h.Next == nil {
			return acts
		}
		q.From = *h.Next
	}
}

func TestHistorySelectsAndPages(t *testing.T) {
	l := newWorld(t).started()
	ctx := context.Background()
	var first uint64
	for i, a := range appendEvents(t, l.As(Caller{Name: "app"}), client.Witnessed, event(1), event(2), event(3)) {
		if i == 0 {
			first = a.Index
		}
		for _, who := range []string{"alice", "bob"} {
			if _, err := l.As(Caller{Name: who, Role: "reader", From: "192.0.2.1", Because: "case 7"}).Entry(ctx, a.Index); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := operator(l).AddStream(ctx, StreamConfig{Name: "billing"}); err != nil {
		t.Fatal(err)
	}
	at := func(i uint64) *uint64 { i += first; return &i }
	for name, tt := range map[string]struct {
		q    client.HistoryQuery
		want []string
	}{
		"who read an entry":              {client.HistoryQuery{Entry: at(1)}, []string{"alice read 1", "bob read 1"}},
		"what somebody did":              {client.HistoryQuery{Who: "bob"}, []string{"bob read 0", "bob read 1", "bob read 2"}},
		"what was done to a stream":      {client.HistoryQuery{Stream: DefaultStream, Who: "alice", Entry: at(0)}, []string{"alice read 0"}},
		"what was changed":               {client.HistoryQuery{What: proofs.ActStreamAdd}, []string{"operator stream-add"}},
		"how it began":                   {client.HistoryQuery{What: proofs.ActStart}, []string{" start"}},
		"an entry that nobody read":      {client.HistoryQuery{Entry: at(1000)}, nil},
		"of somebody who did nothing":    {client.HistoryQuery{Who: "eve"}, nil},
		"in pages of one":                {client.HistoryQuery{Who: "alice", Limit: 1}, []string{"alice read 0", "alice read 1", "alice read 2"}},
		"before an index that it is not": {client.HistoryQuery{Who: "alice", Before: first}, nil},
	} {
		var got []string
		for _, r := range history(t, l, tt.q) {
			text := r.Act.Who + " " + r.Act.What
			for _, run := range r.Act.Entries {
				text += fmt.Sprintf(" %d", run.First-first)
			}
			got = append(got, text)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	read := history(t, l, client.HistoryQuery{Who: "alice", Limit: 1})[0]
	want := proofs.Act{What: "read", Who: "alice", Role: "reader", From: "192.0.2.1", Because: "case 7", Stream: DefaultStream,
		Entries: []proofs.Run{{First: first, Last: first}}, Results: 1, Outcome: proofs.OutcomeDone}
	if got, _ := proofs.FormatAct(read.Act); string(got) != mustFormatAct(t, want) || read.Kind != "access" {
		t.Errorf("got %s of kind %s, want %s", got, read.Kind, mustFormatAct(t, want))
	}
}

func mustFormatAct(t *testing.T, a proofs.Act) string {
	t.Helper()
	b, err := proofs.FormatAct(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHistoryIsForThoseWhoMaySeeIt(t *testing.T) {
	l := newWorld(t).started()
	reader := l.As(Caller{Name: "reader", May: func(k proofs.Kind, stream string) bool { return stream == DefaultStream }})
	for _, ask := range []func(context.Context, client.HistoryQuery) (client.History, error){reader.History, reader.ProvenHistory} {
		h, err := ask(context.Background(), client.HistoryQuery{Who: "carol"})
		var p *client.Problem
		if !errors.As(err, &p) || p.Code() != client.Forbidden || len(h.Acts) > 0 {
			t.Errorf("got %+v, %v, want that it is forbidden", h, err)
		}
	}
	if acts := history(t, l, client.HistoryQuery{Who: "reader"}); len(acts) != 1 || acts[0].Act.Outcome != proofs.OutcomeRefused || acts[0].Act.Query != "who=carol" {
		t.Errorf("got %+v, want that it was refused, once for the minute", acts)
	}
}

func TestEachActOfAProvenHistoryIsWhatItsEntryRecords(t *testing.T) {
	l := newWorld(t).started()
	ctx := context.Background()
	settings := StreamConfig{Name: "html", Fields: []FieldConfig{{Name: "b", Path: "$['<b>&']"}}} // which JSON escapes
	if _, err := operator(l).AddStream(ctx, settings); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		a := appendEvents(t, l.As(Caller{Name: "app"}), client.Witnessed, event(i))[0]
		if _, err := l.As(Caller{Name: "alice", Because: "<why> & \u2028"}).Entry(ctx, a.Index); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	for q := (client.HistoryQuery{Limit: 2}); ; {
		h, err := auditor(l).ProvenHistory(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range h.Acts {
			if err := client.CheckAct(r); err != nil {
				t.Errorf("act %+v: %v", r.Act, err)
			}
			seen++
		}
		if h.Next == nil || seen > 100 { // each page is an act as well
			break
		}
		q.From = *h.Next
	}
	if seen < 5 {
		t.Errorf("got %d acts, want the start, a stream and three reads at least", seen)
	}
}

func TestAPageOfLongActsIsCutAndGoesOn(t *testing.T) {
	l := newWorld(t).started()
	ctx := context.Background()
	const n = 120 // of more than 40 kB each
	act := operator(l).Act(proofs.ActStreamSet)
	text := make([]byte, 40_000)
	for i := range text {
		text[i] = 'x'
	}
	act.Settings = fmt.Appendf(nil, `{"x":%q}`, text)
	for range n {
		if err := l.record(ctx, proofs.Administration, act); err != nil {
			t.Fatal(err)
		}
	}
	seen, pages := 0, 0
	for q := (client.HistoryQuery{Who: "operator"}); ; pages++ {
		h, err := auditor(l).ProvenHistory(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range h.Acts {
			if err := client.CheckAct(r); err != nil {
				t.Fatal(err)
			}
		}
		seen += len(h.Acts)
		if h.Next == nil {
			break
		}
		q.From = *h.Next
	}
	if seen != n || pages == 0 {
		t.Errorf("got %d acts in %d pages, want %d in several", seen, pages+1, n)
	}
}

// Whom an act was about is shown as long as that is not erased, and the rest of
// the act is proven then too.
func TestActsAboutSubjectsAreProvenWithAndWithoutThem(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	a.record("people", "alice", "bob")
	subjects := func() (named, proven int) {
		h, err := auditor(a.l).ProvenHistory(t.Context(), client.HistoryQuery{Stream: "people", Who: "custodian"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range h.Acts {
			if err := client.CheckAct(r); err != nil {
				t.Errorf("%+v: %v", r.Act, err)
				continue
			}
			proven++
			if r.Act.Subject != "" {
				named++
				r.Act.Subject = "bob"
				if err := client.CheckAct(r); !errors.Is(err, proofs.ErrNotVerified) {
					t.Errorf("with another name: got error %v, want %v", err, proofs.ErrNotVerified)
				}
			}
		}
		return named, proven
	}
	for _, w := range a.witnesses {
		w.misbehave(down)
	}
	plan, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"})
	if err != nil {
		t.Fatal(err)
	}
	if named, proven := subjects(); named == 0 || proven == 0 {
		t.Errorf("got %d names in %d acts, want that she is to be erased", named, proven)
	}
	for _, w := range a.witnesses {
		w.misbehave(nil)
	}
	if err := a.as("custodian").AwaitDone(t.Context(), plan.Announced); err != nil {
		t.Fatal(err)
	}
	if named, proven := subjects(); named != 0 || proven == 0 {
		t.Errorf("got %d names in %d acts, want none", named, proven)
	}
}
