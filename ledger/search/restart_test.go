package search_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// reopen opens the index that a file system has, and asks what it is told.
func (m *model) reopen(t *testing.T, fsys *memfs.FS, k *keyring) *search.Index {
	t.Helper()
	x := open(t, config(fsys, k))
	if x.Next() > uint64(len(m.entries)) {
		t.Fatalf("the index has %d entries of %d", x.Next(), len(m.entries))
	}
	return x
}

// askMuch puts a number of questions.
func (m *model) askMuch(t *testing.T, x *search.Index, n int) {
	t.Helper()
	for range n {
		m.ask(t, x)
	}
}

func TestAnIndexGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(2, 1))}
	k := &keyring{}
	fsys := memfs.New(nil)
	for i := range 40 {
		if i%2 == 1 {
			fsys = fsys.Crash(m.rng)
		} else {
			fsys = fsys.Restart()
		}
		x := m.reopen(t, fsys, k)
		if lag := uint64(len(m.entries)) - x.Next(); lag >= 64 {
			t.Fatalf("%d entries are to be added again", lag)
		}
		if x.Anew() != nil || len(x.Missing()) > 0 {
			t.Fatalf("begun anew: %v; missing: %v", x.Anew(), x.Missing())
		}
		m.grow(m.rng.IntN(100))
		must(t, m.feed(x))
		if len(m.entries) > 0 {
			m.askMuch(t, x, 5)
		}
		documents := len(m.documents(0, x.Next()-x.Next()%64))
		if s := x.Stats(); s.Next != x.Next() || s.Documents != uint64(documents) || s.Missing > 0 {
			t.Fatalf("%+v, and %d documents are at rest", s, documents)
		}
		must(t, x.Close())
	}
}

func TestEntriesThatAreNoDocumentsAreNotGoneThroughAgain(t *testing.T) {
	ctx, k, fsys := context.Background(), &keyring{}, memfs.New(nil)
	x := open(t, config(fsys, k))
	must(t, x.Add(ctx, 100_010, nil))
	if x.Next() != 100_010 {
		t.Errorf("Next = %d", x.Next())
	}
	must(t, x.Add(ctx, 100_012, []search.Document{{Index: 100_011, Time: 5, Bucket: 1, Words: []string{"late"}}}))
	r := (&model{}).request(query.Word{Text: "late"}, 1)
	a, err := x.Find(ctx, r, search.Page{Limit: 3})
	must(t, err)
	if !slices.Equal(a.Hits, []uint64{100_011}) {
		t.Errorf("found %d", a.Hits)
	}
	if again := open(t, config(fsys.Restart(), k)); 100_012-again.Next() > 256+64 {
		t.Errorf("after an opening Next = %d", again.Next())
	}
}

func TestAddRefusesWhatIsOutOfOrder(t *testing.T) {
	ctx := context.Background()
	x := open(t, config(memfs.New(nil), &keyring{}))
	must(t, x.Add(ctx, 10, []search.Document{{Index: 9, Time: 100, Bucket: 1}}))
	for name, try := range map[string]struct {
		next uint64
		docs []search.Document
	}{
		"going back":                 {9, nil},
		"below Next":                 {20, []search.Document{{Index: 9, Time: 100, Bucket: 1}}},
		"at next":                    {20, []search.Document{{Index: 20, Time: 100, Bucket: 1}}},
		"twice":                      {20, []search.Document{{Index: 11, Time: 100, Bucket: 1}, {Index: 11, Time: 100, Bucket: 1}}},
		"a time that falls":          {20, []search.Document{{Index: 11, Time: 99, Bucket: 1}}},
		"a word that is too long":    {20, []search.Document{{Index: 11, Time: 100, Bucket: 1, Words: []string{string(make([]byte, 65))}}}},
		"a word of nothing":          {20, []search.Document{{Index: 11, Time: 100, Bucket: 1, Words: []string{""}}}},
		"an index that no entry has": {1 << 63, []search.Document{{Index: 1 << 63, Time: 100, Bucket: 1}}},
	} {
		if err := x.Add(ctx, try.next, try.docs); !errors.Is(err, search.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if x.Next() != 10 {
		t.Errorf("Next = %d", x.Next())
	}
	must(t, x.Close())
	if err := x.Add(ctx, 20, nil); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := x.Forget(ctx, nil, 5); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestWhatIsMissingIsBuiltAgain(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(3, 1))}
	k := &keyring{}
	fsys := memfs.New(nil)
	x := open(t, config(fsys, k))
	for range 12 {
		m.grow(100)
		must(t, m.feed(x))
		must(t, x.Close())
		fsys = fsys.Restart()
		must(t, m.reopen(t, fsys, k).Close()) // it removes what was put aside
		files := filesOf(t, fsys)
		for range 3 {
			must(t, fsys.Remove(files[m.rng.IntN(len(files))]))
			files = filesOf(t, fsys)
		}
		x = m.reopen(t, fsys, k)
		if len(x.Missing()) == 0 {
			t.Fatal("nothing is missing")
		}
		must(t, m.feed(x))
		m.askMuch(t, x, 10)
		must(t, m.rebuild(x))
		if gaps := x.Missing(); len(gaps) > 0 {
			t.Fatalf("missing: %v", gaps)
		}
		m.askMuch(t, x, 10)
	}
}

// filesOf returns the names of the files of an index's parts.
func filesOf(t *testing.T, fsys *memfs.FS) (names []string) {
	t.Helper()
	infos, err := fsys.ReadDir(".")
	must(t, err)
	for _, info := range infos {
		if len(info.Name) == 32 {
			names = append(names, info.Name)
		}
	}
	return names
}

func TestBuildRefusesWhatIsNotOfThePart(t *testing.T) {
	ctx, k := context.Background(), &keyring{}
	m := &model{rng: rand.New(rand.NewPCG(3, 1))}
	m.grow(200)
	fsys := memfs.New(nil)
	x := open(t, config(fsys, k))
	must(t, m.feed(x))
	id := search.FileID{First: 64, End: 128, Bucket: 1}
	if err := x.Build(ctx, id, m.part(id)); !errors.Is(err, search.ErrInvalid) {
		t.Errorf("a part that is there: %v", err)
	}
	must(t, x.Forget(ctx, []proofs.Run{{First: 64, Last: 127}}, 1))
	other := id
	other.Bucket = 2
	if err := x.Build(ctx, id, m.part(other)); !errors.Is(err, search.ErrInvalid) {
		t.Errorf("documents of another bucket: %v", err)
	}
	want := errors.New("cannot be read")
	if err := x.Build(ctx, id, func(yield func(search.Document, error) bool) { yield(search.Document{}, want) }); !errors.Is(err, want) {
		t.Errorf("a document that cannot be read: %v", err)
	}
	stale := func(yield func(search.Document, error) bool) {
		must(t, x.Drop(ctx, []uint32{99}, 1))
	}
	if err := x.Build(ctx, id, stale); !errors.Is(err, search.ErrStale) {
		t.Errorf("something was dropped meanwhile: %v", err)
	}
	must(t, m.rebuild(x))
	m.askMuch(t, x, 20)
}
