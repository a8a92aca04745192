package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
)

func (p *program) pruneCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "prune",
		Short: "Show or set when public entries are pruned",
		Long: `Public entries stay public for ever, unless it is set that they are pruned when all
before them has been closed for some days: then bundles below an index that the ledger
announces are not served any more, if they hold nothing but events and acts. Hashes and
whatever says how the rest is to be read stay, and so does every proof; the ledger
itself keeps what it prunes. An index that was announced is not taken back.

Without a subcommand it shows how far that has come, and what keeps it from going
further.`,
		Example: "  cairnd prune",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.showPruning(c.Context()) },
	}
	p.jsonFlag(c)
	c.AddCommand(p.pruneSetCommand())
	p.remoteFlags(c)
	return c
}

func (a *admin) pruning(ctx context.Context) (info ledger.PruningInfo, err error) {
	return info, a.Call(ctx, http.MethodGet, "/v1/pruning", nil, &info)
}

func (p *program) showPruning(ctx context.Context) error {
	_, info, err := look(ctx, p, (*admin).pruning)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(info)
	}
	t := command.NewTable(p.Stdout)
	t.Row("pruned", describePruning(info.Days))
	minimum := fmt.Sprint(info.Minimum)
	if info.Entry > 0 {
		minimum += fmt.Sprintf(" (the latest announced in entry %d)", info.Entry)
	}
	t.Row("minimum index", minimum)
	t.Row("closed", describeClosed(info))
	return t.Flush()
}

// describePruning says when public entries are pruned.
func describePruning(days uint32) string {
	if days == 0 {
		return "never"
	}
	return "when all before has been closed for " + count(uint64(days), "day", "days")
}

// describeClosed says how much is closed, and what comes first that is not.
func describeClosed(info ledger.PruningInfo) string {
	closed := "nothing"
	if info.Closed > 0 {
		closed = fmt.Sprintf("all entries below %d", info.Closed)
	}
	switch {
	case info.Closing > 0:
		return closed + fmt.Sprintf(", while what entry %d announced is under way", info.Closing)
	case info.Hold > 0:
		return closed + fmt.Sprintf("; the rest is behind what hold %d keeps", info.Hold)
	case info.Stream != "":
		return closed + "; the rest is behind what is kept of stream " + info.Stream
	}
	return closed
}

func (p *program) pruneSetCommand() *cobra.Command {
	var days uint32
	c := &cobra.Command{
		Use:   "set --days N",
		Short: "Set when public entries are pruned",
		Long: `Set for how many days all before it must have been closed until a public entry is
pruned. With 0, nothing more is pruned; what is, stays so. Auditors, mirrors and
monitors need time to see what they want to see: give them months. Where two custodians
are needed, to prune, or to prune earlier, is only requested.`,
		Example: "  cairnd prune set --days 365 --reason 'data protection, 2026-11-23'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("days") {
				return command.Usage("after how long? Give --days; with 0, nothing more is pruned")
			}
			return p.setPruning(c.Context(), days)
		},
	}
	c.Flags().Uint32Var(&days, "days", 0, "how long all before must have been closed; 0: nothing more is pruned")
	p.reasonFlag(c)
	p.yesFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) setPruning(ctx context.Context, days uint32) error {
	a, info, err := look(ctx, p, (*admin).pruning)
	if err != nil {
		return err
	}
	if days > 0 && (info.Days == 0 || days < info.Days) {
		question := fmt.Sprintf("prune public entries %s, and before it was %s? What is pruned does not come back.", describePruning(days), describePruning(info.Days))
		if err := p.confirm(ctx, question); err != nil {
			return err
		}
	}
	var c httpapi.Changed
	if err := a.Call(ctx, http.MethodPut, "/v1/pruning", httpapi.PruningChange{Days: &days}, &c); err != nil {
		return err
	}
	said := "public entries are pruned " + describePruning(days)
	if days == 0 {
		said = "nothing more is pruned"
	}
	return p.tellChanged(c, said)
}
