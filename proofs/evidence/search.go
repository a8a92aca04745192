package evidence

import (
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A SearchReport is what a file shows of a search. Where that does not verify
// Wrong says why, and nothing else is said of the search.
type SearchReport struct {
	Query   proofs.SearchQuery
	Verdict proofs.SearchVerdict

	// Audited is the word of an auditor who is believed, on all directories that
	// the answer rests on; nil: there is none, or it rests on no directory.
	Audited *Audit

	// Of the hits, Included are entries of the file, of which the payload of Shown
	// is there whole; of Tagged the tags were computed again too, so that they
	// have the values that were asked for.
	Included, Shown, Tagged uint64

	// Absent are the hits that are no entries of the file, at most [MaxRuns] runs:
	// found, not included. MoreAbsent counts the entries beyond.
	Absent     []proofs.Run
	MoreAbsent uint64

	Wrong string
}

// OK reports whether the search verifies.
func (r *SearchReport) OK() bool { return r.Wrong == "" }

// SeesNothing reports whether no entry was looked through, although there are
// some that could be asked for.
func (r *SearchReport) SeesNothing() bool { return r.Verdict.Start == r.Verdict.Stop && r.Verdict.More }

// A search is one under examination.
type search struct {
	SearchReport
	next int // hit: those before are included, or absent
}

// search judges a search proof. Everything in it is under a checkpoint of its
// own, which has to be one of the file.
func (v *verifier) search(s *Search) {
	r := &search{}
	v.searches = append(v.searches, r)
	p, err := proofs.ParseSearchProof(s.Proof)
	if err == nil {
		r.Verdict, err = p.Check(v.chain.policy)
	}
	if err == nil {
		err = v.chain.extends(r.Verdict.Checkpoint)
	}
	if err != nil {
		r.Verdict, r.Wrong = proofs.SearchVerdict{}, err.Error()
		v.report.take(Finding{Search: len(v.searches), Detail: r.Wrong})
		return
	}
	r.Query = p.Query
}

// found tells which searches found an entry, and finds those that should have.
func (v *verifier) found(e *EntryReport) {
	for i, r := range v.searches {
		switch {
		case !r.OK():
		case r.take(e):
			e.Found = append(e.Found, i+1)
		case r.misses(e):
			e.wrong(fmt.Errorf("%w: search %d does not find it, and it has what is asked for: the directories leave it out", proofs.ErrNotVerified, i+1))
		}
	}
}

// take counts an entry if it is a hit. Entries come by rising index.
func (r *search) take(e *EntryReport) bool {
	at, hit := slices.BinarySearch(r.Verdict.Hits[r.next:], e.Index)
	r.pass(r.next + at)
	if !hit {
		return false
	}
	r.next++
	r.Included++
	if e.Payload == Whole {
		r.Shown++
	}
	if e.Tagged {
		r.Tagged++
	}
	return true
}

// pass notes that the hits before one, which were not included, are absent.
func (r *search) pass(next int) {
	for _, index := range r.Verdict.Hits[r.next:next] {
		r.Absent, r.MoreAbsent = addRun(r.Absent, r.MoreAbsent, index)
	}
	r.next = next
}

// misses reports whether an entry that is no hit has what is asked for, among
// what was looked through, by its payload. Where something was closed or is
// unread it may be that one.
func (r *search) misses(e *EntryReport) bool {
	v := r.Verdict
	return e.Tagged && e.Index >= v.Start && e.Index < v.Stop && len(v.Expired)+len(v.Erased)+len(v.Unread) == 0 &&
		r.Query.Fits(e.Index, e.Leaf, e.values)
}

// endSearches ends the searches with the last entry.
func (v *verifier) endSearches() {
	for _, r := range v.searches {
		r.pass(len(r.Verdict.Hits))
		r.Audited = v.auditOf(r.Verdict)
		v.report.Searches = append(v.report.Searches, r.SearchReport)
	}
}
