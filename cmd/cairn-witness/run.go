package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/storage"
)

// The exit statuses, the same in all of Cairn's commands.
const (
	exitYes     = 0
	exitNo      = 1
	exitUsage   = 2
	exitUnknown = 3
)

const exitHelp = `
Exit status:
  0  done
  1  no: there is a witness already
  2  wrong usage, also of a file of the witness
  3  could not tell: a file, the network or the store
`

// run runs one command and returns its exit status. Data goes to stdout, talk
// to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, env: os.Getenv}
	root := p.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitYes
	}
	var ran ranError
	if !errors.As(err, &ran) { // cobra's own
		err = usageError{err}
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	p.say("%s", line)
	if hint := p.hintFor(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", escape(hint))
	}
	return statusOf(err)
}

// A program is what every command works with.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(name string) string

	dir        string
	passphrase string // the file that holds it
}

// A ranError is the error of a command that ran: cobra's own mean wrong usage.
type ranError struct{ error }

func (e ranError) Unwrap() error { return e.error }

// A usageError means that the command was used wrongly.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

var (
	errExists    = errors.New("there is something already")
	errEncrypted = errors.New("it needs a passphrase")
	errStore     = errors.New("the store failed")
)

func statusOf(err error) int {
	var wrong usageError
	switch {
	case errors.As(err, &wrong):
		return exitUsage
	case errors.Is(err, errExists):
		return exitNo
	}
	return exitUnknown
}

// hintFor says what to do about an error, where we know what was meant.
func (p *program) hintFor(err error) string {
	switch {
	case errors.Is(err, errExists):
		return "a witness has a directory of its own: name a new one with --dir"
	case errors.Is(err, fs.ErrNotExist) && !p.isWitness():
		return fmt.Sprintf("make a witness with: cairn-witness init --dir %s --name NAME", p.dir)
	case errors.Is(err, errEncrypted):
		return "give the passphrase with --passphrase-file or in CAIRN_PASSPHRASE"
	case errors.Is(err, storage.ErrLocked):
		return "another process serves this witness"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there: choose another address in witness.toml"
	case errors.Is(err, errStore):
		return "serve again: only opening the store tells what it remembers"
	}
	return ""
}

// isWitness reports whether init has made the directory.
func (p *program) isWitness() bool {
	_, err := os.Stat(p.path(configFile))
	return err == nil
}

// say tells people something.
func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.stderr, "cairn-witness: %s\n", escape(fmt.Sprintf(format, args...)))
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cairn-witness",
		Short: "Cosign the checkpoints of transparency logs",
		Long: `cairn-witness is a witness (C2SP tlog-witness): it cosigns a log's checkpoint if
it extends the one that it cosigned last. Who sees the cosignatures of witnesses
that they trust knows that nobody is shown another history of the log.

Everything that a witness is lies in one directory. Its memory, in data, belongs
to its keys: never serve the keys with an older copy of it, or with none.`,
		Example: `  cairn-witness init --name witness.example.org/w1 --url https://witness.example.org
  cairn-witness log add sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8
  cairn-witness serve`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVarP(&p.dir, "dir", "d", "cairn-witness", "directory of the witness")
	root.AddCommand(p.initCommand(), p.serveCommand(), p.logCommand())
	root.SetHelpTemplate(`{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}` + exitHelp)
	finish(root)
	return root
}

// finish marks the errors of commands that ran, and makes commands that only
// have subcommands ask for one.
func finish(c *cobra.Command) {
	inner := c.RunE
	if inner == nil {
		c.Args = cobra.NoArgs
		inner = func(*cobra.Command, []string) error { return usage("which command? See --help") }
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := inner(c, args); err != nil {
			return ranError{err}
		}
		return nil
	}
	for _, sub := range c.Commands() {
		finish(sub)
	}
}

// escape makes a text that others wrote safe to show on a terminal, on one
// line: what does not print is written as Go writes it in a string.
func escape(s string) string {
	unsafe := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
