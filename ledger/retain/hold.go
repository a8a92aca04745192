package retain

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A hold is one whose release is not done.
type hold struct {
	index    uint64  // of the entry that made it
	released uint64  // index of the announcement; 0: active
	claims   []claim // rising
}

// A claim is what a hold covers from an entry on.
type claim struct {
	since uint64
	cover
}

// A cover is a set of entries: whole streams, also what comes later, and runs.
type cover struct {
	streams []uint32 // rising
	runs    []proofs.Run
}

func (c cover) union(o cover) cover {
	streams := slices.Concat(c.streams, o.streams)
	slices.Sort(streams)
	return cover{streams: slices.Compact(streams), runs: union(c.runs, o.runs)}
}

// extend returns the union, which may use the room behind c's runs: nobody else
// may do so.
func (c cover) extend(o cover) cover {
	n := len(c.runs)
	if n == 0 || len(o.runs) == 0 || o.runs[0].First <= c.runs[n-1].Last || o.runs[0].First-c.runs[n-1].Last == 1 {
		return c.union(o)
	}
	both := c.union(cover{streams: o.streams})
	both.runs = append(c.runs, o.runs...)
	return both
}

func (c cover) hasStream(stream uint32) bool {
	_, ok := slices.BinarySearch(c.streams, stream)
	return ok
}

// cover returns what the hold covers by its entries before an index.
func (h *hold) cover(before uint64) (c cover) {
	for i, x := range h.claims {
		switch {
		case x.since >= before:
		case i == 0:
			c = x.cover
		default:
			c = c.union(x.cover)
		}
	}
	return c
}

// coversAt returns what each hold covers that is active at a moment or released
// by it, by the index of the hold.
func (s *State) coversAt(moment uint64) map[uint64]cover {
	covers := map[uint64]cover{}
	for _, h := range s.holds {
		if h.released == 0 || h.released >= moment {
			covers[h.index] = h.cover(moment)
		}
	}
	return covers
}

// A Hold keeps entries from being closed.
type Hold struct {
	Index    uint64       // of the entry that made it
	Released uint64       // index of the announcement of its release; 0: it is active
	Streams  []uint32     // whose entries it covers, also later ones
	Runs     []proofs.Run // other entries that it covers
}

// Holds returns the holds whose release is not done, in the order of their
// indices.
func (s *State) Holds() []Hold {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []Hold
	for _, h := range s.holds {
		c := h.cover(math.MaxUint64)
		list = append(list, Hold{Index: h.index, Released: h.released, Streams: c.streams, Runs: c.runs})
	}
	return list
}

// Active returns the indices of the holds that are not released, rising.
func (s *State) Active() (list []uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, h := range s.holds {
		if h.released == 0 {
			list = append(list, h.index)
		}
	}
	return list
}

// Covering returns the active holds that cover the entry of a stream at an
// index, by their own indices, rising. That one covers an entry that is gone
// already does not bring it back.
func (s *State) Covering(stream uint32, index uint64) []uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []uint64
	for _, h := range s.holds {
		if h.released == 0 && h.covers(stream, index) {
			list = append(list, h.index)
		}
	}
	return list
}

// covers reports whether one of the hold's claims covers an entry.
func (h *hold) covers(stream uint32, index uint64) bool {
	for _, c := range h.claims {
		if c.hasStream(stream) || proofs.InRuns(c.runs, index) {
			return true
		}
	}
	return false
}

// Held returns what the active holds would keep of entries of a stream, if
// these were erased now. The runs rise.
func (s *State) Held(stream uint32, runs []proofs.Run) []Ring {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var rings []Ring
	c := &closing{kind: proofs.Erasure, stream: stream, runs: runs}
	for _, h := range s.holds {
		if h.released > 0 {
			continue
		}
		if kept := s.within(c, h.cover(math.MaxUint64)); len(kept) > 0 {
			rings = append(rings, Ring{Hold: h.index, Share: c.share(kept)})
		}
	}
	return rings
}

// hold returns a hold whose release is not done; nil is none.
func (s *State) hold(index uint64) *hold {
	i, ok := slices.BinarySearchFunc(s.holds, index, func(h *hold, index uint64) int { return cmp.Compare(h.index, index) })
	if !ok {
		return nil
	}
	return s.holds[i]
}

// active returns the active hold that an entry made.
func (s *State) active(index uint64) (*hold, error) {
	if h := s.hold(index); h != nil && h.released == 0 {
		return h, nil
	}
	return nil, fmt.Errorf("hold %d: %w", index, ErrNoHold)
}

func (s *State) judgeHold(index uint64, leaf *proofs.Leaf) (change func(), err error) {
	body, err := proofs.ParseHold(leaf.Control)
	if err != nil {
		return nil, err
	}
	c := claim{since: index, cover: cover{runs: body.Holds}}
	if body.Stream > 0 {
		c.streams = []uint32{body.Stream}
	}
	if body.Hold == 0 {
		return func() { s.holds = append(s.holds, &hold{index: index, claims: []claim{c}}) }, nil
	}
	h, err := s.active(body.Hold)
	if err != nil {
		return nil, err
	}
	return func() { s.add(h, c) }, nil
}

// add adds a claim to a hold. Claims that no open closing tells apart become
// one: few remain, whatever comes.
func (s *State) add(h *hold, c claim) {
	last := uint64(0) // the last moment that is not over
	if n := len(s.open); n > 0 {
		last = s.open[n-1].index
	}
	n := len(h.claims)
	for n > 0 && h.claims[n-1].since > last {
		c.cover = h.claims[n-1].extend(c.cover)
		n--
	}
	h.claims = append(slices.Clone(h.claims[:n]), c)
}
