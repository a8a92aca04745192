package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/proofs"
)

func (p *program) requestCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "request",
		Short: "List, approve and withdraw what custodians asked for",
		Long: `Where two custodians are needed, see "cairnd custody", one asks for an erasure, a
release of a hold or a shorter retention, and another approves it. It is done once the
grace is over, and until then both can take back what they said.

Whoever uses the server's socket is one identity, the local operator, whoever that is:
two custodians have a token each, and use --url and --token-file.`,
	}
	c.AddCommand(p.requestListCommand(), p.approveCommand(), p.withdrawCommand())
	p.remoteFlags(c)
	return c
}

func (p *program) requestListCommand() *cobra.Command {
	return listCommand(p, "List what was asked for and is neither done nor withdrawn", "  cairnd request list", listing[ledger.RequestInfo]{
		ask:  (*admin).requests,
		head: []string{"REQUEST", "WHAT", "WHO", "REASON", "STATE"},
		row: func(r ledger.RequestInfo) []string {
			return []string{fmt.Sprint(r.Request), describeAct(r.Act), r.Act.Who, r.Act.Because, stateOf(r, p.clock())}
		},
	})
}

func (a *admin) requests(ctx context.Context) (r []ledger.RequestInfo, err error) {
	return r, a.Call(ctx, http.MethodGet, "/v1/requests", nil, &r)
}

func (a *admin) request(ctx context.Context, index uint64) (r httpapi.Requested, err error) {
	return r, a.Call(ctx, http.MethodGet, fmt.Sprintf("/v1/requests/%d", index), nil, &r)
}

// describeAct says what a request asks for.
func describeAct(act proofs.Act) string {
	switch act.What {
	case proofs.ActErase:
		if act.Subject == "" { // its keys are destroyed
			return "erase somebody in stream " + act.Stream
		}
		return fmt.Sprintf("erase subject %q in stream %s", act.Subject, act.Stream)
	case proofs.ActRelease:
		return "release hold " + act.Object
	case proofs.ActClassSet:
		var c ledger.ClassConfig
		if err := json.Unmarshal(act.Settings, &c); err == nil {
			return fmt.Sprintf("keep entries of class %s %s", c.Name, describeDays(c.Days))
		}
	case proofs.ActStreamSet:
		var c ledger.StreamConfig
		if err := json.Unmarshal(act.Settings, &c); err == nil {
			return "set stream " + describeStream(c)
		}
	case proofs.ActCustodiansSet:
		var c ledger.CustodiansConfig
		if err := json.Unmarshal(act.Settings, &c); err == nil && len(c.Names) > 0 {
			return "name the custodians " + strings.Join(c.Names, ", ")
		} else if err == nil {
			return "name no custodians"
		}
	case proofs.ActPruningSet:
		var c ledger.PruningConfig
		if err := json.Unmarshal(act.Settings, &c); err == nil {
			return "prune public entries " + describePruning(c.Days)
		}
	case proofs.ActLedgerSet:
		var c ledger.CustodyConfig
		if err := json.Unmarshal(act.Settings, &c); err == nil {
			return "need " + describeCustody(c)
		}
	}
	return act.What
}

// stateOf says how far it has come with a request.
func stateOf(r ledger.RequestInfo, now time.Time) string {
	from := time.UnixMicro(int64(r.From)).UTC()
	switch {
	case r.Withdrawn > 0:
		return fmt.Sprintf("withdrawn in entry %d", r.Withdrawn)
	case r.Used > 0:
		return fmt.Sprintf("used by entry %d", r.Used)
	case r.Moot != nil:
		return describeMoot(r.Moot)
	case r.Approved == 0:
		return "waits for another custodian"
	case from.After(now):
		return fmt.Sprintf("approved in entry %d, done after %s", r.Approved, from.Format(time.RFC3339))
	}
	return fmt.Sprintf("approved in entry %d, to be done; where it stays so the server's log says why", r.Approved)
}

// errMoot says of a request that it cannot be done any more.
func errMoot(r httpapi.Requested) error {
	return fmt.Errorf("request %d %s: %w", r.Request, describeMoot(r.Moot), errDeclined)
}

// describeMoot says why what was asked for cannot be done any more.
func describeMoot(m *ledger.Moot) string {
	text := "cannot be done any more, and is to be withdrawn: " + m.Why
	if m.Entry > 0 {
		text += fmt.Sprintf(", by entry %d", m.Entry)
	}
	return text
}

func (p *program) approveCommand() *cobra.Command {
	var w waiting
	c := &cobra.Command{
		Use:   "approve REQUEST",
		Short: "Approve what another custodian asked for",
		Long: `Approve what another identity asked for. It is done once the grace is over. What it
is, is shown first, and somebody is asked, unless --yes is given.`,
		Example: "  cairnd request approve 4711 --url https://log.example.com --token-file cato.token",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.approve(c.Context(), args[0], w) },
	}
	w.define(c)
	p.reasonFlag(c)
	p.yesFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) approve(ctx context.Context, arg string, w waiting) error {
	index, err := parseIndex(arg)
	if err != nil {
		return err
	}
	a, err := p.reach()
	if err != nil {
		return err
	}
	r, err := a.request(ctx, index)
	if err != nil {
		return err
	}
	if !p.json {
		t := command.NewTable(p.Stdout)
		t.Row("asked for", describeAct(r.Act))
		t.Row("by", r.Act.Who)
		if r.Act.Because != "" {
			t.Row("because", r.Act.Because)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if r.Moot != nil {
		return errMoot(r)
	}
	if err := p.confirm(ctx, fmt.Sprintf("approve that %s wants to %s? It cannot be undone once it is done.", r.Act.Who, describeAct(r.Act))); err != nil {
		return err
	}
	if err := a.Call(ctx, http.MethodPost, fmt.Sprintf("/v1/requests/%d/approval", index), nil, &r); err != nil {
		return err
	}
	p.Say("approved in entry %d; it is done after %s", r.Approved, time.UnixMicro(int64(r.From)).UTC().Format(time.RFC3339))
	var late error
	if w.wait {
		r, late = p.awaitRequest(ctx, a, index, w)
	}
	if p.json {
		if err := p.printJSON(r); err != nil {
			return err
		}
	}
	return late
}

func (p *program) withdrawCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "withdraw REQUEST",
		Short:   "Take back what you asked for, or your approval",
		Example: "  cairnd request withdraw 4711",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			index, err := parseIndex(args[0])
			if err != nil {
				return err
			}
			a, err := p.reach()
			if err != nil {
				return err
			}
			var r httpapi.Requested
			if err := a.Call(c.Context(), http.MethodPost, fmt.Sprintf("/v1/requests/%d/withdrawal", index), nil, &r); err != nil {
				return err
			}
			if p.json {
				return p.printJSON(r)
			}
			if r.Withdrawn > 0 {
				p.Say("request %d is withdrawn", index)
			} else {
				p.Say("the approval of request %d is withdrawn", index)
			}
			return nil
		},
	}
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}
