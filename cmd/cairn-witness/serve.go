package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/witness"
)

const (
	headerTime = 5 * time.Second  // to read a request's header
	readTime   = 10 * time.Second // to read a request
	writeTime  = 20 * time.Second // to read, think and answer
	idleTime   = 2 * time.Minute  // that a connection is kept alive for
	closeTime  = 10 * time.Second // for requests that are under way at the end
	maxHeader  = 16 << 10         // bytes
	maxStreams = 16               // of one HTTP/2 connection
	maxAtOnce  = 1024             // requests; each may hold witness.MaxRequest bytes
	reloadTime = time.Second      // between two looks at files that may change
)

func (p *program) serveCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the witness until a signal ends it",
		Long: `Serve the witness by HTTP (C2SP tlog-witness) until SIGINT or SIGTERM:

  POST /add-checkpoint                          cosign a checkpoint
  GET  /<SHA-256 of the origin>/checkpoint      the checkpoint cosigned last
  GET  /healthz                                 200 unless its store failed
  GET  /metrics                                 Prometheus metrics

Logs that are added meanwhile are taken within a second or two.

While an ssh-agent that has the Ed25519 key is away or locked, it answers 503 and
cosigns nothing. It goes on by itself.`,
		Example: `  cairn-witness serve --dir /var/lib/cairn-witness --log-format json`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			logger, err := p.Logger(format)
			if err != nil {
				return err
			}
			return p.serve(c.Context(), logger)
		},
	}
	p.passphraseFlag(c)
	c.Flags().StringVar(&format, "log-format", "text", "how to log: text or json")
	return c
}

func (p *program) serve(ctx context.Context, logger *slog.Logger) (err error) {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	agent := p.agent(cfg.SSHAgent)
	keys, err := p.keys(agent)
	if err != nil {
		return err
	}
	if err := agent.Check(keys); err != nil {
		logger.Warn("nothing is cosigned before the signing keys can be used", "error", err)
	}
	d, err := disk.Open(p.path(dataDir), disk.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	registers, err := d.Registers(registersName)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	w, err := witness.New(ctx, witness.Config{Keys: keys, Registers: registers, Clock: p.clock, Logger: logger, Metrics: registry})
	if err != nil {
		return err
	}
	return p.listen(ctx, cfg, w, newServer(w, registry, logger), logger)
}

// listen serves the witness until the context ends or the store fails.
func (p *program) listen(ctx context.Context, cfg Config, w *witness.Witness, server *http.Server, logger *slog.Logger) error {
	reload := &reloader{log: logger}
	if err := p.watchLogs(reload, cfg, w); err != nil {
		return err
	}
	scheme, serve, err := p.transport(reload, cfg, server)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return err
	}
	served, reloaded := make(chan error, 1), make(chan struct{})
	go func() { served <- serve(listener) }()
	ctx, stop := context.WithCancel(ctx)
	go func() { reload.run(ctx, reloadTime); close(reloaded) }()
	p.Say("%s serves at %s://%s", w.Keys()[0].Name(), scheme, listener.Addr())
	if err := notify(p.env("NOTIFY_SOCKET"), "READY=1"); err != nil {
		logger.Warn("the service manager was not told", "error", err)
	}
	select {
	case err = <-served: // it ends only where it fails
	case <-w.Failed():
		err = errStore
	case <-ctx.Done():
	}
	stop()
	<-reloaded
	return errors.Join(err, shutDown(server))
}

// watchLogs loads the logs, and again when a list changes.
func (p *program) watchLogs(reload *reloader, cfg Config, w *witness.Witness) error {
	return reload.watch(p.lists(cfg), func() error {
		logs, err := p.readLogs(cfg)
		if err != nil {
			return err
		}
		if err := w.SetLogs(logs); err != nil {
			return command.Usage("%w", err)
		}
		return nil
	})
}

// transport says how to serve: with TLS, and a certificate that is loaded
// again when it changes, or without.
func (p *program) transport(reload *reloader, cfg Config, server *http.Server) (scheme string, serve func(net.Listener) error, err error) {
	if cfg.Certificate == "" {
		return "http", server.Serve, nil
	}
	var current atomic.Pointer[tls.Certificate]
	certificate, key := p.path(cfg.Certificate), p.path(cfg.Key)
	err = reload.watch([]string{certificate, key}, func() error {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err == nil {
			current.Store(&pair)
		}
		return err
	})
	server.TLSConfig = &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil },
	}
	return "https", func(l net.Listener) error { return server.ServeTLS(l, "", "") }, err
}

// shutDown lets requests under way come to an end.
func shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// newServer returns a server that slow and greedy clients cannot exhaust.
func newServer(w *witness.Witness, registry *prometheus.Registry, logger *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/", limit(maxAtOnce, w.Handler()))
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) {
		select {
		case <-w.Failed():
			http.Error(rw, errStore.Error(), http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(rw, "ok\n")
		}
	})
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// limit refuses requests beyond n at once.
func limit(n int, next http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(rw, r)
		default:
			rw.Header().Set("Retry-After", "1")
			http.Error(rw, fmt.Sprintf("more than %d requests at once", n), http.StatusServiceUnavailable)
		}
	})
}
