package search_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// TestQueriesGoOnDuringChanges asks from several goroutines while documents are
// added, segments merged, and parts taken away and built again.
func TestQueriesGoOnDuringChanges(t *testing.T) {
	t.Parallel()
	m := &model{rng: rand.New(rand.NewPCG(8, 1))}
	m.grow(1500)
	fsys := memfs.New(nil)
	x := open(t, config(fsys, &keyring{}))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for i := range uint64(3) {
		reader := &model{entries: m.entries, rng: rand.New(rand.NewPCG(9, i))}
		readers.Go(func() {
			for asked := 0; ; asked++ {
				select {
				case <-done:
					if asked == 0 {
						t.Error("asked nothing")
					}
					return
				default:
					reader.judgeFind(t, x, reader.request(reader.expression(2), 1, 2, 3))
				}
			}
		})
	}
	if err := m.changes(x); err != nil {
		t.Error(err)
	}
	close(done)
	readers.Wait()
	if gaps := x.Missing(); len(gaps) > 0 {
		t.Errorf("missing: %v", gaps)
	}
	must(t, x.Close())
	if n := fsys.OpenFiles(); n > 0 {
		t.Errorf("%d files are still open", n)
	}
}

// changes adds all there is, and forgets and builds again on its way.
func (m *model) changes(x *search.Index) error {
	ctx := context.Background()
	for generation := uint64(1); x.Next() < uint64(len(m.entries)); generation++ {
		next := min(x.Next()+40, uint64(len(m.entries)))
		if err := x.Add(ctx, next, m.documents(x.Next(), next)); err != nil {
			return err
		}
		if generation%10 == 0 {
			at := m.rng.Uint64N(x.Next())
			if err := x.Forget(ctx, []proofs.Run{{First: at, Last: at + 1}}, generation); err != nil {
				return err
			}
		}
		if err := m.rebuild(x); err != nil {
			return err
		}
	}
	return nil
}

func TestAnIndexBeginsAnewWhereItIsTold(t *testing.T) {
	m := &model{rng: rand.New(rand.NewPCG(1, 1))}
	k := &keyring{}
	m.grow(300)
	fsys := memfs.New(nil)
	must(t, m.feed(open(t, config(fsys, k))))
	cfg := config(fsys.Restart(), k)
	cfg.Anew = true
	x := open(t, cfg)
	if x.Next() != 0 || len(x.Missing()) > 0 {
		t.Errorf("Next = %d, missing: %v", x.Next(), x.Missing())
	}
	must(t, m.feed(x))
	m.askMuch(t, x, 10)
}
