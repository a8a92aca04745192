package main

import (
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// An evidenceFile is what verify says of a file of evidence.
type evidenceFile struct {
	File     string   `json:"file"`
	Kind     fileKind `json:"kind"`
	Verifies bool     `json:"verifies"`
	Error    string   `json:"error,omitempty"`

	Origin    string `json:"origin"`
	Selection string `json:"selection,omitempty"` // as the maker says
	Policy    string `json:"policy"`              // given or included
	Same      bool   `json:"same_policy"`         // the included one is the one it was judged by

	Size        uint64   `json:"size"` // of the last checkpoint
	Root        string   `json:"root"`
	LogKeys     []string `json:"log_keys"`
	Witnesses   []string `json:"witnesses,omitempty"`
	CosignedAt  string   `json:"cosigned_at,omitempty"`
	Checkpoints int      `json:"checkpoints"`

	Searches     int `json:"searches,omitempty"`
	Attestations int `json:"attestations,omitempty"` // of auditors, in the file
	NotBelieved  int `json:"not_believed,omitempty"` // of these

	Counts   evidence.Counts    `json:"counts"`
	Runs     []proofs.Run       `json:"runs"`
	MoreRuns uint64             `json:"more_runs,omitempty"`
	First    string             `json:"first_time,omitempty"`
	Last     string             `json:"last_time,omitempty"`
	After    string             `json:"not_seen_at,omitempty"` // the first entry, by the quorum
	Before   string             `json:"seen_at,omitempty"`     // the last entry
	Wrong    uint64             `json:"wrong"`
	Findings []evidence.Finding `json:"findings,omitempty"`

	Proven    []string `json:"proven"`
	NotProven []string `json:"not_proven"`
}

func describeEvidence(name string, r *evidence.Report) evidenceFile {
	var v finding
	v.takeVerdict(r.Verdict)
	f := evidenceFile{
		File: name, Kind: kindBundle, Verifies: r.OK(), Origin: r.Origin, Selection: r.Selection, Policy: "given", Same: r.SamePolicy,
		Size: v.Size, Root: v.Root, LogKeys: v.LogKeys, Witnesses: v.Witnesses, CosignedAt: v.CosignedAt, Checkpoints: r.Checkpoints,
		Searches: len(r.Searches), Attestations: r.Attestations, NotBelieved: r.NotBelieved,
		Counts: r.Counts, Runs: r.Runs, MoreRuns: r.MoreRuns,
		After: optionalSeconds(r.FirstAfter), Before: optionalSeconds(r.LastBefore),
		Wrong: r.Wrong, Findings: r.Findings, Proven: r.Proven(), NotProven: r.NotProven(),
	}
	if r.OwnPolicy {
		f.Policy = "included"
	}
	if r.Entries > 0 {
		f.First, f.Last = formatMicros(r.FirstTime), formatMicros(r.LastTime)
	}
	return f
}

// findings returns what is wrong in words.
func (f evidenceFile) findings() (words []string) {
	for _, w := range f.Findings {
		words = append(words, w.String())
	}
	return words
}

// optionalSeconds formats seconds since 1970; 0 is not known.
func optionalSeconds(t uint64) string {
	if t == 0 {
		return ""
	}
	return formatSeconds(t)
}

// An evidenceEntry is what verify says of an entry in such a file.
type evidenceEntry struct {
	File     string   `json:"file"`
	Kind     fileKind `json:"kind"`
	Verifies bool     `json:"verifies"`
	Index    uint64   `json:"index"`
	InLog    bool     `json:"in_log"`
	Leaf     *leafOf  `json:"leaf"`

	StreamName string `json:"stream_name,omitempty"` // by the settings in the file
	After      string `json:"not_seen_at,omitempty"` // by the quorum of witnesses
	Before     string `json:"seen_at,omitempty"`

	Payload   evidence.Payload   `json:"payload"`
	Missing   evidence.Missing   `json:"missing,omitempty"`
	Tagged    bool               `json:"tagged"` // the tags were computed again
	NotTagged string             `json:"not_tagged,omitempty"`
	Closings  []evidence.Closing `json:"closings,omitempty"`
	Found     []int              `json:"found_by,omitempty"` // searches of the file, from 1
	Wrong     []string           `json:"wrong,omitempty"`
}

func describeEvidenceEntry(name string, e *evidence.EntryReport) evidenceEntry {
	return evidenceEntry{
		File: name, Kind: kindBundleEntry, Verifies: e.OK(), Index: e.Index, InLog: e.InLog, Leaf: describeLeaf(e.Leaf),
		StreamName: e.Stream, After: optionalSeconds(e.After), Before: optionalSeconds(e.Before),
		Payload: e.Payload, Missing: e.Missing, Tagged: e.Tagged, NotTagged: e.NotTagged, Closings: e.Closings, Found: e.Found, Wrong: e.Wrong,
	}
}

// text says of an entry what is shown, for people.
func (e evidenceEntry) text() string {
	if !e.Verifies {
		return strings.Join(e.Wrong, "; ")
	}
	words := []string{map[evidence.Payload]string{
		evidence.Whole: "payload whole", evidence.Partly: "payload in part", evidence.Hidden: "payload not shown", evidence.Empty: "no payload",
	}[e.Payload]}
	switch {
	case e.Tagged:
		words = append(words, "tags computed again")
	case e.Leaf.Kind == proofs.Event.String() && e.Payload == evidence.Whole:
		words = append(words, "tags not: "+e.NotTagged)
	}
	switch e.Missing {
	case evidence.Disabled:
		words = append(words, "disabled by an erasure that is approved and not done")
	case evidence.Forbidden:
		words = append(words, "the maker may not read it")
	}
	for _, c := range e.Closings {
		words = append(words, c.String())
	}
	for _, n := range e.Found {
		words = append(words, fmt.Sprintf("found by search %d", n))
	}
	return strings.Join(words, "; ")
}
