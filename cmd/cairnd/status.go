package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

func (p *program) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show how the running ledger is",
		Long: `Show the four sizes of the ledger, whether it takes entries, what its witnesses
said last, how far the search index has come, what keeps a copied directory from forking the log,
where the key state is, see "cairnd key status", and which holds, requests and closings
are open. It names no data subject, and nothing is recorded of it.

The exit status is 0 where the ledger takes entries and those witnesses that
cosigned when they were asked last make the policy's quorum, and 1 where it has
stopped, takes no entries, cannot sign, or lacks the quorum. A witness beyond the quorum may be
down, and entries may be on their way.`,
		Example: "  cairnd status\n  cairnd status --json | jq .quorum_cosigns",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.status(c.Context()) },
	}
	p.jsonFlag(c)
	return c
}

func (p *program) status(ctx context.Context) error {
	a, err := p.dial()
	if err != nil {
		return err
	}
	s, err := a.status(ctx)
	if err != nil {
		return err
	}
	policy, err := local.ReadPolicy(p.dir, a.config.Config)
	if err != nil {
		return err
	}
	h := healthOf(s, policy, local.InspectKeyState(p.dir, a.config.Config))
	if p.json {
		err = p.printJSON(h)
	} else {
		err = h.print(p.Stdout, p.clock())
	}
	p.hintKeyState(h.KeyState)
	if h.Paused != "" {
		p.Hint("start or unlock the ssh-agent, or bring its token back: ssh-add -l shows which keys it has")
	}
	if h.Unread != "" {
		p.Hint("see to the disk; where a sector stays unreadable stop the server, copy the file with zeros in its place, and start it again: see cairn-troubleshooting(7)")
	}
	if err == nil {
		err = h.judge()
	}
	return err
}

// A health is the status of a ledger as its policy sees it.
type health struct {
	httpapi.Status
	Quorum  string `json:"quorum"`         // of the policy
	Cosigns bool   `json:"quorum_cosigns"` // when it was asked last; true where it is none

	KeyState local.KeyStateInfo `json:"key_state"`
}

func healthOf(s httpapi.Status, policy *proofs.Policy, keys local.KeyStateInfo) health {
	cosigning := make(map[string]bool)
	for _, w := range s.Witness {
		for _, named := range policy.Witnesses {
			// The ledger joins the names of a witness that has several.
			if w.Trouble == "" && strings.Contains("+"+w.Name+"+", "+"+named.Name+"+") {
				cosigning[named.Name] = true
			}
		}
	}
	none := policy.Quorum == proofs.NoQuorum
	return health{Status: s, Quorum: policy.Quorum, Cosigns: none || policy.Met(cosigning), KeyState: keys}
}

// A notWellError is a "no": the status was printed already.
type notWellError struct{ what string }

func (e notWellError) Error() string { return e.what }

// judge returns an error where somebody should look after the ledger.
func (h health) judge() error {
	switch {
	case !h.Ready:
		return notWellError{"the ledger takes no entries"}
	case h.Paused != "":
		return notWellError{"nothing more is signed"}
	case h.Unread != "":
		return notWellError{"the vault cannot be read"}
	case !h.Cosigns:
		return notWellError{"the quorum of witnesses does not cosign"}
	}
	return nil
}

const (
	clockMatters = 5.0  // seconds from where on the clock is shown: cosignatures tell whole ones, and take some
	clockOff     = 60.0 // seconds beyond which no entries are taken
)

// clock says how the local clock differs from the witnesses'.
func (h health) clock() string {
	by := time.Duration(math.Abs(h.ClockAhead) * float64(time.Second))
	if h.ClockAhead < 0 {
		return fmt.Sprintf("%v behind the witnesses'", by)
	}
	return fmt.Sprintf("%v ahead of the witnesses'", by)
}

func (h health) state() string {
	switch {
	case h.Stopped != "":
		return "stopped: " + h.Stopped
	case !h.Ready && math.Abs(h.ClockAhead) > clockOff:
		return "takes no entries: its clock is " + h.clock()
	case !h.Ready:
		return "waits for its witnesses after the start"
	case h.Paused != "":
		return "takes entries; signing pauses until the key can be used again"
	case !h.Cosigns:
		return "takes entries; the quorum of witnesses does not cosign, so nothing more is published"
	case h.Sizes.Published < h.Sizes.Sequenced:
		return "takes entries; some wait for the next checkpoint"
	case h.Quorum == proofs.NoQuorum:
		return "takes entries; nobody witnesses them: the policy's quorum is none"
	}
	return "takes entries; everything is witnessed"
}

func (h health) print(w io.Writer, now time.Time) error {
	t := command.NewTable(w)
	t.Row("log", h.Origin)
	t.Row("sequenced", fmt.Sprint(h.Sizes.Sequenced))
	t.Row("integrated", fmt.Sprint(h.Sizes.Integrated))
	t.Row("signed", fmt.Sprint(h.Sizes.Signed))
	t.Row("published", fmt.Sprint(h.Sizes.Published))
	t.Row("waiting", fmt.Sprint(h.Queue))
	t.Row("recorded", fmt.Sprintf("%s since the start, and %s refused", count(h.Acts, "read or act of administration", "reads and acts of administration"), count(h.Refused, "attempt", "attempts")))
	t.Row("state", h.state())
	if h.Paused != "" {
		t.Row("signing", h.Paused)
	}
	if h.Unread != "" {
		t.Row("vault", h.Unread)
	}
	for _, witness := range h.Witness {
		said := "cosigns"
		if witness.Trouble != "" {
			said = witness.Trouble
		}
		t.Row("witness", witness.Name+": "+said)
	}
	if math.Abs(h.ClockAhead) >= clockMatters {
		t.Row("clock", h.clock())
	}
	printIndex(t, h.Search, h.Sizes.Published)
	t.Row("copies", h.Fork)
	printKeyState(t, h.KeyState)
	printPending(t, h.Pending, now)
	return t.Flush()
}

func (p *program) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&p.json, "json", false, "print JSON")
}

func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
