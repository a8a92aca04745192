package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cairnlog/cairn/proofs"
)

const (
	keysRenewed  = 10 * time.Minute // age at which keys are fetched again
	keysLast     = 24 * time.Hour   // age at which they are forgotten
	fetchTime    = 5 * time.Second  // for one fetch as a whole
	fetchPause   = 10 * time.Second // between two fetches
	maxDiscovery = 256 << 10        // bytes
	maxKeySet    = 256 << 10
	maxWaiting   = 256 // requests that wait for one fetch
)

// A keySource fetches an issuer's keys and keeps them for a while. There is at
// most one fetch at a time, and a pause between two, whatever tokens are shown.
type keySource struct {
	issuer  string
	trusted *x509.CertPool // vouch for the issuer's server; nil: those of the system
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger
	fetched func(err error) // told of each fetch

	mu      sync.Mutex
	keys    *keySet   // the last that were fetched
	under   *fetching // nil: none is under way
	ended   time.Time // when the last fetch ended
	failed  error     // why it failed
	closed  bool
	ctx     context.Context // of all fetches
	cancel  context.CancelFunc
	fetches sync.WaitGroup
	waiting chan struct{}
}

// A fetching is a fetch that is under way.
type fetching struct{ done chan struct{} }

var errKeysAway = errors.New("the issuer's keys cannot be fetched")

// newKeySource returns the source of an issuer's keys.
func newKeySource(issuer string, trusted *x509.CertPool, now func() time.Time, log *slog.Logger, fetched func(error)) *keySource {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted},
		ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
	}
	s := &keySource{issuer: issuer, trusted: trusted, now: now, log: log, fetched: fetched, waiting: make(chan struct{}, maxWaiting)}
	s.client = &http.Client{Transport: transport, Timeout: fetchTime, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // whoever it leads to is not the issuer
	}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// close ends what is under way, and waits for it.
func (s *keySource) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.fetches.Wait()
}

// payload returns what a token says, if one of the issuer's keys signed it. The
// keys are fetched again if need be.
func (s *keySource) payload(ctx context.Context, t *jwt, algorithms []jose.SignatureAlgorithm) ([]byte, error) {
	s.mu.Lock()
	keys := s.current()
	s.mu.Unlock()
	payload, err := keys.check(t, algorithms)
	if err == nil && s.now().Sub(keys.fetched) < keysRenewed {
		return payload, nil
	}
	s.mu.Lock()
	f := s.renew()
	s.mu.Unlock()
	if err == nil {
		return payload, nil // the new ones serve those who come later
	}
	if f != nil {
		if err := s.wait(ctx, f); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	keys, failed := s.current(), s.failed
	s.mu.Unlock()
	payload, err = keys.check(t, algorithms)
	if err != nil && (failed != nil || keys == nil) {
		return nil, fmt.Errorf("%w; %w", errKeysAway, err)
	}
	return payload, err
}

// current returns the keys unless they are too old. The caller holds the lock.
func (s *keySource) current() *keySet {
	if s.keys == nil || s.now().Sub(s.keys.fetched) >= keysLast {
		return nil
	}
	return s.keys
}

// renew returns the fetch that is under way, or begins one; nil: the last ended
// just now. The caller holds the lock.
func (s *keySource) renew() *fetching {
	if s.under != nil || s.closed {
		return s.under
	}
	if since := s.now().Sub(s.ended); !s.ended.IsZero() && since >= 0 && since < fetchPause {
		return nil
	}
	f := &fetching{make(chan struct{})}
	s.under = f
	s.fetches.Go(func() { s.fetchFor(f) })
	return f
}

// begin fetches the keys, so that they are there when they are needed and
// whoever looks at the log learns early of an issuer that does not answer.
func (s *keySource) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew()
}

// wait waits for a fetch to end, unless too many do.
func (s *keySource) wait(ctx context.Context, f *fetching) error {
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return errKeysAway
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return errKeysAway
	}
}

func (s *keySource) fetchFor(f *fetching) {
	keys, err := s.fetch()
	if err != nil && s.ctx.Err() == nil {
		s.log.Error("the keys of an issuer cannot be fetched", slog.String("issuer", s.issuer), slog.String("error", err.Error()))
	}
	if s.ctx.Err() == nil {
		s.fetched(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.keys = keys
	}
	s.under, s.ended, s.failed = nil, s.now(), err
	close(f.done)
}

// fetch reads the issuer's discovery document and the keys that it names.
func (s *keySource) fetch() (*keySet, error) {
	ctx, cancel := context.WithTimeout(s.ctx, fetchTime)
	defer cancel()
	asked := s.now()
	data, err := s.get(ctx, strings.TrimSuffix(s.issuer, "/")+"/.well-known/openid-configuration", maxDiscovery)
	if err != nil {
		return nil, err
	}
	place, err := parseDiscovery(data, s.issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery document: %w", err)
	}
	if data, err = s.get(ctx, place, maxKeySet); err != nil {
		return nil, err
	}
	keys, err := parseKeySet(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return &keySet{keys, asked}, nil
}

// parseDiscovery returns where an issuer's keys are (OpenID Connect Discovery
// 1.0 §4).
func parseDiscovery(data []byte, issuer string) (keys string, err error) {
	if err := proofs.CheckJSON(data); err != nil {
		return "", err
	}
	var document claims
	if err := json.Unmarshal(data, &document); err != nil {
		return "", err
	}
	if named, err := document.text("issuer"); err != nil || named != issuer {
		return "", fmt.Errorf("it is of the issuer %.200q", document["issuer"])
	}
	keys, err = document.text("jwks_uri")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(keys)
	if err != nil || u.Host == "" || u.User != nil {
		return "", fmt.Errorf("jwks_uri: %.200q is no URL", keys)
	}
	// A document that came by TLS does not lead out of it.
	if strings.HasPrefix(issuer, "https:") && u.Scheme != "https" {
		return "", fmt.Errorf("jwks_uri: %.200q must begin with https://", keys)
	}
	return u.String(), checkScheme(u)
}

// get fetches a document of at most so many bytes.
func (s *keySource) get(ctx context.Context, from string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: it answers %d", from, res.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s: it has more than %d bytes", from, most)
	}
	return data, nil
}
