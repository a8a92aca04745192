package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// A serving is a ledger with its HTTP faces, each at its address.
type serving struct {
	ledger     *ledger.Ledger
	api        *httpapi.API
	tokens     *identity.Tokens
	identities *identity.Authenticator
	servers    []*httpapi.Server // the socket's is the last
	log        *slog.Logger
	scheme     string
	socket     string
}

// grace is how long requests that are under way may take at the end.
const grace = 10 * time.Second

// newServing listens at all addresses. Nothing is served before run.
func (p *program) newServing(ctx context.Context, d *local.Directory, c Config, log *slog.Logger, metrics *prometheus.Registry) (s *serving, err error) {
	s = &serving{ledger: d.Ledger, log: log, scheme: "http", socket: c.Listen.Socket}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.tokens, err = identity.OpenTokens(ctx, identity.TokensConfig{Register: d.Tokens, Clock: p.clock}); err != nil {
		return s, err
	}
	if s.identities, err = identity.New(identity.Options{Tokens: s.tokens, Config: c.identities(), Clock: p.clock, Logger: log, Metrics: metrics}); err != nil {
		return s, err
	}
	s.api, err = httpapi.New(httpapi.Config{Ledger: d.Ledger, Identities: s.identities, Metrics: metrics, Logger: log})
	if err != nil {
		return s, err
	}
	if err := s.listen(c.Listen); err != nil {
		return s, err
	}
	if err := replaceable(c.Listen.Socket); err != nil {
		return s, err
	}
	server, err := s.api.ListenLocal(c.Listen.Socket)
	if err != nil {
		return s, err
	}
	s.servers = append(s.servers, server)
	return s, nil
}

// listen binds the addresses of all faces.
func (s *serving) listen(l Listen) (err error) {
	var certificate *tls.Config
	if l.Certificate != "" {
		s.scheme = "https"
		if certificate, err = httpapi.LoadCertificate(l.Certificate, l.Key, s.log); err != nil {
			return err
		}
	}
	for _, a := range l.addresses() {
		at := httpapi.Address{Address: a.address, Faces: a.faces, TLS: certificate, BehindProxy: l.BehindProxy}
		if certificate != nil && a.asksWho() {
			at.TLS = s.identities.TLS(certificate, a.required)
		}
		server, err := s.api.Listen(at)
		if err != nil {
			return err
		}
		s.servers = append(s.servers, server)
		s.log.Info("listening", slog.String("address", server.Addr().String()), slog.String("faces", a.names()))
	}
	return nil
}

// url returns the URL of the main address, or of the first other one where
// nothing is served there.
func (s *serving) url() string {
	addr := s.servers[0].Addr()
	if addr.Network() == "unix" {
		return "unix:" + s.socket
	}
	return s.scheme + "://" + addr.String()
}

// run serves until the context ends or the ledger stops by itself. Then the
// ledger's reason is the error.
func (s *serving) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.ledger.Failed():
			cancel()
		case <-ctx.Done():
		}
	}()
	return errors.Join(httpapi.Serve(ctx, grace, s.servers...), s.identities.Close(), s.ledger.Stopped())
}

// reload replaces who vouches for identities by what the configuration says
// now, at each signal until the context ends.
func (s *serving) reload(ctx context.Context, signals <-chan os.Signal, load func() (Config, error)) {
	for {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		c, err := load()
		if err == nil {
			as := ledger.Caller{Name: identity.Local().Name, Role: string(identity.Operator), From: "SIGHUP"}
			err = s.api.SetIdentities(ctx, as, c.identities())
		}
		if err != nil {
			s.log.Error("the configuration cannot be used, identities are as before", slog.String("error", err.Error()))
			continue
		}
		s.log.Info("who vouches for identities was read again", slog.Int("client_cas", len(c.ClientCAs)), slog.Int("issuers", len(c.Issuers)))
	}
}

// close closes what listens and is not served.
func (s *serving) close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	if s.identities != nil {
		errs = append(errs, s.identities.Close())
	}
	return errors.Join(errs...)
}
