package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

type historyFlags struct {
	entry             uint64
	stream, who, what string
	since, until      string
	from              uint64
	limit             int
	all               bool
	complete          bool
	json              bool

	ofEntry bool // entry was given
}

func (p *program) historyCommand() *cobra.Command {
	var o historyFlags
	c := &cobra.Command{
		Use:   "history",
		Short: "Show who read an entry, or what somebody did",
		Long: `history shows what the ledger has recorded of those who use it: who read an entry,
what somebody read, who issued a token, and what was refused to whom; the oldest first.

Each act is printed after it has been checked that its own entry is in the ledger and
records just this act. That the ledger shows all of them is checked with --complete only:
then everything that was recorded between the first entry and the last is read, and
compared with the kinds that the entries have in the tree.`,
		Example: `  cairn history --entry 13
  cairn history --who alice --since 2026-11-01 --until 2026-12-01 --all
  cairn history --what token-issue --json | jq .act.object
  cairn history --entry 13 --complete --reason 'audit 2026/4'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.ofEntry = c.Flags().Changed("entry")
			if o.all && c.Flags().Changed("limit") {
				return command.Usage("--limit and --all cannot be together")
			}
			return p.history(c.Context(), o)
		},
	}
	f := c.Flags()
	f.Uint64Var(&o.entry, "entry", 0, "only acts about the entry `INDEX`")
	f.StringVar(&o.stream, "stream", "", "only acts about the stream `NAME`")
	f.StringVar(&o.who, "who", "", "only acts of the identity `NAME`")
	f.StringVar(&o.what, "what", "", "only acts of one kind: `WORD`, such as read, tail, export, stream-set, token-issue or refused")
	f.StringVar(&o.since, "since", "", "only acts from this `TIME` on: 2026-11-23, 2026-11-23T12:00:00Z, or 36h or 7d ago")
	f.StringVar(&o.until, "until", "", "only acts before this `TIME`")
	f.Uint64Var(&o.from, "from", 0, "`INDEX` of the first entry to look at, to go on from an earlier page")
	f.IntVar(&o.limit, "limit", 100, "print at most `N` acts")
	f.BoolVar(&o.all, "all", false, "print all of them")
	f.BoolVar(&o.complete, "complete", false, "check that the ledger shows every act")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each act")
	p.reasonFlag(f)
	return c
}

func (p *program) history(ctx context.Context, o historyFlags) error {
	if o.limit < 1 {
		return command.Usage("--limit must be at least 1")
	}
	between, err := p.timesOf(o.since, o.until)
	if err != nil {
		return err
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	r := &historyReader{log: s.log, complete: o.complete, patience: p.publishing}
	r.query = client.HistoryQuery{Stream: o.stream, Who: o.who, What: o.what, From: o.from}
	if o.ofEntry {
		r.query.Entry = &o.entry
	}
	if !o.all {
		r.limit = o.limit
	}
	if r.verifier, err = p.verifier(ctx, s); err != nil {
		return err
	}
	if err := r.bound(ctx, s, between); err != nil {
		return err
	}
	out := &actPrinter{p: p, json: o.json}
	for act, err := range r.acts(ctx) {
		if err == nil {
			err = out.print(act)
		}
		if err != nil {
			// What was verified before is shown all the same.
			if flushed := out.flush(); flushed != nil {
				return flushed
			}
			return err
		}
	}
	if err := out.flush(); err != nil {
		return err
	}
	return p.endHistory(r, out.count)
}

// endHistory says what there is beside what was printed.
func (p *program) endHistory(r *historyReader, count int) error {
	if r.next <= r.query.From {
		p.Say("the ledger has no entries there")
		return nil
	}
	if count == 0 {
		p.Say("no such act is recorded in the entries %s", r.covered())
	}
	if r.more > 0 {
		p.Hint("there is more: go on with --from %d, or with --all", r.more)
	}
	if r.missed > 0 {
		return command.Hinted(fmt.Errorf("%w: %d of the entries %s record acts that the ledger does not show, the first is entry %d", errNo, r.missed, r.covered(), r.missing),
			"what has expired is shown to nobody, and the ledger must say that it has: cairn audit")
	}
	if r.pruned > 0 {
		p.Say("the ledger has pruned %d of the entries %s: nobody can tell whether it has shown every act of these", r.pruned, r.covered())
		return nil
	}
	if r.complete {
		p.Say("the ledger has shown every act of the entries %s", r.covered())
	}
	return nil
}
