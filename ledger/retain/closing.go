package retain

import (
	"cmp"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A closing is one that is open, or of which holds keep something.
type closing struct {
	index   uint64      // of the entry that announced it, the last one of an erasure
	kind    proofs.Kind // Expiry, Erasure or Release
	request uint64

	stream uint32 // of what expires or is erased
	bucket uint32 // that expires
	hold   uint64 // that is released

	// runs of an erasure are what it closes, and once it is done what is kept
	// of that.
	runs    []proofs.Run
	keepers []keeper // of an expiry or erasure; rising, a hold may be there again
	done    bool
}

// A Share is some of the entries that an expiry or erasure concerns.
type Share struct {
	Closing uint64 // index of the entry that announced it
	Stream  uint32
	Bucket  uint32 // of an expiry: those entries of this bucket; 0: an erasure
	Runs    []proofs.Run
}

// A Closing is an announcement that is not done yet.
type Closing struct {
	Index   uint64      // of the entry that announced it, the last one of an erasure in several
	Kind    proofs.Kind // Expiry, Erasure or Release
	Request uint64      // that allowed it; 0: none was needed
	Hold    uint64      // the one that is released

	// Closes is what it is about: one share for an expiry or an erasure. For a
	// release it is what the hold has kept of each closing before it.
	Closes []Share
	// Rings is what active holds keep of that, by hold. It belongs into the
	// ring that the hold has for this closing, but for what is gone already. For
	// a release the keys come from the rings of the released hold, and what is
	// in another ring of the same hold already need not be in this one.
	Rings []Ring
}

// Gone returns what no hold keeps: the entries whose payloads, or whose parts
// that concern the erased subject, are gone when the closing is done.
func (c Closing) Gone() (gone []Share) {
	for _, share := range c.Closes {
		for _, r := range c.Rings {
			if r.Closing == share.Closing {
				share.Runs = Subtract(share.Runs, r.Runs)
			}
		}
		if len(share.Runs) > 0 {
			gone = append(gone, share)
		}
	}
	return gone
}

// Open returns the closings that are announced and not done, in the order in
// which they have to be done. What the first needs does not depend on what
// came after it, so that it can be repeated; that of a later one may become
// less when those before it are done.
func (s *State) Open() []Closing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []Closing
	for _, c := range s.open {
		list = append(list, s.describe(c))
	}
	return list
}

// Closing returns the open closing that an entry announced; ok is false if
// there is none.
func (s *State) Closing(index uint64) (c Closing, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.open {
		if c.index == index {
			return s.describe(c), true
		}
	}
	return Closing{}, false
}

// describe returns what the ledger has to know of an open closing.
func (s *State) describe(c *closing) Closing {
	out := Closing{Index: c.index, Kind: c.kind, Request: c.request, Hold: c.hold}
	covers := s.coversAt(c.index)
	if c.kind == proofs.Release {
		for _, x := range s.keptBy(c.hold, c.index) {
			if kept := s.within(x, covers[c.hold]); len(kept) > 0 {
				s.describeShare(&out, x, kept, covers)
			}
		}
	} else {
		s.describeShare(&out, c, s.all(c), covers)
	}
	slices.SortStableFunc(out.Rings, func(a, b Ring) int { return cmp.Compare(a.Hold, b.Hold) })
	return out
}

// describeShare adds what is closed of an expiry or erasure, and what holds
// keep of that.
func (s *State) describeShare(out *Closing, c *closing, closes []proofs.Run, covers map[uint64]cover) {
	out.Closes = append(out.Closes, c.share(closes))
	for _, k := range c.keepers {
		if k.at != out.Index {
			continue
		}
		kept := s.within(c, covers[k.hold])
		if out.Kind == proofs.Release {
			kept = Intersect(closes, kept)
		}
		if len(kept) > 0 {
			out.Rings = append(out.Rings, Ring{Hold: k.hold, Share: c.share(kept)})
		}
	}
}

// share returns some of the entries of an expiry or erasure.
func (c *closing) share(runs []proofs.Run) Share {
	return Share{Closing: c.index, Stream: c.stream, Bucket: c.bucket, Runs: runs}
}

// announce opens a closing, the latest one.
func (s *State) announce(c *closing) {
	s.open = append(s.open, c)
	s.addClosing(c)
	if c.kind == proofs.Release {
		return
	}
	covers := s.coversAt(c.index)
	for _, h := range s.holds {
		if v, active := covers[h.index]; active && s.touches(c, v) {
			c.keepers = append(c.keepers, keeper{hold: h.index, at: c.index})
		}
	}
}

// finish takes over that a closing, the first open one, is done.
func (s *State) finish(c *closing) {
	c.done = true
	switch c.kind {
	case proofs.Erasure:
		s.finishErasure(c)
	case proofs.Release:
		s.finishRelease(c)
	}
	over := func(c *closing) bool { return c.done && len(c.keepers) == 0 }
	for _, x := range s.closings {
		if at := x.place(); over(x) {
			if s.kept[at] = slices.DeleteFunc(s.kept[at], over); len(s.kept[at]) == 0 {
				delete(s.kept, at)
			}
		}
	}
	s.closings = slices.DeleteFunc(s.closings, over)
}

// A place is where the entries are that an expiry or an erasure is about: the
// bucket, or, with bucket 0, the whole stream. Releases are at the zero place.
type place struct{ stream, bucket uint32 }

func (c *closing) place() place { return place{c.stream, c.bucket} }

// addClosing adds the latest closing.
func (s *State) addClosing(c *closing) {
	s.closings = append(s.closings, c)
	if s.kept == nil {
		s.kept = map[place][]*closing{}
	}
	s.kept[c.place()] = append(s.kept[c.place()], c)
}
