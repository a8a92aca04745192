package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/proofs"
)

func (p *program) holdCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "hold",
		Short: "Keep entries from being closed, and release them",
		Long: `A hold keeps entries readable beyond their retention, and whatever is erased,
until it is released. What expired or was erased meanwhile is closed then, unless
another hold keeps it. Each is an entry of the log, and is named by its index.`,
	}
	c.AddCommand(p.holdAddCommand(), p.holdListCommand(), p.holdReleaseCommand())
	p.remoteFlags(c)
	return c
}

// holdFlags say what a hold is about.
type holdFlags struct {
	stream string
	subject
	fields, entries []string
}

func (p *program) holdAddCommand() *cobra.Command {
	var o holdFlags
	c := &cobra.Command{
		Use:   "add --reason TEXT",
		Short: "Hold entries",
		Long: `Hold entries from now on. With --stream alone it is all of the stream, also what
comes later. With --subject or --field it is those entries of the stream that are there
now, that concern the subject and have all these values of declared fields. What --entries
names is held beside these, or alone, without --stream.`,
		Example: `  cairnd hold add --stream cloud --reason 'case 7'
  cairnd hold add --stream cloud --subject alice@example.com --field action=DeleteTrail --reason 'case 7'
  cairnd hold add --entries 12,40-57 --reason 'case 7'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.hold(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.stream, "stream", "", "stream whose entries they are")
	o.subject.define(f)
	f.StringArrayVar(&o.fields, "field", nil, "value that a declared field has in them: NAME=VALUE (repeat)")
	f.StringArrayVar(&o.entries, "entries", nil, "indices, such as 12,40-57 (repeat)")
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}

// fieldValues reads values of declared fields: "action=DeleteTrail".
func fieldValues(texts []string) (values []client.FieldValue, err error) {
	for _, f := range texts {
		name, value, ok := strings.Cut(f, "=")
		if !ok {
			return nil, command.Usage("%q is not NAME=VALUE", f)
		}
		values = append(values, client.FieldValue{Name: name, Value: value})
	}
	return values, nil
}

func (p *program) hold(ctx context.Context, o holdFlags) error {
	r := httpapi.HoldRequest{Stream: o.stream, Reason: p.reason}
	var err error
	if r.Fields, err = fieldValues(o.fields); err != nil {
		return err
	}
	if r.Entries, err = parseRuns(o.entries); err != nil {
		return err
	}
	switch {
	case p.reason == "":
		return errNoReason
	case o.stream == "" && len(r.Entries) == 0:
		return command.Usage("what is to be held? Give --stream or --entries")
	}
	if r.Subject, err = o.read(p); err != nil {
		return err
	}
	if o.stream != "" && len(r.Entries) > 0 && r.Subject == "" && len(r.Fields) == 0 {
		return command.Usage("a stream alone is held whole: leave --stream out for the entries, or --entries for the stream")
	}
	a, err := p.reach()
	if err != nil {
		return err
	}
	var h ledger.HoldInfo
	if err := a.Call(ctx, http.MethodPost, "/v1/holds", r, &h); err != nil {
		return err
	}
	if p.json {
		return p.printJSON(h)
	}
	p.Say("hold %d keeps %s", h.Hold, describeHeld(h))
	if len(h.Streams) == 0 && len(h.Entries) == 0 {
		p.Hint("nothing that is there now is like that: release it with: cairnd hold release %d", h.Hold)
	}
	return nil
}

// parseRuns reads lists of indices, in any order: "12,40-57". The runs rise, and
// none can be joined with the next.
func parseRuns(lists []string) (runs []proofs.Run, err error) {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			first, last, isRun := strings.Cut(item, "-")
			if !isRun {
				last = first
			}
			r := proofs.Run{}
			if r.First, err = strconv.ParseUint(first, 10, 63); err == nil {
				r.Last, err = strconv.ParseUint(last, 10, 63)
			}
			if err != nil || r.First > r.Last {
				return nil, command.Usage("%q is not an index or two, such as 40-57", item)
			}
			runs = append(runs, r)
		}
	}
	return proofs.JoinRuns(runs), nil
}

// describeHeld says what a hold keeps.
func describeHeld(h ledger.HoldInfo) string {
	var parts []string
	for _, s := range h.Streams {
		parts = append(parts, "all of stream "+s)
	}
	if n := proofs.CountEntries(h.Entries); n > 0 {
		parts = append(parts, count(n, "entry", "entries")+": "+describeRuns(h.Entries))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

func (p *program) holdListCommand() *cobra.Command {
	return listCommand(p, "List the holds that are not over", "  cairnd hold list", listing[ledger.HoldInfo]{
		ask:  (*admin).holds,
		head: []string{"HOLD", "KEEPS", "WHO", "REASON"},
		row: func(h ledger.HoldInfo) []string {
			keeps := describeHeld(h)
			if h.Over {
				keeps += "; it is being released"
			}
			return []string{fmt.Sprint(h.Hold), keeps, h.Who, h.Reason}
		},
	})
}

func (a *admin) holds(ctx context.Context) (h []ledger.HoldInfo, err error) {
	return h, a.Call(ctx, http.MethodGet, "/v1/holds", nil, &h)
}

func (p *program) holdReleaseCommand() *cobra.Command {
	var w waiting
	c := &cobra.Command{
		Use:   "release HOLD --reason TEXT",
		Short: "End a hold",
		Long: `End a hold. What expired or was erased while it was held is closed then, unless
another hold keeps it. Where two custodians are needed it is only requested.`,
		Example: "  cairnd hold release 4711 --reason 'case 7 is settled' --wait",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.release(c.Context(), args[0], w) },
	}
	w.define(c)
	p.reasonFlag(c)
	p.yesFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) release(ctx context.Context, arg string, w waiting) error {
	hold, err := parseIndex(arg)
	if err != nil {
		return err
	}
	if p.reason == "" {
		return errNoReason
	}
	a, err := p.reach()
	if err != nil {
		return err
	}
	if err := p.confirm(ctx, fmt.Sprintf("release hold %d? What expired or was erased meanwhile is closed for good.", hold)); err != nil {
		return err
	}
	var r httpapi.Releasing
	if err := a.Call(ctx, http.MethodPost, fmt.Sprintf("/v1/holds/%d/release", hold), httpapi.Reason{Reason: p.reason}, &r); err != nil {
		return err
	}
	var late error
	r.Done, late = p.tell(ctx, a, undoing{r.Announced, r.Requested}, w)
	if p.json {
		if err := p.printJSON(r); err != nil {
			return err
		}
	}
	return late
}

// parseIndex reads the index of an entry.
func parseIndex(arg string) (uint64, error) {
	index, err := strconv.ParseUint(arg, 10, 63)
	if err != nil {
		return 0, command.Usage("%q is not the index of an entry", arg)
	}
	return index, nil
}
