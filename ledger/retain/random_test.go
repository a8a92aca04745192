package retain_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A history writes random entries, and holds the state to the model.
type history struct {
	*log
	*rand.Rand
	m     *model
	v     *vault
	kept  []retain.Checkpoint
	saved [][]byte // behind each entry
}

const (
	historyStreams = 3
	historyClasses = 2
)

func newHistory(t *testing.T, seed uint64) *history {
	m := newModel()
	h := &history{log: newLog(t), Rand: rand.New(rand.NewPCG(seed, 1)), m: m, v: newVault(m)}
	m.entry(0, 0)
	h.saved = append(h.saved, must(h.state.Save()))
	for c := range uint16(historyClasses) {
		h.setClass(c + 1)
	}
	return h
}

// took adds an entry of the ledger's own to the model.
func (h *history) took(index uint64) uint64 {
	h.m.entry(0, 0)
	h.saved = append(h.saved, must(h.state.Save()))
	return index
}

func (h *history) setClass(class uint16) {
	days := h.Uint32N(4)
	h.took(h.class(class, days, proofs.Day))
	h.m.days[class] = days
}

// takeEvent writes an event to the bucket of the day.
func (h *history) takeEvent() {
	b := modelBucket{stream: 1 + h.Uint32N(historyStreams), class: uint16(1 + h.IntN(historyClasses)), period: uint32(h.now / 1e6 / day)}
	at := slices.IndexFunc(h.m.buckets, func(o modelBucket) bool {
		return o.stream == b.stream && o.class == b.class && o.period == b.period
	})
	if at < 0 {
		h.bucket(b.stream, b.class, b.period)
		h.took(h.state.Size() - 1)
		h.m.buckets = append(h.m.buckets, b)
		at = len(h.m.buckets) - 1
	}
	number := uint32(at + 1)
	if !h.state.Takes(number) {
		return // expired by force on its first day
	}
	h.event(b.stream, number)
	h.m.entry(b.stream, number)
	h.saved = append(h.saved, must(h.state.Save()))
}

// runs returns random runs, some of which may be of entries to come.
func (h *history) runs() (runs []proofs.Run) {
	at := h.Uint64N(20)
	for range 1 + h.IntN(6) {
		r := proofs.Run{First: at, Last: at + h.Uint64N(12)}
		runs = append(runs, r)
		at = r.Last + 2 + h.Uint64N(uint64(len(h.m.entries)/4+1))
	}
	return runs
}

func (h *history) takeHold() {
	hold, stream, runs := uint64(0), uint32(0), h.runs()
	if active := h.active(); len(active) > 0 && h.IntN(2) == 0 {
		hold = active[h.IntN(len(active))]
	}
	if h.IntN(5) == 0 {
		stream, runs = 1+h.Uint32N(historyStreams), nil
	}
	index := h.took(h.addHold(hold, stream, runs...))
	if hold == 0 {
		hold = index
	}
	h.m.add(hold, stream, runs)
}

func (h *history) active() (list []uint64) {
	for _, n := range slices.Sorted(maps.Keys(h.m.holds)) {
		if !h.m.holds[n].released {
			list = append(list, n)
		}
	}
	return list
}

func (h *history) takeRelease() {
	if active := h.active(); len(active) > 0 {
		hold := active[h.IntN(len(active))]
		h.m.release(h.took(h.release(hold)), hold)
	}
}

// takeExpiry announces the expiry of what is due, or of what only the clock
// would not allow.
func (h *history) takeExpiry() {
	due := h.m.due(h.kept)
	if h.IntN(2) == 0 {
		for n, b := range h.m.buckets {
			if b.expiry == 0 && len(b.indices) > 0 && h.m.days[b.class] > 0 && !h.m.streamHeld(b.stream) {
				due = append(due, uint32(n+1))
			}
		}
	}
	if len(due) == 0 {
		return
	}
	number := due[h.IntN(len(due))]
	index := h.took(h.expire(number))
	b := &h.m.buckets[number-1]
	b.expiry = index
	h.m.announce(index, retain.Share{Closing: index, Stream: b.stream, Bucket: number}, b.indices)
}

// takeErasure announces the erasure of some entries of a stream, in one part
// or more, with or without something between them.
func (h *history) takeErasure() {
	stream := 1 + h.Uint32N(historyStreams)
	var indices []uint64
	var runs []proofs.Run
	for i, e := range h.m.entries {
		index := uint64(i)
		if e.stream != stream || h.IntN(3) > 0 {
			continue
		}
		indices = append(indices, index)
		if n := len(runs); n > 0 && runs[n-1].Last+1 == index {
			runs[n-1].Last = index
		} else {
			runs = append(runs, proofs.Run{First: index, Last: index})
		}
	}
	parts := uint32(1 + h.IntN(3))
	given := parts
	if h.IntN(6) == 0 {
		given-- // it is never finished, and so is none
	}
	var index uint64
	for part := uint32(1); part <= given; part++ {
		n := len(runs)
		if part < parts {
			n = h.IntN(n + 1)
		}
		index = h.took(h.must(erasureLeaf(proofs.ErasedBody{Stream: stream, Part: part, Parts: parts, Closes: runs[:n]})))
		runs = runs[n:]
		if h.IntN(3) == 0 {
			h.takeEvent()
		}
	}
	if given == parts {
		h.m.announce(index, retain.Share{Closing: index, Stream: stream}, indices)
	}
}

func (h *history) takeDone() {
	open := h.state.Open()
	if len(open) == 0 {
		return
	}
	c := open[0]
	want := h.m.gone[c.Index]
	maps.DeleteFunc(want, func(l lock, _ bool) bool { return h.v.expired[l.index] })
	if got, err := h.v.do(c); err != nil || !maps.Equal(got, want) {
		h.t.Fatalf("closing %+v closes %v, want %v: %v", c, got, want, err)
	}
	h.took(h.done())
}

func (h *history) step() {
	switch n := h.IntN(100); {
	case n < 45:
		h.takeEvent()
	case n < 55:
		h.now += h.Uint64N(day * 1e6)
		h.kept = append(h.kept, checkpoint(h.state.Size(), h.now/1e6))
	case n < 58:
		h.setClass(uint16(1 + h.IntN(historyClasses)))
	case n < 68:
		h.takeHold()
	case n < 75:
		h.takeRelease()
	case n < 83:
		h.takeExpiry()
	case n < 88:
		h.takeErasure()
	default:
		h.takeDone()
	}
}

// judge asks the state everything and compares.
func (h *history) judge() {
	h.t.Helper()
	for i, e := range h.m.entries {
		if got, want := h.state.Covering(e.stream, uint64(i)), h.m.covering(uint64(i)); !slices.Equal(got, want) {
			h.t.Fatalf("entry %d of stream %d is covered by %v, want %v", i, e.stream, got, want)
		}
	}
	for n, b := range h.m.buckets {
		got, _ := h.state.Bucket(uint32(n + 1))
		if got.Count != uint64(len(b.indices)) || got.Expiry != b.expiry || got.Count > 0 && (got.First != b.indices[0] || got.Last != b.indices[len(b.indices)-1]) {
			h.t.Fatalf("bucket %d is %+v, want %+v", n+1, got, b)
		}
	}
	h.judgeDue()
	h.judgeHeld()
	if len(h.state.Open()) == 0 {
		h.judgeVault()
	}
}

func (h *history) judgeDue() {
	h.t.Helper()
	now := h.kept[len(h.kept)-1]
	due, err := h.state.Due(now, func(size uint64) (retain.Checkpoint, error) {
		for _, c := range h.kept {
			if c.Size >= size {
				return c, nil
			}
		}
		return retain.Checkpoint{}, nil
	})
	var got []uint32
	for _, x := range due {
		got = append(got, x.Bucket)
		leaf := expiryLeaf(x)
		leaf.Time = h.now
		if err := h.state.Check(leaf); err != nil {
			h.t.Fatalf("what is due cannot be announced: %v", err)
		}
	}
	if want := h.m.due(h.kept); err != nil || !slices.Equal(got, want) {
		h.t.Fatalf("buckets %v are due, want %v: %v", got, want, err)
	}
}

// judgeHeld compares what holds would keep of some entries.
func (h *history) judgeHeld() {
	h.t.Helper()
	stream, runs := 1+h.Uint32N(historyStreams), h.runs()
	held := map[uint64][]uint64{} // by entry
	for _, r := range h.state.Held(stream, runs) {
		for _, run := range r.Runs {
			for i := run.First; i <= run.Last; i++ {
				held[i] = append(held[i], r.Hold)
			}
		}
	}
	for i, e := range h.m.entries {
		index := uint64(i)
		if e.stream != stream || !proofs.InRuns(runs, index) {
			continue
		}
		if want := h.m.covering(index); !slices.Equal(held[index], want) {
			h.t.Fatalf("of entry %d %v would be kept, want %v", i, held[index], want)
		}
	}
}

// judgeVault demands that what is kept opens and what is not doesn't, and that
// the state finds the ring.
func (h *history) judgeVault() {
	h.t.Helper()
	for n, c := range h.m.closings {
		for i, e := range h.m.entries {
			l := lock{n, uint64(i)}
			if h.v.expired[l.index] || c.share.Bucket > 0 && e.bucket != c.share.Bucket {
				continue
			}
			if opens := h.v.done[n] && h.v.opens(l); opens != c.kept[l.index] {
				h.t.Fatalf("what closing %d closes of entry %d opens: %v, want %v", n, i, opens, c.kept[l.index])
			}
			if !c.kept[l.index] {
				continue
			}
			if !slices.ContainsFunc(h.state.Rings(e.stream, e.bucket, l.index), func(r retain.RingName) bool { return h.v.rings[r][l] }) {
				h.t.Fatalf("entry %d is kept of closing %d, and in none of the rings %v", i, n, h.state.Rings(e.stream, e.bucket, l.index))
			}
		}
	}
}

// judgeRestarts demands that a ledger that starts from any snapshot, and
// applies again what it covers, comes to the same state.
func (h *history) judgeRestarts() {
	h.t.Helper()
	last := h.saved[len(h.saved)-1]
	for size, saved := range h.saved {
		s, err := retain.Load(saved)
		if err != nil {
			h.t.Fatal(err)
		}
		for i := h.IntN(size + 1); i < len(h.leaves); i++ {
			if err := s.Apply(uint64(i), h.leaves[i]); err != nil {
				h.t.Fatalf("from a snapshot of size %d: %v", s.Size(), err)
			}
		}
		if again := must(s.Save()); !bytes.Equal(again, last) {
			h.t.Fatalf("from a snapshot behind entry %d the state is\n%s\nwant\n%s", size, again, last)
		}
	}
}

// judgeEnd demands that nothing is left of holds when all are released.
func (h *history) judgeEnd() {
	h.t.Helper()
	for _, hold := range h.active() {
		h.m.release(h.took(h.release(hold)), hold)
		h.takeDone()
	}
	h.judge()
	if saved := must(h.state.Save()); len(h.v.rings) > 0 || bytes.Contains(saved, []byte(`"holds"`)) || bytes.Contains(saved, []byte(`"closings"`)) {
		h.t.Fatalf("the rings %v are left, and\n%s", h.v.rings, saved)
	}
}

func TestRandomHistoriesAgreeWithTheModel(t *testing.T) {
	seeds := uint64(30)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, seed)
			h.restarts = seed%2 == 0
			h.kept = append(h.kept, checkpoint(0, 0))
			for range 200 {
				h.step()
				if h.IntN(4) == 0 {
					h.judge()
				}
			}
			for len(h.state.Open()) > 0 {
				h.takeDone()
			}
			h.judge()
			h.judgeRestarts()
			h.judgeEnd()
		})
	}
}
