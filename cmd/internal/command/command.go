// Package command is what Cairn's programs have in common as commands: exit
// statuses, errors that mean wrong usage or carry a hint, talk on the standard
// error, text that no terminal obeys, and files that are whole or not there.
//
// A [Program] sets up its commands once and executes one of them. Data goes
// to its standard output and talk to its standard error, each line of it
// behind the program's name or "hint:".
//
// It knows nothing of ledgers and witnesses, so that each program links only
// what is its own. What an error means, and what hint belongs to it, each
// program says itself.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit statuses, the same in all of Cairn's programs.
const (
	Yes     = 0 // done, and all that was checked verifies
	No      = 1 // it does not verify, or was refused
	Misuse  = 2 // the command was used wrongly
	Unknown = 3 // it could not be told: files, network, server
)

// A Program is what all commands of a program work with.
type Program struct {
	Name           string // begins each line of talk
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	shown *output // what cobra itself writes to Stdout, such as help
}

// An output remembers why something could not be written, for who writes and
// does not look.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// SetUp completes the commands of a program: with version and completion,
// with help texts that end with what the exit statuses mean, and so that a
// command that only has others below it asks for one of them.
func (p *Program) SetUp(root *cobra.Command, statuses string) {
	p.shown = &output{Writer: p.Stdout}
	root.SetIn(p.Stdin)
	root.SetOut(p.shown)
	root.SetErr(p.Stderr)
	root.SilenceUsage, root.SilenceErrors = true, true
	root.AddCommand(versionCommand(root.Name()))
	root.InitDefaultHelpCmd()
	refuseTopics(root)
	root.InitDefaultCompletionCmd()
	root.SetHelpTemplate(`{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}` + statuses)
	for _, c := range root.Commands() {
		finish(c)
	}
}

// refuseTopics makes help for a command that there is not wrong usage.
func refuseTopics(root *cobra.Command) {
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		return
	}
	help.Args = func(_ *cobra.Command, args []string) error {
		if c, rest, err := root.Find(args); err != nil || len(rest) > 0 {
			return fmt.Errorf("unknown command %q for %q", strings.Join(rest, " "), c.CommandPath())
		}
		return nil
	}
}

// finish marks the errors of commands that ran: cobra's own mean wrong usage.
func finish(c *cobra.Command) {
	inner := c.RunE
	if c.HasSubCommands() && !c.Runnable() {
		c.Args = cobra.NoArgs
		inner = func(c *cobra.Command, _ []string) error {
			return Hinted(Usage("which one? Give a subcommand"), "see: %s --help", c.CommandPath())
		}
	}
	if inner != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			if err := inner(c, args); err != nil {
				return ranError{err}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		finish(sub)
	}
}

// A ranError is the error of a command that ran.
type ranError struct{ error }

// Execute executes the command that the arguments name, and returns it with
// its error, which means wrong usage where none ran. Help that could not be
// written is an error too.
func (p *Program) Execute(ctx context.Context, root *cobra.Command, args []string) (*cobra.Command, error) {
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	var ran ranError
	switch {
	case err == nil:
		return c, p.shown.err
	case errors.As(err, &ran):
		return c, ran.error
	}
	line, _, _ := strings.Cut(err.Error(), "\n") // cobra adds lines of its own
	return c, Hinted(Usage("%s", line), "see: %s --help", c.CommandPath())
}

// Say tells people something.
func (p *Program) Say(format string, args ...any) {
	fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, Escape(fmt.Sprintf(format, args...)))
}

// Hint tells people what to do.
func (p *Program) Hint(format string, args ...any) {
	fmt.Fprintf(p.Stderr, "hint: %s\n", Escape(fmt.Sprintf(format, args...)))
}

// Fail tells an error with the hint that it carries, and further ones that
// are not empty. Errors that were joined are told one by one.
func (p *Program) Fail(err error, hints ...string) {
	for _, message := range messages(err) {
		p.Say("%s", message)
	}
	for _, hint := range append([]string{HintOf(err)}, hints...) {
		if hint != "" {
			p.Hint("%s", hint)
		}
	}
}

// messages returns the message of an error, or those of the errors that were
// joined to it.
func messages(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, e := range joined.Unwrap() {
			all = append(all, messages(e)...)
		}
		if strings.Join(all, "\n") == err.Error() {
			return all
		}
	}
	if inner := errors.Unwrap(err); inner != nil && inner.Error() == err.Error() {
		return messages(inner)
	}
	return []string{err.Error()}
}
