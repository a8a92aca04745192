package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A searchFile is what search and verify say of a search proof, behind its hits.
type searchFile struct {
	File     string   `json:"file,omitempty"`
	Kind     fileKind `json:"kind"`
	Verifies bool     `json:"verifies"`

	Query  string      `json:"query"`
	Hits   int         `json:"hits"`
	Rest   *restOfFile `json:"rest,omitempty"` // what of the query is not proven, and was judged here
	Origin string      `json:"origin"`

	Size       uint64   `json:"size"` // of the checkpoint
	Root       string   `json:"root"`
	LogKeys    []string `json:"log_keys"`
	Witnesses  []string `json:"witnesses,omitempty"`
	CosignedAt string   `json:"cosigned_at,omitempty"`

	searchExtent

	NotProven []string `json:"not_proven"`
}

// A searchExtent says what an answer was looked for in, and on what it rests.
type searchExtent struct {
	Start       uint64   `json:"start"` // the entries from it on
	Stop        uint64   `json:"stop"`  // and before it were looked through
	Complete    bool     `json:"complete"`
	Directories int      `json:"directories"`         // that it rests on
	Directory   uint64   `json:"directory,omitempty"` // the entry that commits to them
	Vouched     string   `json:"vouched,omitempty"`   // who says that they leave nothing out
	OneByOne    uint64   `json:"one_by_one"`          // entries that were looked through so
	Expired     []uint64 `json:"expired,omitempty"`   // announcements of what nobody can look through
	Erased      []uint64 `json:"erased,omitempty"`

	Unread []proofs.Run `json:"unread,omitempty"` // entries that may fit too
}

func (a *searchAnswer) extent() searchExtent {
	v := a.verdict
	return searchExtent{
		Start: v.Start, Stop: v.Stop, Complete: v.Complete, Directories: len(v.Directories), Directory: v.Directory, Vouched: a.vouched, OneByOne: v.Tail,
		Expired: v.Expired, Erased: v.Erased, Unread: v.Unread,
	}
}

// A restOfFile says what became of the rest of a query.
type restOfFile struct {
	Proven   string     `json:"proven"` // the part of the query that is
	Events   int        `json:"events"` // that have it
	Judged   int        `json:"judged"` // of these, on their payloads
	Unjudged []unjudged `json:"unjudged,omitempty"`
}

func (a *searchAnswer) describe(name string) searchFile {
	var f finding
	f.takeVerdict(a.verdict.Verdict)
	described := searchFile{
		File: name, Kind: kindSearch, Verifies: true, Query: a.query(), Hits: len(a.hits), Origin: f.Origin,
		Size: f.Size, Root: f.Root, LogKeys: f.LogKeys, Witnesses: f.Witnesses, CosignedAt: f.CosignedAt,
		searchExtent: a.extent(), NotProven: a.notProven(),
	}
	if r := a.rest; r != nil {
		described.Rest = &restOfFile{Proven: described.Query, Events: described.Hits, Judged: r.judged, Unjudged: r.unjudged}
		described.Query, described.Hits = r.query, r.fit
		described.Complete = described.Complete && len(r.unjudged) == 0
	}
	return described
}

// notProven says what a proof cannot show.
func (a *searchAnswer) notProven() (said []string) {
	if len(a.verdict.Directories) > 0 && a.vouched == "" {
		said = append(said, "that the directories leave nothing out")
	}
	if !a.named() {
		said = append(said, fmt.Sprintf("what stream %d, and its fields of these numbers, are called", a.proof.Query.Stream))
	}
	return append(said, "that the events have the values that their tags stand for", "that no settings left out of the proof name another field so")
}

// A foundLine is an event that fits.
type foundLine struct {
	File string `json:"file,omitempty"` // with the proof; empty: the ledger's answer
	entryLine
	Problem *client.Problem `json:"problem,omitempty"` // why its payload is not shown
}

// text returns the line for people.
func (l foundLine) text() string {
	switch {
	case l.Problem != nil:
		return fmt.Sprintf("%d  %s  (%s)", l.Index, l.Time, command.Escape(l.Problem.Error()))
	case len(l.Parts) == 0:
		return fmt.Sprintf("%d  %s", l.Index, l.Time)
	}
	return l.entryLine.text()
}

func (p *program) printFound(l foundLine, asJSON bool) error {
	if asJSON {
		return p.printJSON(formatJSON(l, ""))
	}
	_, err := fmt.Fprintln(p.Stdout, l.text())
	return err
}

// printHits prints the events that fit, of the proof in a file.
func (a *searchAnswer) printHits(p *program, name string, asJSON bool) error {
	for _, h := range a.hits {
		if err := p.printFound(foundLine{File: name, entryLine: h}, asJSON); err != nil {
			return err
		}
	}
	return p.endHits(len(a.hits), asJSON)
}

// endHits sets what is said of an answer apart from its events.
func (p *program) endHits(printed int, asJSON bool) error {
	if printed == 0 || asJSON {
		return nil
	}
	_, err := fmt.Fprintln(p.Stdout)
	return err
}

// printAbout prints what was asked, and what the answer rests on. The name is that
// of the file with the proof; empty: it is the ledger's answer.
func (a *searchAnswer) printAbout(p *program, name string, asJSON bool) error {
	f := a.describe(name)
	if asJSON {
		return p.printJSON(formatJSON(f, ""))
	}
	var b bytes.Buffer
	if name != "" {
		fmt.Fprintf(&b, "%s: %s verifies\n", command.Escape(name), f.Kind)
	}
	t := command.NewTable(&b)
	t.Row("  found", numberOf(f.Hits, "event", "events"))
	t.Row("  query", f.Query)
	if r := f.Rest; r != nil {
		t.Row("  proven", fmt.Sprintf("%s: %s", r.Proven, numberOf(r.Events, "event has", "events have")+" that"))
		t.Row("  judged", fmt.Sprintf("the rest, here, on %s", numberOf(r.Judged, "payload", "payloads")))
		for _, why := range a.rest.whyUnjudged() {
			t.Row("  cannot tell", why)
		}
	}
	t.Row("  complete", a.complete())
	t.Row("  rests on", a.rests())
	for _, c := range a.closed() {
		t.Row("  closed", c)
	}
	t.Row("  checkpoint", fmt.Sprintf("%s, size %d, root %s", f.Origin, f.Size, f.Root))
	t.Row("  signed", "by "+strings.Join(f.LogKeys, ", "))
	t.Row("  witnessed", witnessed(f.Witnesses, f.CosignedAt))
	for _, n := range f.NotProven {
		t.Row("  not proven", n)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := p.Stdout.Write(b.Bytes())
	return err
}
