package audit

import (
	"math"

	"github.com/cairnlog/cairn/proofs"
)

// An erasure closes parts of the entries of its runs that concern one subject.
type erasure struct {
	*closing
	stream uint32
	runs   []proofs.Run // rising, as few as there can be
	unread []proofs.Run // it may close parts of these, too: the ledger could not read them
}

// names reports whether the erasure may have closed something of an entry.
func (e *erasure) names(index uint64) bool {
	return proofs.InRuns(e.runs, index) || proofs.InRuns(e.unread, index)
}

// An erasing is an erasure of whose announcements some are still to come. It
// counts for nothing before the last.
type erasing struct {
	first       uint64 // index of the first one
	stream      uint32
	request     uint64
	part, parts uint32
	runs        []proofs.Run
	unread      []proofs.Run
	accused     bool // its request was reported
}

// erase takes over that parts of entries are closed, or that this is done.
func (h *history) erase(c control) error {
	body, err := proofs.ParseErasure(c.leaf.Control)
	if err != nil {
		return err
	}
	if body.Done != nil {
		h.finish(c, body.Done)
		return nil
	}
	x := body.Erased
	e := h.erasing
	if x.Part == 1 { // whatever was begun before counts for nothing
		e = &erasing{first: c.index, stream: x.Stream, request: x.Request, parts: x.Parts}
	}
	if e == nil || x.Part != e.part+1 || x.Parts != e.parts || x.Stream != e.stream || x.Request != e.request {
		h.object(ErasureBroken, c, "announces part %d of %d of an erasure, and no part of the same stream and request that it could follow came before", x.Part, x.Parts)
		return nil
	}
	e.part = x.Part
	h.erasing = e
	h.judgeErased(c, e, x)
	e.runs, e.unread = append(e.runs, x.Closes...), append(e.unread, x.Unread...)
	if e.part == e.parts {
		h.erasing = nil
		h.erasures = append(h.erasures, &erasure{h.announce(c), e.stream, before(e.runs, math.MaxUint64), before(e.unread, math.MaxUint64)})
	}
	return nil
}

// judgeErased judges the next announcement of an erasure: its request, and
// that its runs go on where those before it end.
func (h *history) judgeErased(c control, e *erasing, x *proofs.ErasedBody) {
	a := act{kind: proofs.Erasure, request: x.Request, needsTwo: true, more: e.accused || x.Part < x.Parts, what: "erases parts of entries"}
	if !e.accused {
		e.accused = !h.judgeRequest(c, a)
	}
	h.judgeRuns(c, e, e.runs, x.Closes)
	h.judgeRuns(c, e, e.unread, x.Unread)
}

// judgeRuns judges the next runs of an erasure by those before.
func (h *history) judgeRuns(c control, e *erasing, before, runs []proofs.Run) {
	if len(runs) == 0 {
		return
	}
	if n := len(before); n > 0 && runs[0].First <= before[n-1].Last {
		h.object(ErasureBroken, c, "goes back to entry %d, and the part of the erasure before it names entry %d", runs[0].First, before[n-1].Last)
	}
	if last := runs[len(runs)-1].Last; last >= e.first {
		h.object(ErasureBroken, c, "erases parts of entry %d, which did not come before it", last)
	}
}
