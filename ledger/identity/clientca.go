package identity

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"
)

// A clientCA is a CA with what its files say.
type clientCA struct {
	CA
	files *watched[caFiles]
}

// caFiles are a CA's files as they were read. They never change.
type caFiles struct {
	certificates []*x509.Certificate
	anchors      map[[sha256.Size]byte]bool // hashes of the certificates
	revoked      *revocations               // nil: no list is needed
}

func openClientCA(ca CA, now func() time.Time, log *slog.Logger) (*clientCA, error) {
	c := &clientCA{CA: ca}
	paths := []string{ca.Certificates}
	if ca.Revoked != "" {
		paths = append(paths, ca.Revoked)
	}
	c.files = &watched[caFiles]{paths: paths, load: ca.load, now: now, log: log}
	if err := c.files.open(); err != nil {
		return nil, fmt.Errorf("client_ca %q: %w", ca.Name, err)
	}
	return c, nil
}

// load reads the files.
func (ca CA) load() (files caFiles, err error) {
	data, err := readBounded(ca.Certificates, maxCertificatesFile)
	if err != nil {
		return files, err
	}
	if files.certificates, err = parseCertificates(data); err != nil {
		return files, fmt.Errorf("%s: %w", ca.Certificates, err)
	}
	files.anchors = make(map[[sha256.Size]byte]bool)
	for _, c := range files.certificates {
		files.anchors[sha256.Sum256(c.Raw)] = true
	}
	if ca.Revoked == "" {
		return files, nil
	}
	if data, err = readBounded(ca.Revoked, maxRevokedFile); err != nil {
		return files, err
	}
	if files.revoked, err = parseRevocations(data); err != nil {
		return files, fmt.Errorf("%s: %w", ca.Revoked, err)
	}
	return files, nil
}

// parseCertificates reads a file of certificates in PEM. Text around them, as
// many tools write it, is nothing.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("a block of PEM is %q, not \"CERTIFICATE\"", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 || bytes.Contains(data, []byte("-----BEGIN")) {
		return nil, errors.New("it holds no certificate in PEM, or a broken one")
	}
	return all, nil
}

// holds refuses a chain that does not hold now. The TLS stack verified it when
// the connection began, which may be long ago.
func (f *caFiles) holds(chain []*x509.Certificate, now time.Time) *Refusal {
	for _, c := range chain {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return &Refusal{Kind: ByCertificate, Outcome: Expired, Detail: "the client certificate does not hold now", Hint: "connect with one that does"}
		}
	}
	if f.revoked == nil {
		return nil
	}
	err := f.revoked.check(chain, now)
	if errors.Is(err, errRevoked) {
		return &Refusal{Kind: ByCertificate, Outcome: Revoked, Detail: "the client certificate is revoked", Hint: "connect with another", reason: err}
	}
	if err != nil {
		return &Refusal{Kind: ByCertificate, Outcome: Unavailable, Detail: "nobody can tell whether the client certificate is revoked",
			Hint: "the operator finds the reason in the server's log", reason: err}
	}
	return nil
}

// identify returns whoever has a certificate of the CA.
func (ca *clientCA) identify(c *x509.Certificate) (Identity, *Refusal) {
	subject, rights := ca.rights(c)
	if len(rights) == 0 {
		return Identity{}, &Refusal{Kind: ByCertificate, Outcome: Nothing, Detail: "the client certificate gives no right here",
			Hint: "ask the operator for a grant to what the certificate says of its subject"}
	}
	i := Identity{
		Name: Name{ByCertificate, ca.Name, subject}.String(), Kind: ByCertificate,
		Credential: fmt.Sprintf("%X", c.SerialNumber), Rights: rights, Expires: c.NotAfter,
	}
	return i.unless(slices.Contains(ca.Refused, subject))
}

// rights returns what a certificate gives, and the name of its subject: its URI
// where a grant is for that, else its common name.
func (ca *clientCA) rights(c *x509.Certificate) (subject string, rights []Right) {
	uri, common := subjectURI(c), commonName(c)
	for _, g := range ca.Grants {
		switch {
		case g.URI != "" && g.URI.Match(uri):
			subject = uri
		case g.CommonName != "" && g.CommonName.Match(common):
			if subject == "" {
				subject = "CN=" + common
			}
		default:
			continue
		}
		rights = append(rights, Right{g.Role, g.Streams})
	}
	return subject, rights
}

// subjectURI returns the one URI that a certificate names its subject by; empty
// where it has none, several, or one with a path that other software could
// shorten to another.
func subjectURI(c *x509.Certificate) string {
	if len(c.URIs) != 1 {
		return ""
	}
	u := c.URIs[0]
	if p := u.EscapedPath(); p != "" && (path.Clean(p) != p || strings.Contains(p, "%")) {
		return ""
	}
	return u.String()
}

// commonName returns the one common name of a certificate's subject.
func commonName(c *x509.Certificate) string {
	count := 0
	for _, a := range c.Subject.Names {
		if a.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
			count++
		}
	}
	if count != 1 {
		return ""
	}
	return c.Subject.CommonName
}

// configureTLS returns how a listener asks clients for certificates of CAs.
func configureTLS(base *tls.Config, cas []*clientCA, required bool, now func() time.Time) *tls.Config {
	c := base.Clone()
	c.ClientAuth = tls.VerifyClientCertIfGiven
	if required {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	c.ClientCAs = x509.NewCertPool()
	for _, ca := range cas {
		for _, cert := range ca.files.get().certificates {
			c.ClientCAs.AddCert(cert)
		}
	}
	// A session that is resumed is not verified again.
	c.SessionTicketsDisabled = true
	c.Time = now
	return c
}
