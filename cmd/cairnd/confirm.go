package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// yesFlag gives a command that cannot be taken back the flag that answers for
// whoever would be asked.
func (p *program) yesFlag(c *cobra.Command) {
	c.Flags().BoolVar(&p.yes, "yes", false, "do it without asking")
}

// errDeclined means that somebody was asked, and did not say yes.
var errDeclined = errors.New("nothing was done")

// confirm asks whoever sits at the terminal whether it shall be, unless that
// was said already. Where nobody sits there it shall not.
func (p *program) confirm(ctx context.Context, question string) error {
	if p.yes {
		return nil
	}
	if !p.terminal(p.Stdin) {
		return command.Hinted(command.Usage("nobody can be asked here whether it shall be"), "give --yes; it cannot be taken back")
	}
	fmt.Fprintf(p.Stderr, "%s [y/N] ", command.Escape(question))
	answer := make(chan string, 1)
	go func() { // which ends with the program, if nobody answers
		line, _ := bufio.NewReader(p.Stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case said := <-answer:
		if said == "y" || said == "yes" {
			return nil
		}
		return errDeclined
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isTerminal reports whether a reader is a terminal, at which somebody sits.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
