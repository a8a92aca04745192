package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

func (p *program) reindexCommand() *cobra.Command {
	var noWait bool
	c := &cobra.Command{
		Use:   "reindex",
		Short: "Have the search index built anew",
		Long: `Have the running ledger build its search index anew from the entries, and wait until
it has come to the end. Nobody needs that for an index that is damaged: the ledger
builds again by itself what is missing. It is recorded who had it done.

Entries are taken and read meanwhile, and searches say how far the index has come. If
the command is interrupted, or the ledger is started again, it goes on: "cairnd status"
shows how far it is.`,
		Example: "  cairnd reindex --reason 'ticket 42'\n  cairnd reindex --no-wait",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.reindex(c.Context(), !noWait) },
	}
	c.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until it is done")
	p.reasonFlag(c)
	p.jsonFlag(c)
	p.remoteFlags(c)
	return c
}

const (
	reindexPoll = 250 * time.Millisecond // how often it is asked how far the index has come
	reindexSay  = 5 * time.Second        // how often that is said
)

func (p *program) reindex(ctx context.Context, wait bool) error {
	a, err := p.reach()
	if err != nil {
		return err
	}
	var info ledger.IndexInfo
	if err := a.Call(ctx, http.MethodPost, "/v1/index:rebuild", nil, &info); err != nil {
		return err
	}
	if wait {
		if info, err = p.followIndex(ctx, a); err != nil {
			return err
		}
	}
	switch {
	case p.json:
		return p.printJSON(info)
	case wait:
		_, err = fmt.Fprintln(p.Stdout, "the search index is built: "+describeRest(info))
	default:
		_, err = fmt.Fprintln(p.Stdout, "the search index is being built anew; see how far it is with: cairnd status")
	}
	return err
}

// followIndex waits until the search index has come to where the ledger was
// published when it was asked for, and lacks nothing.
func (p *program) followIndex(ctx context.Context, a *admin) (ledger.IndexInfo, error) {
	goal, next := uint64(0), time.Now().Add(reindexSay)
	for {
		s, err := a.status(ctx)
		if err != nil {
			return ledger.IndexInfo{}, err
		}
		if goal == 0 {
			goal = s.Sizes.Published
		}
		switch {
		case s.Search == nil:
			return ledger.IndexInfo{}, errors.New("the ledger keeps no search index any more")
		case s.Search.Trouble != "":
			return ledger.IndexInfo{}, command.Hinted(fmt.Errorf("the search index does not follow: %s", s.Search.Trouble), "the ledger tries again by itself; see how far it is with: cairnd status")
		case s.Search.Next >= goal && s.Search.Missing == 0:
			return *s.Search, nil
		}
		if now := time.Now(); now.After(next) {
			p.Say("the search index has %s", describeIndex(*s.Search, goal))
			next = now.Add(reindexSay)
		}
		select {
		case <-time.After(reindexPoll):
		case <-ctx.Done():
			return ledger.IndexInfo{}, ctx.Err()
		}
	}
}

// describeIndex says how much of a number of entries the search index has.
func describeIndex(i ledger.IndexInfo, size uint64) string {
	said := "all that is published"
	if i.Next < size {
		said = fmt.Sprintf("%d of %d entries", i.Next, size)
	}
	if i.Missing > 0 {
		said += fmt.Sprintf(", but for %s that %s built again", count(uint64(i.Missing), "part", "parts"), map[bool]string{true: "is", false: "are"}[i.Missing == 1])
	}
	return said
}

// describeRest says how much of the search index is at rest.
func describeRest(i ledger.IndexInfo) string {
	return fmt.Sprintf("%s at rest in %s, %.1f MB", count(i.Documents, "event", "events"), count(uint64(i.Files), "file", "files"), float64(i.Bytes)/1e6)
}

// printIndex adds the rows of the search index to a status.
func printIndex(t command.Table, i *ledger.IndexInfo, published uint64) {
	switch {
	case i == nil:
		t.Row("search", "there is no index")
		return
	case i.Trouble != "":
		t.Row("search", "the index does not follow, and tries again: "+i.Trouble)
	default:
		t.Row("search", "the index has "+describeIndex(*i, published)+"; "+describeRest(*i))
	}
	if i.Anew != "" {
		t.Row("", "it was begun anew since the start: "+i.Anew)
	}
}
