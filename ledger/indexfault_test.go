package ledger

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

var errBroken = errors.New("the disk is broken")

// A breaking directory fails when it is told to.
type breaking struct {
	disk.FS
	mu    sync.Mutex
	fails func(op, name string) bool // nil: nothing does
}

// breaks says what fails from now on; nil: nothing.
func (b *breaking) breaks(fails func(op, name string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails = fails
}

// once lets one operation on a name fail. Whether it did the channel says.
func (b *breaking) once(op, name string) (struck chan struct{}) {
	struck = make(chan struct{})
	b.breaks(func(o, n string) bool {
		if o != op || n != name {
			return false
		}
		b.fails = nil
		close(struck)
		return true
	})
	return struck
}

func (b *breaking) try(op, name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails != nil && b.fails(op, name) {
		return errBroken
	}
	return nil
}

func (b *breaking) Open(name string) (disk.File, error) {
	if err := b.try("open", name); err != nil {
		return nil, err
	}
	return b.FS.Open(name)
}

func (b *breaking) Create(name string) (disk.File, error) {
	if err := b.try("create", name); err != nil {
		return nil, err
	}
	return b.FS.Create(name)
}

func (b *breaking) Rename(old, new string) error {
	if err := b.try("rename", new); err != nil {
		return err
	}
	return b.FS.Rename(old, new)
}

func (b *breaking) ReadDir(name string) ([]disk.Info, error) {
	if err := b.try("readdir", name); err != nil {
		return nil, err
	}
	return b.FS.ReadDir(name)
}

// everything is what fails of a disk that is lost.
func everything(string, string) bool { return true }

// breakable returns an archive whose search index is on a disk that can fail.
func breakable(t *testing.T) (*archive, *breaking) {
	a := indexed(t)
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	b := &breaking{FS: a.search}
	a.search = b
	a.start()
	a.short("people", 0)
	return a, b
}

func TestALedgerGoesOnWithoutItsIndex(t *testing.T) {
	a, disk := breakable(t)
	people := a.crowd("people", 300, "alice", "bob")
	a.caughtUp()
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	disk.breaks(everything)
	a.start()
	if s := a.l.Status(); s.Search == nil || s.Search.Trouble == "" || s.Search.Next > 0 {
		t.Errorf("the status has the index %+v, want that there is trouble", s.Search)
	}
	var p *client.Problem
	if _, err := a.as("reader").Search(t.Context(), client.SearchQuery{Query: "bob"}); !errors.As(err, &p) || p.Code() != client.Unavailable {
		t.Errorf("a search: got %v, want that the index is not there for the moment", err)
	}
	if _, err := a.as("operator").RebuildIndex(t.Context()); !errors.As(err, &p) || p.Code() != client.Internal {
		t.Errorf("to build it anew: got %v, want that it cannot be", err)
	}
	people["bob"] = append(people["bob"], a.record("people", "bob")...)
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people["alice"][0])
	disk.breaks(nil)
	a.caughtUp()
	if got := a.found("people", actor("bob")); !slices.Equal(got, people["bob"]) {
		t.Errorf("got %d entries, want %d", len(got), len(people["bob"]))
	}
	if got := a.found("people", query.Word{Text: "alice"}); len(got) > 0 {
		t.Errorf("the entries %v of somebody who was erased are found", got)
	}
}

func TestAnIndexThatCannotForgetIsMadeAnew(t *testing.T) {
	for _, op := range []struct{ name, on string }{{"create", "register.new"}, {"rename", "register"}} {
		a, disk := breakable(t)
		people := a.crowd("people", 300, "alice", "bob")
		a.caughtUp()
		struck := disk.once(op.name, op.on)
		if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"}); err != nil {
			t.Fatal(err)
		}
		a.gone(people["alice"][0])
		<-struck
		for range 2 {
			a.caughtUp()
			if got := a.found("people", actor("bob")); !slices.Equal(got, people["bob"]) {
				t.Errorf("%v: got %d entries, want %d", op, len(got), len(people["bob"]))
			}
			if got := a.found("people", query.Word{Text: "alice"}); len(got) > 0 {
				t.Errorf("%v: the entries %v of somebody who was erased are found", op, got)
			}
			a.restart()
		}
	}
}

func TestAnIndexOfMoreThanTheLedgerHasIsMadeAnew(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	people := a.crowd("people", 100, "alice", "bob")
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	ahead := memfs.New(nil)
	x, err := search.Open(t.Context(), search.Config{FS: ahead, Key: a.l.indexer.key, Rand: a.l.cfg.Rand})
	if err == nil {
		err = x.Add(t.Context(), 2*search.LargeSegment, nil)
	}
	if err == nil {
		err = x.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	a.search = ahead
	a.start()
	if s := a.l.Status(); s.Search.Anew == "" {
		t.Errorf("the index %+v is not made anew", s.Search)
	}
	a.caughtUp()
	if got := a.found("people", actor("bob")); !slices.Equal(got, people["bob"]) {
		t.Errorf("got %d entries, want %d", len(got), len(people["bob"]))
	}
}

// A rebuilding goes on after a restart where it was, and after a failure.
func TestAnIndexIsRebuilt(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a, disk := breakable(t)
	people := a.crowd("people", proofs.SegmentSize+100, "alice", "bob")
	a.caughtUp()
	struck := disk.once("rename", "register")
	if _, err := a.as("operator").RebuildIndex(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-struck
	eventually(t, "a segment is at rest", func() bool { return a.l.Status().Search.Files > 0 })
	a.restart()
	if s := a.l.Status().Search; s.Next < proofs.SegmentSize || s.Anew != "" {
		t.Errorf("after a restart the index is %+v, want that it goes on", s)
	}
	a.caughtUp()
	if got := a.found("people", actor("bob")); !slices.Equal(got, people["bob"]) {
		t.Errorf("got %d entries, want %d", len(got), len(people["bob"]))
	}
	acts := history(t, a.l, client.HistoryQuery{What: proofs.ActIndexRebuild})
	if len(acts) != 1 || acts[0].Act.Who != "operator" || acts[0].Act.Outcome != proofs.OutcomeDone {
		t.Errorf("the history has %+v, want who had it rebuilt", acts)
	}
}
