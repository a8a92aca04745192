package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
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
	tokens     *identity.Tokens
	identities *identity.Authenticator
	servers    []*httpapi.Server // the first has the most faces
	scheme     string
}

// grace is how long requests that are under way may take at the end.
const grace = 10 * time.Second

// newServing listens at all addresses. Nothing is served before run.
func newServing(ctx context.Context, d *local.Directory, listen Listen, log *slog.Logger, metrics *prometheus.Registry) (s *serving, err error) {
	s = &serving{ledger: d.Ledger, scheme: "http"}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.tokens, err = identity.OpenTokens(ctx, identity.TokensConfig{Register: d.Tokens}); err != nil {
		return s, err
	}
	if s.identities, err = identity.New(identity.Options{Tokens: s.tokens, Logger: log, Metrics: metrics}); err != nil {
		return s, err
	}
	api, err := httpapi.New(httpapi.Config{Ledger: d.Ledger, Identities: s.identities, Metrics: metrics, Logger: log})
	if err != nil {
		return s, err
	}
	var certificate *tls.Config
	if listen.Certificate != "" {
		s.scheme = "https"
		if certificate, err = httpapi.LoadCertificate(listen.Certificate, listen.Key, log); err != nil {
			return s, err
		}
	}
	for _, f := range listen.faces() {
		at := httpapi.Address{Address: f.address, Faces: f.faces, TLS: certificate, BehindProxy: listen.BehindProxy}
		server, err := api.Listen(at)
		if err != nil {
			return s, err
		}
		s.servers = append(s.servers, server)
	}
	if err := replaceable(listen.Socket); err != nil {
		return s, err
	}
	server, err := api.ListenLocal(listen.Socket)
	if err != nil {
		return s, err
	}
	s.servers = append(s.servers, server)
	return s, nil
}

// addressed is an address with the faces that are served there.
type addressed struct {
	address string
	faces   httpapi.Face
}

// faces returns what is served where, the main address first.
func (l Listen) faces() []addressed {
	main := addressed{address: l.Address, faces: httpapi.Admin}
	var others []addressed
	for _, f := range []struct {
		address string
		face    httpapi.Face
	}{{l.Write, httpapi.Write}, {l.Read, httpapi.Read}, {l.Public, httpapi.Public}, {l.Metrics, httpapi.Health}} {
		switch f.address {
		case "", l.Address:
			main.faces |= f.face
		case "off":
		default:
			others = append(others, addressed{f.address, f.face})
		}
	}
	return append([]addressed{main}, others...)
}

// url returns the URL of the main address.
func (s *serving) url() string { return s.scheme + "://" + s.servers[0].Addr().String() }

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
	return errors.Join(httpapi.Serve(ctx, grace, s.servers...), s.ledger.Stopped())
}

// close closes what listens and is not served.
func (s *serving) close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}
