package proofs

import (
	"fmt"
	"slices"
)

// What settings make weaker: that is for two custodians, where a ledger wants
// two. Whoever runs a ledger may ask for more alone, and take nothing back.

// Shortens reports whether a class keeps its entries for less time than it did.
func (c ClassBody) Shortens(was ClassBody) bool {
	return c.Days > 0 && (was.Days == 0 || c.Days < was.Days)
}

// Weakens reports whether it takes fewer custodians than before, or a shorter
// grace.
func (l LedgerBody) Weakens(was LedgerBody) bool {
	return l.Custodians < was.Custodians || l.Grace < was.Grace
}

// Weakens returns what new settings of a stream take from it, as the end of a
// sentence about the stream; it is empty where they take nothing. New entries
// are kept for less time, whoever reads need not say why, events are no longer
// sealed in parts, or a field is not declared any more as it was. Class returns
// what a class is now; one that no entry has set keeps nothing.
//
// To close a stream takes nothing from what is in it. What fields are called,
// and where they are in an event, bodies do not say: to change that makes
// another field.
func (s StreamBody) Weakens(was StreamBody, class func(uint16) (ClassBody, bool)) string {
	next, ok := class(s.Class)
	before, known := class(was.Class)
	switch {
	case known && !ok:
		return fmt.Sprintf("has class %d, which no entry has set", s.Class)
	case known && next.Shortens(before):
		return fmt.Sprintf("has class %d, which keeps entries for less time than class %d", s.Class, was.Class)
	case was.Reason && !s.Reason:
		return "can be read without a reason"
	case was.Split && !s.Split:
		return "does not seal events in parts any more"
	}
	for _, f := range was.Fields {
		if !slices.Contains(s.Fields, f) {
			return fmt.Sprintf("does not declare field %d any more as it did", f.Number)
		}
	}
	return ""
}
