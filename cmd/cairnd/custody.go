package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
)

func (p *program) custodyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "custody",
		Short: "Show or set how many custodians it takes to do what cannot be undone",
		Long: `Erasures, releases of holds and shorter retention take one custodian, or two: then
one asks, another approves, and it is done when the grace is over. To need less again
takes two as well. See cairn-retention(7).`,
		Example: "  cairnd custody",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.showCustody(c.Context()) },
	}
	p.jsonFlag(c)
	c.AddCommand(p.custodySetCommand(), p.custodyNameCommand())
	p.remoteFlags(c)
	return c
}

func (p *program) showCustody(ctx context.Context) error {
	a, custody, err := look(ctx, p, (*admin).custody)
	if err != nil {
		return err
	}
	named, err := a.custodians(ctx)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(struct {
			ledger.CustodyConfig
			ledger.CustodiansConfig
		}{custody, named})
	}
	_, err = fmt.Fprintln(p.Stdout, describeCustody(custody)+describeNamed(named))
	return err
}

// describeNamed says who the custodians are, if that is said.
func describeNamed(c ledger.CustodiansConfig) string {
	if len(c.Names) == 0 {
		return ""
	}
	return "; the custodians are " + strings.Join(c.Names, ", ")
}

// describeCustody says how many custodians it takes.
func describeCustody(c ledger.CustodyConfig) string {
	if c.Custodians < 2 {
		return "one custodian"
	}
	if c.Grace == 0 {
		return "two custodians, without grace"
	}
	return "two custodians, with a grace of " + shortDuration(time.Duration(c.Grace)*time.Second)
}

// shortDuration returns a duration without what is zero at its end: "1h", and
// not "1h0m0s".
func shortDuration(d time.Duration) string {
	text := d.String()
	for _, unit := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, unit) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func (a *admin) custody(ctx context.Context) (c ledger.CustodyConfig, err error) {
	return c, a.Call(ctx, http.MethodGet, "/v1/custody", nil, &c)
}

const maxGrace = ledger.MaxGrace * time.Second

func (p *program) custodySetCommand() *cobra.Command {
	var custodians uint8
	var grace time.Duration
	c := &cobra.Command{
		Use:   "set --custodians N",
		Short: "Set how many custodians it takes",
		Long: `Set how many custodians it takes, one or two, and how long the grace is between the
approval of the second and the act. Where two are needed, fewer or a shorter grace is
only requested.

Before you need two, issue two of them tokens, and name them with: cairnd custody name.
Alone, nobody can then go back.`,
		Example: "  cairnd custody set --custodians 2 --grace 24h --reason 'works council, 2026-11-02'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			given := func(flag string) bool { return c.Flags().Changed(flag) }
			switch {
			case !given("custodians") && !given("grace"):
				return command.Usage("how many? Give --custodians, --grace, or both")
			case grace < 0 || grace > maxGrace || grace%time.Second != 0:
				return command.Usage("--grace is in whole seconds from 0s to %s", shortDuration(maxGrace))
			}
			return p.setCustody(c.Context(), func(now *ledger.CustodyConfig) {
				if given("custodians") {
					now.Custodians = custodians
				}
				if given("grace") {
					now.Grace = uint32(grace / time.Second)
				}
			})
		},
	}
	c.Flags().Uint8Var(&custodians, "custodians", 1, "how many have to want it: 1 or 2")
	c.Flags().DurationVar(&grace, "grace", 0, "time between the approval and the act, such as 24h")
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) setCustody(ctx context.Context, change func(*ledger.CustodyConfig)) error {
	a, next, err := look(ctx, p, (*admin).custody)
	if err != nil {
		return err
	}
	change(&next)
	var c httpapi.Changed
	if err := a.Call(ctx, http.MethodPut, "/v1/custody", httpapi.CustodyChange{Custodians: &next.Custodians, Grace: &next.Grace}, &c); err != nil {
		return err
	}
	if err := p.tellChanged(c, "from now on it takes "+describeCustody(next)); err != nil || next.Custodians < 2 || c.Requested > 0 {
		return err
	}
	named, err := a.custodians(ctx)
	if err == nil && len(named.Names) == 0 {
		p.Hint("give two of them a token each with: cairnd token issue NAME --role custodian; and say who they are with: cairnd custody name NAME NAME")
	}
	return err
}

func (a *admin) custodians(ctx context.Context) (c ledger.CustodiansConfig, err error) {
	return c, a.Call(ctx, http.MethodGet, "/v1/custodians", nil, &c)
}

func (p *program) custodyNameCommand() *cobra.Command {
	var nobody bool
	c := &cobra.Command{
		Use:   "name {IDENTITY IDENTITY... | --nobody}",
		Short: "Name the custodians",
		Long: `Name the custodians, as cairn history names identities. Where two are needed, who
asks and who approves are both among them, whoever else has the role; and to name
others is only requested. With --nobody any two do that have the role.`,
		Example: "  cairnd custody name carla cato oidc:corp:dora@example.com --reason 'works council, 2026-11-02'",
		RunE: func(c *cobra.Command, names []string) error {
			if nobody == (len(names) > 0) || len(names) == 1 {
				return command.Usage("who? Give two identities at least, or --nobody")
			}
			return p.nameCustodians(c.Context(), ledger.CustodiansConfig{Names: append([]string{}, names...)})
		},
	}
	c.Flags().BoolVar(&nobody, "nobody", false, "let any two do that have the role")
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) nameCustodians(ctx context.Context, next ledger.CustodiansConfig) error {
	a, err := p.reach()
	if err != nil {
		return err
	}
	var c httpapi.Changed
	if err := a.Call(ctx, http.MethodPut, "/v1/custodians", next, &c); err != nil {
		return err
	}
	if len(next.Names) == 0 {
		return p.tellChanged(c, "from now on any two will do that have the role")
	}
	return p.tellChanged(c, "from now on"+strings.TrimPrefix(describeNamed(next), ";"))
}

// tellChanged tells what became of a change of settings.
func (p *program) tellChanged(c httpapi.Changed, what string) error {
	if c.Requested > 0 {
		p.sayRequested(c.Requested)
	} else {
		p.Say("%s", what)
	}
	if p.json {
		return p.printJSON(c)
	}
	return nil
}
