package proofs_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/proofs"
)

// fill adds random events of both streams, and some without tags.
func (w *searchWorld) fill(rnd *rand.Rand, size uint64) {
	for w.size() < size {
		actor := fmt.Sprintf("user%d", rnd.IntN(50))
		action := fmt.Sprintf("act%d", rnd.IntN(4))
		switch n := rnd.IntN(20); {
		case n == 0:
			w.event(1, 1)
		case n < 4:
			w.event(2, 2, []searchValue{{1, actor}})
		case n < 8:
			w.event(1, 3, []searchValue{{1, actor}, {1, "also"}, {2, action}, {4, "four"}})
		case n < 12:
			w.event(1, 1, []searchValue{{2, action}}, []searchValue{{1, actor}, {3, fmt.Sprint(w.size())}})
		default:
			w.event(1, 1, []searchValue{{1, actor}, {2, action}, {3, fmt.Sprint(w.size())}})
		}
	}
}

// bigSearchWorld has a large segment and small ones behind it.
var bigSearchWorld = sync.OnceValue(func() *searchWorld {
	w := newSearchWorld()
	w.fill(rand.New(rand.NewPCG(4, 4)), 20*proofs.SegmentSize+100)
	return w
})

// smallSearchWorld has two small segments with a directory. It is another one
// each time, for the test to change.
func smallSearchWorld() *searchWorld { return sharedSmallWorld().clone() }

var sharedSmallWorld = sync.OnceValue(func() *searchWorld {
	w := newSearchWorld()
	w.fill(rand.New(rand.NewPCG(5, 5)), 3*proofs.SegmentSize+5)
	return w
})

func (w *searchWorld) clone() *searchWorld {
	c := *w
	c.leaves, c.names = slices.Clip(w.leaves), slices.Clip(w.names)
	c.nodes = slices.Clone(w.nodes)
	for i := range c.nodes {
		c.nodes[i] = slices.Clip(c.nodes[i])
	}
	c.small, c.large = slices.Clone(w.small), slices.Clone(w.large)
	c.heads, c.rows = maps.Clone(w.heads), maps.Clone(w.rows)
	c.opened, c.expired, c.erased, c.unread = maps.Clone(w.opened), maps.Clone(w.expired), maps.Clone(w.erased), maps.Clone(w.unread)
	c.events = make(map[uint64]*searchEvent, len(w.events))
	for index, e := range w.events {
		copied := *e
		copied.lists = slices.Clone(e.lists)
		c.events[index] = &copied
	}
	return &c
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

func inTime(q proofs.SearchQuery, at uint64) bool {
	return at >= q.From && (q.Until == 0 || at < q.Until)
}
