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

// A goneList is the runs that the vault lacks without a reason, the last of
// which may go on.
type goneList struct {
	found *findings
	last  *goneRun
}

// take adds the runs of the next bundle.
func (g *goneList) take(runs []goneRun) {
	for _, r := range runs {
		if g.last != nil && r.follows(*g.last) {
			g.last.last = r.last
			continue
		}
		g.end()
		g.last = &r
	}
}

// end reports the last run, which nothing goes on.
func (g *goneList) end() {
	if g.last != nil {
		g.found.add(g.last.finding())
		g.last = nil
	}
}
