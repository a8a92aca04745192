package evidence

import (
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// A Report is what a whole file shows. It says nothing that was not checked.
type Report struct {
	Origin    string
	Selection string // what the maker says it chose; it proves nothing

	// OwnPolicy says that the file was judged by the policy in it, which
	// whoever made the file chose. SamePolicy says that the policy in it is the
	// one it was judged by.
	OwnPolicy  bool
	SamePolicy bool
	Policy     *proofs.Policy // by which it was judged

	Verdict     proofs.Verdict // of the last checkpoint, under which all entries are
	Checkpoints int            // that lead to it, itself included

	// Searches are what the file proves of queries. Attestations counts the words
	// of auditors in the file, and NotBelieved those that nobody has signed who is
	// believed ([Options.Auditors]).
	Searches                  []SearchReport
	Attestations, NotBelieved int

	Counts

	// Runs are the entries of the file; between a run's first and last index
	// none is left out. MoreRuns counts those beyond [MaxRuns].
	Runs     []proofs.Run
	MoreRuns uint64

	// FirstTime and LastTime are those of the first and last leaf, by the
	// ledger's own clock, in microseconds since 1970.
	FirstTime, LastTime uint64

	// The quorum of witnesses had not seen the first entry at FirstAfter, and
	// had seen the last at LastBefore: seconds since 1970, 0 where no
	// checkpoint of the file says.
	FirstAfter, LastBefore uint64

	// Findings is what does not verify, at most [MaxFindings]; Wrong counts all.
	Findings []Finding
	Wrong    uint64
}

// Counts say of how many entries what is shown.
type Counts struct {
	Entries   uint64 `json:"entries"`
	InLog     uint64 `json:"in_log"`             // that are in the ledger
	Whole     uint64 `json:"whole"`              // whose payload is shown whole, and is what was recorded
	Partly    uint64 `json:"partly"`             // in part
	Empty     uint64 `json:"empty"`              // that have no payload
	Gone      uint64 `json:"gone"`               // that lack something, for a published reason
	Possibly  uint64 `json:"possibly,omitempty"` // those of these whose reason may be another's: see [Closing.Possible]
	Disabled  uint64 `json:"disabled"`           // that lack something, because of an erasure that is approved and not done, as the maker says
	Forbidden uint64 `json:"forbidden"`          // that lack something, because the maker may not read it
	LeftOut   uint64 `json:"left_out"`           // that lack something, because the maker chose so
	Events    uint64 `json:"events"`             // that are no control entries
	Tagged    uint64 `json:"tagged"`             // events whose tags were computed again from the payload
}

// The bounds of a report.
const (
	MaxRuns     = 1000
	MaxFindings = 100
)

// OK reports whether everything in the file verifies.
func (r *Report) OK() bool { return r.Wrong == 0 }

// A Finding is something that does not verify.
type Finding struct {
	Index  uint64 `json:"index"`            // the entry, where it is about one
	Search int    `json:"search,omitempty"` // the search that it is about, from 1; 0: it is about an entry
	Detail string `json:"detail"`
}

// A Payload says what is shown of an entry's payload, and is what was recorded.
type Payload string

// What can be shown of a payload.
const (
	Whole  Payload = "whole"
	Partly Payload = "partly" // some of its parts
	Hidden Payload = "hidden" // nothing
	Empty  Payload = "empty"  // the entry has none
)

// An EntryReport is what a file shows of one entry. What does not verify is in
// Wrong, and shows nothing then.
type EntryReport struct {
	Index uint64
	Leaf  proofs.Leaf

	InLog bool // the entry is in the ledger, at its index

	// The quorum of witnesses had not seen the entry at After, and had at
	// Before: seconds since 1970, 0 where no checkpoint of the file says.
	After, Before uint64

	Payload Payload
	Part    proofs.Part // what is shown of the payload, put together
	Missing Missing     // the maker's word for why not all is shown

	// Stream is the stream's name by the settings in the file, which entry
	// Settings made; empty and 0 where they are not shown.
	Stream   string
	Settings uint64

	// Tagged says that the tags are those of the payload, computed again with
	// the keys that the log committed to; then the event is also in the parts
	// that its stream demands. NotTagged says why that is not known.
	Tagged    bool
	NotTagged string

	Closings []Closing // what was published about the end of it

	// Found are the searches of the file that found it, from 1, rising.
	Found []int

	Wrong []string

	values []proofs.FieldValue // where it is Tagged
}

// OK reports whether everything about the entry verifies.
func (r *EntryReport) OK() bool { return len(r.Wrong) == 0 }

func (r *EntryReport) wrong(err error) { r.Wrong = append(r.Wrong, err.Error()) }

// closed returns the first closing that no hold keeps.
func (r *EntryReport) closed() (Closing, bool) {
	for _, c := range r.Closings {
		if c.Effective > 0 {
			return c, true
		}
	}
	return Closing{}, false
}

// add counts an entry.
func (r *Report) add(e *EntryReport) {
	r.Entries++
	if r.Entries == 1 {
		r.FirstTime, r.FirstAfter = e.Leaf.Time, e.After
	}
	r.LastTime, r.LastBefore = e.Leaf.Time, e.Before
	count := func(n *uint64, yes bool) {
		if yes {
			*n++
		}
	}
	count(&r.InLog, e.InLog)
	count(&r.Events, e.InLog && e.Leaf.Kind == proofs.Event)
	count(&r.Tagged, e.Tagged)
	count(&r.Whole, e.Payload == Whole)
	count(&r.Partly, e.Payload == Partly)
	count(&r.Empty, e.Payload == Empty)
	count(&r.Gone, e.Missing == Gone && e.OK())
	closing, closed := e.closed()
	count(&r.Possibly, e.Missing == Gone && e.OK() && closed && closing.Possible)
	count(&r.Disabled, e.Missing == Disabled)
	count(&r.Forbidden, e.Missing == Forbidden)
	count(&r.LeftOut, e.Missing == LeftOut)
	r.Runs, r.MoreRuns = addRun(r.Runs, r.MoreRuns, e.Index)
	for _, w := range e.Wrong {
		r.find(e.Index, w)
	}
}

// addRun adds an entry behind those of a list of at most [MaxRuns] runs, and of
// others that are counted.
func addRun(runs []proofs.Run, others, index uint64) ([]proofs.Run, uint64) {
	n := len(runs)
	switch {
	case others == 0 && n > 0 && runs[n-1].Last+1 == index:
		runs[n-1].Last = index
	case n < MaxRuns:
		runs = append(runs, proofs.Run{First: index, Last: index})
	default:
		others++
	}
	return runs, others
}

func (r *Report) find(index uint64, detail string) { r.take(Finding{Index: index, Detail: detail}) }

func (r *Report) take(f Finding) {
	r.Wrong++
	if len(r.Findings) < MaxFindings {
		r.Findings = append(r.Findings, f)
	}
}

// String returns the finding in words.
func (f Finding) String() string {
	if f.Search > 0 {
		return fmt.Sprintf("search %d: %s", f.Search, f.Detail)
	}
	return fmt.Sprintf("entry %d: %s", f.Index, f.Detail)
}
