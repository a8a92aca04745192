package audit

import (
	"fmt"
	"slices"
)

// An oddKind is what is wrong with records, and by what: all records of which
// the same is true are one finding.
type oddKind struct {
	kind  FindingKind
	by    *closing // RecordRemains, ErasureForeign: what closes them
	held  *hold    // RecordHeld: what keeps them
	other bool     // in files of earlier sizes
}

// An odd is entries of which the same is wrong.
type odd struct {
	first, last, count uint64
	path               string // of the file where it begins; empty: it is in none
}

// extend adds entries, which may be before those that are there.
func (o *odd) extend(by odd) {
	if by.first < o.first {
		o.first, o.path = by.first, by.path
	}
	o.last = max(o.last, by.last)
	o.count += by.count
}

// finding says what is wrong.
func (o *odd) finding(k oddKind) Finding {
	f := Finding{Kind: k.kind, Index: int64(o.first), Path: o.path}
	if o.count > 1 {
		f.Last, f.Entries = int64(o.last), o.count
	}
	records := o.words("sealed record of entry %d", "sealed records of %d entries from %d to %d")
	is := map[bool]string{false: "is", true: "are"}[o.count > 1]
	switch k.kind {
	case RecordHeld:
		f.Detail = fmt.Sprintf("The %s %s gone, or a part, although the hold of entry %d keeps what it covers.", records, is, k.held.index)
	case RecordRemains:
		f.Detail = fmt.Sprintf("The %s %s still there: by entry %d, which completes what entry %d announced, it should be gone.", records, is, k.by.done, k.by.announced)
	case ErasureForeign:
		f.Detail = fmt.Sprintf("Entry %d erases parts of %s, where there is nothing of its stream.", k.by.announced, o.words("entry %d", "%d entries from %d to %d"))
		f.Index, f.Last = int64(k.by.announced), 0
	}
	return f
}

func (o *odd) words(one, several string) string {
	if o.count == 1 {
		return fmt.Sprintf(one, o.first)
	}
	return fmt.Sprintf(several, o.count, o.first, o.last)
}

// oddities are what is odd in all records so far.
type oddities map[oddKind]*odd

func (all oddities) add(chunk map[oddKind]*odd) {
	for k, o := range chunk {
		if was := all[k]; was != nil {
			was.extend(*o)
		} else {
			all[k] = o
		}
	}
}

// findings returns one for each kind, in the order of the entries.
func (all oddities) findings() (list []Finding) {
	for k, o := range all {
		list = append(list, o.finding(k))
	}
	slices.SortFunc(list, compareFindings)
	return list
}
