package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// searched returns the hits of a query, oldest first.
func (a *archive) searched(s *Session, text string) *client.Hits {
	a.t.Helper()
	hits, err := s.Search(a.t.Context(), client.SearchQuery{Query: text, Oldest: true, Limit: client.MaxHits})
	if err != nil {
		a.t.Fatalf("%s: %v", text, err)
	}
	if hits.More || len(hits.Gaps) > 0 {
		a.t.Fatalf("%s: the answer is not whole: %+v", text, hits)
	}
	return hits
}

// wantFound demands that a query finds exactly these entries, and counts them.
func (a *archive) wantFound(text string, want ...uint64) {
	a.t.Helper()
	if got := a.searched(a.as("reader"), text); !slices.Equal(got.Hits, want) {
		a.t.Errorf("%s: got %v, want %v", text, got.Hits, want)
	}
	counts, err := a.as("reader").Count(a.t.Context(), client.CountQuery{Query: text})
	if err != nil || counts.Entries != uint64(len(want)) {
		a.t.Errorf("%s: got %+v, %v; want a count of %d", text, counts, err, len(want))
	}
}

// wantProblem demands that an error is a problem of a code, and says this.
func wantProblem(t *testing.T, err error, code client.ProblemCode, says string) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != code || !strings.Contains(p.Detail+p.Hint, says) {
		t.Errorf("got %v, want %s that says %q", err, code, says)
	}
}

func TestSearchFindsWhatFits(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	a.short("other", 0)
	people := a.appendAll("people", []client.Event{
		{Data: []byte(`{"actor":"alice","n":1,"note":"the disk is full","deep":{"id":"x7"}}`)},
		{Data: []byte(`{"actor":"bob","n":12,"note":"full is the disk"}`), Source: "db"},
		{Data: []byte(`{"actor":"carol","n":3,"deep":{"id":"x9"}}`)},
	})
	other := a.appendAll("other", []client.Event{{Data: []byte(`{"actor":"alice","n":5}`)}, {MediaType: "text/plain", Data: []byte("plain disk talk")}})
	p, o := people[0].Index, other[0].Index
	for text, want := range map[string][]uint64{
		"":                                  {p, p + 1, p + 2, o, o + 1},
		"actor:alice":                       {p, o},
		"actor:alice stream:people":         {p},
		"stream:people or stream:other n>3": {p, p + 1, p + 2, o},
		"actor:alice -stream:people":        {o},
		"disk":                              {p, p + 1, o + 1},
		`"disk is full"`:                    {p},
		`"the disk"`:                        {p, p + 1},
		"n>=3":                              {p + 1, p + 2, o},
		"$.deep.id:x9":                      {p + 2},
		"$.deep.id:x*":                      {p, p + 2},
		"$.actor:alice":                     {p, o}, // declared: by the index
		"$.deep.id:x7 or source:db":         {p, p + 1},
		"stream:people stream:other":        nil,
		"actor:mallory":                     nil,
		fmt.Sprintf("index:%d..%d", p+1, o): {p + 1, p + 2, o},
	} {
		a.wantFound(text, want...)
	}
	hits := a.searched(a.as("reader"), "$.actor:alice -stream:default")
	if hits.Opened > 0 || !slices.Equal(hits.Streams, []string{"default", "people", "other"}) {
		t.Errorf("got %+v, want no payload opened, and three streams", hits.SearchScope)
	}
	var settings []uint64
	for _, index := range hits.Hits {
		e, err := a.as("reader").Entry(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		settings = append(settings, e.Settings)
	}
	slices.Sort(settings)
	if want := slices.Compact(settings); len(want) != 2 || !slices.Equal(hits.Settings, want) {
		t.Errorf("got the settings %d, want those of the hits: %d", hits.Settings, want)
	}
	if hits := a.searched(a.as("reader"), `"disk is full" n<100`); hits.Opened != 2 {
		t.Errorf("%d payloads were opened for a phrase, want those with its words", hits.Opened)
	}
}

// TestPagesAreStableWhileTheLedgerGrows: newest first, whatever comes meanwhile.
func TestPagesAreStableWhileTheLedgerGrows(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	want := a.record("people", strings.Split(strings.Repeat("alice ", 20), " ")[:20]...)
	for _, oldest := range []bool{false, true} {
		q := client.SearchQuery{Query: "actor:alice", Stream: "people", Limit: 7, Oldest: oldest}
		if oldest {
			q.End = want[19] + 1
		}
		var got []uint64
		for more := true; more; {
			hits, err := a.as("reader").Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if more = hits.More; len(hits.Hits) > 7 || more && len(hits.Hits) == 0 {
				t.Fatalf("got a page of %d hits", len(hits.Hits))
			}
			if got = append(got, hits.Hits...); oldest {
				q.First = hits.Next
			} else {
				q.End = hits.Next
			}
			a.record("people", "alice")
		}
		if !oldest {
			slices.Reverse(got)
			got = got[max(0, len(got)-20):]
		}
		if !slices.Equal(got, want) {
			t.Errorf("oldest first %v: got %v, want %v", oldest, got, want)
		}
	}
}

func TestACountHasFacetsAndSteps(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	a.record("people", "alice", "bob", "alice")
	day := a.now().UTC().Truncate(24 * time.Hour)
	a.later(3)
	a.record("people", "alice", "carol")
	got, err := a.as("reader").Count(t.Context(), client.CountQuery{Query: "actor:*", Facets: []string{"actor", "n"}, Top: 2, Every: "day"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Entries != 5 || len(got.Facets) != 2 || got.Facets[0].Values != 3 ||
		!slices.Equal(got.Facets[0].Top, []client.ValueCount{{Value: "alice", Entries: 3}, {Value: "bob", Entries: 1}}) {
		t.Errorf("got %+v", got)
	}
	var want []client.StepCount
	for i, entries := range []uint64{3, 0, 0, 2} {
		want = append(want, client.StepCount{Time: uint64(day.AddDate(0, 0, i).UnixMicro()), Entries: entries})
	}
	if !slices.Equal(got.Histogram, want) {
		t.Errorf("got the steps %v, want %v", got.Histogram, want)
	}
	for _, every := range []string{"week", "month", "year"} {
		if got, err := a.as("reader").Count(t.Context(), client.CountQuery{Query: "actor:*", Every: every}); err != nil || len(got.Histogram) > 2 || got.Histogram[0].Time > uint64(day.UnixMicro()) {
			t.Errorf("every %s: got %+v, %v", every, got, err)
		}
	}
	none, err := a.as("reader").Count(t.Context(), client.CountQuery{Query: "actor:nobody", Facets: []string{"actor"}, Every: "hour"})
	if err != nil || none.Entries != 0 || len(none.Facets[0].Top) != 0 || len(none.Histogram) != 0 {
		t.Errorf("got %+v, %v", none, err)
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	s := a.as("reader")
	for text, says := range map[string]string{
		"actor:(alice": "^", "actr:alice": "did you mean actor?", "stream:people n>": "^",
	} {
		_, err := s.Search(t.Context(), client.SearchQuery{Query: text})
		wantProblem(t, err, client.BadRequest, says)
		_, err = s.Count(t.Context(), client.CountQuery{Query: text})
		wantProblem(t, err, client.BadRequest, says)
	}
	for _, q := range []client.SearchQuery{{Limit: -1}, {Limit: client.MaxHits + 1}, {First: 5, End: 4}} {
		_, err := s.Search(t.Context(), q)
		wantProblem(t, err, client.BadRequest, "")
	}
	for _, q := range []client.CountQuery{
		{Top: -1}, {Top: client.MaxTop + 1}, {First: 5, End: 4}, {Facets: []string{"nope"}}, {Facets: make([]string, client.MaxFacets+1)}, {Every: "second"},
	} {
		_, err := s.Count(t.Context(), q)
		wantProblem(t, err, client.BadRequest, "")
	}
	_, err := s.Count(t.Context(), client.CountQuery{Facets: []string{"actr"}})
	wantProblem(t, err, client.BadRequest, "did you mean actor?")
	for _, q := range []client.SearchQuery{{Stream: "nope"}, {Query: "stream:nope"}} {
		_, err := s.Search(t.Context(), q)
		wantProblem(t, err, client.NoSuchStream, "nope")
	}
	bare := newArchive(t)
	_, err = bare.as("reader").Search(t.Context(), client.SearchQuery{})
	wantProblem(t, err, client.NotNow, "no search index")
}

// TestASearchSeesWhatItsCallerMayRead, and does not say what else there is.
func TestASearchSeesWhatItsCallerMayRead(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	a.short("secret", 0)
	o := a.as("operator")
	if _, err := o.AddStream(t.Context(), StreamConfig{Name: "why", Class: "people", Reason: true, Fields: []FieldConfig{{Name: "word", Path: "word"}}}); err != nil {
		t.Fatal(err)
	}
	mine, theirs := a.record("people", "alice"), a.record("secret", "alice")
	asked := a.record("why", "alice")
	may := func(streams ...string) *Session {
		return a.l.As(Caller{Name: "reader", May: func(_ proofs.Kind, s string) bool { return slices.Contains(streams, s) }})
	}
	if got := a.searched(may("people"), "actor:alice or alice"); !slices.Equal(got.Hits, mine) || !slices.Equal(got.Streams, []string{"people"}) {
		t.Errorf("got %+v, want %v alone", got, mine)
	}
	a.wantFoundBy(may("people", "secret"), "alice", append(mine, theirs...)...)
	for _, q := range []client.SearchQuery{{Stream: "secret"}, {Query: "stream:secret"}, {Query: "alice (stream:secret or stream:people)"}, {Stream: "nope"}} {
		_, err := may("people").Search(t.Context(), q)
		wantProblem(t, err, client.Forbidden, "may not read")
	}
	_, err := may("people").Search(t.Context(), client.SearchQuery{Query: "word:x"})
	wantProblem(t, err, client.BadRequest, "no field word") // is declared where the caller may not read
	_, err = may("people", "why").Search(t.Context(), client.SearchQuery{Query: "alice"})
	wantProblem(t, err, client.ReasonNeeded, "name the streams")
	a.wantFoundBy(may("people", "why"), "alice stream:people", mine...)
	a.wantFoundBy(a.l.As(Caller{Name: "reader", Because: "a case"}), "alice stream:why", asked...)
}

func (a *archive) wantFoundBy(s *Session, text string, want ...uint64) {
	a.t.Helper()
	if got := a.searched(s, text); !slices.Equal(got.Hits, want) {
		a.t.Errorf("%s: got %v, want %v", text, got.Hits, want)
	}
}

// TestASearchIsRecorded: who searched, for what, and what was found; but no
// value that may name somebody.
func TestASearchIsRecorded(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	a.short("other", 0)
	people, other := a.record("people", "alice", "alice"), a.record("other", "alice")
	a.searched(a.as("first"), `actor:alice n<5 n:* alice`)
	a.searched(a.as("second"), `$.actor:al* or "alice smith" or $.x:alice or source:db`)
	a.searched(a.as("third"), "stream:people n:77")
	if _, err := a.as("fourth").Count(t.Context(), client.CountQuery{Query: "actor:alice", Stream: "people", Facets: []string{"actor"}, Every: "day"}); err != nil {
		t.Fatal(err)
	}
	_, err := a.as("fifth").Search(t.Context(), client.SearchQuery{Query: "alice alice:", Stream: "people"})
	wantProblem(t, err, client.BadRequest, "")
	for who, want := range map[string][]proofs.Act{
		"first": {
			{Stream: "people", Query: `actor:"…" n<5 n:* "…"`, Results: 2, Entries: proofs.RunsOf(people), Outcome: proofs.OutcomeDone},
			{Stream: "other", Query: `actor:"…" n<5 n:* "…"`, Results: 1, Entries: proofs.RunsOf(other), Outcome: proofs.OutcomeDone},
		},
		"third":  {{Stream: "people", Query: "stream:people n:77", Outcome: proofs.OutcomeDone}},
		"fourth": {{Stream: "people", Query: "actor:\"…\" | count by actor, every day", Results: 2, Outcome: proofs.OutcomeDone}},
		"fifth":  {{Stream: "people", Outcome: proofs.OutcomeFailed, Detail: "bad-request"}},
	} {
		if got := a.acts(who); !slices.EqualFunc(got, want, func(x, y proofs.Act) bool {
			return x.Stream == y.Stream && x.Query == y.Query && x.Results == y.Results && slices.Equal(x.Entries, y.Entries) && x.Outcome == y.Outcome && x.Detail == y.Detail
		}) {
			t.Errorf("%s: got %+v, want %+v", who, got, want)
		}
	}
	for _, act := range append(a.acts("second"), a.acts("first")...) {
		if strings.Contains(act.Query, "alice") || strings.Contains(act.Query, "smith") {
			t.Errorf("the history names somebody: %s", act.Query)
		}
	}
}

// acts returns how somebody searched, in the order of the streams.
func (a *archive) acts(who string) (acts []proofs.Act) {
	a.t.Helper()
	h, err := a.as("auditor").History(a.t.Context(), client.HistoryQuery{Who: who, What: proofs.ActSearch})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, r := range h.Acts {
		acts = append(acts, r.Act)
	}
	slices.SortFunc(acts, func(x, y proofs.Act) int { return -strings.Compare(x.Stream, y.Stream) })
	return acts
}

// TestWithinTheGraceNothingIsSearched: neither hits nor counts have what is to be
// erased, but for what is held; and afterwards nothing has it.
func TestWithinTheGraceNothingIsSearched(t *testing.T) {
	a, _ := newCustody(t, 3600)
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	a.search = memfs.New(nil)
	a.start()
	reader := func() *Session { return a.l.As(Caller{Name: "reader", Because: "r"}) }
	all := a.record("people", "alice", "bob", "alice", "alice")
	if _, err := a.as("carla").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{run(all[3], all[3])}, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	a.wantFoundBy(reader(), "actor:alice stream:people", all[0], all[2], all[3])
	if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	late := a.record("people", "alice", "bob")
	for range 2 {
		a.wantFoundBy(reader(), "actor:alice stream:people", all[3])
		a.wantFoundBy(reader(), "stream:people alice", all[3])
		a.wantFoundBy(reader(), "stream:people actor:bob", all[1], late[1])
		counts, err := reader().Count(t.Context(), client.CountQuery{Stream: "people", Facets: []string{"actor"}})
		if err != nil || counts.Entries != 3 || !slices.Equal(counts.Disabled, []uint64{plan.Requested}) ||
			!slices.Equal(counts.Facets[0].Top, []client.ValueCount{{Value: "bob", Entries: 2}, {Value: "alice", Entries: 1}}) {
			t.Errorf("got %+v, %v", counts, err)
		}
		a.restart()
	}
	if _, err := a.as("cato").Withdraw(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	a.wantFoundBy(reader(), "actor:alice stream:people", all[0], all[2], all[3], late[0])
}

// TestATailOfAQueryHasWhatFits, and is recorded as no more than that.
func TestATailOfAQueryHasWhatFits(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	a.short("other", 0)
	want := a.record("people", "alice", "bob", "alice")
	a.record("other", "alice")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for _, q := range []client.TailQuery{{Query: "stream:nope"}, {Query: "actr:alice"}, {Query: "(", Stream: "people"}} {
		for _, err := range a.as("wrong").Tail(ctx, q) {
			var p *client.Problem
			if !errors.As(err, &p) || p.Status >= 500 {
				t.Errorf("%s: got %v, want a problem", q.Query, err)
			}
		}
	}
	next := a.l.Status().Sizes.Published
	var got []uint64
	resume := uint64(0)
	for e, err := range a.as("reader").Follow(ctx, client.TailQuery{Query: "actor:alice stream:people", From: want[0]}, func(n uint64) { resume = n }) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, e.Index); len(got) == 2 {
			want = append(want, a.record("people", "bob", "alice")...)
		}
		if len(got) == 3 {
			break
		}
	}
	if wanted := []uint64{want[0], want[2], want[4]}; !slices.Equal(got, wanted) || resume < next {
		t.Errorf("got %v and to go on from %d, want %v", got, resume, wanted)
	}
	h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{Who: "reader", What: proofs.ActTail})
	if err != nil {
		t.Fatal(err)
	}
	var handed []uint64
	for _, r := range h.Acts {
		if r.Act.Stream != "people" || !strings.Contains(r.Act.Query, "stream:people") || strings.Contains(r.Act.Query, "alice") {
			t.Errorf("got %+v", r.Act)
		}
		handed = slices.AppendSeq(handed, proofs.IndicesOf(r.Act.Entries))
	}
	if slices.Sort(handed); !slices.Equal(handed, got) {
		t.Errorf("the history has the entries %v, want %v", handed, got)
	}
}
