package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
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
	s, err := p.server()
	if err != nil {
		return err
	}
	policy, err := p.loadPolicy()
	if err != nil {
		return err
	}
	view, err := p.view(ctx, s)
	if err != nil {
		return err
	}
	m := &evidenceMaker{p: p, log: s.log, view: view, choice: choice, workers: o.workers}
	m.files = &exporter{policy: policy, view: view, files: s.files, convict: func(ctx context.Context, signed []byte) error {
		return p.follows(ctx, s, succession{policy, signed, view.Signed, filepath.Clean(o.evidence)})
	}}
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
		if err := p.printJSON(formatJSON(describeEvidence(o.evidence, r), "")); err != nil {
			return err
		}
	} else {
		p.Say("%s has %d entries of %s: %s", o.evidence, r.Entries, r.Origin, strings.Join(shownIn(r.Counts), ", "))
	}
	if m.untold > 0 {
		p.Say("their times are told by %d of the %d checkpoints that the ledger keeps around them", m.told, m.told+m.untold)
	}
	if r.Forbidden > 0 {
		p.Hint("what you may not read is there without its payload; whoever may read it makes a file with it")
	}
	if m.unnamed > 0 {
		p.Hint("you may not read the settings of %d streams, so that nobody can compute the tags of their events again", m.unnamed)
	}
	if r.OK() {
		return nil
	}
	errs := []error{fmt.Errorf("%w: the file is written, and shows what is wrong", errNo)}
	for _, f := range r.Findings {
		errs = append(errs, errors.New(f.String()))
	}
	return errors.Join(errs...)
}

// shownIn says of how many entries what is shown.
func shownIn(c evidence.Counts) (words []string) {
	for _, w := range []struct {
		n    uint64
		what string
	}{
		{c.Whole, "payloads whole"}, {c.Partly, "in part"}, {c.Gone, "with something gone for a published reason"},
		{c.Forbidden, "that the maker may not read"}, {c.LeftOut, "left out by the maker"}, {c.Empty, "without a payload"},
	} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	return words
}
