package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/proofs"
)

// eraseFlags are the flags of an erasure.
type eraseFlags struct {
	stream string
	subject
	dryRun bool
	waiting
}

func (p *program) eraseCommand() *cobra.Command {
	var o eraseFlags
	c := &cobra.Command{
		Use:   "erase --stream STREAM --subject ID --reason TEXT",
		Short: "Erase what concerns a data subject",
		Long: `Erase all that a stream has about one data subject: the keys that open it are
destroyed, in the ledger and in every backup of its data. Nothing brings it back.

First it is shown how many entries it concerns, and which holds keep some of them; these
are erased when the last hold is released. Then somebody is asked, unless --yes is
given. Where two custodians are needed it is only requested, and another one has to
approve it, see "cairnd request".

The subject is named as events name it. Its name is recorded closed with the
subject's own keys, and so is gone with the rest; it is in no log of the server.`,
		Example: `  cairnd erase --stream cloud --subject alice@example.com --reason 'ticket 42' --dry-run
  cairnd erase --stream cloud --subject-file subject.txt --reason 'ticket 42' --wait
  cairnd erase --url https://log.example.com --token-file carla.token --stream cloud --subject-file - --reason 'ticket 42' --yes`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.erase(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.stream, "stream", "", "stream whose entries they are")
	o.subject.define(f)
	f.BoolVar(&o.dryRun, "dry-run", false, "show what it would close, and erase nothing")
	o.waiting.define(c)
	p.reasonFlag(c)
	p.yesFlag(c)
	p.jsonFlag(c)
	p.remoteFlags(c)
	return c
}

// erasure returns the erasure that the flags say.
func (p *program) erasure(o eraseFlags) (e ledger.Erasure, err error) {
	e = ledger.Erasure{Stream: o.stream, Reason: p.reason}
	switch {
	case o.stream == "":
		return e, command.Usage("in which stream? Give --stream")
	case p.reason == "" && !o.dryRun:
		return e, errNoReason
	case o.file == "-" && !p.yes && !o.dryRun:
		return e, command.Usage("who is asked at the standard input cannot name the subject there too: give --yes")
	}
	e.Subject, err = o.read(p)
	if err == nil && e.Subject == "" {
		err = command.Usage("whom does it concern? Give --subject or --subject-file")
	}
	return e, err
}

func (p *program) erase(ctx context.Context, o eraseFlags) error {
	e, err := p.erasure(o)
	if err != nil {
		return err
	}
	a, err := p.reach()
	if err != nil {
		return err
	}
	plan, err := p.planned(ctx, a, e, o.dryRun)
	switch {
	case err != nil:
		return err
	case o.dryRun:
		p.Say("nothing was erased")
		return nil
	case plan.Entries == 0 && len(plan.Unread) == 0:
		return command.Hinted(fmt.Errorf("nothing that stream %s has concerns that subject: %w", o.stream, errDeclined),
			"is the subject spelt as events spell it, and not erased already?")
	}
	if err := p.confirm(ctx, fmt.Sprintf("erase for good what concerns the subject in %s of stream %s?", count(plan.Entries, "entry", "entries"), o.stream)); err != nil {
		return err
	}
	done, err := a.erase(ctx, e)
	if err != nil {
		return err
	}
	var late error
	done.Done, late = p.tell(ctx, a, undoing{done.Announced, done.Requested}, o.waiting)
	if p.json {
		if err := p.printJSON(done); err != nil {
			return err
		}
	}
	return late
}

// planned finds what an erasure closes, and shows it: to people always, and as
// JSON where nothing else comes.
func (p *program) planned(ctx context.Context, a *admin, e ledger.Erasure, alone bool) (*ledger.ErasurePlan, error) {
	plan, err := a.planErasure(ctx, e)
	if err != nil {
		return nil, err
	}
	if p.json && alone {
		return plan, p.printJSON(plan)
	}
	if p.json {
		return plan, nil
	}
	custody, err := a.custody(ctx)
	if err != nil {
		return nil, err
	}
	return plan, p.printPlan(plan, custody)
}

func (p *program) printPlan(plan *ledger.ErasurePlan, custody ledger.CustodyConfig) error {
	t := command.NewTable(p.Stdout)
	concerned := count(plan.Entries, "entry", "entries")
	if plan.Entries > 0 {
		concerned += ": " + describeRuns(plan.Closes)
	}
	t.Row("concerned", concerned)
	if len(plan.Unread) > 0 {
		t.Row("unread", fmt.Sprintf("%s may be concerned too: %s; the records are damaged, and what concerns the subject in them is erased with its keys",
			count(proofs.CountEntries(plan.Unread), "entry", "entries"), describeRuns(plan.Unread)))
	}
	for _, h := range plan.Holds {
		t.Row("held", fmt.Sprintf("%s of them by hold %d, until that is over", count(h.Entries, "entry", "entries"), h.Hold))
	}
	if custody.Custodians > 1 {
		t.Row("custody", describeCustody(custody))
	}
	return t.Flush()
}

func (a *admin) planErasure(ctx context.Context, e ledger.Erasure) (plan *ledger.ErasurePlan, err error) {
	return plan, a.Call(ctx, http.MethodPost, "/v1/erasures:plan", e, &plan)
}

func (a *admin) erase(ctx context.Context, e ledger.Erasure) (done httpapi.Erasing, err error) {
	return done, a.Call(ctx, http.MethodPost, "/v1/erasures", e, &done)
}
