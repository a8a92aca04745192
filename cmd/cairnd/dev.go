package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
)

func (p *program) devCommand() *cobra.Command {
	var address string
	var tour bool
	c := &cobra.Command{
		Use:   "dev",
		Short: "Serve a ledger to try things with",
		Long: `Serve a ledger on this machine, made first if there is none, with a local
witness and tokens that are ready to use. What to do next is printed, to copy and paste.

The same person runs the ledger and its witness here, so it proves nothing to
others: see "cairnd init" and cairn-witness(8) for the real thing.`,
		Example: "  cairnd dev --tour\n  cairnd dev",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			dir := p.dir
			if tour && !c.Flags().Changed("dir") {
				if dir, err = os.MkdirTemp("", "cairn-tour-"); err != nil {
					return err
				}
				defer os.RemoveAll(dir)
			}
			if tour && address == "" {
				address = "127.0.0.1:0"
			}
			return p.dev(c.Context(), dir, address, tour)
		},
	}
	c.Flags().StringVar(&address, "listen", "", "address to serve at (default \""+defaultAddress+"\")")
	c.Flags().BoolVar(&tour, "tour", false, "append sample events, verify, search, audit, say what was done, and end")
	return c
}

// dev serves the ledger in dir, or takes the tour through it.
func (p *program) dev(ctx context.Context, dir, address string, tour bool) (err error) {
	log := slog.New(slog.NewTextHandler(p.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	metrics := newRegistry()
	d, err := openDev(ctx, dir, log, metrics)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if address == "" {
		address = defaultAddress
	}
	s, err := p.newServing(ctx, d.Directory, Config{Listen: Listen{Address: address, Socket: filepath.Join(dir, "cairnd.sock")}}, log, metrics)
	if err != nil {
		return err
	}
	tokens, err := devTokens(ctx, filepath.Join(dir, "dev-tokens"), s)
	if err != nil {
		return errors.Join(err, s.close())
	}
	if !tour {
		if err := p.printNextSteps(dir, s, tokens); err != nil {
			return errors.Join(err, s.close())
		}
		return s.run(ctx)
	}
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- s.run(ctx) }()
	err = p.tour(ctx, s.url(), d.Policy, tokens)
	stop()
	return errors.Join(err, <-served)
}

// devRoles are the tokens that "cairnd dev" has ready.
var devRoles = []identity.Grant{
	{Name: "dev-writer", Role: identity.Writer, Streams: []string{identity.EveryStream}},
	{Name: "dev-reader", Role: identity.Reader, Streams: []string{identity.EveryStream}},
	{Name: "dev-auditor", Role: identity.Auditor},
	{Name: "dev-operator", Role: identity.Operator},
	{Name: "dev-custodian", Role: identity.Custodian},
}

// devTokens returns the tokens by role. They are kept in a file, as only a
// ledger to try things with may do, so that every start prints the same ones.
func devTokens(ctx context.Context, path string, s *serving) (map[identity.Role]string, error) {
	tokens := make(map[identity.Role]string)
	as := ledger.Caller{Name: identity.Local().Name, Role: string(identity.Operator), From: "cairnd dev"}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) { // the first start
		err = devFields(ctx, s.ledger.As(as))
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if role, token, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			if _, ok := s.tokens.Authenticate(token); ok {
				tokens[identity.Role(role)] = token
			}
		}
	}
	var b strings.Builder
	for _, g := range devRoles {
		if tokens[g.Role] == "" {
			issued, err := s.api.IssueToken(ctx, as, g)
			if err != nil {
				return nil, err
			}
			tokens[g.Role] = issued.Token
		}
		fmt.Fprintf(&b, "%s %s\n", g.Role, tokens[g.Role])
	}
	return tokens, os.WriteFile(path, []byte(b.String()), 0o600)
}

// devFields declares the fields of the events that "cairnd dev" speaks of.
func devFields(ctx context.Context, s *ledger.Session) error {
	c := ledger.StreamConfig{Name: ledger.DefaultStream}
	for _, f := range [][2]string{{"actor", "actor"}, {"action", "action"}, {"outcome", "outcome"}, {"event", "eventName"}, {"ip", "sourceIPAddress"}} {
		c.Fields = append(c.Fields, ledger.FieldConfig{Name: f[0], Path: f[1]})
	}
	_, _, err := s.SetStream(ctx, c)
	return err
}

func (p *program) printNextSteps(dir string, s *serving, tokens map[identity.Role]string) error {
	dir, err := filepath.Abs(dir) // the other terminal may be elsewhere
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, `Cairn is ready: the log %[1]s at %[2]s, with a local witness.
Everything is in %[3]s. Stop it with Ctrl-C; the next start goes on from there.

Paste this into another terminal:

  export CAIRN_URL=%[2]s CAIRN_POLICY='%[3]s/policy'
  export CAIRN_TOKEN=%[4]s

  %[5]s append --receipts '%[3]s/receipts' '{"actor":"alice","action":"login","outcome":"ok"}'
  %[5]s verify '%[3]s'/receipts/*.tlog-proof   # needs no server
  %[5]s audit                  # the whole ledger, without trusting it

  export CAIRN_TOKEN=%[6]s   # who writes cannot read
  %[5]s search actor:alice
  %[5]s search --complete --now --stream default actor:mallory   # proves that there is none

The other tokens:

  auditor    %[7]s
  operator   %[8]s
  custodian  %[9]s

`, s.ledger.Status().Origin, s.url(), dir, tokens[identity.Writer], invocation("cairn"),
		tokens[identity.Reader], tokens[identity.Auditor], tokens[identity.Operator], tokens[identity.Custodian])
	return err
}

// invocation returns how to run a program of ours: by its name where it is
// installed, else from the source.
func invocation(name string) string {
	if _, err := exec.LookPath(name); err == nil {
		return name
	}
	return "go run ./cmd/" + name
}
