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
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/storage"
)

const exitHelp = `
Exit status:
  0  done
  1  no: there is a witness already, or no such log
  2  wrong usage, also of a file of the witness
  3  could not tell: a file, the network or the store
`

// run runs one command and returns its exit status. Data goes to stdout, talk
// to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newProgram(stdin, stdout, stderr).run(ctx, args)
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer) *program {
	return &program{
		Program: command.Program{Name: "cairn-witness", Stdin: stdin, Stdout: stdout, Stderr: stderr},
		env:     os.Getenv, clock: time.Now,
	}
}

func (p *program) run(ctx context.Context, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	_, err := p.Execute(ctx, p.root(), args)
	if err == nil {
		return command.Yes
	}
	p.Fail(err, p.hintFor(err))
	return statusOf(err)
}

// A program is what every command works with.
type program struct {
	command.Program
	env   func(name string) string
	clock func() time.Time

	dir        string
	passphrase string // the file that holds it
}

var (
	errNoLog     = errors.New("there is no such log")
	errExists    = errors.New("there is something already")
	errEncrypted = errors.New("it needs a passphrase")
	errStore     = errors.New("the store failed")
)

func statusOf(err error) int {
	switch {
	case command.IsUsage(err):
		return command.Misuse
	case errors.Is(err, errExists), errors.Is(err, errNoLog):
		return command.No
	}
	return command.Unknown
}

// hintFor says what to do about an error, where we know what was meant.
func (p *program) hintFor(err error) string {
	switch {
	case errors.Is(err, errExists):
		return "a witness has a directory of its own: name a new one with --dir"
	case errors.Is(err, errNoLog):
		return "see those that there are with: cairn-witness log list"
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
	}
	root.PersistentFlags().StringVarP(&p.dir, "dir", "d", "cairn-witness", "directory of the witness")
	root.AddCommand(p.initCommand(), p.serveCommand(), p.logCommand())
	p.SetUp(root, exitHelp)
	return root
}
