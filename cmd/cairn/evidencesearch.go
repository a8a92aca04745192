package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// An evidenceSearch is what verify says of a search in a file of evidence.
type evidenceSearch struct {
	File     string   `json:"file"`
	Kind     fileKind `json:"kind"`
	Verifies bool     `json:"verifies"`
	Error    string   `json:"error,omitempty"`
	Search   int      `json:"search"` // from 1

	*searchShown
}

// A searchShown is what a search shows that verifies.
type searchShown struct {
	Query string `json:"query"`
	Size  uint64 `json:"size"` // of its checkpoint
	searchExtent

	Hits        int          `json:"hits"`
	Found       []proofs.Run `json:"found,omitempty"`
	Included    uint64       `json:"included"` // hits that are entries of the file
	Whole       uint64       `json:"whole"`    // of these the payload too
	Tagged      uint64       `json:"tagged"`   // and their tags were computed again
	NotIncluded []proofs.Run `json:"not_included,omitempty"`
}

func describeEvidenceSearch(name string, number int, r evidence.SearchReport) evidenceSearch {
	s := evidenceSearch{File: name, Kind: kindBundleSearch, Verifies: r.OK(), Error: r.Wrong, Search: number}
	if !r.OK() {
		return s
	}
	a, v := answerOf(r), r.Verdict
	s.searchShown = &searchShown{
		Query: a.query(), Size: v.Checkpoint.Size, searchExtent: a.extent(),
		Hits: len(v.Hits), Found: proofs.RunsOf(v.Hits), Included: r.Included, Whole: r.Shown, Tagged: r.Tagged, NotIncluded: r.Absent,
	}
	return s
}

// answerOf returns a search of a file as an answer, without its hits.
func answerOf(r evidence.SearchReport) *searchAnswer {
	a := &searchAnswer{proof: proofs.SearchProof{Query: r.Query}, verdict: r.Verdict, names: make(map[uint16][]string)}
	for _, index := range slices.Sorted(maps.Keys(r.Verdict.Names)) {
		a.proof.Names = append(a.proof.Names, proofs.SearchNames{Index: index})
	}
	a.takeNames()
	if r.Audited != nil {
		a.vouched = r.Audited.String()
	}
	return a
}

// printEvidenceSearches prints for people what searches show.
func printEvidenceSearches(b *bytes.Buffer, searches []evidence.SearchReport) error {
	for i, r := range searches {
		fmt.Fprintf(b, "\nSearch %d:\n", i+1)
		t := command.NewTable(b)
		if r.OK() {
			a, v := answerOf(r), r.Verdict
			t.Row("  found", foundIn(r))
			t.Row("  query", a.query())
			t.Row("  complete", a.complete())
			t.Row("  rests on", a.rests())
			for _, c := range a.closed() {
				t.Row("  closed", c)
			}
			t.Row("  checkpoint", fmt.Sprintf("size %d, root %s", v.Checkpoint.Size, v.Checkpoint.Root))
		} else {
			t.Row("  wrong", r.Wrong)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// foundIn says how many events a search found, and which are not in the file.
func foundIn(r evidence.SearchReport) string {
	hits := len(r.Verdict.Hits)
	said := numberOf(hits, "event", "events")
	if hits == 0 {
		return said
	}
	said += fmt.Sprintf(", %d in this file, %d with the whole payload", r.Included, r.Shown)
	if len(r.Absent) > 0 {
		said += "; found, not included: " + runsInWords(r.Absent)
	}
	return said
}

// judgeSearches returns why the searches of a file are no whole answers.
func judgeSearches(name string, r *evidence.Report) (open error) {
	for i, s := range r.Searches {
		err := answerOf(s).unread()
		if s.OK() && s.SeesNothing() {
			err = errNothingSeen
		}
		if err != nil {
			open = errors.Join(open, fmt.Errorf("%s: search %d: %w", name, i+1, err))
		}
	}
	return open
}

// vouchesForNone reports whether a search rests on directories that no auditor
// who is believed has attested.
func vouchesForNone(s evidence.SearchReport) bool {
	return s.OK() && len(s.Verdict.Directories) > 0 && s.Audited == nil
}
