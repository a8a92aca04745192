package audit

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// What is there of an entry's sealed record.
type presence uint8

const (
	whole   presence = iota
	partial          // a part or tags are erased
	absent
)

// A keeper is a hold that covers an entry, from one of its entries on.
type keeper struct {
	*hold
	since uint64
}

// settled returns the closing by which what was announced by x becomes
// unreadable, for an entry that the keepers cover: x itself or, if it was held
// then, the release that left it without a hold. It is nil while a hold keeps
// the entry; then the first that does is returned too.
func settled(x *closing, keepers []keeper) (at *closing, by *hold) {
	for at = x; ; {
		held := false
		var next *closing // the first release after that moment
		for _, k := range keepers {
			held = held || k.active(at) && k.since < at.announced
			if r := k.release; r != nil && r.announced > at.announced && (next == nil || r.announced < next.announced) {
				next = r
			}
		}
		switch {
		case !held:
			return at, nil
		case next == nil:
			return nil, first(keepers)
		}
		at = next
	}
}

// first returns the first hold that is not released.
func first(keepers []keeper) (by *hold) {
	for _, k := range keepers {
		if k.release == nil && (by == nil || k.index < by.index) {
			by = k.hold
		}
	}
	return by
}

// A fate is what the log says shall become of an entry's record.
type fate struct {
	index  uint64
	bucket *bucket // nil: not known
	named
}

// A judgement is what an entry's record shows, beside the log.
type judgement struct {
	kind FindingKind // what is wrong; empty: nothing
	why  *closing    // where something is there that should be gone
	held *hold       // where something is gone that should be there

	expired  bool // it is gone since its bucket is
	erased   bool // parts of it are
	kept     bool // only a hold keeps it, or parts of it
	underWay bool // it is gone, and what closes it is announced and not done
}

// judge holds what is there of a record against what the log says. Streams is
// the holds of whole streams.
func (f *fate) judge(p presence, streams map[uint32][]keeper) judgement {
	if f.bucket == nil || f.bucket.expiry == nil {
		if p == absent {
			return judgement{kind: RecordMissing}
		}
		return f.judgeErasures(p, streams)
	}
	if f.index >= f.bucket.expiry.announced {
		return judgement{} // it may not even be in that bucket, as another finding says
	}
	at, by := settled(f.bucket.expiry, f.keepersOf(f.bucket.stream, streams))
	switch {
	case p == absent && at == nil:
		return judgement{kind: RecordHeld, held: by}
	case p == absent:
		return judgement{expired: at.done > 0, underWay: at.done == 0}
	case at != nil && at.done > 0:
		return judgement{kind: RecordRemains, why: at}
	case at != nil && p == partial:
		return judgement{underWay: true}
	}
	j := f.judgeErasures(p, streams)
	if at == nil && j.kind == RecordMissing {
		return judgement{kind: RecordHeld, held: by}
	}
	j.kept = at == nil && j.kind == ""
	return j
}

// judgeErasures holds what is there of a record that did not expire against the
// erasures that name it. Which of its parts an erasure closes cannot be told
// without keys: one that is done has left less than all, but perhaps of what it
// could not read.
func (f *fate) judgeErasures(p presence, streams map[uint32][]keeper) judgement {
	var done *erasure // the first
	var at *closing   // that made it so
	var held *hold
	open, unread := false, false
	for _, e := range f.erasures {
		switch x, by := settled(e.closing, f.keepersOf(e.stream, streams)); {
		case x == nil && (held == nil || by.index < held.index):
			held = by
		case x == nil:
		case x.done == 0:
			open = true
		case !proofs.InRuns(e.runs, f.index):
			unread = true
		case done == nil || e.announced < done.announced:
			done, at = e, x
		}
	}
	switch {
	case p == partial && (done != nil || unread):
		return judgement{erased: true, kept: held != nil}
	case p == partial && open:
		return judgement{underWay: true, kept: held != nil}
	case p == partial && held != nil:
		return judgement{kind: RecordHeld, held: held}
	case p == partial:
		return judgement{kind: RecordMissing}
	case done != nil:
		return judgement{kind: RecordRemains, why: at}
	}
	return judgement{kept: held != nil}
}

// opens reports whether the log says that all of a payload can be opened:
// nothing closes any of it, unless a hold keeps that.
func (f *fate) opens(streams map[uint32][]keeper) bool {
	if f.bucket == nil {
		return false
	}
	if x := f.bucket.expiry; x != nil {
		if f.index >= x.announced {
			return false // it may not even be in that bucket
		}
		if at, _ := settled(x, f.keepersOf(f.bucket.stream, streams)); at != nil {
			return false
		}
	}
	return !slices.ContainsFunc(f.erasures, func(e *erasure) bool {
		at, _ := settled(e.closing, f.keepersOf(e.stream, streams))
		return at != nil
	})
}

// keepersOf returns the holds that keep an entry from what closes entries of a
// stream.
func (f *fate) keepersOf(stream uint32, streams map[uint32][]keeper) []keeper {
	if len(f.keepers) == 0 {
		return streams[stream]
	}
	if of := streams[stream]; len(of) > 0 {
		return append(of[:len(of):len(of)], f.keepers...)
	}
	return f.keepers
}

// concerns reports whether an erasure can be about an entry: an event of its
// stream, or an entry of the ledger's own that names the subject in its
// payload.
func (e *erasure) concerns(leaf *proofs.Leaf) bool {
	return leaf.Bucket > 0 && (leaf.Kind != proofs.Event || leaf.Stream == e.stream)
}
