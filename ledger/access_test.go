package ledger

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk/memfs"
	"github.com/cairnlog/cairn/storage/fault"
)

// A handing is a way in which a session hands out what is not public, or does
// something. It returns whether whoever asked got an answer.
type handing struct {
	name string // of the method
	what string // the word of the act that records it
	ask  func(ctx context.Context, s *Session, index uint64) (answered bool, err error)
}

// handings are all of them, those apart that [notHanding] names.
var handings = []handing{
	{"Entry", proofs.ActRead, func(ctx context.Context, s *Session, index uint64) (bool, error) {
		e, err := s.Entry(ctx, index)
		return e != nil, err
	}},
	{"Tail", proofs.ActTail, func(ctx context.Context, s *Session, index uint64) (bool, error) {
		for e, err := range s.Tail(ctx, client.TailQuery{From: index}) {
			return e != nil, err
		}
		return false, ctx.Err()
	}},
	{"Follow", proofs.ActTail, func(ctx context.Context, s *Session, index uint64) (bool, error) {
		for e, err := range s.Follow(ctx, client.TailQuery{Stream: DefaultStream, From: index}, func(uint64) {}) {
			return e != nil, err
		}
		return false, ctx.Err()
	}},
	{"Find", proofs.ActSearch, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		found, err := s.Find(ctx, client.FindQuery{Stream: DefaultStream, Subject: "alice"})
		return found != nil, err
	}},
	{"SealedRecords", proofs.ActExport, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		for record, err := range s.SealedRecords(ctx, proofs.Bundle{Width: 1}) {
			return record != nil || err == nil, err
		}
		return false, errors.New("there is no record")
	}},
	{"History", proofs.ActHistory, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		h, err := s.History(ctx, client.HistoryQuery{})
		return len(h.Acts) > 0, err
	}},
	{"ProveComplete", proofs.ActSearch, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		proof, err := s.ProveComplete(ctx, client.CompleteQuery{Stream: "people", Fields: []client.FieldValue{{Name: "actor", Value: "alice"}}, Now: true})
		return len(proof) > 0, err
	}},
	{"Directory", proofs.ActExport, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		_, err := s.Directory(ctx, client.DirectoryQuery{Stream: "people"})
		return err == nil, err
	}},
	{"Search", proofs.ActSearch, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		hits, err := s.Search(ctx, client.SearchQuery{Stream: "people"})
		return hits != nil, err
	}},
	{"Count", proofs.ActSearch, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		counts, err := s.Count(ctx, client.CountQuery{Stream: "people"})
		return counts != nil, err
	}},
	{"Entries", proofs.ActRead, func(ctx context.Context, s *Session, index uint64) (bool, error) {
		for e, err := range s.Entries(ctx, []proofs.Run{{First: index, Last: index}}) {
			if e.Problem != nil {
				err = e.Problem
			}
			return e.Entry != nil, err
		}
		return false, ctx.Err()
	}},
	{"ProvenHistory", proofs.ActHistory, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		h, err := s.ProvenHistory(ctx, client.HistoryQuery{})
		return len(h.Acts) > 0, err
	}},
	{"Holds", proofs.ActHistory, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		list, err := s.Holds(ctx)
		return list != nil, err
	}},
	{"Requests", proofs.ActHistory, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		list, err := s.Requests(ctx)
		return list != nil, err
	}},
	{"PlanErasure", proofs.ActSearch, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		plan, err := s.PlanErasure(ctx, Erasure{Stream: DefaultStream, Subject: "alice"})
		return plan != nil, err
	}},
	{"AddClass", proofs.ActClassAdd, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		_, err := s.AddClass(ctx, ClassConfig{Name: "year", Days: 365})
		return err == nil, err
	}},
	{"AddStream", proofs.ActStreamAdd, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		_, err := s.AddStream(ctx, StreamConfig{Name: "billing"})
		return err == nil, err
	}},
	{"SetStream", proofs.ActStreamSet, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		_, _, err := s.SetStream(ctx, StreamConfig{Name: DefaultStream, Closed: true})
		return err == nil, err
	}},
	{"RebuildIndex", proofs.ActIndexRebuild, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		info, err := s.RebuildIndex(ctx)
		return info != nil, err
	}},
	{"Record", proofs.ActTokenIssue, func(ctx context.Context, s *Session, _ uint64) (bool, error) {
		err := s.Record(ctx, s.Act(proofs.ActTokenIssue), nil)
		return err == nil, err
	}},
}

// notHanding are the other methods of a session, with the reason why they are
// no handings.
var notHanding = map[string]string{
	"Append":    "it hands out the evidence of what its caller sent",
	"Receipt":   "it is public",
	"ReadFile":  "it is public",
	"MayTail":   "it hands out nothing; what it refuses is recorded, see below",
	"Act":       "it hands out nothing",
	"Refused":   "it is about refused attempts, which have tests of their own",
	"Closings":  "what is announced is public: its entries have it in clear",
	"Closing":   "the same",
	"AwaitDone": "it hands out nothing",
	"Retention": "settings and counts are not recorded",
	"Retain":    "what the ledger does then, it records by itself",

	// What they do is announced in an entry that holds the act, and nothing is
	// done before that is published: see TestEveryStepOfAClosing.
	"Hold": "", "Release": "", "Erase": "", "Request": "", "Approve": "", "Withdraw": "", "SetClass": "", "SetCustody": "", "SetCustodians": "", "SetPruning": "",
}

// A new way to read must not be forgotten here: what it hands out has to be
// recorded first.
func TestEveryMethodOfASessionIsInTheTables(t *testing.T) {
	known := make(map[string]bool)
	for _, h := range handings {
		known[h.name] = true
	}
	session := reflect.TypeFor[*Session]()
	for i := range session.NumMethod() {
		name := session.Method(i).Name
		_, other := notHanding[name]
		if known[name] == other {
			t.Errorf("is what Session.%s answers recorded first? Say so in one of the two tables", name)
		}
	}
	for name := range notHanding {
		if _, ok := session.MethodByName(name); !ok {
			t.Errorf("there is no Session.%s", name)
		}
	}
}

// A stubbornJournal fails from some moment on.
type stubbornJournal struct {
	storage.Journal
	outcome atomic.Uint32 // a fault.Outcome
}

func (j *stubbornJournal) Append(ctx context.Context, record []byte) (uint64, error) {
	outcome := fault.Outcome(j.outcome.Load())
	switch outcome {
	case fault.Done:
		return j.Journal.Append(ctx, record)
	case fault.Persisted:
		if _, err := j.Journal.Append(ctx, record); err != nil {
			return 0, err
		}
	}
	return 0, fault.Error("journal: append", outcome)
}

// openWith returns a new ledger with one published event of a journal that can
// fail, and the event's index.
func openWith(t *testing.T, w *world) (l *Ledger, j *stubbornJournal, index uint64) {
	t.Helper()
	w.create()
	c := w.config()
	j = &stubbornJournal{Journal: c.Journal}
	c.Journal, c.Search = j, &search.Config{FS: memfs.New(nil)}
	l, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	people := StreamConfig{Name: "people", Fields: []FieldConfig{{Name: "actor", Path: "actor"}}}
	if _, err := l.As(Caller{Name: "operator"}).AddStream(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	index = appendEvents(t, l.As(Caller{Name: "app"}), client.Witnessed, event(1))[0].Index
	eventually(t, "all is published", func() bool { s := l.Status().Sizes; return s.Published == s.Sequenced })
	return l, j, index
}

// TestNothingIsAnsweredThatIsNotRecorded is law 7: at the moment in which the
// journal fails nobody is answered, whether or not the record survives.
func TestNothingIsAnsweredThatIsNotRecorded(t *testing.T) {
	for _, h := range handings {
		for _, outcome := range []fault.Outcome{fault.Done, fault.Failed, fault.Persisted, fault.NoSpace} {
			w := newWorld(t)
			l, j, index := openWith(t, w)
			j.outcome.Store(uint32(outcome))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			answered, err := h.ask(ctx, l.As(Caller{Name: "carol"}), index)
			cancel()
			if answered != (outcome == fault.Done) || answered != (err == nil) {
				t.Errorf("%s, %v: answered %v, error %v", h.name, outcome, answered, err)
			}
			if stopped := l.Stopped() != nil; stopped != (outcome != fault.Done) {
				t.Errorf("%s, %v: the ledger stopped: %v", h.name, outcome, stopped)
			}
			again := w.reopen(l)
			want := []string{h.what + " done"}
			if outcome == fault.Failed || outcome == fault.NoSpace {
				want = nil
			}
			if got := doneBy(t, again, "carol"); !slices.Equal(got, want) {
				t.Errorf("%s, %v: after a restart the history has %q, want %q", h.name, outcome, got, want)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// reopen cuts the power, so that nothing is left but what was synced, and opens
// the ledger again.
func (w *world) reopen(l *Ledger) *Ledger {
	w.t.Helper()
	die(l)
	w.crash(nil)
	return w.open()
}

// doneBy returns what somebody did, as the history has it.
func doneBy(t *testing.T, l *Ledger, who string) (acts []string) {
	t.Helper()
	for _, r := range history(t, l, client.HistoryQuery{Who: who}) {
		acts = append(acts, r.Act.What+" "+r.Act.Outcome)
	}
	return acts
}

// TestWhatWasAnsweredIsInTheHistory asks many times at once, in every way, and
// cuts the power: whoever got an answer is in the history, as often.
func TestWhatWasAnsweredIsInTheHistory(t *testing.T) {
	w := newWorld(t)
	l, j, index := openWith(t, w)
	type key struct{ who, what string }
	counts := make(chan key, 10_000)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var readers sync.WaitGroup
	for _, h := range handings[:6] {
		for _, who := range []string{"alice", "bob", "carol"} {
			readers.Go(func() {
				for {
					if answered, err := h.ask(ctx, l.As(Caller{Name: who}), index); err != nil {
						return
					} else if answered {
						counts <- key{who, h.what}
					}
				}
			})
		}
	}
	eventually(t, "there are some answers", func() bool { return len(counts) > 500 })
	j.outcome.Store(uint32(fault.Failed))
	readers.Wait()
	close(counts)
	answered := make(map[key]int)
	for k := range counts {
		answered[k]++
	}
	recorded := make(map[key]int)
	again := w.reopen(l)
	for _, r := range history(t, again, client.HistoryQuery{}) {
		recorded[key{r.Act.Who, r.Act.What}]++
	}
	for k, n := range answered {
		if recorded[k] < n {
			t.Errorf("%s was answered %d times to %s, and %d are recorded", k.what, n, k.who, recorded[k])
		}
	}
	if len(answered) != 15 {
		t.Errorf("got answers of %d kinds, want 15: %v", len(answered), answered)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// Whoever reads a stream that demands it must say why, in whatever way they
// read it. Settings of the stream anybody may read without.
func TestReasonIsDemandedHoweverAStreamIsRead(t *testing.T) {
	l := newWorld(t).started()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	settings, err := operator(l).AddStream(ctx, StreamConfig{Name: "sensitive", Reason: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.As(Caller{Name: "app"}).Append(ctx, "sensitive", []client.Event{event(1)}, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	index := got[0].Index
	tail := func(s *Session, stream string) error {
		for e, err := range s.Tail(ctx, client.TailQuery{Stream: stream, From: index}) {
			if err == nil && e.Index != index {
				t.Errorf("got entry %d, want %d", e.Index, index)
			}
			return err
		}
		return ctx.Err()
	}
	ways := map[string]func(*Session) error{
		"an entry":              func(s *Session) error { _, err := s.Entry(ctx, index); return err },
		"a tail of the stream":  func(s *Session) error { return tail(s, "sensitive") },
		"a tail of all streams": func(s *Session) error { return tail(s, "") },
		"a tail's permission":   func(s *Session) error { return s.MayTail(ctx, client.TailQuery{Stream: "sensitive"}) },
	}
	for name, read := range ways {
		var p *client.Problem
		if err := read(l.As(Caller{Name: name})); !errors.As(err, &p) || p.Code() != client.ReasonNeeded || p.Hint == "" {
			t.Errorf("%s without a reason: got error %v, want that one is needed", name, err)
		}
		if err := read(l.As(Caller{Name: name, Because: "case 7"})); err != nil {
			t.Errorf("%s with a reason: %v", name, err)
		}
		acts := history(t, l, client.HistoryQuery{Who: name})
		if len(acts) == 0 || acts[0].Act.Outcome != proofs.OutcomeRefused || acts[0].Act.Detail != string(client.ReasonNeeded) {
			t.Errorf("%s: got %+v, want that it was refused first", name, acts)
		}
		for _, r := range acts[1:] {
			if r.Act.Because != "case 7" || r.Act.Outcome != proofs.OutcomeDone {
				t.Errorf("%s: got %+v, want the reason", name, r.Act)
			}
		}
	}
	if _, err := l.As(Caller{Name: "dave"}).Entry(ctx, settings); err != nil {
		t.Errorf("the settings without a reason: %v", err)
	}
}

// A tail records each run before it hands any of it over, and names exactly
// what it hands over.
func TestTailRecordsRunsOfEvents(t *testing.T) {
	l := newWorld(t).started()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const n = 700
	for i := range n / 100 {
		var events []client.Event
		for k := range 100 {
			events = append(events, event(100*i+k))
		}
		appendEvents(t, l.As(Caller{Name: "app"}), client.Witnessed, events...)
		if _, err := l.As(Caller{Name: "noise"}).Entry(ctx, 0); err != nil { // which is no event
			t.Fatal(err)
		}
	}
	var handed []uint64
	recorded := func() (indices []uint64) {
		for _, r := range history(t, l, client.HistoryQuery{Who: "follower"}) {
			for _, run := range r.Act.Entries {
				for i := run.First; i <= run.Last; i++ {
					indices = append(indices, i)
				}
			}
		}
		return indices
	}
	for e, err := range l.As(Caller{Name: "follower"}).Tail(ctx, client.TailQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		handed = append(handed, e.Index)
		if len(handed)%100 == 1 && !slices.Contains(recorded(), e.Index) {
			t.Errorf("entry %d was handed over before it was recorded", e.Index)
		}
		if len(handed) == n {
			break
		}
	}
	if got := recorded(); !slices.Equal(got, handed) {
		t.Errorf("recorded are %d entries, and handed over were %d", len(got), len(handed))
	}
	if acts := doneBy(t, l, "follower"); len(acts) > n/100+2 {
		t.Errorf("got %d acts for %d events", len(acts), n)
	}
}
