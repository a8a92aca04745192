package audit

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// settingsClass is the class of the ledger's own settings, which is kept for
// ever: without them nobody could tell what the entries mean.
const settingsClass = 0

// A class is how long its entries are kept, as far as the log has come.
type class struct {
	settings uint64 // index of the entry that set it so; 0: none did
	days     uint32 // 0: for ever
	period   proofs.Period
}

// set takes over settings.
func (h *history) set(ctx context.Context, c control) error {
	body, err := proofs.ParseSettings(c.leaf.Control)
	if err != nil {
		return err
	}
	switch {
	case body.Class != nil:
		h.setClass(c, body.Request, *body.Class)
	case body.Custodians != nil:
		h.judgeRequest(c, act{
			kind: proofs.Settings, request: body.Request, needsTwo: body.Custodians.Differs(h.custodians), what: "names other custodians",
		})
		h.custodians = *body.Custodians
	case body.Ledger != nil:
		h.setLedger(c, body.Request, *body.Ledger)
	case body.Stream != nil:
		h.setStream(c, body.Request, *body.Stream)
	case body.Pruning != nil:
		h.prunes(c, body.Request, *body.Pruning)
	default:
		h.judgeRequest(c, act{kind: proofs.Settings, request: body.Request})
	}
	if body.Minimum != nil {
		return h.raise(ctx, c, *body.Minimum)
	}
	return nil
}

func (h *history) setStream(c control, request uint64, next proofs.StreamBody) {
	taken := ""
	if was, set := h.streams[next.Stream]; set {
		taken = next.Weakens(was, h.class)
	}
	h.judgeRequest(c, act{
		kind: proofs.Settings, request: request, needsTwo: taken != "",
		what: fmt.Sprintf("makes stream %d one that %s", next.Stream, taken),
	})
	h.streams[next.Stream] = next
}

// class returns what a class is now; ok is false if no entry has set it.
func (h *history) class(number uint16) (body proofs.ClassBody, ok bool) {
	c, ok := h.classes[number]
	return proofs.ClassBody{Class: number, Days: c.days, Period: c.period}, ok
}

func (h *history) setClass(c control, request uint64, next proofs.ClassBody) {
	was, set := h.classes[next.Class]
	shorter := set && next.Shortens(proofs.ClassBody{Days: was.days})
	h.judgeRequest(c, act{
		kind: proofs.Settings, request: request, needsTwo: shorter,
		what: fmt.Sprintf("lets class %d be kept for %s, which was %s", next.Class, days(next.Days), days(was.days)),
	})
	if set && was.period != next.Period {
		h.report(ClassConflict, c.index, c.path, "Entry %d makes the periods of class %d %vs, which were %vs: the numbers of its buckets would mean something else.",
			c.index, next.Class, next.Period, was.period)
		next.Period = was.period
	}
	h.classes[next.Class] = class{c.index, next.Days, next.Period}
}

func (h *history) setLedger(c control, request uint64, next proofs.LedgerBody) {
	was := h.ledger
	h.judgeRequest(c, act{
		kind: proofs.Settings, request: request, needsTwo: next.Weakens(was),
		what: fmt.Sprintf("demands %d custodians and a grace of %d seconds, which were %d and %d", next.Custodians, next.Grace, was.Custodians, was.Grace),
	})
	h.ledger = next
}

// kept returns for how many days the entries of a class are kept, and which
// entry says so. They are kept for ever where ok is false.
func (h *history) kept(number uint16) (c class, ok bool) {
	c = h.classes[number]
	return c, c.days > 0 && number != settingsClass
}

// days writes how long a class keeps its entries.
func days(n uint32) string {
	switch n {
	case 0:
		return "for ever"
	case 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
