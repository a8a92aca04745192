package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// privateMode is the mode of files that hold payloads.
const privateMode = 0o600

// exportEvidence makes a file of evidence of the entries that arguments and flags
// choose.
func (p *program) exportEvidence(ctx context.Context, args []string, o exportFlags) error {
	if o.vault || o.receipts {
		return command.Usage("--vault and --receipts are of the export of a whole ledger, and --evidence is of some entries")
	}
	choice, err := p.chosen(args, o)
	if err != nil {
		return err
	}
	searches, err := p.searchesAskedFor(o, choice)
	if err != nil {
		return err
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	if err := searches.prove(ctx, p, s); err != nil {
		return err
	}
	files, err := p.exporter(ctx, s, o.evidence) // whose checkpoint is not before those of the proofs
	if err != nil {
		return err
	}
	m := &evidenceMaker{p: p, log: s.log, files: files, view: files.view, choice: choice, searches: searches, workers: o.workers}
	if m.kept, err = p.keptOf(ctx, s); err != nil {
		return err
	}
	report, err := m.run(ctx, o.evidence)
	if err != nil {
		return err
	}
	return p.endEvidence(o, m, report)
}

// endEvidence says what is in the file, and what is not, and why.
func (p *program) endEvidence(o exportFlags, m *evidenceMaker, r *evidence.Report) error {
	if o.json {
		if err := p.printEvidenceJSON(describeEvidence(o.evidence, r), r); err != nil {
			return err
		}
	} else if r.Entries == 0 {
		p.Say("%s has no entry of %s", o.evidence, r.Origin)
	} else {
		p.Say("%s has %s of %s; payloads: %s", o.evidence, numberOfEntries(r.Entries), r.Origin, shownIn(r.Counts))
	}
	m.sayUnsearched()
	if m.untold > 0 {
		p.Say("their times are told by %d of the %d checkpoints that the ledger keeps around them", m.told, m.told+m.untold)
	}
	if r.Forbidden > 0 {
		p.Hint("what you may not read is there without its payload; whoever may read it makes a file with it")
	}
	if m.unnamed > 0 {
		p.Hint("you may not read the settings of %d streams, so that nobody can compute the tags of their events again", m.unnamed)
	}
	open := m.searches.end(p, o.evidence, r, o.json)
	if r.OK() {
		return open
	}
	errs := []error{fmt.Errorf("%w: the file is written, and shows what is wrong", errNo)}
	for _, f := range r.Findings {
		errs = append(errs, errors.New(f.String()))
	}
	return errors.Join(errs...)
}

// numberOfEntries says how many entries there are.
func numberOfEntries(n uint64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// shownIn says of how many entries what is shown.
func shownIn(c evidence.Counts) string {
	var shown, why []string
	add := func(list *[]string, n uint64, what string) {
		if n > 0 {
			*list = append(*list, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(&shown, c.Whole, "whole")
	add(&shown, c.Partly, "in part")
	add(&shown, c.Entries-c.Whole-c.Partly-c.Empty, "not shown")
	add(&shown, c.Empty, "that never had one")
	add(&why, c.Gone, "with something gone for a published reason")
	add(&why, c.Disabled, "disabled by an erasure that is approved and not done")
	add(&why, c.Forbidden, "with something that the maker may not read")
	add(&why, c.LeftOut, "with something that the maker left out")
	return strings.Join(append([]string{strings.Join(shown, ", ")}, why...), "; ")
}
