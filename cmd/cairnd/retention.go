package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
)

func (p *program) retentionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "retention",
		Short: "Say how long entries are kept, and see what expires when",
		Long: `A retention class says how long entries are kept. Entries of a stream, a class and
a period share a bucket, whose keys are destroyed together when the last of them has
reached its age, by the time of the witnesses' cosignatures. See cairn-retention(7).`,
	}
	c.AddCommand(p.retentionAddCommand(), p.retentionSetCommand(), p.retentionListCommand(), p.retentionStatusCommand(), p.retentionRunCommand())
	p.remoteFlags(c)
	return c
}

func (p *program) retentionAddCommand() *cobra.Command {
	var class ledger.ClassConfig
	c := &cobra.Command{
		Use:     "add NAME",
		Short:   "Add a retention class",
		Example: "  cairnd retention add seven-years --days 2557 --period month",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			class.Name = args[0]
			a, err := p.reach()
			if err != nil {
				return err
			}
			changed, err := a.addClass(c.Context(), class)
			if err != nil {
				return err
			}
			return p.tellChanged(changed, "retention class "+class.Name+" is added")
		},
	}
	c.Flags().Uint32Var(&class.Days, "days", 0, "how long entries are kept; 0: for ever")
	c.Flags().StringVar(&class.Period, "period", "month", "how long one bucket takes entries: day or month")
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) retentionSetCommand() *cobra.Command {
	var days uint32
	c := &cobra.Command{
		Use:   "set NAME --days N",
		Short: "Change how long a retention class keeps entries",
		Long: `Change how long a class keeps entries, also those that are there. With fewer days
what is older than that expires at once, but for what is held; so somebody is asked,
unless --yes is given. Where two custodians are needed that is only requested. More
days are free.`,
		Example: "  cairnd retention set seven-years --days 3652 --reason 'new law'",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("days") {
				return command.Usage("for how long? Give --days; 0 is for ever")
			}
			return p.setRetention(c.Context(), args[0], days)
		},
	}
	c.Flags().Uint32Var(&days, "days", 0, "how long entries are kept; 0: for ever")
	p.reasonFlag(c)
	p.yesFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) setRetention(ctx context.Context, name string, days uint32) error {
	a, classes, err := look(ctx, p, (*admin).classes)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(classes, func(c ledger.ClassConfig) bool { return c.Name == name })
	if at >= 0 && days > 0 && (classes[at].Days == 0 || days < classes[at].Days) {
		question := fmt.Sprintf("keep entries of class %s %s, and not %s? What is older expires for good.", name, describeDays(days), describeDays(classes[at].Days))
		if err := p.confirm(ctx, question); err != nil {
			return err
		}
	}
	var c httpapi.Changed
	if err := a.Call(ctx, http.MethodPut, "/v1/classes/"+url.PathEscape(name), httpapi.ClassChange{Days: &days}, &c); err != nil {
		return err
	}
	return p.tellChanged(c, fmt.Sprintf("class %s keeps entries %s", name, describeDays(days)))
}

// describeDays says how long entries are kept.
func describeDays(days uint32) string {
	if days == 0 {
		return "for ever"
	}
	return "for " + count(uint64(days), "day", "days")
}

func (p *program) retentionListCommand() *cobra.Command {
	return listCommand(p, "List the retention classes", "  cairnd retention list", listing[ledger.ClassConfig]{
		ask:  (*admin).classes,
		head: []string{"CLASS", "DAYS", "PERIOD"},
		row:  func(c ledger.ClassConfig) []string { return []string{c.Name, shortDays(c.Days), c.Period} },
	})
}

func shortDays(days uint32) string {
	if days == 0 {
		return "for ever"
	}
	return fmt.Sprint(days)
}

// A retentionStatus is what is kept and what is being closed.
type retentionStatus struct {
	ledger.RetentionInfo
	Closings []ledger.ClosingInfo `json:"closings,omitempty"`
}

func (p *program) retentionStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show what is kept, what expires when, and what is being closed",
		Long: `Show for each stream and class how many entries are kept and when the first of their
buckets expires: at the earliest, since more entries may come and a hold may keep it.
Below it is what was announced to become unreadable and is not done, with what it waits
for.`,
		Example: "  cairnd retention status\n  cairnd retention status --json | jq '.kept[] | select(.overdue > 0)'",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.retentionStatus(c.Context()) },
	}
	p.jsonFlag(c)
	return c
}

func (p *program) retentionStatus(ctx context.Context) error {
	a, err := p.reach()
	if err != nil {
		return err
	}
	var s retentionStatus
	if err := a.Call(ctx, http.MethodGet, "/v1/retention", nil, &s.RetentionInfo); err != nil {
		return err
	}
	s.Closings, err = a.closings(ctx)
	var refused *client.Problem
	if errors.As(err, &refused) && refused.Code() == client.Forbidden {
		err = nil // an operator sees what is kept, and not what is erased
	}
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(s)
	}
	return p.printRetention(s)
}

func (a *admin) closings(ctx context.Context) (c []ledger.ClosingInfo, err error) {
	return c, a.Call(ctx, http.MethodGet, "/v1/closings", nil, &c)
}

func (p *program) printRetention(s retentionStatus) error {
	t := command.NewTable(p.Stdout)
	t.Row("STREAM", "CLASS", "DAYS", "BUCKETS", "ENTRIES", "NEXT EXPIRY")
	for _, k := range s.Kept {
		stream, class := k.Stream, k.Class
		if stream == "" {
			stream = "(the ledger's own)"
		}
		if class == "" {
			class = "(settings)"
		}
		t.Row(stream, class, shortDays(k.Days), fmt.Sprint(k.Buckets), fmt.Sprint(k.Entries), nextExpiry(k, s.Now))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range s.Closings {
		if _, err := fmt.Fprintln(p.Stdout, command.Escape(describeClosing(c))); err != nil {
			return err
		}
	}
	if s.Now == 0 {
		p.Hint("nobody attests the time, so nothing expires: the policy has no witnesses")
	}
	return nil
}

// nextExpiry says when the first of what is kept expires.
func nextExpiry(k ledger.KeptInfo, now uint64) string {
	switch {
	case len(k.Holds) > 0:
		return fmt.Sprintf("not before hold %d is over", k.Holds[0])
	case k.Days == 0 || now == 0:
		return "never"
	case k.Overdue > 0:
		return fmt.Sprintf("now: %s reached the age", count(uint64(k.Overdue), "bucket has", "buckets have"))
	}
	return time.Unix(int64(k.Next), 0).UTC().Format(time.RFC3339)
}

func (p *program) retentionRunCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Look now for what has reached its age",
		Long: `Let the ledger look now for what has reached its age, and for approved requests
whose grace is over. It does so by itself every ten minutes.`,
		Example: "  cairnd retention run",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := p.reach()
			if err != nil {
				return err
			}
			var info ledger.RetentionInfo
			if err := a.Call(c.Context(), http.MethodPost, "/v1/retention:run", nil, &info); err != nil {
				return err
			}
			if p.json {
				return p.printJSON(info)
			}
			overdue := 0
			for _, k := range info.Kept {
				overdue += k.Overdue
			}
			p.Say("the ledger looks now; %s reached the age; see: cairnd retention status", count(uint64(overdue), "bucket has", "buckets have"))
			return nil
		},
	}
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}
