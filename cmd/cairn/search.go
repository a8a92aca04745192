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

type searchFlags struct {
	complete     bool
	stream       string
	first, end   uint64
	since, until string
	now          bool
	payload      bool
	json         bool
	out          string
}

func (p *program) searchCommand() *cobra.Command {
	var o searchFlags
	c := &cobra.Command{
		Use:   "search --complete QUERY...",
		Short: "Find events, with a proof that none is missing",
		Long: `search --complete prints which events of a stream have the values that a query asks
for, and proves that there are no others: it asks the ledger for a proof and verifies it
before it prints anything. That there are none is proven in the same way.

The query is one or several field:value, of fields that the stream declares, all of which
have to fit; and stream:, index:, after: and before: as in every query. Of words, parts of
values, alternatives and what is excluded no proof can be made. Searches without a proof
need an index, which this version has not: --complete has to be given.

What is printed says what it rests on. By default a proof goes as far as the directories
that the log commits to, which come 4,096 to 8,192 entries behind the last one; --now looks
through these too. That a directory leaves out nothing the log has committed to, and nobody
has attested it yet: the answer is then complete if the directories are honest. Where every
entry was looked through it rests on the log and its witnesses alone.`,
		Example: `  cairn search --complete --stream logins actor:alice outcome:denied --now
  cairn search --complete 'actor:alice after:-24h' --now --payload
  cairn search --complete actor:mallory -o none.search-proof; cairn verify none.search-proof`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.search(c.Context(), args, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.complete, "complete", false, "prove that the answer is complete")
	f.StringVar(&o.stream, "stream", "", "search in the stream `NAME`; default, if the query names none either")
	f.Uint64Var(&o.first, "first", 0, "search from the entry `INDEX` on")
	f.Uint64Var(&o.end, "end", 0, "search below the entry `INDEX`; 0: there is no bound")
	f.StringVar(&o.since, "since", "", "search what was recorded at `TIME` or later: a date, a time, or how long ago")
	f.StringVar(&o.until, "until", "", "search what was recorded before `TIME`")
	f.BoolVar(&o.now, "now", false, "look through the entries behind the last directory too, one by one")
	f.BoolVar(&o.payload, "payload", false, "read the events, verify them, and print their payloads")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each event, and one for the answer")
	f.StringVarP(&o.out, "output", "o", "", "`FILE` to keep the proof in")
	p.reasonFlag(f)
	return c
}

func (p *program) search(ctx context.Context, args []string, o searchFlags) error {
	switch {
	case !o.complete:
		return command.Hinted(command.Usage("searches that need no proof come with the index, which this version has not"), "ask for an answer that is proven to be complete, with --complete")
	case o.out == "-":
		return command.Usage("the standard output has the answer: give --output a file for the proof")
	}
	asked, err := p.askedFor(args, o)
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
	b, answer, err := p.proveComplete(ctx, s.log, v, asked)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := command.WriteFile(o.out, b, privateMode); err != nil {
			return err
		}
	}
	if o.payload {
		err = answer.printPayloads(ctx, p, s.log, &entryReader{log: s.log, verifier: v}, o.json)
	} else {
		err = answer.printHits(p, "", o.json)
	}
	if err == nil {
		err = answer.printAbout(p, "", o.json)
	}
	return errors.Join(err, p.endSearch(answer, asked))
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

// endSearch says what the answer leaves open.
func (p *program) endSearch(a *searchAnswer, asked client.CompleteQuery) error {
	const hint = "--now looks through what no directory has yet"
	switch {
	case a.verdict.Complete:
	case a.seesNothing():
		return command.Hinted(errNothingSeen, hint)
	case !asked.Now:
		p.Hint(hint)
	}
	return nil
}
