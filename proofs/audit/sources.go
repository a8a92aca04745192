package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// A sourceKey is a source within a bucket, where it has a pseudonym of its
// own. Across buckets nobody can tell that two are the same.
type sourceKey struct {
	bucket uint32
	number uint64
}

func (k sourceKey) String() string { return fmt.Sprintf("source %d in bucket %d", k.number, k.bucket) }

func compareSources(a, b sourceKey) int {
	return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.number, b.number))
}

// A seqRun is sequence numbers without a gap, [lo, hi], and the index of the
// entry that has the lowest.
type seqRun struct{ lo, hi, index uint64 }

// sources knows which numbers of each source were seen: one run where the
// source has neither gaps nor repeats, in whatever order its entries came.
type sources struct {
	limit int // of runs
	runs  map[sourceKey][]seqRun
	count int  // of runs
	full  bool // the limit was reached: what came later is not known

	last     sourceKey // the one before, and its runs: neighbours often share a source
	lastRuns []seqRun
}

func newSources(limit int) *sources {
	return &sources{limit: limit, runs: map[sourceKey][]seqRun{}}
}

// add notes a number. It returns false if the source has it already.
func (s *sources) add(key sourceKey, seq, index uint64) bool {
	runs := s.lastRuns
	if runs == nil || s.last != key {
		runs = s.runs[key]
		s.last, s.lastRuns = key, runs
	}
	if n := len(runs); n > 0 && seq > runs[n-1].hi && seq-runs[n-1].hi == 1 {
		runs[n-1].hi = seq
		return true
	}
	return s.insert(runs, key, seq, index)
}

func (s *sources) insert(runs []seqRun, key sourceKey, seq, index uint64) bool {
	at, _ := slices.BinarySearchFunc(runs, seq, func(r seqRun, seq uint64) int { return cmp.Compare(r.hi, seq) })
	// runs[at] is the first that ends at or after seq.
	if at < len(runs) && runs[at].lo <= seq {
		return false
	}
	before := at > 0 && seq-runs[at-1].hi == 1
	after := at < len(runs) && runs[at].lo-seq == 1
	switch {
	case before && after:
		runs[at-1].hi = runs[at].hi
		runs = slices.Delete(runs, at, at+1)
		s.count--
	case before:
		runs[at-1].hi = seq
	case after:
		runs[at].lo, runs[at].index = seq, index
	case s.count >= s.limit:
		s.full = true
		return true
	default:
		runs = slices.Insert(runs, at, seqRun{seq, seq, index})
		s.count++
	}
	s.runs[key], s.lastRuns = runs, runs
	return true
}

// gaps returns a finding for every gap, at the entry behind it.
func (s *sources) gaps() (list []Finding) {
	for _, key := range s.keys() {
		runs := s.runs[key]
		for i := 1; i < len(runs); i++ {
			first, last := runs[i-1].hi+1, runs[i].lo-1
			what := fmt.Sprintf("numbers %d to %d are", first, last)
			if first == last {
				what = fmt.Sprintf("number %d is", first)
			}
			list = append(list, Finding{Kind: SourceGap, Index: int64(runs[i].index),
				Detail: fmt.Sprintf("Of %v, %s missing before number %d, which is entry %d.", key, what, runs[i].lo, runs[i].index)})
		}
	}
	return list
}

func (s *sources) keys() []sourceKey { return slices.SortedFunc(maps.Keys(s.runs), compareSources) }

// clone returns a copy that grows on its own.
func (s *sources) clone(limit int) *sources {
	c := newSources(limit)
	c.count = s.count
	for key, runs := range s.runs {
		c.runs[key] = slices.Clone(runs)
	}
	return c
}
