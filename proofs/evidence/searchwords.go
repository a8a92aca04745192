package evidence

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// Asked returns in words what the search asks for, by the names that its proof
// gives: actor="alice" in the stream logins.
func (r *SearchReport) Asked() string {
	var terms []string
	for _, t := range r.Query.Terms {
		var values []string
		for _, v := range t.Values {
			name, named := r.Verdict.FieldName(v.Numbers)
			if !named {
				name = "field " + strings.Trim(fmt.Sprint(v.Numbers), "[]")
			}
			values = append(values, fmt.Sprintf("%s=%q", name, v.Value))
		}
		if said := strings.Join(values, " or "); len(values) > 1 && len(r.Query.Terms) > 1 {
			terms = append(terms, "("+said+")")
		} else {
			terms = append(terms, said)
		}
	}
	return strings.Join(terms, " and ") + r.where()
}

// named reports whether the proof names the stream, and all fields that are asked
// for.
func (r *SearchReport) named() bool {
	for _, t := range r.Query.Terms {
		for _, v := range t.Values {
			if _, named := r.Verdict.FieldName(v.Numbers); !named {
				return false
			}
		}
	}
	return r.Verdict.StreamName() != ""
}

// where says in words where and when events are asked for.
func (r *SearchReport) where() string {
	q, said := r.Query, fmt.Sprintf(" in stream %d", r.Query.Stream)
	if name := r.Verdict.StreamName(); name != "" {
		said = " in the stream " + name
	}
	if q.First > 0 {
		said += fmt.Sprintf(", from entry %d on", q.First)
	}
	if q.End < math.MaxUint64 {
		said += fmt.Sprintf(", before entry %d", q.End)
	}
	if q.From > 0 {
		said += ", recorded at " + moment(q.From) + " or later"
	}
	if q.Until > 0 {
		said += ", recorded before " + moment(q.Until)
	}
	return said
}

// moment writes a time in microseconds since 1970.
func moment(micros uint64) string {
	return time.UnixMicro(int64(min(micros, math.MaxInt64))).UTC().Format("2006-01-02 15:04:05.999999 UTC")
}

// proven says what a search shows; empty: nothing.
func (r *SearchReport) proven(number int) string {
	v := r.Verdict
	switch {
	case !r.OK() || r.SeesNothing():
		return ""
	case v.Start == v.Stop:
		return fmt.Sprintf("Search %d, %s: no entry is in that range, when the ledger had %d.", number, r.Asked(), v.Checkpoint.Size)
	}
	fit := count(uint64(len(v.Hits)), "event fits, and no other", "events fit, and no others")
	if len(v.Hits) == 0 {
		fit = "no event fits"
	}
	return fmt.Sprintf("Search %d, %s: among entries %d to %d, when the ledger had %d, %s%s%s.",
		number, r.Asked(), v.Start, v.Stop-1, v.Checkpoint.Size, fit, r.rests(), r.save())
}

// rests says what an answer rests on, beside the log and its witnesses.
func (r *SearchReport) rests() (said string) {
	v := r.Verdict
	switch n := len(v.Directories); {
	case n == 0:
		return "; each entry was looked through"
	case r.Audited != nil:
		said = fmt.Sprintf(", by %s, %v", count(uint64(n), "directory", "directories"), r.Audited)
	case n == 1:
		said = fmt.Sprintf(", if the directory is honest that entry %d commits to", v.Directory)
	default:
		said = fmt.Sprintf(", if the %d directories are honest that entry %d commits to", n, v.Directory)
	}
	if v.Tail > 0 {
		said += fmt.Sprintf("; the last %s looked through one by one", count(v.Tail, "entry was", "entries were"))
	}
	return said
}

// save says of which entries an answer cannot tell.
func (r *SearchReport) save() (said string) {
	v := r.Verdict
	if len(v.Unread) > 0 {
		said += "; but for " + joinRuns(v.Unread) + ", which the ledger could not read and which may fit too"
	}
	if closed := slices.Sorted(slices.Values(slices.Concat(v.Expired, v.Erased))); len(closed) > 0 {
		said += "; of what expired or was erased, as " + joinRuns(proofs.RunsOf(closed)) + " announced, nobody can tell"
	}
	return said
}

// open returns which entries of a ledger of a size a search would have to look
// through beside those that it did; it may be newer than the search.
func (r *SearchReport) open(size uint64) (run proofs.Run, is bool) {
	v := r.Verdict
	if !v.More && v.Stop < v.Checkpoint.Size {
		return run, false // time never decreases: what came later is not asked for
	}
	from, end := max(v.Stop, r.Query.First), min(r.Query.End, size)
	return proofs.Run{First: from, Last: end - 1}, from < end
}

// notProven says what somebody may think that a search shows of a ledger of a size.
func (r *SearchReport) notProven(number int, size uint64) (list []string) {
	v := r.Verdict
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if !r.OK() {
		return nil
	}
	if run, is := r.open(size); is {
		say("What search %d would find in %s, not looked through.", number, joinRuns([]proofs.Run{run}))
	}
	if len(v.Directories) > 0 && r.Audited == nil {
		say("That the directories on which search %d rests leave nothing out: no auditor who is believed says so.", number)
	}
	if !r.named() {
		say("What the stream and the fields are called that search %d asks for by their numbers.", number)
	}
	hits := uint64(len(v.Hits))
	if untold := hits - r.Tagged; untold > 0 {
		say("That %s the values that search %d asks for: their tags stand for them, and are not computed again here.", count(untold, "event has", "events have"), number)
	}
	if absent := hits - r.Included; absent > 0 {
		say("What %s that search %d found: not included are %s.", count(absent, "event says", "events say"), number, joinRuns(r.Absent))
	}
	return list
}

// maxRunsTold is how many runs are told in words.
const maxRunsTold = 20

// joinRuns lists entries in words.
func joinRuns(runs []proofs.Run) string {
	var words []string
	for _, r := range runs[:min(len(runs), maxRunsTold)] {
		if r.First == r.Last {
			words = append(words, fmt.Sprintf("entry %d", r.First))
		} else {
			words = append(words, fmt.Sprintf("entries %d to %d", r.First, r.Last))
		}
	}
	if more := len(runs) - maxRunsTold; more > 0 {
		words = append(words, "and more")
	}
	return strings.Join(words, ", ")
}
