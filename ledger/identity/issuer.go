package identity

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// An issuer is an [Issuer] with its keys.
type issuer struct {
	Issuer
	keys       *keySource
	skew       time.Duration
	lifetime   time.Duration
	algorithms []jose.SignatureAlgorithm
	now        func() time.Time
}

// newIssuer returns an issuer, with its defaults filled in.
func newIssuer(c Issuer, keys *keySource, now func() time.Time) *issuer {
	if c.NameClaim == "" {
		c.NameClaim = "sub"
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = Algorithms()
	}
	is := &issuer{Issuer: c, keys: keys, now: now, skew: c.Skew.or(defaultSkew), lifetime: c.Lifetime.or(defaultLifetime)}
	for _, a := range c.Algorithms {
		is.algorithms = append(is.algorithms, jose.SignatureAlgorithm(a))
	}
	return is
}

// issuerCertificates returns the certificates that may vouch for an issuer's
// server; nil: those that the system trusts.
func issuerCertificates(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	data, err := readBounded(path, maxCertificatesFile)
	if err != nil {
		return nil, err
	}
	certificates, err := parseCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool, nil
}

// identify returns whoever an issuer's token is of.
func (is *issuer) identify(ctx context.Context, t *jwt, state *tls.ConnectionState) (Identity, *Refusal) {
	refuse := func(o Outcome, detail, hint string, reason error) (Identity, *Refusal) {
		return Identity{}, &Refusal{Kind: ByIssuer, Outcome: o, Detail: detail, Hint: hint, reason: reason}
	}
	if !slices.Contains(is.Algorithms, t.algorithm) {
		return refuse(Unknown, "the token is signed in a way that is not taken here", "", fmt.Errorf("algorithm %.20q", t.algorithm))
	}
	payload, err := is.keys.payload(ctx, t, is.algorithms)
	if errors.Is(err, errKeysAway) {
		_, r := refuse(Unavailable, "the issuer of the token cannot be asked for its keys", "try again later; a token of the ledger itself needs no issuer", err)
		r.retryAfter = fetchPause
		return Identity{}, r
	} else if err != nil {
		return refuse(Unknown, "the token is not signed by its issuer", "get a new token from the issuer", err)
	}
	if err := is.verify(ctx, t, payload); err != nil {
		return refuse(Unknown, "the token is not for this ledger", "its audience must be the one that the ledger's operator names", err)
	}
	// From here on the claims are the issuer's.
	expires, err := is.checkTimes(t.claims)
	if err != nil {
		return refuse(Expired, "the token does not hold now: "+err.Error(), "get a new token from the issuer", nil)
	}
	if err := checkBinding(t.claims, state); err != nil {
		return refuse(Unknown, err.Error(), "", nil)
	}
	return is.named(t.claims, expires)
}

// verify checks the issuer and the audience of a token that the issuer signed.
func (is *issuer) verify(ctx context.Context, t *jwt, payload []byte) error {
	// The library allows for no skew of the end: times are checked by us.
	verifier := oidc.NewVerifier(is.URL, verified{t, payload}, &oidc.Config{
		ClientID: is.Audience, SupportedSigningAlgs: is.Algorithms, SkipExpiryCheck: true, Now: is.now,
	})
	_, err := verifier.Verify(ctx, t.raw)
	return err
}

// checkTimes refuses a token that does not hold now, or for longer than it may.
func (is *issuer) checkTimes(c claims) (expires time.Time, err error) {
	now, skew := is.now(), is.skew
	expires, ok, err := c.time("exp")
	switch {
	case err != nil:
		return expires, err
	case !ok:
		return expires, errors.New("it does not say until when")
	case !now.Before(expires.Add(skew)):
		return expires, fmt.Errorf("it expired at %s", expires.UTC().Format(time.RFC3339))
	case expires.After(now.Add(is.lifetime + skew)):
		return expires, fmt.Errorf("it would for more than %v", is.lifetime)
	}
	for _, name := range []string{"nbf", "iat"} {
		if from, ok, err := c.time(name); err != nil {
			return expires, err
		} else if ok && from.After(now.Add(skew)) {
			return expires, errors.New("its time has not begun")
		}
	}
	return expires, nil
}

// checkBinding refuses a token that is bound to a key (RFC 7800) which this
// request does not prove to have. The one proof that is known here is a client
// certificate (RFC 8705 §3).
func checkBinding(c claims, state *tls.ConnectionState) error {
	raw, ok := c["cnf"]
	if !ok {
		return nil
	}
	var bound claims
	if json.Unmarshal(raw, &bound) == nil && len(bound) == 1 && state != nil && len(state.VerifiedChains) > 0 {
		sum := sha256.Sum256(state.PeerCertificates[0].Raw)
		if hash, err := bound.text("x5t#S256"); err == nil && hash == base64.RawURLEncoding.EncodeToString(sum[:]) {
			return nil
		}
	}
	return errors.New("the token is bound to a key that this request does not prove to have")
}

// named returns whoever the claims of a good token name.
func (is *issuer) named(c claims, expires time.Time) (Identity, *Refusal) {
	subject, err := c.text(is.NameClaim)
	if err == nil && subject == "" {
		err = fmt.Errorf("it has no claim %q", is.NameClaim)
	}
	if err == nil && is.NameClaim == "email" && !c.isTrue("email_verified") {
		err = errors.New("its issuer did not verify the e-mail address")
	}
	if err != nil {
		return Identity{}, &Refusal{Kind: ByIssuer, Outcome: Nothing, Detail: "the token names nobody: " + err.Error()}
	}
	i := Identity{Name: Name{ByIssuer, is.Name, subject}.String(), Kind: ByIssuer, Expires: expires}
	if id, err := c.text("jti"); err == nil {
		i.Credential = escape(id[:min(len(id), 64)])
	}
	for _, g := range is.Grants {
		if slices.ContainsFunc(c.values(g.Claim), g.Value.Match) {
			i.Rights = append(i.Rights, Right{g.Role, g.Streams})
		}
	}
	if len(i.Rights) == 0 {
		return Identity{}, &Refusal{Kind: ByIssuer, Outcome: Nothing, Who: i.Name, Detail: "the token gives no right here", Hint: "ask the operator for a grant to a claim of the token"}
	}
	return i.unless(slices.Contains(is.Refused, subject))
}
