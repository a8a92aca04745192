package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

func (p *program) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show how the running ledger is",
		Long: `Show the four sizes of the ledger, whether it takes entries, what its witnesses
said last, and what keeps a copied directory from forking the log.

The exit status is 0 where the ledger takes entries and everything is
witnessed, and 1 where it has stopped or does not take entries.`,
		Example: "  cairnd status\n  cairnd status --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := p.dial()
			if err != nil {
				return err
			}
			s, err := a.status(c.Context())
			if err != nil {
				return err
			}
			if p.json {
				err = p.printJSON(s)
			} else {
				err = printStatus(p.Stdout, s)
			}
			if err == nil && !s.Ready {
				return notReadyError{}
			}
			return err
		},
	}
	p.jsonFlag(c)
	return c
}

// A notReadyError is a "no": the status was printed already.
type notReadyError struct{}

func (notReadyError) Error() string { return "the ledger does not take entries" }

func printStatus(w io.Writer, s ledger.Status) error {
	t := command.NewTable(w)
	t.Row("log", s.Origin)
	t.Row("sequenced", fmt.Sprint(s.Sizes.Sequenced))
	t.Row("integrated", fmt.Sprint(s.Sizes.Integrated))
	t.Row("signed", fmt.Sprint(s.Sizes.Signed))
	t.Row("published", fmt.Sprint(s.Sizes.Published))
	t.Row("waiting", fmt.Sprint(s.Queue))
	switch {
	case s.Stopped != "":
		t.Row("state", "stopped: "+s.Stopped)
	case !s.Ready:
		t.Row("state", "waits for its witnesses after the start")
	case s.Sizes.Published < s.Sizes.Integrated:
		t.Row("state", "takes entries; the quorum of witnesses has not cosigned all of them")
	default:
		t.Row("state", "takes entries; everything is witnessed")
	}
	for _, witness := range s.Witness {
		said := "cosigns"
		if witness.Trouble != "" {
			said = witness.Trouble
		}
		t.Row("witness "+witness.Name, said)
	}
	t.Row("copies", s.Fork)
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
