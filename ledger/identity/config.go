package identity

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"time"
)

// A Config says who vouches for identities beside the ledger's own tokens, and
// for which. Its fields are the tables of cairn.toml.
type Config struct {
	// ClientCAs are the CAs whose certificates clients can show.
	ClientCAs []CA `toml:"client_ca,omitempty"`

	// Issuers are those of OpenID Connect tokens.
	Issuers []Issuer `toml:"oidc,omitempty"`
}

// A CA vouches for clients by certificates.
type CA struct {
	// Name is what identities begin with: "cert:" and this name. It has up to
	// 32 of a-z, 0-9 and "-", and no other CA or issuer has it.
	Name string `toml:"name"`

	// Certificates is a file in PEM with the certificates of the CA. A client's
	// must lead to one of them. No other CA may have the same.
	Certificates string `toml:"certificates"`

	// Revoked is a file with the lists of revoked certificates (CRL), in PEM or
	// one in DER. Where it is given, each certificate on the way to the CA's
	// must be covered by a list that is not out of date: else nobody is known by
	// this CA. Default: none, for certificates that live shorter than it takes
	// to revoke them.
	Revoked string `toml:"crl,omitempty"`

	// Refused are clients that are not known any more, by what follows the
	// CA's name in their identity, such as "spiffe://example.org/web".
	Refused []string `toml:"refused,omitempty"`

	// Grants say which clients have which rights. A certificate has those of all
	// that match, and is refused if none does.
	Grants []CertificateGrant `toml:"grant"`
}

// A CertificateGrant gives a right to certificates by what they say of their
// subject: its one URI, or its common name.
type CertificateGrant struct {
	// URI is for certificates with exactly one URI as subject alternative name,
	// such as a SPIFFE ID, by which the identity is named.
	URI Pattern `toml:"uri,omitempty"`

	// CommonName is for certificates by their subject's common name, and names
	// the identity "CN=" and it.
	CommonName Pattern `toml:"common_name,omitempty"`

	Role    Role     `toml:"role"`
	Streams []string `toml:"streams,omitempty"`
}

// An Issuer vouches for identities by OpenID Connect tokens, or access tokens
// in the form of RFC 9068.
type Issuer struct {
	// Name is what identities begin with: "oidc:" and this name. It has up to
	// 32 of a-z, 0-9 and "-", and no other CA or issuer has it.
	Name string `toml:"name"`

	// URL is the issuer as its tokens name it, with https. Its keys are those of
	// its discovery document.
	URL string `toml:"issuer"`

	// Audience is what its tokens must be meant for.
	Audience string `toml:"audience"`

	// NameClaim is the claim that names the identity; with "email" the claim
	// email_verified must be true. Default: "sub".
	NameClaim string `toml:"name_claim,omitempty"`

	// Algorithms are those that its tokens may be signed with. Default: all of
	// [Algorithms].
	Algorithms []string `toml:"algorithms,omitempty"`

	// Certificates is a file in PEM with the certificates that may vouch for the
	// issuer's server, in the place of those that the system trusts.
	Certificates string `toml:"ca,omitempty"`

	// Skew is how far the issuer's clock may be off, up to 5m. Default: "30s".
	Skew Duration `toml:"clock_skew,omitempty"`

	// Lifetime is how far in the future a token may end, from 1m to 8760h: it
	// cannot be revoked here. Default: "24h".
	Lifetime Duration `toml:"max_lifetime,omitempty"`

	// Refused are identities that are not known any more, by the value of the
	// claim that names them.
	Refused []string `toml:"refused,omitempty"`

	// Grants say which tokens give which rights. A token has those of all that
	// match, and is refused if none does.
	Grants []ClaimGrant `toml:"grant"`
}

// A ClaimGrant gives a right to tokens by a claim.
type ClaimGrant struct {
	// Claim is the name of a claim at the top of the token, or a JSON pointer
	// (RFC 6901) such as "/realm_access/roles".
	Claim string `toml:"claim"`

	// Value is what the claim, or one element of it, must be: a string, or true
	// or false.
	Value Pattern `toml:"value"`

	Role    Role     `toml:"role"`
	Streams []string `toml:"streams,omitempty"`
}

// A Duration is a time in the configuration, such as "90s" or "1m30s"; empty
// is the default. A number is none: 5 of what?
type Duration string

// or returns the time that was checked, or its default.
func (d Duration) or(other time.Duration) time.Duration {
	if v, err := time.ParseDuration(string(d)); err == nil {
		return v
	}
	return other
}

// within refuses what is not a time from least to most.
func (d Duration) within(least, most time.Duration) error {
	if v, err := time.ParseDuration(string(d)); d != "" && (err != nil || v < least || v > most) {
		return fmt.Errorf("%q is not a time from %v to %v, such as \"90s\"", string(d), least, most)
	}
	return nil
}

// Algorithms returns the signature algorithms (RFC 7518, RFC 8037) that tokens
// of issuers can have. None of them has a key that could also sign here.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

const (
	defaultSkew     = 30 * time.Second
	maxSkew         = 5 * time.Minute
	defaultLifetime = 24 * time.Hour
	maxLifetime     = 8760 * time.Hour
	maxGrants       = 1024
)

// Check refuses a configuration that cannot work. The error names the table,
// the setting, and what it may be.
func (c Config) Check() error {
	names := make(map[string]bool)
	unique := func(name string) error {
		if err := checkAuthorityName(name); err != nil {
			return err
		}
		if names[name] {
			return fmt.Errorf("name: another CA or issuer is %q", name)
		}
		names[name] = true
		return nil
	}
	for i, ca := range c.ClientCAs {
		if err := errors.Join(unique(ca.Name), ca.check()); err != nil {
			return fmt.Errorf("client_ca %s: %w", nth(i, ca.Name), first(err))
		}
	}
	urls := make(map[string]bool)
	for i, is := range c.Issuers {
		if err := errors.Join(unique(is.Name), is.check()); err != nil {
			return fmt.Errorf("oidc %s: %w", nth(i, is.Name), first(err))
		}
		if urls[is.URL] {
			return fmt.Errorf("oidc %q: another table has the issuer %s", is.Name, is.URL)
		}
		urls[is.URL] = true
	}
	return nil
}

// first returns the first of errors that were joined: one at a time is enough.
func first(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// nth says which table of several is meant.
func nth(i int, name string) string {
	if name == "" {
		return fmt.Sprintf("number %d", i+1)
	}
	return fmt.Sprintf("%q", name)
}

func (ca CA) check() error {
	if ca.Certificates == "" {
		return errors.New("certificates: it needs the file with the CA's certificates")
	}
	return checkGrants(ca.Grants, func(g CertificateGrant) error {
		switch {
		case (g.URI == "") == (g.CommonName == ""):
			return errors.New("it needs either uri or common_name")
		case g.URI != "":
			return named("uri", g.URI.check())
		}
		return named("common_name", g.CommonName.check())
	}, func(g CertificateGrant) Right { return Right{g.Role, g.Streams} })
}

func (is Issuer) check() error {
	if err := checkIssuerURL(is.URL); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if is.Audience == "" {
		return errors.New("audience: it needs what the tokens must be meant for")
	}
	for _, a := range is.Algorithms {
		if !slices.Contains(Algorithms(), a) {
			return fmt.Errorf("algorithms: %q is none of %v", a, Algorithms())
		}
	}
	if err := errors.Join(named("clock_skew", is.Skew.within(0, maxSkew)), named("max_lifetime", is.Lifetime.within(time.Minute, maxLifetime))); err != nil {
		return first(err)
	}
	return checkGrants(is.Grants, func(g ClaimGrant) error {
		return errors.Join(named("claim", checkClaim(g.Claim)), named("value", g.Value.check()))
	}, func(g ClaimGrant) Right { return Right{g.Role, g.Streams} })
}

// checkGrants refuses grants that cannot match, or that give what nobody can
// have.
func checkGrants[G any](grants []G, check func(G) error, right func(G) Right) error {
	if len(grants) == 0 || len(grants) > maxGrants {
		return fmt.Errorf("grant: it needs 1 to %d of them, or nobody has a right by it", maxGrants)
	}
	for i, g := range grants {
		if err := errors.Join(check(g), right(g).check()); err != nil {
			return fmt.Errorf("grant %d: %w", i+1, first(err))
		}
	}
	return nil
}

func named(setting string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", setting, first(err))
}

// checkIssuerURL refuses what cannot name an issuer (OpenID Connect Discovery
// 1.0 §2): its keys come from there.
func checkIssuerURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Opaque != "" {
		return fmt.Errorf("%q is no URL such as https://login.example.com", s)
	}
	return checkScheme(u)
}

// checkScheme refuses a URL from which keys could be replaced on their way.
func checkScheme(u *url.URL) error {
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme == "https" || u.Scheme == "http" && local {
		return nil
	}
	return fmt.Errorf("%q must begin with https://", u.Redacted())
}

// Resolve returns the configuration with its files below a directory where they
// are relative.
func (c Config) Resolve(dir string) Config {
	resolve := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	c.ClientCAs, c.Issuers = slices.Clone(c.ClientCAs), slices.Clone(c.Issuers)
	for i := range c.ClientCAs {
		resolve(&c.ClientCAs[i].Certificates)
		resolve(&c.ClientCAs[i].Revoked)
	}
	for i := range c.Issuers {
		resolve(&c.Issuers[i].Certificates)
	}
	return c
}
