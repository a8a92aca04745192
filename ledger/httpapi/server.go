package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Time-outs and bounds against clients that are slow on purpose. Bodies and
// answers have deadlines of their own, for each piece.
const (
	headerTime = 5 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 16 << 10 // bytes
	maxStreams = 100      // of one HTTP/2 connection
)

// A Server serves a handler at one address.
type Server struct {
	api      *API
	listener net.Listener
	http     *http.Server
	remove   string // the socket's path; empty: none
}

func (a *API) newServer(l net.Listener, tls *tls.Config, h http.Handler) *Server {
	return &Server{api: a, listener: l, http: &http.Server{
		Handler:           h,
		TLSConfig:         tls,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}}
}

// Addr returns the address that is bound.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close closes a server that is not served.
func (s *Server) Close() error { return errors.Join(s.http.Close(), s.listener.Close(), s.unlink()) }

// Serve serves until the context ends or one of the servers fails. Meanwhile it
// records what was done and could not be recorded at once. Then it takes no more requests, ends the tails, and lets requests that are under
// way take up to grace.
func Serve(ctx context.Context, grace time.Duration, servers ...*Server) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, a := range apisOf(servers) {
		a.beginVouching()
		g.Go(func() error {
			a.recordLater(ctx)
			return nil
		})
	}
	for _, s := range servers {
		g.Go(s.serve)
		g.Go(func() error {
			<-ctx.Done()
			return s.shutdown(grace)
		})
	}
	return g.Wait()
}

// apisOf returns the APIs of servers, each once.
func apisOf(servers []*Server) (apis []*API) {
	for _, s := range servers {
		if !slices.Contains(apis, s.api) {
			apis = append(apis, s.api)
		}
	}
	return apis
}

func (s *Server) serve() (err error) {
	if s.http.TLSConfig != nil {
		err = s.http.ServeTLS(s.listener, "", "")
	} else {
		err = s.http.Serve(s.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %v: %w", s.Addr(), err)
}

func (s *Server) shutdown(grace time.Duration) error {
	s.api.EndTails()
	// The context that ended is the reason for this, so it cannot bound it.
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.api.log.Warn("requests were cut off", slog.String("address", s.Addr().String()))
		err = s.http.Close()
	}
	return errors.Join(err, s.unlink())
}

func (s *Server) unlink() error {
	if s.remove == "" {
		return nil
	}
	if err := os.Remove(s.remove); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
