package audit

import (
	"cmp"
	"fmt"
	"iter"
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

// sources knows which numbers of each source were seen: one run where the
// source has neither gaps nor repeats, in whatever order its entries came.
type sources struct {
	limit int                    // of runs
	runs  map[sourceKey]*runList // none of them empty
	count int                    // of runs
	full  bool                   // the limit was reached: what came later is not known

	last     sourceKey // the one before, and its runs: neighbours often share a source
	lastRuns *runList
}

func newSources(limit int) *sources {
	return &sources{limit: limit, runs: map[sourceKey]*runList{}}
}

// add notes a number. It returns false if the source has it already.
func (s *sources) add(key sourceKey, seq, index uint64) bool {
	if s.lastRuns == nil || s.last != key {
		s.last, s.lastRuns = key, s.runs[key]
	}
	if s.lastRuns == nil {
		if s.room() {
			s.lastRuns = &runList{blocks: [][]seqRun{{{seq, seq, index}}}}
			s.runs[key] = s.lastRuns
		}
		return true
	}
	if r := s.lastRuns.last(); seq > r.hi && seq-r.hi == 1 {
		r.hi = seq
		return true
	}
	return s.insert(s.lastRuns, seq, index)
}

// room takes the room of one more run, if there is any.
func (s *sources) room() bool {
	if s.count >= s.limit {
		s.full = true
		return false
	}
	s.count++
	return true
}

func (s *sources) insert(runs *runList, seq, index uint64) bool {
	place := runs.find(seq)
	before, after := runs.around(place) // after ends at seq or later
	if after != nil && after.lo <= seq {
		return false
	}
	joinsBefore := before != nil && seq-before.hi == 1
	joinsAfter := after != nil && after.lo-seq == 1
	switch {
	case joinsBefore && joinsAfter:
		before.hi = after.hi
		runs.remove(place)
		s.count--
	case joinsBefore:
		before.hi = seq
	case joinsAfter:
		after.lo, after.index = seq, index
	case s.room():
		runs.insert(place, seqRun{seq, seq, index})
	}
	return true
}

// gapCount returns how many gaps there are.
func (s *sources) gapCount() int { return s.count - len(s.runs) }

// gaps yields a finding for every gap, at the entry behind it.
func (s *sources) gaps() iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for _, key := range s.keys() {
			var before *seqRun
			for r := range s.runs[key].all() {
				if before != nil && !yield(gap(key, *before, r)) {
					return
				}
				before = &r
			}
		}
	}
}

// gap is the finding about what is missing between two runs.
func gap(key sourceKey, before, after seqRun) Finding {
	first, last := before.hi+1, after.lo-1
	what := fmt.Sprintf("numbers %d to %d are", first, last)
	if first == last {
		what = fmt.Sprintf("number %d is", first)
	}
	return Finding{Kind: SourceGap, Index: int64(after.index),
		Detail: fmt.Sprintf("Of %v, %s missing before number %d, which is entry %d.", key, what, after.lo, after.index)}
}

func (s *sources) keys() []sourceKey { return slices.SortedFunc(maps.Keys(s.runs), compareSources) }

// clone returns a copy that grows on its own.
func (s *sources) clone(limit int) *sources {
	c := newSources(limit)
	c.count = s.count
	for key, runs := range s.runs {
		c.runs[key] = runs.clone()
	}
	return c
}
