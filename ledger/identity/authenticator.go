package identity

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are everything an [Authenticator] is made of.
type Options struct {
	Tokens  *Tokens               // the ledger's own
	Config  Config                // who else vouches; its files with absolute paths
	Clock   func() time.Time      // nil: time.Now
	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: nothing is measured
}

// An Authenticator knows who a request comes from. It may be used from many
// goroutines.
type Authenticator struct {
	tokens  *Tokens
	now     func() time.Time
	log     *slog.Logger
	metrics *metrics

	changes sync.Mutex // one at a time
	current atomic.Pointer[authorities]
}

// authorities are those who vouch for identities, as configured. They never
// change.
type authorities struct {
	config  Config
	cas     []*clientCA
	issuers map[string]*issuer // by their URL
}

// New returns an authenticator. It reads the files of the configuration, and
// asks issuers for their keys without waiting for them.
func New(o Options) (*Authenticator, error) {
	a := &Authenticator{tokens: o.Tokens, now: o.Clock, log: o.Logger}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if a.metrics, err = newMetrics(o.Metrics); err != nil {
		return nil, fmt.Errorf("identities: %w", err)
	}
	a.current.Store(&authorities{})
	if err := a.Set(o.Config); err != nil {
		return nil, err
	}
	return a, nil
}

// Tokens returns the ledger's own tokens.
func (a *Authenticator) Tokens() *Tokens { return a.tokens }

// Set replaces the configuration, from the next request on. If it cannot be
// used the old one stays. Keys of issuers that stay are not fetched again.
func (a *Authenticator) Set(c Config) error {
	a.changes.Lock()
	defer a.changes.Unlock()
	if err := c.Check(); err != nil {
		return fmt.Errorf("identities: %w", err)
	}
	old := a.current.Load()
	next, err := a.open(c, old)
	if err != nil {
		return fmt.Errorf("identities: %w", err)
	}
	a.current.Store(next)
	for _, is := range next.issuers {
		is.keys.begin()
	}
	for url, is := range old.issuers {
		if kept := next.issuers[url]; kept == nil || kept.keys != is.keys {
			is.keys.close()
		}
	}
	return nil
}

// Config returns the configuration in force, which must not be changed.
func (a *Authenticator) Config() Config { return a.current.Load().config }

// Close ends what is under way. Nobody is known any more by an issuer's token
// whose keys are not there.
func (a *Authenticator) Close() error {
	a.changes.Lock()
	defer a.changes.Unlock()
	for _, is := range a.current.Load().issuers {
		is.keys.close()
	}
	return nil
}

func (a *Authenticator) open(c Config, old *authorities) (*authorities, error) {
	next := &authorities{config: c, issuers: make(map[string]*issuer)}
	seen := make(map[[sha256.Size]byte]string)
	for _, ca := range c.ClientCAs {
		opened, err := openClientCA(ca, a.now, a.log)
		if err != nil {
			return nil, err
		}
		for hash := range opened.files.get().anchors {
			if other := seen[hash]; other != "" {
				return nil, fmt.Errorf("client_ca %q: certificates: %q has one of them too, and who vouches would not be clear", ca.Name, other)
			}
			seen[hash] = ca.Name
		}
		next.cas = append(next.cas, opened)
	}
	for _, is := range c.Issuers {
		trusted, err := issuerCertificates(is.Certificates)
		if err != nil {
			return nil, fmt.Errorf("oidc %q: ca: %w", is.Name, err)
		}
		keys := a.keysOf(is, trusted, old)
		next.issuers[is.URL] = newIssuer(is, keys, a.now)
	}
	return next, nil
}

// keysOf returns the source of an issuer's keys: the one that there was, if it
// would ask the same server.
func (a *Authenticator) keysOf(is Issuer, trusted *x509.CertPool, old *authorities) *keySource {
	if before := old.issuers[is.URL]; before != nil && before.Name == is.Name && before.keys.trusted.Equal(trusted) {
		return before.keys
	}
	return newKeySource(is.URL, trusted, a.now, a.log, func(err error) { a.metrics.fetch(is.Name, err) })
}

// TLS returns the configuration of a listener that asks clients for
// certificates of the CAs of this moment; with required it takes no other
// clients.
func (a *Authenticator) TLS(base *tls.Config, required bool) *tls.Config {
	c := base.Clone()
	// net/http adds protocols to the outer configuration alone.
	c.NextProtos = []string{"h2", "http/1.1"}
	inner := c.Clone()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		cas := a.current.Load().cas
		if len(cas) == 0 && !required {
			return nil, nil // the outer one
		}
		return configureTLS(inner, cas, required, a.now), nil
	}
	c.SessionTicketsDisabled = true // a session that is resumed is not verified again
	return c
}

// Identify returns who a request comes from, or a [*Refusal]. A certificate
// that is shown must hold. Where the request has an Authorization, that alone
// says who it is: a token that does not hold is refused whatever the certificate
// says, and no rights are added up.
func (a *Authenticator) Identify(ctx context.Context, c Credentials) (Identity, error) {
	i, r := a.identify(ctx, c)
	if r != nil {
		a.metrics.login(r.Kind, r.Outcome)
		return Identity{}, r
	}
	a.metrics.login(i.Kind, Known)
	return i, nil
}

// Still returns nil as long as a request that takes long is that of an identity,
// with the rights that it had at its beginning.
func (a *Authenticator) Still(ctx context.Context, i Identity, c Credentials) error {
	now, r := a.identify(ctx, c)
	if r != nil {
		return r
	}
	same := func(a, b Right) bool { return a.Role == b.Role && slices.Equal(a.Streams, b.Streams) }
	if now.Name != i.Name || !slices.EqualFunc(now.Rights, i.Rights, same) {
		return &Refusal{Kind: now.Kind, Outcome: Revoked, Who: i.Name, Detail: "what this identity may do has changed", Hint: "ask again"}
	}
	return nil
}

func (a *Authenticator) identify(ctx context.Context, c Credentials) (Identity, *Refusal) {
	current := a.current.Load()
	var ca *clientCA
	if c.TLS != nil && len(c.TLS.PeerCertificates) > 0 {
		var r *Refusal
		if ca, r = current.vouching(c.TLS, a.now()); r != nil {
			return Identity{}, r
		}
	}
	if len(c.Authorization) > 0 {
		return a.bearer(ctx, current, c)
	}
	if ca == nil {
		return Identity{}, &Refusal{Kind: ByNothing, Outcome: Absent, Detail: "this needs the token of somebody who may do it", Hint: bearerHint}
	}
	return ca.identify(c.TLS.PeerCertificates[0])
}

const bearerHint = "send it as: Authorization: Bearer cairn_…"

// vouching returns the CA that a connection's certificate leads to, if the
// certificate holds now.
func (a *authorities) vouching(state *tls.ConnectionState, now time.Time) (*clientCA, *Refusal) {
	for _, ca := range a.cas {
		files := ca.files.get()
		for _, chain := range state.VerifiedChains {
			if files.anchors[sha256.Sum256(chain[len(chain)-1].Raw)] {
				return ca, files.holds(chain, now)
			}
		}
	}
	return nil, &Refusal{Kind: ByCertificate, Outcome: Unknown, Detail: "the client certificate is of no CA that is known here", Hint: "connect with another, or with none"}
}

// bearer returns whoever the token of a request is of.
func (a *Authenticator) bearer(ctx context.Context, current *authorities, c Credentials) (Identity, *Refusal) {
	unknown := &Refusal{Kind: ByNothing, Outcome: Unknown, Detail: "this needs the token of somebody who may do it", Hint: bearerHint}
	if len(c.Authorization) != 1 {
		return Identity{}, unknown
	}
	// The scheme's name has no case (RFC 9110 §11.1).
	scheme, token, ok := strings.Cut(c.Authorization[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return Identity{}, unknown
	}
	if strings.HasPrefix(token, tokenPrefix) {
		about, outcome := a.tokens.find(token)
		switch outcome {
		case Known:
			return about.Identity(), nil
		case Expired:
			return Identity{}, about.refuseExpired()
		}
		unknown.Kind = ByToken
		return Identity{}, unknown
	}
	if len(current.issuers) == 0 {
		return Identity{}, unknown
	}
	return current.issued(ctx, token, c.TLS)
}

// issued returns whoever a token of an issuer is of.
func (a *authorities) issued(ctx context.Context, token string, state *tls.ConnectionState) (Identity, *Refusal) {
	unknown := &Refusal{Kind: ByIssuer, Outcome: Unknown, Detail: "this is no token of the ledger, and none of an issuer that is known here", Hint: bearerHint}
	t, err := parseJWT(token)
	if err != nil {
		unknown.reason = err
		return Identity{}, unknown
	}
	from, err := t.claims.text("iss")
	is := a.issuers[from]
	if err != nil || is == nil {
		unknown.reason = fmt.Errorf("it is of the issuer %.200q", from)
		return Identity{}, unknown
	}
	return is.identify(ctx, t, state)
}
