package search_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// secret is what entries have that will be erased.
const secret = "forgetme"

// confess gives some entries the secret, in each way that an index has of it.
func (m *model) confess(n int) (runs []proofs.Run) {
	for range n {
		e := &m.entries[m.rng.IntN(len(m.entries))]
		if e.bucket == 0 || e.gone {
			continue
		}
		e.Fields["actor"] = append(e.Fields["actor"], secret)
		e.Source = secret
		e.Payload = []byte(`{"text":"` + secret + `"}`)
		runs = append(runs, proofs.Run{First: e.Index, Last: e.Index})
	}
	return proofs.JoinRuns(runs)
}

func content(t *testing.T, fsys *memfs.FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	b := make([]byte, size)
	_, err = io.ReadFull(io.NewSectionReader(f, 0, size), b)
	must(t, err)
	must(t, f.Close())
	return b
}

// everything returns all bytes of a file system.
func everything(t *testing.T, fsys *memfs.FS) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	infos, err := fsys.ReadDir(".")
	must(t, err)
	for _, info := range infos {
		files[info.Name] = content(t, fsys, info.Name)
	}
	return files
}

// opens reports whether bytes that an index ever had open, with the keys that
// are left, to something with the secret in it: whether any block of a file
// opens under its key of any register that opens.
func opens(t *testing.T, k *keyring, files []map[string][]byte) bool {
	t.Helper()
	keys := map[string]proofs.Key256{} // of files; a name is authenticated with each block
	for _, f := range files {
		maps.Copy(keys, search.Keys(f["register"], k.key))
	}
	found := false
	for _, f := range files {
		for name, b := range f {
			if bytes.Contains(b, []byte(secret)) {
				t.Fatalf("%s has it in the clear", name)
			}
			key, ok := keys[name]
			found = found || ok && slices.ContainsFunc(search.OpenBlocks(name, key, b), func(block []byte) bool { return bytes.Contains(block, []byte(secret)) })
		}
	}
	return found
}

func TestNothingOpensToWhatWasForgotten(t *testing.T) {
	t.Parallel()
	for _, entries := range []int{50, 200, 700} {
		m := &model{rng: rand.New(rand.NewPCG(uint64(entries), 1))}
		k := &keyring{}
		m.grow(entries)
		runs := m.confess(5)
		fsys := memfs.New(nil)
		x := open(t, config(fsys, k))
		must(t, m.feed(x))
		m.askMuch(t, x, 10)
		seen := []map[string][]byte{everything(t, fsys)}
		if entries > 64 && !opens(t, k, seen) {
			t.Fatal("nothing of it is there: the test sees nothing")
		}
		for i := range m.entries {
			if proofs.InRuns(runs, uint64(i)) {
				m.erase(i)
			}
		}
		must(t, x.Forget(context.Background(), runs, 1))
		m.askMuch(t, x, 10)
		k.destroyed = 1
		must(t, m.feed(x))
		seen = append(seen, everything(t, fsys))
		must(t, m.rebuild(x))
		seen = append(seen, everything(t, fsys))
		if opens(t, k, seen) {
			t.Errorf("of %d entries, something opens", entries)
		}
		m.askMuch(t, x, 20)
		n, _, err := x.Count(context.Background(), m.request(query.Or{List: []query.Expr{
			query.Word{Text: secret}, query.Source{Name: secret}, query.Field{Name: "actor", Op: query.Equal, Value: secret},
		}}, 1, 2, 3))
		must(t, err)
		if n > 0 || len(x.Missing()) > 0 {
			t.Errorf("%d entries have it; missing: %v", n, x.Missing())
		}
		again := m.reopen(t, fsys.Crash(nil), k)
		if again.Anew() != nil || len(again.Missing()) > 0 {
			t.Errorf("begun anew: %v, missing: %v", again.Anew(), again.Missing())
		}
	}
}

func TestADestroyedKeyBeginsTheIndexAnew(t *testing.T) {
	m := &model{rng: rand.New(rand.NewPCG(1, 1))}
	k := &keyring{}
	m.grow(300)
	fsys := memfs.New(nil)
	x := open(t, config(fsys, k))
	must(t, m.feed(x))
	k.destroyed = 1
	x = m.reopen(t, fsys.Restart(), k)
	if x.Next() != 0 || x.Anew() == nil {
		t.Errorf("Next = %d, anew: %v", x.Next(), x.Anew())
	}
	must(t, m.feed(x))
	m.askMuch(t, x, 20)
	want := errors.New("the key cannot be had now")
	cfg := config(fsys.Restart(), k)
	cfg.Key = func(uint64) (proofs.Key256, error) { return proofs.Key256{}, want }
	if _, err := search.Open(context.Background(), cfg); !errors.Is(err, want) {
		t.Errorf("without a key for now: %v", err)
	}
}

func TestADroppedBucketIsGone(t *testing.T) {
	m := &model{rng: rand.New(rand.NewPCG(1, 1))}
	k := &keyring{}
	m.grow(600)
	fsys := memfs.New(nil)
	x := open(t, config(fsys, k))
	must(t, m.feed(x))
	must(t, x.Forget(context.Background(), []proofs.Run{{First: 10, Last: 20}}, 1))
	must(t, x.Drop(context.Background(), []uint32{2}, 2))
	if err := x.Forget(context.Background(), nil, 1); !errors.Is(err, search.ErrInvalid) {
		t.Errorf("a generation that falls: %v", err)
	}
	k.destroyed = 2
	for i := range m.entries {
		if m.entries[i].bucket == 2 {
			m.entries[i] = entry{Document: query.Document{Index: uint64(i), Time: m.entries[i].Time}}
		}
	}
	for _, x := range []*search.Index{x, m.reopen(t, fsys.Restart(), k)} {
		must(t, m.feed(x))
		m.askMuch(t, x, 20)
		must(t, m.rebuild(x))
		n, _, err := x.Count(context.Background(), m.request(query.All{}, 2))
		must(t, err)
		if n > 0 || len(x.Missing()) > 0 {
			t.Errorf("%d entries are there; missing: %v", n, x.Missing())
		}
	}
}
