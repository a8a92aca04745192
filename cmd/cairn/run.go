package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// run runs one command and returns its exit status. Data goes to stdout,
// talk to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{
		stdin: stdin, stdout: stdout, stderr: stderr,
		env: os.Getenv, clock: time.Now, rand: rand.Reader, terminal: isTerminal,
		patience: cachePatience,
	}
	return p.run(ctx, args)
}

// cachePatience is how long caches before a ledger may show an older
// checkpoint. C2SP tlog-tiles allows them seconds.
const cachePatience = 5 * time.Second

// A program is what every command works with.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(name string) string
	clock          func() time.Time
	rand           io.Reader
	terminal       func(stream any) bool
	patience       time.Duration

	evidence []string // files that were saved, to be told at the end

	// Flags of every command.
	url       string
	policy    string
	memory    string
	tokenFile string
	maxAge    time.Duration
}

func (p *program) run(ctx context.Context, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what does not heed the first
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitYes
	}
	if ctx.Err() != nil {
		p.say("interrupted")
		return exitUnknown
	}
	var ran ranError
	if !errors.As(err, &ran) { // cobra's own
		err = usageError{err}
	}
	p.say("%s", firstLine(err.Error()))
	for _, path := range p.evidence {
		p.say("the evidence is in %s", path)
		p.hint("do not rely on this ledger any more, and show the file to others who do: cairn verify %s", path)
	}
	for _, hint := range hintsFor(err, c.CommandPath()) {
		p.hint("%s", hint)
	}
	return statusOf(err)
}

// firstLine cuts what cobra adds to its errors.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// say tells people something.
func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.stderr, "cairn: %s\n", escape(fmt.Sprintf(format, args...)))
}

// hint tells people what to do.
func (p *program) hint(format string, args ...any) {
	fmt.Fprintf(p.stderr, "hint: %s\n", escape(fmt.Sprintf(format, args...)))
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
  cairn prove receipt 4 -o login.tlog-proof
  cairn verify login.tlog-proof
  cairn audit`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	f := root.PersistentFlags()
	f.StringVar(&p.url, "url", "", "`URL` of the ledger, or a directory with an export (CAIRN_URL)")
	f.StringVar(&p.policy, "policy", "", "`FILE` with the C2SP tlog-policy to verify by (CAIRN_POLICY)")
	f.StringVar(&p.memory, "state", "", "`FILE` that remembers the last checkpoint believed (CAIRN_STATE)")
	f.StringVar(&p.tokenFile, "token-file", "", "`FILE` with the bearer token, instead of CAIRN_TOKEN")
	f.DurationVar(&p.maxAge, "max-age", 0, "refuse a latest checkpoint that witnesses saw longer ago")
	root.AddCommand(p.appendCommand(), p.getCommand(), p.tailCommand(), p.proveCommand(), p.verifyCommand(), p.auditCommand(), p.exportCommand(), p.logCommand(), p.versionCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.SetHelpTemplate(`{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}` + exitHelp)
	finish(root)
	return root
}

// finish marks the errors of commands that ran: cobra's own mean wrong usage.
func finish(c *cobra.Command) {
	if inner := c.RunE; inner != nil {
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

// group returns a command that only has subcommands.
func group(c *cobra.Command) *cobra.Command {
	c.Args = cobra.NoArgs
	c.RunE = func(*cobra.Command, []string) error { return usage("which one? Give a subcommand") }
	return c
}
