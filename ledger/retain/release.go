package retain

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

func (s *State) judgeRelease(index uint64, leaf *proofs.Leaf) (change func(), err error) {
	body, err := proofs.ParseRelease(leaf.Control)
	if err != nil {
		return nil, err
	}
	if body.Done != nil {
		return s.judgeDone(proofs.Release, body.Done)
	}
	x := body.Released
	h, err := s.active(x.Hold)
	if err != nil {
		return nil, err
	}
	if err := s.judgeRequest(x.Request, s.needsRequest(proofs.Release, proofs.SettingsBody{}), proofs.Release, leaf.Time); err != nil {
		return nil, err
	}
	return func() {
		s.use(x.Request, index)
		s.release(h, index, x.Request)
	}, nil
}

// release announces the end of a hold. Whatever other hold covers something
// that it has kept gets a ring for that.
func (s *State) release(h *hold, index, request uint64) {
	h.released = index
	covers := s.coversAt(index)
	for _, c := range s.keptBy(h.index, index) {
		kept := s.within(c, covers[h.index])
		for _, other := range s.holds {
			if v, active := covers[other.index]; active && other != h && meets(kept, s.within(c, v)) {
				c.keepers = append(c.keepers, keeper{hold: other.index, at: index})
			}
		}
	}
	s.announce(&closing{index: index, kind: proofs.Release, hold: h.index, request: request})
}

// finishRelease forgets a hold, and what it alone kept.
func (s *State) finishRelease(c *closing) {
	covers := s.coversAt(c.index)
	for _, x := range s.keptBy(c.hold, c.index) {
		if x.kind == proofs.Erasure {
			gone := s.within(x, covers[c.hold])
			for hold, v := range covers {
				if hold != c.hold {
					gone = Subtract(gone, s.within(x, v))
				}
			}
			x.runs = Subtract(x.runs, gone)
		}
		x.forget(c.hold)
	}
	s.holds = slices.DeleteFunc(s.holds, func(h *hold) bool { return h.index == c.hold })
}

// forget takes a hold from those that keep something of a closing.
func (c *closing) forget(hold uint64) {
	c.keepers = slices.DeleteFunc(c.keepers, func(k keeper) bool { return k.hold == hold })
}
