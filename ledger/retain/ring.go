package retain

import (
	"cmp"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A Ring is what a hold keeps of a closing.
type Ring struct {
	Hold uint64 // index of the entry that made the hold
	Share
}

// A RingName names a ring: that of a hold for a closing.
type RingName struct {
	Hold    uint64 // index of the entry that made the hold
	Closing uint64 // index of the announcement
}

// Rings returns the rings that may have something of an entry whose bucket has
// expired or of which parts are erased, because a hold covers it: by hold and
// closing, rising. A ring may lack it, or not be there: what was gone when it
// was made, or is in another ring, is not in it; that of a closing that is not
// done may not be written yet, and that of a released hold is destroyed.
func (s *State) Rings(stream, bucket uint32, index uint64) (names []RingName) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	covers := func(h *hold) bool { return h.covers(stream, index) }
	if !slices.ContainsFunc(s.holds, covers) {
		return nil // as of most entries
	}
	for _, at := range []place{{stream, bucket}, {stream, 0}} {
		for _, c := range s.kept[at] {
			if c.kind == proofs.Erasure && !proofs.InRuns(c.runs, index) {
				continue
			}
			for _, k := range c.keepers {
				if h := s.hold(k.hold); h != nil && covers(h) {
					names = append(names, RingName{Hold: k.hold, Closing: k.at})
				}
			}
		}
	}
	slices.SortFunc(names, func(a, b RingName) int {
		return cmp.Or(cmp.Compare(a.Hold, b.Hold), cmp.Compare(a.Closing, b.Closing))
	})
	return slices.Compact(names)
}

// A keeper is a hold that has a ring with something of a closing.
type keeper struct {
	hold uint64
	at   uint64 // the closing that the ring was made for: this one, or a release
}

// all returns what an expiry or erasure is about.
func (s *State) all(c *closing) []proofs.Run {
	if c.kind == proofs.Expiry {
		b := &s.buckets[c.bucket-1]
		return []proofs.Run{{First: b.first, Last: b.last}}
	}
	return c.runs
}

// within returns what of an expiry or erasure a cover has. The runs of an
// expiry may reach beyond its bucket.
func (s *State) within(c *closing, v cover) []proofs.Run {
	switch {
	case v.hasStream(c.stream):
		return s.all(c)
	case c.kind == proofs.Expiry:
		b := &s.buckets[c.bucket-1]
		return touching(v.runs, b.first, b.last)
	}
	return Intersect(c.runs, v.runs)
}

// touches reports whether a cover may have something of an expiry or erasure.
func (s *State) touches(c *closing, v cover) bool {
	if c.kind == proofs.Erasure && !v.hasStream(c.stream) {
		return meets(c.runs, v.runs)
	}
	return len(s.within(c, v)) > 0
}

// keptBy returns the expiries and erasures before a moment of which a hold
// keeps something.
func (s *State) keptBy(hold, moment uint64) (list []*closing) {
	for _, c := range s.closings {
		if c.index < moment && slices.ContainsFunc(c.keepers, func(k keeper) bool { return k.hold == hold }) {
			list = append(list, c)
		}
	}
	return list
}
