package audit

import "fmt"

// A goneRun is entries one after the other whose sealed records are missing, or
// lack something.
type goneRun struct {
	first, last uint64
	part        bool   // each record is there and lacks a part or tags
	path        string // of the file where it begins
}

// follows reports whether r goes on where before ends.
func (r goneRun) follows(before goneRun) bool {
	return r.first == before.last+1 && r.part == before.part
}

// addGone adds what the record of the next entry lacks.
func addGone(runs []goneRun, next goneRun) []goneRun {
	if n := len(runs); n > 0 && next.follows(runs[n-1]) {
		runs[n-1].last = next.last
		return runs
	}
	return append(runs, next)
}

// finding says what is gone.
func (r goneRun) finding() Finding {
	f := Finding{Kind: RecordMissing, Index: int64(r.first), Path: r.path}
	what := fmt.Sprintf("record of entry %d is missing", r.first)
	switch several := r.first < r.last; {
	case several && r.part:
		what = fmt.Sprintf("records of the entries %d to %d lack a part or tags", r.first, r.last)
	case several:
		what = fmt.Sprintf("records of the entries %d to %d are missing", r.first, r.last)
	case r.part:
		what = fmt.Sprintf("record of entry %d lacks a part or tags", r.first)
	}
	if r.first < r.last {
		f.Last = int64(r.last)
	}
	f.Detail = "The sealed " + what + ", and no entry of the log says why."
	return f
}

// takeGone demands a published reason for every record that is gone. Entries of
// the kinds Expiry and Erasure shall be one; this version knows no body of
// theirs, so that nothing may be missing.
func (h *history) takeGone(runs []goneRun) {
	for _, r := range runs {
		if h.gone != nil && r.follows(*h.gone) {
			h.gone.last = r.last
			continue
		}
		h.endGone()
		h.gone = &r
	}
}

// endGone reports the last run, which nothing goes on.
func (h *history) endGone() {
	if h.gone != nil {
		h.found.add(h.gone.finding())
		h.gone = nil
	}
}
