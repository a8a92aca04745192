package audit

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A retention is what the entries so far say about what is closed and what is
// kept.
type retention struct {
	classes    map[uint16]class
	streams    map[uint32]proofs.StreamBody // as they are now
	ledger     proofs.LedgerBody
	custodians proofs.CustodiansBody // who are named
	buckets    map[uint32]*bucket
	paths      map[bucketPath]uint32 // the bucket that has it
	requests   map[uint64]*request   // by the index of the entry that asked
	holds      []*hold               // rising
	erasures   []*erasure            // announced in full, rising
	erasing    *erasing              // announced in part; nil: none
	opened     map[uint64]*closing   // announced and not done, by the index of the entry
	keyState   *keyState             // nil: none is known
	unaged     uint64                // expiries, or minimum indices, whose age could not be told
	pruning    pruning

	directories directories
}

func newRetention() retention {
	return retention{
		classes: map[uint16]class{}, streams: map[uint32]proofs.StreamBody{}, ledger: proofs.LedgerBody{Custodians: 1},
		buckets: map[uint32]*bucket{}, paths: map[bucketPath]uint32{},
		requests: map[uint64]*request{}, opened: map[uint64]*closing{},
	}
}

// A closing is what makes payloads unreadable: the expiry of a bucket, the
// erasure of a subject, the release of a hold.
type closing struct {
	kind      proofs.Kind
	announced uint64    // index of the entry that announced it, the last one of an erasure in several
	time      uint64    // of that entry
	before    *keyState // the last that was known before it; nil: none, or it is done
	done      uint64    // index of the entry that completed it; 0: none did
}

// A keyState is what a completion says of the keys that are left.
type keyState struct {
	epoch uint64
	hash  proofs.Hash
	entry uint64 // index of the entry that says so
}

// announce opens a closing.
func (h *history) announce(c control) *closing {
	x := &closing{kind: c.leaf.Kind, announced: c.index, time: c.leaf.Time, before: h.keyState}
	h.opened[c.index] = x
	return x
}

// finish takes over that a closing is done.
func (h *history) finish(c control, d *proofs.KeysDestroyed) {
	x := h.opened[d.Announced]
	if x == nil || x.kind != c.leaf.Kind {
		h.object(DoneUnannounced, c, "completes what entry %d has announced, and that announced nothing of the kind %v that is not done", d.Announced, c.leaf.Kind)
		x = &closing{kind: c.leaf.Kind}
	} else {
		delete(h.opened, d.Announced)
	}
	next := &keyState{d.Epoch, d.State, c.index}
	h.judgeKeyState(c, x, next)
	x.before, x.done = nil, c.index
	if h.keyState == nil || next.epoch >= h.keyState.epoch {
		h.keyState = next
	}
}

// judgeKeyState demands that key states go on: none comes back that was
// replaced, and what is closed is closed by a later one than was there before.
func (h *history) judgeKeyState(c control, x *closing, next *keyState) {
	last := h.keyState
	switch {
	case last == nil || next.epoch > last.epoch:
	case next.epoch < last.epoch:
		h.report(KeyStateRollback, c.index, c.path, "Entry %d was written with the keys of epoch %d, and entry %d with those of epoch %d: keys that were destroyed are back.",
			c.index, next.epoch, last.entry, last.epoch)
	case next.hash != last.hash:
		h.report(KeyStateConflict, c.index, c.path, "Entry %d says that the keys of epoch %d have the hash %v, and entry %d that it is %v: there are two key states.",
			c.index, next.epoch, next.hash, last.entry, last.hash)
	case x.before != nil && next.epoch == x.before.epoch && x.kind != proofs.Release:
		h.report(KeyStateUnchanged, c.index, c.path, "Entry %d completes what entry %d announced with the keys of epoch %d, which entry %d had before: no key was destroyed.",
			c.index, x.announced, next.epoch, x.before.entry)
	}
}

// overdueAfter is how long a closing may take from its announcement on, by the
// ledger's own time.
const overdueAfter = 24 * time.Hour

// overdue yields a finding for each closing that was announced long before a
// time in microseconds since 1970, and is not done.
func (h *history) overdue(now uint64) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for _, x := range slices.SortedFunc(maps.Values(h.opened), func(a, b *closing) int { return cmp.Compare(a.announced, b.announced) }) {
			if now < x.time || now-x.time <= uint64(overdueAfter/time.Microsecond) {
				continue
			}
			if !yield(Finding{Kind: ClosingOverdue, Index: int64(x.announced),
				Detail: fmt.Sprintf("Entry %d announced the %v of %s, and no entry up to %s says that it is done.", x.announced, x.kind, micros(x.time), micros(now))}) {
				return
			}
		}
	}
}
