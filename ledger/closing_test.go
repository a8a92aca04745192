package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// A calendar is a clock that the ledger and its witnesses share, and that
// jumps.
type calendar struct {
	mu     sync.Mutex
	passed time.Duration
}

func (c *calendar) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.passed)
}

func (c *calendar) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// An archive is a world whose ledger destroys keys.
type archive struct {
	*world
	*calendar
	places []*memfs.FS
	search disk.FS // nil: there is no search index
	l      *Ledger
	damage map[uint64]damage // of the vault, from the next start on
	away   *atomic.Uint64    // the entry whose record cannot be read, likewise
}

func newArchive(t *testing.T) *archive {
	a := &archive{world: newWorld(t), calendar: new(calendar), places: []*memfs.FS{memfs.New(nil), memfs.New(nil)}}
	for _, tw := range a.witnesses {
		tw.clock = a.now
	}
	if _, err := keystate.Create(t.Context(), a.keystate(), a.secrets.Tree); err != nil {
		t.Fatal(err)
	}
	if err := Create(t.Context(), a.config()); err != nil {
		t.Fatal(err)
	}
	a.start()
	t.Cleanup(func() { a.l.Close() })
	return a
}

func (a *archive) keystate() keystate.Options {
	o := keystate.Options{Rand: bytes.NewReader(bytes.Repeat([]byte{9}, 1<<20))}
	for i, p := range a.places {
		o.Places = append(o.Places, keystate.Place{Name: fmt.Sprint("place ", i), FS: p})
	}
	return o
}

func (a *archive) config() Config {
	c := a.world.config()
	c.readRetry = 10 * time.Millisecond
	c.Clock, c.Heartbeat, c.KeepCheckpoint = a.now, 20*time.Millisecond, time.Nanosecond // all are kept: ages begin with them
	return c
}

// start opens the ledger with the keys of its places.
func (a *archive) start() {
	a.t.Helper()
	store, err := keystate.Open(context.Background(), a.keystate())
	if err != nil {
		a.t.Fatal(err)
	}
	c := a.config()
	c.Keystate, c.Secrets.Tree = store, store.Tree()
	if a.damage != nil {
		c.Vault = damagedVault{c.Vault, a.damage}
	}
	if a.away != nil {
		c.Vault = awayVault{c.Vault, a.away}
	}
	if a.search != nil {
		c.Search, c.indexRetry = &search.Config{FS: a.search}, 10*time.Millisecond
	}
	if a.l, err = Open(context.Background(), c); err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) restart() {
	a.t.Helper()
	if err := a.l.Close(); err != nil {
		a.t.Fatal(err)
	}
	a.start()
}

func (a *archive) as(name string) *Session { return a.l.As(Caller{Name: name}) }

// record appends events about subjects and returns their indices.
func (a *archive) record(stream string, subjects ...string) (indices []uint64) {
	a.t.Helper()
	var events []client.Event
	for i, s := range subjects {
		events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":%q,"n":%d}`, s, i)})
	}
	for _, got := range a.appendAll(stream, events) {
		indices = append(indices, got.Index)
	}
	return indices
}

func (a *archive) appendAll(stream string, events []client.Event) []client.Appended {
	a.t.Helper()
	got, err := a.as("app").Append(context.Background(), stream, events, client.Witnessed)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, g := range got {
		if g.Err != nil {
			a.t.Fatal(g.Err)
		}
	}
	return got
}

// gone waits until an entry is gone, and returns the problem that says so.
func (a *archive) gone(index uint64) *client.Problem {
	a.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, err := a.as("reader").Entry(context.Background(), index)
		var p *client.Problem
		if errors.As(err, &p) && p.Code() == client.Gone && len(a.l.retain.Open()) == 0 {
			return p
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("entry %d: got %v, want that it is gone; open: %+v", index, err, a.l.retain.Open())
		}
	}
}

func (a *archive) readable(indices ...uint64) {
	a.t.Helper()
	for _, index := range indices {
		if e, err := a.as("reader").Entry(context.Background(), index); err != nil || len(e.Disclosure.Parts[0].Data) == 0 {
			a.t.Errorf("entry %d: got %v, want that it is there", index, err)
		}
	}
}

// short adds a stream whose entries are kept for days, in buckets of a day.
func (a *archive) short(name string, days uint32) {
	a.t.Helper()
	o := a.as("operator")
	if _, err := o.AddClass(context.Background(), ClassConfig{Name: name, Days: days, Period: "day"}); err != nil {
		a.t.Fatal(err)
	}
	fields := []FieldConfig{{Name: "actor", Path: "actor", Subject: true}, {Name: "n", Path: "n"}}
	if _, err := o.AddStream(context.Background(), StreamConfig{Name: name, Class: name, Fields: fields}); err != nil {
		a.t.Fatal(err)
	}
}

// elapse lets time pass, until the ledger knows that it did.
func (a *archive) elapse(d time.Duration) {
	a.t.Helper()
	a.pass(d)
	eventually(a.t, "the witnesses' clock has jumped too", func() bool { return a.l.Status().ClockAhead < maxSkew.Seconds() })
}

// later lets days pass, and the ledger look.
func (a *archive) later(days int) {
	a.t.Helper()
	a.elapse(time.Duration(days) * 24 * time.Hour)
	a.record(DefaultStream, "") // witnessed: the new time is known
	a.l.closer.nudge()
}

// judged lets the auditor judge the ledger, of which nothing is being closed,
// and demands what the vault lacks and what only holds keep.
func (a *archive) judged(want audit.Retained) {
	a.t.Helper()
	a.record(DefaultStream, "") // published: what was done before, too
	got := judged(a.t, a.l, a.policy).Summary.Retained
	have := audit.Retained{GoneExpired: got.GoneExpired, GoneErased: got.GoneErased, GoneUnderWay: got.GoneUnderWay, KeptByHolds: got.KeptByHolds}
	if have != want {
		a.t.Errorf("the auditor saw %+v, want %+v", have, want)
	}
}

func TestABucketExpiresAtItsAgeButForWhatIsHeld(t *testing.T) {
	a := newArchive(t)
	a.short("week", 7)
	old := a.record("week", "alice", "bob", "carol", "dave")
	hold, err := a.as("custodian").Hold(t.Context(), HoldConfig{Entries: []proofs.Run{{First: old[1], Last: old[1]}}, Reason: "a lawsuit"})
	if err != nil {
		t.Fatal(err)
	}
	a.later(6)
	fresh := a.record("week", "erin")
	a.readable(old...)
	a.later(3)
	for _, index := range []uint64{old[0], old[2], old[3]} {
		if p := a.gone(index); len(p.Reasons) != 1 {
			t.Errorf("entry %d is gone for the reasons %d, want one", index, p.Reasons)
		}
	}
	a.readable(old[1], fresh[0])
	a.judged(audit.Retained{GoneExpired: 3, KeptByHolds: 1})
	a.restart()
	a.readable(old[1], fresh[0])
	a.gone(old[0])

	if _, err := a.as("custodian").Release(t.Context(), Release{Hold: hold.Hold, Reason: "it is settled"}); err != nil {
		t.Fatal(err)
	}
	a.gone(old[1])
	a.readable(fresh[0])
	a.restart()
	a.gone(old[1])
	if n := len(a.l.retain.Holds()); n != 0 {
		t.Errorf("%d holds are left", n)
	}
	a.judged(audit.Retained{GoneExpired: 4})
}

func TestAnErasedSubjectIsGoneAndNobodyElse(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob", "alice", "carol")
	plan, err := a.as("custodian").PlanErasure(t.Context(), Erasure{Stream: "people", Subject: "alice"})
	if err != nil || plan.Entries != 2 || plan.Announced != 0 {
		t.Fatalf("got the plan %+v, %v, want one of two entries", plan, err)
	}
	a.readable(all...)
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice"}); err == nil {
		t.Error("erased without a reason")
	}
	plan, err = a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"})
	if err != nil || plan.Announced == 0 {
		t.Fatalf("got %+v, %v", plan, err)
	}
	for _, index := range []uint64{all[0], all[2]} {
		if p := a.gone(index); len(p.Reasons) != 1 || p.Reasons[0] != plan.Announced {
			t.Errorf("entry %d is gone for the reasons %d, want %d", index, p.Reasons, plan.Announced)
		}
	}
	a.readable(all[1], all[3])
	if plan, err := a.as("custodian").PlanErasure(t.Context(), Erasure{Stream: "people", Subject: "alice"}); err != nil || plan.Entries != 0 {
		t.Errorf("got the plan %+v, %v, want that nothing is left", plan, err)
	}
	again := a.record("people", "alice")
	a.readable(again...)
	a.restart()
	a.readable(all[1], all[3], again[0])
	a.gone(all[0])
	for _, r := range history(t, a.l, client.HistoryQuery{What: proofs.ActSearch}) {
		if r.Act.Subject != "" {
			t.Errorf("to look whether she is erased has named %q again", r.Act.Subject)
		}
	}
	h, err := a.as("auditor").History(t.Context(), client.HistoryQuery{What: proofs.ActErase})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Acts {
		if r.Act.Subject != "" {
			t.Errorf("the history still names %q", r.Act.Subject)
		}
	}
	if last := h.Acts[len(h.Acts)-1].Act; last.Who != "custodian" || last.Because != "she asked for it" || last.Results != 2 {
		t.Errorf("the history has %+v", last)
	}
	a.judged(audit.Retained{GoneErased: 2})
}

func TestAnErasureNeedsTwoCustodiansWhereTheyAreSet(t *testing.T) {
	a := newArchive(t)
	a.short("people", 0)
	all := a.record("people", "alice", "bob")
	if _, _, err := a.as("operator").SetCustody(t.Context(), CustodyConfig{Custodians: 2, Grace: 3600}); err != nil {
		t.Fatal(err)
	}
	plan, err := a.as("carla").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked"})
	if err != nil || plan.Requested == 0 || plan.Announced != 0 {
		t.Fatalf("got %+v, %v, want a request", plan, err)
	}
	if _, err := a.as("carla").Approve(t.Context(), plan.Requested); err == nil {
		t.Error("one custodian approved what it asked for itself")
	}
	if _, err := a.as("cato").Approve(t.Context(), plan.Requested); err != nil {
		t.Fatal(err)
	}
	a.readable(all[1])
	a.l.closer.nudge()
	time.Sleep(50 * time.Millisecond)
	if len(a.l.retain.Requests()) != 1 {
		t.Error("it was done before the grace was over")
	}
	a.restart()
	a.elapse(2 * time.Hour)
	a.record(DefaultStream, "")
	a.l.closer.nudge()
	a.gone(all[0])
	a.readable(all[1])
	a.judged(audit.Retained{GoneErased: 1})
}

// An event that was admitted in a longer class, which is a shorter one by now,
// is judged again before it gets its index.
func TestAClassThatBecomesTooShortIsNotUsed(t *testing.T) {
	a := newArchive(t)
	a.short("week", 7)
	month := ClassConfig{Name: "month", Days: 30, Period: "day"}
	if _, err := a.as("operator").AddClass(t.Context(), month); err != nil {
		t.Fatal(err)
	}
	ev := client.Event{Data: []byte(`{"actor":"alice"}`), Class: "month"}
	a.appendAll("week", []client.Event{ev})
	admitted, err := a.l.admitAll(t.Context(), "app", "week", []client.Event{ev})
	if err != nil {
		t.Fatal(err)
	}
	s, r := &sequencer{l: a.l}, &request{admissions: admitted}
	if s.stale(r) {
		t.Error("it is stale although nothing has changed")
	}
	month.Days = 6
	if _, _, err := a.as("operator").SetClass(t.Context(), month); err != nil {
		t.Fatal(err)
	}
	if !s.stale(r) {
		t.Error("it goes into a class that is shorter than its stream's")
	}
	got, err := a.as("app").Append(t.Context(), "week", []client.Event{ev}, client.Witnessed)
	if err != nil || got[0].Err == nil || got[0].Err.Code() != client.Invalid {
		t.Errorf("got %+v, %v, want that it is refused", got, err)
	}
}
