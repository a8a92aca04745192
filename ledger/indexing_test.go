package ledger

import (
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// indexed returns an archive with a search index.
func indexed(t *testing.T) *archive {
	a := newArchive(t)
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	a.search = memfs.New(nil)
	a.start()
	return a
}

// caughtUp waits until everything that is published is in the index.
func (a *archive) caughtUp() {
	a.t.Helper()
	eventually(a.t, "the index has come to the end, and lacks nothing", func() bool {
		s := a.l.Status()
		return s.Sizes.Published == s.Sizes.Sequenced && s.Search.Next >= s.Sizes.Published && s.Search.Missing == 0 && s.Search.Trouble == ""
	})
}

// found returns what the index finds of a field's value, or of a word.
func (a *archive) found(stream string, e query.Expr) []uint64 {
	a.t.Helper()
	settings, _ := a.l.state.streamNamed(stream)
	var buckets []uint32
	for _, b := range a.l.state.bucketsOf(settings.Body.Stream) {
		buckets = append(buckets, b.Number)
	}
	answer, err := a.l.indexer.view().Find(a.t.Context(), search.Request{
		Expr: e, Buckets: buckets, Stream: func(uint32) string { return stream },
		Fields: func(_ uint32, f query.Field) ([]uint16, bool) {
			return a.l.fieldNumbers(settings.Body.Stream, f.Name), f.Name != ""
		},
	}, search.Page{Limit: 1 << 20, Oldest: true})
	if err != nil {
		a.t.Fatal(err)
	}
	return answer.Hits
}

func actor(name string) query.Expr { return query.Field{Name: "actor", Op: query.Equal, Value: name} }

func TestTheIndexFollowsTheLog(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	people := a.crowd("people", 500, "alice", "bob", "carol")
	a.caughtUp()
	for range 2 {
		for name, want := range people {
			if got := a.found("people", actor(name)); !slices.Equal(got, want) {
				t.Errorf("%s: got %d entries by the field, want %d", name, len(got), len(want))
			}
			if got := a.found("people", query.Word{Text: name}); !slices.Equal(got, want) {
				t.Errorf("%s: got %d entries by the word, want %d", name, len(got), len(want))
			}
		}
		a.restart()
		a.caughtUp()
	}
	for name, more := range a.crowd("people", proofs.SegmentSize, "alice", "bob", "dave") {
		people[name] = append(people[name], more...)
	}
	a.caughtUp()
	if got := a.found("people", actor("alice")); !slices.Equal(got, people["alice"]) {
		t.Errorf("got %d entries, want %d", len(got), len(people["alice"]))
	}
}

func TestTheIndexForgetsWhatIsErased(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	a := indexed(t)
	a.short("people", 0)
	people := a.crowd("people", 2*proofs.SegmentSize, "alice", "bob")
	a.caughtUp()
	copied := a.search.(*memfs.FS).Restart()
	if _, err := a.as("custodian").Erase(t.Context(), Erasure{Stream: "people", Subject: "alice", Reason: "she asked for it"}); err != nil {
		t.Fatal(err)
	}
	a.gone(people["alice"][0])
	for range 2 {
		a.caughtUp()
		for _, e := range []query.Expr{actor("alice"), query.Word{Text: "alice"}} {
			if got := a.found("people", e); len(got) > 0 {
				t.Errorf("%v leads to %d entries", e, len(got))
			}
		}
		if got := a.found("people", actor("bob")); !slices.Equal(got, people["bob"]) {
			t.Errorf("got %d entries of others, want %d", len(got), len(people["bob"]))
		}
		a.restart()
	}
	// A copy from before opens with no key that is left.
	a.search = copied
	a.restart()
	if a.l.indexer.view().Anew() == nil {
		t.Error("a copy of the index from before the erasure is opened")
	}
	a.caughtUp()
	again := a.record("people", "alice")
	a.caughtUp()
	if got := a.found("people", actor("alice")); !slices.Equal(got, again) {
		t.Errorf("of what is new about her got %v, want %v", got, again)
	}
}

func TestTheIndexDropsWhatExpired(t *testing.T) {
	a := indexed(t)
	a.short("week", 7)
	old := a.crowd("week", 300, "alice", "bob")
	a.caughtUp()
	a.later(9)
	a.later(9)
	a.gone(old["alice"][0])
	fresh := a.record("week", "bob")
	for range 2 {
		a.caughtUp()
		if got := a.found("week", actor("bob")); !slices.Equal(got, fresh) {
			t.Errorf("got %v, want %v", got, fresh)
		}
		a.restart()
	}
}

func TestAnIndexThatIsLostIsMadeAgain(t *testing.T) {
	a := indexed(t)
	a.short("people", 0)
	people := a.crowd("people", 700, "alice", "bob")
	a.caughtUp()
	if err := a.l.Close(); err != nil {
		t.Fatal(err)
	}
	a.search = memfs.New(nil)
	a.start()
	a.caughtUp()
	if got := a.found("people", actor("bob")); !slices.Equal(got, people["bob"]) {
		t.Errorf("got %d entries, want %d", len(got), len(people["bob"]))
	}
}
