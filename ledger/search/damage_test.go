package search_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// TestDamageIsNeverAWrongAnswer flips a bit of each byte of a small index in
// turn: what is asked then has no other answer, or the damage is known.
func TestDamageIsNeverAWrongAnswer(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(6, 1))}
	k := &keyring{}
	for i := range 64 {
		e := entry{bucket: 1}
		e.Index, e.Time, e.Stream = uint64(i), uint64(i), "main"
		e.Fields = map[string][]string{"action": {m.pick("read", "write")}}
		e.Payload = []byte(`"disk full"`)
		if i%7 == 0 {
			e = entry{Document: query.Document{Index: uint64(i), Time: uint64(i)}}
		}
		m.entries = append(m.entries, e)
	}
	whole := memfs.New(nil)
	x := open(t, config(whole, k))
	must(t, m.feed(x))
	for name, b := range everything(t, whole) {
		for offset := range b {
			fsys := whole.Restart()
			must(t, fsys.Damage(name, int64(offset), 1<<m.rng.IntN(8)))
			x := m.reopen(t, fsys, k)
			known := x.Anew() != nil || len(x.Missing()) > 0
			m.askEverything(t, x)
			if known = known || len(x.Missing()) > 0; !known {
				t.Fatalf("%s: byte %d: nobody saw it", name, offset)
			}
			must(t, m.feed(x))
			must(t, m.rebuild(x))
			m.askEverything(t, x)
			if gaps := x.Missing(); len(gaps) > 0 {
				t.Fatalf("%s: byte %d: missing: %v", name, offset, gaps)
			}
			must(t, x.Close())
		}
	}
}

// askEverything asks what needs every block of a file.
func (m *model) askEverything(t *testing.T, x *search.Index) {
	t.Helper()
	for _, e := range []query.Expr{
		query.Field{Name: "action", Op: query.Equal, Value: "read"}, query.Word{Text: "disk"}, query.After{Time: 30},
	} {
		m.judgeFind(t, x, m.request(e, 1))
	}
}

// TestAnOlderFileIsNotTakenForANewOne puts the files of an index back that it
// had before.
func TestAnOlderFileIsNotTakenForANewOne(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(7, 1))}
	k := &keyring{}
	m.grow(64)
	fsys := memfs.New(nil)
	x := open(t, config(fsys, k))
	must(t, m.feed(x))
	names := filesOf(t, fsys)
	if len(names) < 2 {
		t.Fatal("too few files")
	}
	must(t, x.Close())
	fsys = fsys.Restart()
	must(t, fsys.Rename(names[0], "other"))
	must(t, fsys.Rename(names[1], names[0]))
	must(t, fsys.Rename("other", names[1]))
	x = m.reopen(t, fsys, k)
	m.askMuch(t, x, 20)
	_, _, err := x.Count(context.Background(), m.request(query.Word{Text: "disk"}, 1, 2, 3))
	must(t, err)
	if gaps := x.Missing(); len(gaps) != 2 {
		t.Errorf("missing: %v", gaps)
	}
}

// TestDamageIsFoundByWhateverReadsFirst damages files of an open index before a
// merge, a facet or a forgetting is the first to read them.
func TestDamageIsFoundByWhateverReadsFirst(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, read := range map[string]func(*model, *search.Index) error{
		"a merge": func(m *model, x *search.Index) error { return m.feed(x) },
		"a facet": func(m *model, x *search.Index) error {
			_, err := x.Facet(ctx, m.request(query.All{}, 1, 2, 3), query.Field{Name: "id"}, 3)
			return err
		},
		"a histogram": func(m *model, x *search.Index) error {
			_, _, err := x.Histogram(ctx, m.request(query.All{}, 1, 2, 3), []uint64{1010, 1020, 1030})
			return err
		},
		"a forgetting": func(m *model, x *search.Index) error {
			return x.Forget(ctx, []proofs.Run{{First: 0, Last: 300}}, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &model{rng: rand.New(rand.NewPCG(6, 1))}
			k := &keyring{}
			m.grow(250)
			fsys := memfs.New(nil)
			must(t, m.feed(open(t, config(fsys, k))))
			fsys = fsys.Restart()
			x := m.reopen(t, fsys, k)
			for _, name := range filesOf(t, fsys) {
				for offset := range content(t, fsys, name) {
					must(t, fsys.Damage(name, int64(offset), 0x10))
				}
			}
			m.grow(100)
			must(t, read(m, x))
			if len(x.Missing()) == 0 {
				t.Error("nothing is missing")
			}
			m.askMuch(t, x, 10)
			must(t, m.feed(x))
			must(t, m.rebuild(x))
			m.askMuch(t, x, 10)
			if gaps := x.Missing(); len(gaps) > 0 {
				t.Errorf("missing: %v", gaps)
			}
		})
	}
}

// TestDamageOfWhatWasPutAside damages what an open segment has put aside.
func TestDamageOfWhatWasPutAside(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(6, 1)), whole: true}
	k := &keyring{}
	m.grow(60)
	fsys := memfs.New(nil)
	x := open(t, config(fsys, k))
	must(t, m.feed(x))
	aside := filesOf(t, fsys)
	if len(aside) == 0 {
		t.Fatal("nothing was put aside")
	}
	for _, name := range aside {
		for offset := range content(t, fsys, name) {
			must(t, fsys.Damage(name, int64(offset), 1))
		}
	}
	m.askMuch(t, x, 10)
	m.grow(30)
	must(t, m.feed(x))
	m.askMuch(t, x, 10)
	if len(x.Missing()) != 1 {
		t.Errorf("missing: %v", x.Missing())
	}
	must(t, m.rebuild(x))
	m.askMuch(t, x, 10)
	if gaps := x.Missing(); len(gaps) > 0 {
		t.Errorf("missing: %v", gaps)
	}
}

// TestAQueryTouchesItsBucketsOnly damages everything: what a query then finds
// to be lost is what it has read.
func TestAQueryTouchesItsBucketsOnly(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(8, 1))}
	k := &keyring{}
	m.grow(600)
	fsys := memfs.New(nil)
	must(t, m.feed(open(t, config(fsys, k))))
	fsys = fsys.Restart()
	x := m.reopen(t, fsys, k)
	for _, name := range filesOf(t, fsys) {
		for offset := range content(t, fsys, name) {
			must(t, fsys.Damage(name, int64(offset), 0x10))
		}
	}
	for range 100 {
		r := m.request(m.expression(3), 2)
		n, scope, err := x.Count(context.Background(), r)
		must(t, err)
		for _, g := range scope.Gaps {
			if g.Bucket != 2 {
				t.Fatalf("a gap of bucket %d", g.Bucket)
			}
		}
		if want := m.matching(r, scope); n != uint64(len(want)) {
			t.Fatalf("%#v: %d entries, want %d", r.Expr, n, len(want))
		}
	}
	gaps := x.Missing()
	if len(gaps) == 0 {
		t.Error("nothing was read")
	}
	for _, id := range gaps {
		if id.Bucket != 2 {
			t.Errorf("%v was read", id)
		}
	}
}
