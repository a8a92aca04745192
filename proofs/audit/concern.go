package audit

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A concern is a run of entries that an erasure names, or that a hold covers
// by their indices.
type concern struct {
	proofs.Run
	erasure *erasure // or
	keeper  keeper
}

// concerns returns the runs of all erasures and holds, by their first entries.
func (r *retention) concerns() (list []concern) {
	for _, e := range r.erasures {
		for _, run := range slices.Concat(e.runs, e.unread) {
			list = append(list, concern{Run: run, erasure: e})
		}
	}
	for _, x := range r.holds {
		for _, c := range x.claims {
			for _, run := range c.runs {
				list = append(list, concern{Run: run, keeper: keeper{x, c.since}})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b concern) int { return cmp.Compare(a.First, b.First) })
	return list
}

// A sweep goes over the entries from the first to the last with the concerns
// of those that it is at.
type sweep struct {
	next []concern // that begin later
	now  []concern
}

// at returns the concerns of the entries [first, end). It is asked for ranges
// that rise. What it returns is not changed later.
func (s *sweep) at(first, end uint64) []concern {
	now := make([]concern, 0, len(s.now))
	for _, c := range s.now {
		if c.Last >= first {
			now = append(now, c)
		}
	}
	for len(s.next) > 0 && s.next[0].First < end {
		if s.next[0].Last >= first {
			now = append(now, s.next[0])
		}
		s.next = s.next[1:]
	}
	s.now = now
	return now
}

// streamKeepers returns the holds of whole streams, by the stream.
func (r *retention) streamKeepers() map[uint32][]keeper {
	streams := map[uint32][]keeper{}
	for _, x := range r.holds {
		for _, c := range x.claims {
			if c.stream > 0 {
				streams[c.stream] = append(streams[c.stream], keeper{x, c.since})
			}
		}
	}
	return streams
}

// since returns runs that have all entries before an index whose records may
// have changed for a reason since: by a closing that goes on, or that was
// announced or done by the entries from there on.
func (r *retention) since(from uint64) (runs []proofs.Run) {
	changed := func(x *closing) bool { return x != nil && (x.announced >= from || x.done >= from || x.done == 0) }
	streams := map[uint32]bool{} // of which a hold is released
	for _, x := range r.holds {
		if !changed(x.release) {
			continue
		}
		for _, c := range x.claims {
			if c.stream > 0 {
				streams[c.stream] = true
			}
			runs = append(runs, c.runs...)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(r.buckets)) {
		b := r.buckets[n]
		if b.count > 0 && b.expiry != nil && (changed(b.expiry) || streams[b.stream]) {
			runs = append(runs, proofs.Run{First: b.first, Last: b.last})
		}
	}
	for _, e := range r.erasures {
		if changed(e.closing) || streams[e.stream] {
			runs = append(append(runs, e.runs...), e.unread...)
		}
	}
	return before(runs, from)
}

// before returns runs without what lies at an index or behind it, as few as
// there can be, rising.
func before(runs []proofs.Run, end uint64) (few []proofs.Run) {
	slices.SortFunc(runs, func(a, b proofs.Run) int { return cmp.Compare(a.First, b.First) })
	for _, r := range runs {
		if r.First >= end {
			break
		}
		r.Last = min(r.Last, end-1)
		if n := len(few); n > 0 && r.First <= few[n-1].Last+1 {
			few[n-1].Last = max(few[n-1].Last, r.Last)
		} else {
			few = append(few, r)
		}
	}
	return few
}
