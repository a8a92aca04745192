package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// The exit statuses, the same in all of Cairn's commands.
const (
	exitYes     = 0
	exitNo      = 1 // does not verify
	exitUsage   = 2
	exitUnknown = 3 // could not tell: files, network
)

const exitHelp = `
Exit status:
  0  done
  1  no: something does not verify, or the ledger refused
  2  wrong usage
  3  could not tell: a file, the network or the ledger's server`

// run runs one command and returns its exit status. Data goes to stdout,
// talk to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr}
	root := p.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitYes
	}
	fmt.Fprintf(stderr, "cairnd: %v\n", err)
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	return statusOf(err)
}

// A program is what every command works with.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	dir        string
	passphrase string
	json       bool
}

// A usageError means that the command was used wrongly.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func statusOf(err error) int {
	var wrong usageError
	var problem *client.Problem
	var restored *ledger.RestoredError
	var disagreement *ledger.DisagreementError
	var ahead *ledger.AheadError
	var notReady notReadyError
	switch {
	case errors.As(err, &wrong):
		return exitUsage
	case errors.As(err, &restored), errors.As(err, &disagreement), errors.As(err, &ahead), errors.As(err, &notReady), errors.Is(err, proofs.ErrNotVerified), errors.Is(err, ledger.ErrExists):
		return exitNo
	case errors.As(err, &problem) && problem.Status < 500:
		return exitNo
	}
	return exitUnknown
}

// hintFor says what to do about an error, where we know what was meant.
func hintFor(err error) string {
	var problem *client.Problem
	switch {
	case errors.As(err, &problem):
		return problem.Hint
	case notRunning(err):
		return "no server runs for this ledger; start it with: cairnd serve"
	case errors.Is(err, ledger.ErrNoLedger), errors.Is(err, fs.ErrNotExist):
		return "make a ledger with: cairnd init --origin NAME, or try one with: cairnd dev"
	case errors.Is(err, storage.ErrLocked):
		return "a server has this ledger open; stop it first"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there; choose another address with --listen or in cairn.toml"
	}
	return ""
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cairnd",
		Short: "Run a Cairn ledger",
		Long: `cairnd makes, serves and administers a Cairn ledger: a verifiable log of audit
records, whose checkpoints independent witnesses cosign.

Try it with "cairnd dev". For a ledger that stays, use "cairnd init" and "cairnd serve".
The other commands speak to the running server through a socket in the ledger's directory.
` + exitHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVarP(&p.dir, "dir", "d", "cairn-data", "directory of the ledger")
	root.PersistentFlags().StringVar(&p.passphrase, "passphrase-file", "", "file with the passphrase of the key files, instead of CAIRN_PASSPHRASE")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(p.initCommand(), p.serveCommand(), p.devCommand(), p.statusCommand(), p.streamCommand(), p.retentionCommand(), p.tokenCommand(), p.versionCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	root.Args, root.RunE = cobra.ArbitraryArgs, subcommand
	for _, c := range root.Commands() {
		finish(c)
	}
	return root
}

// subcommand is what a command does that only has others below it.
func subcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	return usage("there is no command %q; see %s --help", args[0], c.CommandPath())
}

// finish makes arguments that were not asked for a usage error, and ends
// every help text with the exit statuses.
func finish(c *cobra.Command) {
	c.Long += "\n" + exitHelp
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	if c.HasSubCommands() && !c.Runnable() {
		c.Args, c.RunE = cobra.ArbitraryArgs, subcommand
	}
	for _, sub := range c.Commands() {
		finish(sub)
	}
}
