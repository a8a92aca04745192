package httpapi

import (
	"context"
	"net"
	"net/http"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
)

// An OperatorClient administers a ledger that a server has open.
type OperatorClient struct{ http *client.HTTP }

// DialLocal returns the operator's side of the socket that
// [API.ListenLocal] makes. It connects to nothing yet.
func DialLocal(path string) (*OperatorClient, error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	h, err := client.Dial("http://cairnd", client.Options{HTTPClient: &http.Client{Transport: transport}, Attempts: 1})
	if err != nil {
		return nil, err
	}
	return NewOperatorClient(h), nil
}

// NewOperatorClient returns the operator's side of a server, given an operator's
// token.
func NewOperatorClient(h *client.HTTP) *OperatorClient { return &OperatorClient{h} }

// Status returns how the ledger is.
func (o *OperatorClient) Status(ctx context.Context) (s ledger.Status, err error) {
	err = o.http.Call(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s, err
}

// Streams returns the settings of all streams.
func (o *OperatorClient) Streams(ctx context.Context) ([]ledger.StreamConfig, error) {
	var s Streams
	err := o.http.Call(ctx, http.MethodGet, "/v1/streams", nil, &s)
	return s.Streams, err
}

// AddStream adds a stream and returns the index of its settings entry.
func (o *OperatorClient) AddStream(ctx context.Context, c ledger.StreamConfig) (uint64, error) {
	var r Recorded
	err := o.http.Call(ctx, http.MethodPost, "/v1/streams", c, &r)
	return r.Index, err
}

// SetStream replaces the settings of a stream from here on.
func (o *OperatorClient) SetStream(ctx context.Context, c ledger.StreamConfig) (uint64, error) {
	var r Recorded
	err := o.http.Call(ctx, http.MethodPut, "/v1/streams/"+c.Name, c, &r)
	return r.Index, err
}

// Classes returns all retention classes.
func (o *OperatorClient) Classes(ctx context.Context) ([]ledger.ClassConfig, error) {
	var c Classes
	err := o.http.Call(ctx, http.MethodGet, "/v1/classes", nil, &c)
	return c.Classes, err
}

// AddClass adds a retention class.
func (o *OperatorClient) AddClass(ctx context.Context, c ledger.ClassConfig) (uint64, error) {
	var r Recorded
	err := o.http.Call(ctx, http.MethodPost, "/v1/classes", c, &r)
	return r.Index, err
}

// Tokens returns what is known of all tokens.
func (o *OperatorClient) Tokens(ctx context.Context) ([]Token, error) {
	var t TokenList
	err := o.http.Call(ctx, http.MethodGet, "/v1/tokens", nil, &t)
	return t.Tokens, err
}

// IssueToken makes a token. Only this answer shows it.
func (o *OperatorClient) IssueToken(ctx context.Context, g Grant) (i Issued, err error) {
	err = o.http.Call(ctx, http.MethodPost, "/v1/tokens", g, &i)
	return i, err
}

// RevokeToken makes a token worthless.
func (o *OperatorClient) RevokeToken(ctx context.Context, id string) error {
	return o.http.Call(ctx, http.MethodDelete, "/v1/tokens/"+id, nil, nil)
}
