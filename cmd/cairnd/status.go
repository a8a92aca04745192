package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"

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
				printStatus(p.stdout, s)
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

func printStatus(w io.Writer, s ledger.Status) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintf(t, "log\t%s\n", s.Origin)
	fmt.Fprintf(t, "sequenced\t%d\n", s.Sizes.Sequenced)
	fmt.Fprintf(t, "integrated\t%d\n", s.Sizes.Integrated)
	fmt.Fprintf(t, "signed\t%d\n", s.Sizes.Signed)
	fmt.Fprintf(t, "published\t%d\n", s.Sizes.Published)
	fmt.Fprintf(t, "waiting\t%d\n", s.Queue)
	switch {
	case s.Stopped != "":
		fmt.Fprintf(t, "state\tstopped: %s\n", s.Stopped)
	case !s.Ready:
		fmt.Fprintf(t, "state\twaits for its witnesses after the start\n")
	case s.Sizes.Published < s.Sizes.Integrated:
		fmt.Fprintf(t, "state\ttakes entries; the quorum of witnesses has not cosigned all of them\n")
	default:
		fmt.Fprintf(t, "state\ttakes entries; everything is witnessed\n")
	}
	for _, witness := range s.Witness {
		said := "cosigns"
		if witness.Trouble != "" {
			said = witness.Trouble
		}
		fmt.Fprintf(t, "witness %s\t%s\n", witness.Name, said)
	}
	fmt.Fprintf(t, "copies\t%s\n", s.Fork)
}

func (p *program) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&p.json, "json", false, "print JSON")
}

func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				version = info.Main.Version
			}
			_, err := fmt.Fprintf(p.stdout, "cairnd %s\n", version)
			return err
		},
	}
}
