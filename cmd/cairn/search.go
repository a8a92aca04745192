package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

func (p *program) searchCommand() *cobra.Command {
	var o searchFlags
	c := &cobra.Command{
		Use:   "search QUERY...",
		Short: "Find events, also with a proof that none is missing",
		Long: `search finds the published events that fit a query, such as
actor:alice action:delete after:-24h "exact phrase" -outcome:denied; see cairn-query(7).
It prints the newest first, each after it has checked that the event is in the ledger and
what was recorded: on a terminal, or with --table, in columns of the fields that the
stream declares, else a line each as tail does, or as --json or --csv. Without a query it
finds every event.

With --count, --facet and --histogram it counts events instead. Which events there are the
ledger's index says, and nothing proves that they are all; what the index leaves out is
said.

With --complete it asks the ledger for a proof that no event is missing, and verifies that
before it prints anything; that there are none is proven in the same way. For that the query
has one or several field:value, of fields that one stream declares, all of which have to fit,
or one of some, as in (actor:alice or actor:bob) action:delete; stream:, index:, after: and
before: are proven too. Of words, parts of values, ranges and what is excluded no proof can
be made: whatever is beside the values is judged here, on the payload of each event that is
proven to have them. Where one is not shown the answer is not complete, and search says so.

What is printed says what it rests on. By default a proof goes as far as the directories
that the log commits to, which come 4,096 to 8,192 entries behind the last one; --now looks
through these too. That a directory leaves out nothing the proof cannot show: the answer is
then complete if the directories are honest. --recompute asks for the tags of all that it
looks through, and makes the directories again here; or an auditor whose key is given with
--auditor has done that, as --attestation shows. Where every entry was looked through it
rests on the log and its witnesses alone.

--save NAME saves a query, for which @NAME stands from then on.`,
		Example: `  cairn search actor:alice outcome:denied after:-24h
  cairn search 'login or logout' --columns time,actor,$.user.agent --csv -o logins.csv
  cairn search --facet actor --histogram day outcome:denied
  cairn search --save denied outcome:denied; cairn search @denied actor:bob
  cairn search --complete --stream logins --now actor:mallory -o none.search-proof
  cairn search --complete --stream files 'actor:alice bytes>=1000 not outcome:ok "annual report"'`,
		RunE: func(c *cobra.Command, args []string) error {
			mode, err := o.mode(c.LocalNonPersistentFlags())
			if err != nil {
				return err
			}
			return p.search(c.Context(), mode, args, o)
		},
	}
	o.declare(c.Flags())
	p.reasonFlag(c.Flags())
	return c
}

func (p *program) search(ctx context.Context, mode searchMode, args []string, o searchFlags) error {
	switch mode {
	case searchSaving:
		return p.searchSaved(args, o)
	case searchCounts:
		return p.countEvents(ctx, args, o)
	case searchComplete:
		return p.searchComplete(ctx, args, o)
	}
	return p.findEvents(ctx, args, o)
}

// searchComplete prints an answer that is proven to be complete.
func (p *program) searchComplete(ctx context.Context, args []string, o searchFlags) error {
	asked, err := p.askedFor(args, o)
	if err != nil {
		return err
	}
	if o.recompute {
		o.required = false // what was made again here needs nobody's word
	}
	words, err := p.vouchers(o.vouchFlags)
	if err != nil {
		return err
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	v, err := p.verifier(ctx, s)
	if err != nil {
		return err
	}
	prove := p.proveComplete
	if o.recompute {
		prove = p.proveRecomputed
	}
	b, answer, err := prove(ctx, s.log, v, asked.CompleteQuery)
	if err != nil {
		return asked.refused(err)
	}
	if err := answer.vouch(words, o.required); err != nil {
		return err
	}
	found := foundPrinter{p: p, log: s.log, answer: answer, searchFlags: o}
	if asked.hasRest() {
		if found.judge, err = answer.judgeOf(asked); err != nil {
			return err
		}
	}
	if err := found.print(ctx); err != nil {
		return err
	}
	if o.out != "" {
		if err := command.WriteFile(o.out, b, privateMode); err != nil {
			return err
		}
	}
	if err := answer.printAbout(p, "", o.json); err != nil {
		return err
	}
	if o.out != "" && asked.hasRest() {
		p.Say("%s proves what has %s; the rest was judged here, and is in no proof", o.out, answer.query())
	}
	return p.endSearch(answer, asked.CompleteQuery)
}

// proveComplete asks the ledger for a proof and verifies it: that it is of the
// ledger as it is now, and of what was asked.
func (p *program) proveComplete(ctx context.Context, log *client.HTTP, v *client.Verifier, asked client.CompleteQuery) ([]byte, *searchAnswer, error) {
	before, err := v.Update(ctx)
	if err != nil {
		return nil, nil, err
	}
	b, err := log.ProveComplete(ctx, asked)
	if err != nil {
		return nil, nil, err
	}
	policy, err := p.loadPolicy()
	if err != nil {
		return nil, nil, err
	}
	answer, err := checkSearch(policy, b)
	if err != nil {
		return nil, nil, err
	}
	if _, err := v.Believe(ctx, answer.proof.Checkpoint); err != nil {
		return nil, nil, err
	}
	if size := answer.verdict.Checkpoint.Size; size < before.Checkpoint.Size {
		return nil, nil, fmt.Errorf("%w: the proof is of the ledger when it had %d entries, and it has had %d", proofs.ErrNotVerified, size, before.Checkpoint.Size)
	}
	if err := answer.isOf(asked); err != nil {
		return nil, nil, fmt.Errorf("the ledger proves something else than what was asked: %w", err)
	}
	return b, answer, nil
}

// errNothingSeen means that an answer is about no entry at all.
var errNothingSeen = errors.New("no entry was looked through: no directory has any of them yet")

// hintNow says how more is looked through.
const hintNow = "--now looks through what no directory has yet"

// endSearch says what the answer leaves open.
func (p *program) endSearch(a *searchAnswer, asked client.CompleteQuery) error {
	switch {
	case !a.verdict.More:
	case a.seesNothing():
		return command.Hinted(errNothingSeen, hintNow)
	case !asked.Now:
		p.Hint(hintNow)
	}
	return errors.Join(a.unread(), a.rest.leftUnjudged())
}
