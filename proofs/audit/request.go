package audit

import "github.com/cairnlog/cairn/proofs"

// A request is what a custodian asked for, so that another approves it.
type request struct {
	kind       proofs.Kind // of the entry that it asks for
	by         uint64
	approval   uint64 // index of the entry that approved it; 0: none, or it was withdrawn
	approvedBy uint64
	from       uint64 // when the grace is over, microseconds since 1970, while it is approved
	withdrawn  uint64 // index of the entry by which it was; 0: none
	used       uint64 // index of the entry that it allowed; 0: none
}

// pending reports whether it still can allow something.
func (r *request) pending() bool { return r.used == 0 && r.withdrawn == 0 }

// administer takes over what custodians ask for and answer.
func (h *history) administer(c control) error {
	body, err := proofs.ParseAdministration(c.leaf.Control)
	if err != nil {
		return err
	}
	if r := body.Request; r != nil {
		h.requests[c.index] = &request{kind: r.Kind, by: r.By}
	}
	if a := body.Approval; a != nil {
		h.approve(c, a)
	}
	if a := body.Withdrawal; a != nil {
		h.withdraw(c, a)
	}
	return nil
}

// approve takes over an approval. One that can't be is none: by who asked, of
// what is approved already, or of nothing; or by somebody who is not one of the
// custodians, or of what such a one asked for.
func (h *history) approve(c control, a *proofs.AnswerBody) {
	r := h.requests[a.Request]
	if r == nil || !r.pending() || r.approval > 0 || r.by == a.By || !h.custodians.Takes(r.by) || !h.custodians.Takes(a.By) {
		return
	}
	r.approval, r.approvedBy = c.index, a.By
	r.from = c.leaf.Time + uint64(h.ledger.Grace)*1e6
}

// withdraw takes over that who asked, or who approved, does not want it any
// more. The word of anybody else is none.
func (h *history) withdraw(c control, a *proofs.AnswerBody) {
	r := h.requests[a.Request]
	switch {
	case r == nil || !r.pending():
	case r.by == a.By:
		r.withdrawn = c.index
	case r.approval > 0 && r.approvedBy == a.By:
		r.approval, r.approvedBy, r.from = 0, 0, 0
	}
}

// An act is what an entry does that a request may have to allow.
type act struct {
	kind     proofs.Kind
	request  uint64 // that the entry names; 0: none
	needsTwo bool   // custodians, where the ledger has two
	more     bool   // entries of the same act follow: the request is not used up
	what     string // it does, behind "Entry 7 "
}

// judgeRequest judges the request that an act names, or lacks, and uses it up.
// It reports whether that was as it has to be.
func (h *history) judgeRequest(c control, a act) bool {
	if a.request == 0 {
		if a.needsTwo && h.ledger.Custodians > 1 {
			h.object(RequestMissing, c, "%s, for which two custodians are needed, and names no request", a.what)
			return false
		}
		return true
	}
	r := h.requests[a.request]
	if r == nil || r.kind != a.kind {
		h.object(RequestMissing, c, "names entry %d as its request, and that asks for nothing of the kind %v", a.request, a.kind)
		return false
	}
	ok := h.judgeAllowed(c, a.request, r)
	if r.used == 0 && !a.more {
		r.used = c.index
	}
	return ok
}

// judgeAllowed judges whether a request allows the entry that names it.
func (h *history) judgeAllowed(c control, index uint64, r *request) bool {
	switch {
	case r.used > 0:
		h.object(RequestUsed, c, "names the request of entry %d, which entry %d has used", index, r.used)
	case r.withdrawn > 0:
		h.object(RequestUnapproved, c, "names the request of entry %d, which entry %d has withdrawn", index, r.withdrawn)
	case r.approval == 0:
		h.object(RequestUnapproved, c, "names the request of entry %d, which nobody but who asked has approved", index)
	case !h.custodians.Takes(r.by) || !h.custodians.Takes(r.approvedBy):
		h.object(RequestUnapproved, c, "names the request of entry %d, and who asked or approved is not one of the custodians any more", index)
	case c.leaf.Time < r.from:
		h.object(RequestEarly, c, "is from %s, and the grace of the request of entry %d lasts until %s", micros(c.leaf.Time), index, micros(r.from))
	default:
		return true
	}
	return false
}

// requestsPending returns how many requests still can allow something.
func (h *history) requestsPending() (n uint64) {
	for _, r := range h.requests {
		if r.pending() {
			n++
		}
	}
	return n
}
