package retain

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// An erasing is an erasure that is announced in several entries, of which some
// are still to come. It counts for nothing before the last.
type erasing struct {
	stream  uint32
	request uint64
	first   uint64 // index of the first entry
	part    uint32 // the last one that came
	parts   uint32
	runs    []proofs.Run
	spans   []span
}

// A span is where the entries that one announcement of an erasure names begin and
// end.
type span struct {
	index       uint64 // of the entry
	stream      uint32
	first, last uint64
}

func (s *State) judgeErasure(index uint64, leaf *proofs.Leaf) (change func(), err error) {
	body, err := proofs.ParseErasure(leaf.Control)
	if err != nil {
		return nil, err
	}
	if body.Done != nil {
		return s.judgeDone(proofs.Erasure, body.Done)
	}
	x := body.Erased
	e := s.erasing
	switch {
	case x.Part == 1:
		e = &erasing{stream: x.Stream, request: x.Request, first: index, parts: x.Parts}
	case e == nil:
		return nil, fmt.Errorf("part %d of an erasure comes without those before it", x.Part)
	case x.Part != e.part+1 || x.Parts != e.parts || x.Stream != e.stream || x.Request != e.request:
		return nil, fmt.Errorf("part %d of %d does not follow part %d of %d, of the same stream and request", x.Part, x.Parts, e.part, e.parts)
	}
	if err := s.judgeRequest(x.Request, s.needsRequest(proofs.Erasure, proofs.SettingsBody{}), proofs.Erasure, leaf.Time); err != nil {
		return nil, err
	}
	if err := e.judge(x.Closes); err != nil {
		return nil, err
	}
	if n := len(x.Unread); n > 0 && x.Unread[n-1].Last >= e.first {
		return nil, fmt.Errorf("entry %d cannot be erased by entry %d, which it does not precede", x.Unread[n-1].Last, e.first)
	}
	return func() { s.erase(e, index, x) }, nil
}

// judge judges the runs of the next part.
func (e *erasing) judge(runs []proofs.Run) error {
	if len(runs) == 0 {
		return nil
	}
	first, last := runs[0].First, runs[len(runs)-1].Last
	if last >= e.first {
		return fmt.Errorf("entry %d cannot be erased by entry %d, which it does not precede", last, e.first)
	}
	if n := len(e.runs); n > 0 && first <= e.runs[n-1].Last {
		return fmt.Errorf("entry %d does not rise from %d, which the part before it closes", first, e.runs[n-1].Last)
	}
	return nil
}

// erase takes over a part, and with the last one the erasure.
func (s *State) erase(e *erasing, index uint64, x *proofs.ErasedBody) {
	e.part = x.Part
	e.runs = appendRuns(e.runs, x.Closes)
	if names := proofs.JoinRuns(slices.Concat(x.Closes, x.Unread)); len(names) > 0 {
		e.spans = append(e.spans, span{index: index, stream: x.Stream, first: names[0].First, last: names[len(names)-1].Last})
	}
	s.erasing = e
	if e.part < e.parts {
		return
	}
	s.erasing = nil
	s.use(e.request, index)
	s.spans = append(s.spans, e.spans...)
	s.announce(&closing{index: index, kind: proofs.Erasure, request: e.request, stream: e.stream, runs: e.runs})
}

// appendRuns appends runs that all lie behind those before. They may touch.
func appendRuns(runs, more []proofs.Run) []proofs.Run {
	if n := len(runs); n > 0 && len(more) > 0 && more[0].First-runs[n-1].Last == 1 {
		runs[n-1].Last, more = more[0].Last, more[1:]
	}
	return append(runs, more...)
}

// finishErasure keeps of an erasure what is held.
func (s *State) finishErasure(c *closing) {
	var kept []proofs.Run
	for _, v := range s.coversAt(c.index) {
		kept = union(kept, s.within(c, v))
	}
	c.runs = kept
}

// Reasons returns the entries that may say why a payload or a part of it is
// gone, rising: the announcement of its bucket's expiry, and those of
// erasures of the stream whose runs begin at the index or before it and end
// there or behind it. The state keeps no more of an erasure that is done: look
// into the entry.
func (s *State) Reasons(stream, bucket uint32, index uint64) (reasons []uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, x := range s.spans {
		if x.stream == stream && x.first <= index && index <= x.last {
			reasons = append(reasons, x.index)
		}
	}
	if b, err := s.bucket(bucket); err == nil && b.expiry > 0 {
		at, _ := slices.BinarySearchFunc(reasons, b.expiry, cmp.Compare[uint64])
		reasons = slices.Insert(reasons, at, b.expiry)
	}
	return reasons
}
