package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
)

// An admin is the administration of a running server, through its socket; see
// cairn-http(7) for its paths.
type admin struct{ http *http.Client }

const maxAdminAnswer = 16 << 20 // bytes

// dial returns the administration of the ledger's running server.
func (p *program) dial() (*admin, error) {
	c, err := p.load()
	if err != nil {
		return nil, err
	}
	return &admin{&http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", c.Listen.Socket)
		}},
	}}, nil
}

// notRunning reports whether an error means that no server runs.
func notRunning(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist))
}

func (a *admin) status(ctx context.Context) (s ledger.Status, err error) {
	return s, a.call(ctx, http.MethodGet, "/v1/status", nil, &s)
}

func (a *admin) streams(ctx context.Context) (s []ledger.StreamConfig, err error) {
	return s, a.call(ctx, http.MethodGet, "/v1/streams", nil, &s)
}

func (a *admin) addStream(ctx context.Context, c ledger.StreamConfig) error {
	return a.call(ctx, http.MethodPost, "/v1/streams", c, nil)
}

func (a *admin) setStream(ctx context.Context, c ledger.StreamConfig) error {
	return a.call(ctx, http.MethodPut, "/v1/streams/"+url.PathEscape(c.Name), c, nil)
}

func (a *admin) classes(ctx context.Context) (c []ledger.ClassConfig, err error) {
	return c, a.call(ctx, http.MethodGet, "/v1/classes", nil, &c)
}

func (a *admin) addClass(ctx context.Context, c ledger.ClassConfig) error {
	return a.call(ctx, http.MethodPost, "/v1/classes", c, nil)
}

func (a *admin) tokens(ctx context.Context) (t []httpapi.Token, err error) {
	return t, a.call(ctx, http.MethodGet, "/v1/tokens", nil, &t)
}

func (a *admin) issueToken(ctx context.Context, g httpapi.Grant) (i httpapi.Issued, err error) {
	return i, a.call(ctx, http.MethodPost, "/v1/tokens", g, &i)
}

func (a *admin) revokeToken(ctx context.Context, id string) error {
	return a.call(ctx, http.MethodDelete, "/v1/tokens/"+url.PathEscape(id), nil, nil)
}

// call sends a request with a JSON body, unless in is nil, and reads the JSON
// answer into out, unless it is nil.
func (a *admin) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://cairnd"+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAdminAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		problem := new(client.Problem)
		if err := json.Unmarshal(data, problem); err != nil || problem.Title == "" {
			return fmt.Errorf("the server answers %s", res.Status)
		}
		return problem
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
