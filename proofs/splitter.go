package proofs

import (
	"bytes"
	"fmt"
	"math/bits"
)

const (
	maxSubjectName = 1024 // bytes

	// maxSets is how many different sets of subjects the values of one event
	// can concern and have a part each, besides the first part and one for
	// all, or a list of tags each, besides the one for nobody.
	maxSets = maxParts - 2
)

// A subjectSet is data subjects of one event: bits by their number.
type subjectSet uint32

// A subjectIndex numbers the data subjects of an event.
type subjectIndex struct {
	names [][]byte
	named [MaxFields]subjectSet // by the values of each declared field
}

// add returns the subject of a name.
func (x *subjectIndex) add(name []byte) (subjectSet, error) {
	for i, n := range x.names {
		if bytes.Equal(n, name) {
			return 1 << i, nil
		}
	}
	if len(name) < 1 || len(name) > maxSubjectName {
		return 0, fmt.Errorf("%w: the name of a data subject has %d bytes, 1 to %d are allowed", ErrMalformed, len(name), maxSubjectName)
	}
	if len(x.names) == maxSubjects {
		return 0, fmt.Errorf("%w: the event concerns more than %d data subjects", ErrMalformed, maxSubjects)
	}
	x.names = append(x.names, name)
	return 1 << (len(x.names) - 1), nil
}

// list returns the names of subjects.
func (x *subjectIndex) list(set subjectSet) (names []string) {
	for ; set != 0; set &= set - 1 {
		names = append(names, string(x.names[bits.TrailingZeros32(uint32(set))]))
	}
	return names
}

// about returns those whom a field's values concern because they are about
// another field: bits of fields by their index.
func (x *subjectIndex) about(fields uint64) (set subjectSet) {
	for ; fields != 0; fields &= fields - 1 {
		set |= x.named[bits.TrailingZeros64(fields)]
	}
	return set
}

// joinSets makes different sets fewer where they are more than [maxSets]: then
// every set of several subjects becomes that of all of them. Each subject still
// closes what concerns it.
func joinSets(sets []subjectSet) {
	different := make(map[subjectSet]bool)
	all := subjectSet(0)
	for _, s := range sets {
		if s != 0 {
			different[s], all = true, all|s
		}
	}
	if len(different) <= maxSets {
		return
	}
	for i, s := range sets {
		if bits.OnesCount32(uint32(s)) > 1 {
			sets[i] = all
		}
	}
}

// A splitter is the part of a scanner that finds which bytes of an event
// concern whom.
type splitter struct {
	subjectIndex
	ranges []eventRange // disjoint, rising
	within int          // 1 + the index of the range that the value being read lies in; 0: none
	found  subjectSet   // whom the value names that was just read
	all    eventRange   // the whole value, which concerns all
	over   bool         // there are more ranges than gaps: they are forgotten
}

// An eventRange is a value within an event.
type eventRange struct {
	start, end int
	subjects   subjectSet // whom values in it name
	about      uint64     // the fields that values in it are about
}

// splitValue reads one value, and notes it if it concerns anybody. What lies
// within a value that concerns somebody makes that concern more people.
func (s *jsonScanner) splitValue(p selection) error {
	sp, start := s.split, s.at
	outer := sp.within
	if about := s.aboutAt(p); about != 0 {
		sp.within = sp.note(eventRange{start: start, about: about})
	}
	if err := s.anyValue(p); err != nil {
		return err
	}
	if found := sp.found; found != 0 {
		sp.found = 0
		sp.within = sp.note(eventRange{start: start, subjects: found})
	}
	if outer == 0 && sp.within != 0 {
		sp.ranges[sp.within-1].end = s.at
	}
	sp.within = outer
	if s.depth == 0 {
		sp.all.start, sp.all.end = start, s.at
	}
	return nil
}

// note adds a range, or what it says to the one that it lies in, and returns
// what within is then.
func (sp *splitter) note(r eventRange) int {
	sp.all.subjects |= r.subjects
	sp.all.about |= r.about
	switch {
	case sp.within != 0:
		outer := &sp.ranges[sp.within-1]
		outer.subjects |= r.subjects
		outer.about |= r.about
		return sp.within
	case len(sp.ranges) == MaxGaps:
		sp.over, sp.ranges = true, nil
	}
	if sp.over {
		return 0
	}
	sp.ranges = append(sp.ranges, r)
	return len(sp.ranges)
}

// aboutAt returns the fields that a value is about as a whole.
func (t *taker) aboutAt(p selection) (fields uint64) {
	for _, a := range t.active[p.from:p.to] {
		if a.element {
			continue // the array is noted
		}
		for _, f := range t.x.places[a.place].fields {
			fields |= t.x.about[f]
		}
	}
	return fields
}

// takeSubject notes whom a value names.
func (t *taker) takeSubject(p selection, value []byte, null bool) error {
	if null || len(value) == 0 {
		return nil
	}
	for _, a := range t.active[p.from:p.to] {
		for _, f := range t.x.places[a.place].fields {
			if !t.x.fields[f].Subject {
				continue
			}
			set, err := t.split.add(value)
			if err != nil {
				return fmt.Errorf("field %s: %w", t.x.fields[f].Name, err)
			}
			t.split.named[f] |= set
			t.split.found |= set
		}
	}
	return nil
}
