package audit

import (
	"cmp"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A hold keeps entries from being closed, from its own entry on until the
// announcement of its release.
type hold struct {
	index   uint64  // of the entry that made it
	claims  []claim // rising
	release *closing
}

// A claim is what a hold covers from an entry on.
type claim struct {
	since  uint64
	stream uint32 // all entries of it; 0: none
	runs   []proofs.Run
}

// holdOf returns the hold that an entry made, nil if it made none.
func (r *retention) holdOf(index uint64) *hold {
	i, ok := slices.BinarySearchFunc(r.holds, index, func(x *hold, index uint64) int { return cmp.Compare(x.index, index) })
	if !ok {
		return nil
	}
	return r.holds[i]
}

// hold takes over that entries are held.
func (h *history) hold(c control) error {
	body, err := proofs.ParseHold(c.leaf.Control)
	if err != nil {
		return err
	}
	x := claim{since: c.index, stream: body.Stream, runs: body.Holds}
	if body.Hold == 0 {
		h.holds = append(h.holds, &hold{index: c.index, claims: []claim{x}})
		return nil
	}
	if to := h.holdOf(body.Hold); to == nil || to.release != nil {
		h.object(HoldUnknown, c, "adds to the hold of entry %d, which is not there or released", body.Hold)
	} else {
		to.claims = append(to.claims, x)
	}
	return nil
}

// release takes over that a hold ends, or that this is done.
func (h *history) release(c control) error {
	body, err := proofs.ParseRelease(c.leaf.Control)
	if err != nil {
		return err
	}
	if body.Done != nil {
		h.finish(c, body.Done)
		return nil
	}
	h.judgeRequest(c, act{kind: proofs.Release, request: body.Released.Request, needsTwo: true, what: "releases a hold"})
	x := h.announce(c)
	if of := h.holdOf(body.Released.Hold); of == nil || of.release != nil {
		h.object(HoldUnknown, c, "releases the hold of entry %d, which is not there or released already", body.Released.Hold)
	} else {
		of.release = x
	}
	return nil
}

// active reports whether the hold is there at the moment of an announcement.
func (x *hold) active(at *closing) bool {
	return x.release == nil || x.release.announced > at.announced
}
