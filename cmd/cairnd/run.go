package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

const exitHelp = `
Exit status:
  0  done
  1  no: something does not verify, or the ledger refused
  2  wrong usage
  3  could not tell: a file, the network or the ledger's server
`

// run runs one command and returns its exit status. Data goes to stdout,
// talk to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newProgram(stdin, stdout, stderr).run(ctx, args)
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer) *program {
	return &program{Program: command.Program{Name: "cairnd", Stdin: stdin, Stdout: stdout, Stderr: stderr}, terminal: isTerminal, clock: time.Now}
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
	terminal func(stream any) bool // whether somebody sits there
	clock    func() time.Time

	dir        string
	passphrase string
	json       bool
	reason     string // of those that change something
	yes        bool   // of those that cannot be taken back
	remote     remote
}

func statusOf(err error) int {
	var problem *client.Problem
	var restored *ledger.RestoredError
	var disagreement *ledger.DisagreementError
	var ahead *ledger.AheadError
	var notWell notWellError
	switch {
	case command.IsUsage(err), errors.As(err, &problem) && problem.Status == http.StatusBadRequest:
		return command.Misuse
	case errors.As(err, &restored), errors.As(err, &disagreement), errors.As(err, &ahead), errors.As(err, &notWell), errors.Is(err, proofs.ErrNotVerified), errors.Is(err, ledger.ErrExists), errors.Is(err, errDeclined):
		return command.No
	case errors.As(err, &problem) && problem.Status < 500:
		return command.No
	}
	return command.Unknown
}

// hintFor says what to do about an error, where we know what was meant.
func (p *program) hintFor(err error) string {
	var problem *client.Problem
	var place *local.PlaceError
	switch {
	case errors.As(err, &problem) && problem.Code() == client.Unauthorized && p.remote.url != "":
		return p.remote.howToBeKnown(problem)
	case errors.As(err, &problem):
		return problem.Hint
	case notRunning(err) && p.remote.url != "":
		return "is the server running, and is --url its address?"
	case notRunning(err):
		return "no server runs for this ledger; start it with: cairnd serve --dir " + p.dir
	case errors.Is(err, ledger.ErrNoLedger):
		return p.howToMakeOne()
	case errors.Is(err, ledger.ErrExists):
		return "a new ledger has a directory of its own: name it with --dir; an init that was interrupted goes on with what it was given"
	case errors.Is(err, local.ErrOldLayout):
		return "make a new ledger, in another directory: no released program makes or reads such a one"
	case errors.Is(err, storage.ErrLocked):
		return "a server has this ledger open; stop it first"
	case errors.As(err, &place):
		return "mount the disk that it is on; if it is lost, make an empty directory there, which is filled from the other places, or take it out of " + local.ConfigFile + "; from an escrow all are made again with: cairnd key recover"
	case errors.Is(err, keystate.ErrNone):
		return "mount the disks that its places are on, or make them again from an escrow with: cairnd key recover; it is in no backup, and without it no payload can ever be read"
	case errors.Is(err, keystate.ErrStale):
		return "bring back the latest state, from another place or from the escrow: a backup does not have it"
	case errors.Is(err, keystate.ErrOther):
		return "each ledger has places of its own: name them in " + local.ConfigFile + ", table key_state"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there; choose another address with --listen or in cairn.toml"
	}
	return ""
}

func (p *program) howToMakeOne() string {
	return fmt.Sprintf("make a ledger with: cairnd init --dir %s --origin NAME, or try one with: cairnd dev", p.dir)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cairnd",
		Short: "Run a Cairn ledger",
		Long: `cairnd makes, serves and administers a Cairn ledger: a verifiable log of audit
records, whose checkpoints independent witnesses cosign.

Try it with "cairnd dev". For a ledger that stays, use "cairnd init" and "cairnd serve".
The other commands speak to the running server through a socket in the ledger's directory.`,
	}
	root.PersistentFlags().StringVarP(&p.dir, "dir", "d", "cairn-data", "directory of the ledger")
	root.PersistentFlags().StringVar(&p.passphrase, "passphrase-file", "", "file with the passphrase of the key files, instead of CAIRN_PASSPHRASE")
	root.AddCommand(p.initCommand(), p.serveCommand(), p.devCommand(), p.statusCommand(), p.streamCommand(), p.tokenCommand(), p.keyCommand(), p.reindexCommand(),
		p.retentionCommand(), p.holdCommand(), p.eraseCommand(), p.requestCommand(), p.custodyCommand(), p.pruneCommand())
	p.SetUp(root, exitHelp)
	return root
}
