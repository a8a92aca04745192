package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
)

// An admin is the administration of a running server, through its socket; see
// cairn-http(7) for its paths.
type admin struct {
	*client.HTTP
	config Config
}

// dial returns the administration of the ledger's running server.
func (p *program) dial() (*admin, error) {
	c, err := p.load()
	if err != nil {
		return nil, err
	}
	socket := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.Listen.Socket)
	}}
	// Asked once: a server that does not run is told at once.
	log, err := client.Dial("http://cairnd", client.Options{Reason: p.reason, HTTPClient: &http.Client{Transport: socket, Timeout: time.Minute}, Attempts: 1})
	if err != nil {
		return nil, command.Usage("%w", err)
	}
	return &admin{log, c}, nil
}

// reasonFlag gives a command that changes something the flag that says why.
func (p *program) reasonFlag(c *cobra.Command) {
	c.Flags().StringVar(&p.reason, "reason", "", "why, which is recorded with who does it")
}

// errNoReason means that something needs a reason and none was given.
var errNoReason = command.Hinted(command.Usage("why? Give --reason"), "it is recorded, for whoever audits the ledger")

// notRunning reports whether an error means that no server runs.
func notRunning(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist))
}

func (a *admin) status(ctx context.Context) (s httpapi.Status, err error) {
	return s, a.Call(ctx, http.MethodGet, "/v1/status", nil, &s)
}

func (a *admin) streams(ctx context.Context) (s []ledger.StreamConfig, err error) {
	return s, a.Call(ctx, http.MethodGet, "/v1/streams", nil, &s)
}

// stream returns a stream as it is now. One that there is not has no settings;
// the server says so when they are set.
func (a *admin) stream(ctx context.Context, name string) (ledger.StreamConfig, error) {
	streams, err := a.streams(ctx)
	for _, s := range streams {
		if s.Name == name {
			return s, err
		}
	}
	return ledger.StreamConfig{Name: name, Fields: []ledger.FieldConfig{}}, err
}

func (a *admin) addStream(ctx context.Context, c ledger.StreamConfig) (changed httpapi.Changed, err error) {
	return changed, a.Call(ctx, http.MethodPost, "/v1/streams", c, &changed)
}

func (a *admin) setStream(ctx context.Context, c ledger.StreamConfig) (changed httpapi.Changed, err error) {
	return changed, a.Call(ctx, http.MethodPut, "/v1/streams/"+url.PathEscape(c.Name), c, &changed)
}

func (a *admin) classes(ctx context.Context) (c []ledger.ClassConfig, err error) {
	return c, a.Call(ctx, http.MethodGet, "/v1/classes", nil, &c)
}

func (a *admin) addClass(ctx context.Context, c ledger.ClassConfig) (changed httpapi.Changed, err error) {
	return changed, a.Call(ctx, http.MethodPost, "/v1/classes", c, &changed)
}

func (a *admin) tokens(ctx context.Context) (t []identity.Token, err error) {
	return t, a.Call(ctx, http.MethodGet, "/v1/tokens", nil, &t)
}

func (a *admin) issueToken(ctx context.Context, g identity.Grant) (i httpapi.Issued, err error) {
	return i, a.Call(ctx, http.MethodPost, "/v1/tokens", g, &i)
}

func (a *admin) revokeToken(ctx context.Context, id string) (r httpapi.Revoked, err error) {
	return r, a.Call(ctx, http.MethodDelete, "/v1/tokens/"+url.PathEscape(id), nil, &r)
}
