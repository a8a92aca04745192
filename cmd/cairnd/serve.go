package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/local"
)

func (p *program) serveCommand() *cobra.Command {
	var address, format string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve a ledger",
		Long: `Serve the ledger until SIGINT or SIGTERM.

After the start nothing new is signed, and no entry taken, until so many
witnesses have answered that every possible quorum contains one of them. If a write fails, or
two computations of the root disagree, the server ends: only a fresh start can
tell what is durable. Let a supervisor start it again.

While an ssh-agent that has the signing key is away or locked, signing pauses, and
entries are still taken: "cairnd status" says so. It goes on by itself.

At SIGHUP it reads again from cairn.toml who vouches for identities: the tables
client_ca and oidc. Certificates, keys and lists of revoked certificates are read
again by themselves when their files change.`,
		Example: "  cairnd serve --dir /srv/cairn --log-format json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.serve(c.Context(), address, format) },
	}
	c.Flags().StringVar(&address, "listen", "", "serve all faces at this address, whatever the configuration says")
	c.Flags().StringVar(&format, "log-format", "text", "how to log: text or json")
	return c
}

// serve serves the ledger until the context ends.
func (p *program) serve(ctx context.Context, address, format string) error {
	log, err := p.Logger(format)
	if err != nil {
		return err
	}
	cfg, err := p.load()
	if err != nil {
		return err
	}
	if address != "" {
		l := cfg.Listen
		cfg.Listen = Listen{Address: address, Certificate: l.Certificate, Key: l.Key, Socket: l.Socket,
			BehindProxy: l.BehindProxy, RequireClientCertificate: l.RequireClientCertificate}
	}
	metrics := newRegistry()
	d, err := local.Open(ctx, p.dir, cfg.Config, local.Options{Passphrase: p.secret, SSHAgent: agentSocket(), Clock: p.clock, Logger: log, Metrics: metrics, KeyService: keyservice.Open})
	if err != nil {
		return err
	}
	s, err := p.newServing(ctx, d, cfg, log, metrics)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	stop := p.reloadOnSignal(ctx, s)
	p.Say("serving %s at %s", d.Ledger.Status().Origin, s.url())
	err = s.run(ctx)
	stop()
	return errors.Join(err, d.Close())
}

// reloadOnSignal reads again who vouches for identities at each SIGHUP, until
// the function that it returns is called.
func (p *program) reloadOnSignal(ctx context.Context, s *serving) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	var reloading sync.WaitGroup
	reloading.Go(func() { s.reload(ctx, signals, p.load) })
	return func() {
		signal.Stop(signals)
		cancel()
		reloading.Wait()
	}
}

// newRegistry returns a registry with what every process measures.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
