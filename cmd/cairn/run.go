package main

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// run runs one command and returns its exit status. Data goes to stdout,
// talk to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newProgram(stdin, stdout, stderr).run(ctx, args)
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer) *program {
	return &program{
		Program: command.Program{Name: "cairn", Stdin: stdin, Stdout: stdout, Stderr: stderr},
		env:     os.Getenv, clock: time.Now, rand: rand.Reader, terminal: isTerminal,
		patience: cachePatience, publishing: publishPatience, maxKept: maxKept,
	}
}

// cachePatience is how long caches before a ledger may show an older
// checkpoint. C2SP tlog-tiles allows them seconds.
const cachePatience = 5 * time.Second

// publishPatience is how long an act that was recorded a moment ago may wait for
// the checkpoint that covers it.
const publishPatience = 10 * time.Second

// A program is what every command works with.
type program struct {
	command.Program
	env      func(name string) string
	clock    func() time.Time
	rand     io.Reader
	terminal func(stream any) bool
	patience time.Duration
	maxKept  int // checkpoints that a ledger keeps

	publishing time.Duration // how long what was just recorded is waited for

	believed *proofs.Policy // what loadPolicy has read

	mu       sync.Mutex
	evidence []string // files that were saved, to be told at the end

	// Flags of every command.
	url       string
	policy    string
	memory    string
	tokenFile string
	certFile  string
	keyFile   string
	maxAge    time.Duration

	reason string // of those that read
}

func (p *program) run(ctx context.Context, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what does not heed the first
	root := p.root()
	c, err := p.Execute(ctx, root, args)
	if err == nil {
		return command.Yes
	}
	if ctx.Err() != nil && statusOf(err) != command.No {
		p.Fail(command.Hinted(errInterrupted, "%s", command.HintOf(err)))
		return command.Unknown
	}
	p.Fail(noFlag(c, nearName(root, args, err)), p.hintsFor(err, c.CommandPath())...)
	for _, path := range p.evidence {
		p.Say("the evidence is in %s", path)
		p.Hint("do not rely on this ledger any more, and show the file to others who do: cairn verify %s", path)
	}
	return statusOf(err)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cairn",
		Short: "Use and verify a Cairn ledger",
		Long: `cairn appends events to a Cairn ledger, reads them, and verifies the ledger
without trusting it.

What it believes is decided by a policy file alone: which log, and which witnesses
must have cosigned what it says. Get it from where you trust, not from the ledger.
cairn remembers the last checkpoint that it believed, and refuses a ledger that
shows another history afterwards.`,
		Example: `  export CAIRN_URL=https://log.example.com CAIRN_POLICY=ledger.policy CAIRN_TOKEN=…
  cairn append '{"actor":"alice","action":"login"}'
  cairn prove receipt 13 -o login.tlog-proof
  cairn verify login.tlog-proof
  cairn audit`,
	}
	f := root.PersistentFlags()
	f.StringVar(&p.url, "url", "", "`URL` of the ledger, or a directory with an export (CAIRN_URL)")
	f.StringVar(&p.policy, "policy", "", "`FILE` with the C2SP tlog-policy to verify by (CAIRN_POLICY)")
	f.StringVar(&p.memory, "state", "", "`FILE` that remembers the last checkpoint believed (CAIRN_STATE)")
	f.StringVar(&p.tokenFile, "token-file", "", "`FILE` with the bearer token, instead of CAIRN_TOKEN")
	f.StringVar(&p.certFile, "client-certificate", "", "`FILE` in PEM with the certificate that says who you are (CAIRN_CLIENT_CERTIFICATE)")
	f.StringVar(&p.keyFile, "client-key", "", "`FILE` in PEM with its key (CAIRN_CLIENT_KEY)")
	f.DurationVar(&p.maxAge, "max-age", 0, "refuse a latest checkpoint that witnesses saw longer ago")
	root.AddCommand(p.appendCommand(), p.getCommand(), p.searchCommand(), p.tailCommand(), p.historyCommand(), p.proveCommand(), p.verifyCommand(), p.auditCommand(), p.exportCommand(), p.logCommand())
	p.SetUp(root, exitHelp)
	return root
}
