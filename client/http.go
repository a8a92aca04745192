package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An HTTP is a [Log] on a server. It may be used from many goroutines and
// keeps connections alive.
//
// What can be sent again without harm is sent again when the server is
// overloaded or cannot be reached, with growing pauses or after the time that
// the server asks for: everything that only reads, and appends in which
// every event has an idempotency key or a source. Any other append is sent
// again only where the server says that it took nothing.
//
// A deadline of a context holds for all attempts together. Append tells the
// server about it, so that the answer says which state was reached before
// the time is up; without a deadline it waits for [MaxWait].
type HTTP struct {
	base     *url.URL
	token    string
	reason   string // escaped
	http     *http.Client
	attempts int
}

var _ Log = (*HTTP)(nil)

// MaxWait is the longest that a server lets one append wait for its state.
const MaxWait = 5 * time.Minute

// Options say how to speak to a server. The zero value speaks to the public
// face alone.
type Options struct {
	// Token is the bearer token. It is refused for a URL without TLS, unless
	// that is of this machine or Plain is set.
	Token string

	// Plain allows a token to be sent without TLS.
	Plain bool

	// Certificate returns what the server is shown where it asks for a client's
	// certificate; it is called for each connection, so that it can be another
	// each time. Nil: none is shown. It goes with no HTTPClient.
	Certificate func() (*tls.Certificate, error)

	// Reason says why the caller reads. It is recorded with everything that is
	// read, and some streams demand one. At most [MaxReason] bytes.
	Reason string

	// HTTPClient gives the transport: proxies, certificates, a unix socket.
	// Nil: one of its own, which trusts the system's certificates. Redirects
	// are never followed.
	HTTPClient *http.Client

	// Attempts is how often a request is sent at most. Zero: 4.
	Attempts int
}

const defaultAttempts = 4

// MaxReason is the longest reason that a ledger records, in bytes.
const MaxReason = 1024

// headerReason has the stated reason, percent-encoded.
const headerReason = "Cairn-Reason"

// Dial returns the log at a URL, such as "https://log.example.com". It
// connects to nothing yet.
func Dial(rawURL string, o Options) (*HTTP, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("dial: %q is not the URL of a log, such as https://log.example.com", u.Redacted())
	}
	if o.Token != "" && u.Scheme == "http" && !o.Plain && !isLocal(u.Hostname()) {
		return nil, fmt.Errorf("dial: a token is not sent to %s without TLS: use https", u.Host)
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("dial: the token has characters that no token has")
	}
	if len(o.Reason) > MaxReason {
		return nil, fmt.Errorf("dial: the reason has %d bytes, more than %d", len(o.Reason), MaxReason)
	}
	if o.Certificate != nil && (u.Scheme != "https" || o.HTTPClient != nil) {
		return nil, errors.New("dial: a certificate is shown by https alone, and by a client of our own")
	}
	hc := o.HTTPClient
	if hc == nil {
		hc = &http.Client{Transport: newTransport(o.Certificate)}
	}
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h := &HTTP{base: u, token: o.Token, reason: url.PathEscape(o.Reason), http: &own, attempts: o.Attempts}
	if h.attempts <= 0 {
		h.attempts = defaultAttempts
	}
	return h, nil
}

// isLocal reports whether a host is this machine by its name alone.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func newTransport(certificate func() (*tls.Certificate, error)) *http.Transport {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if certificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate() }
	}
	return &http.Transport{
		TLSClientConfig:        config,
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// A request is what is sent, as often as need be.
type request struct {
	method string
	path   string     // below the base, in segments that need no escaping
	query  url.Values // may be nil
	header http.Header
	body   []byte
	again  bool  // sending it twice does no harm
	limit  int64 // bytes of the answer
}

// do sends a request until it is answered and returns the body of the answer,
// whose status is 2xx.
func (h *HTTP) do(ctx context.Context, r *request) (a *answer, err error) {
	err = h.persist(ctx, r, func() (onward bool, err error) {
		res, err := h.send(ctx, r)
		if err == nil {
			a, err = readAnswer(res, r.limit)
		}
		return false, err
	})
	return a, err
}

// send sends a request once. An answer with a status other than 2xx is an
// error; else the caller closes the body.
func (h *HTTP) send(ctx context.Context, r *request) (*http.Response, error) {
	u := h.base.JoinPath(r.path)
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), bodyReader(r.body))
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "cairn")
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	if h.reason != "" && strings.HasPrefix(r.path, "/v1/") { // what is public is not recorded
		req.Header.Set(headerReason, h.reason)
	}
	res, err := h.http.Do(req)
	if err != nil {
		return nil, unwrapURL(err)
	}
	if res.StatusCode/100 != 2 {
		defer res.Body.Close()
		return nil, readRefusal(res)
	}
	return res, nil
}

// unwrapURL drops the URL, which our own errors have.
func unwrapURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
