package identitytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"time"
)

// A CA is a certificate authority with its key.
type CA struct {
	Cert   *x509.Certificate
	Key    *ecdsa.PrivateKey
	Chain  [][]byte // up to the root, without it
	now    time.Time
	issued int64
}

// NewKey makes a key for certificates.
func NewKey(t T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a certificate, by the CA or, where that is nil, by itself.
func (ca *CA) sign(t T, c *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	parent, by := c, key
	if ca != nil {
		ca.issued++
		c.SerialNumber, parent, by = big.NewInt(ca.issued), ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// NewCA makes a CA of its own. Its certificates are from an hour before a time
// to a day after it.
func NewCA(t T, now time.Time, name string) *CA {
	t.Helper()
	return newCA(t, nil, now, name)
}

// Below makes a CA below another.
func (ca *CA) Below(t T, name string) *CA {
	t.Helper()
	return newCA(t, ca, ca.now, name)
}

func newCA(t T, above *CA, now time.Time, name string) *CA {
	t.Helper()
	ca := &CA{Key: NewKey(t), now: now}
	ca.Cert = above.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, ca.Key)
	if above != nil {
		ca.Chain = append([][]byte{ca.Cert.Raw}, above.Chain...)
	}
	return ca
}

// Client makes a client's certificate. A name with "://" is its URI.
func (ca *CA) Client(t T, names ...string) tls.Certificate {
	t.Helper()
	c := &x509.Certificate{NotBefore: ca.now.Add(-time.Hour), NotAfter: ca.now.Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, name := range names {
		if u, err := url.Parse(name); err == nil && u.Scheme != "" {
			c.URIs = append(c.URIs, u)
			continue
		}
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: []int{2, 5, 4, 3}, Value: name})
	}
	return ca.Issue(t, c)
}

// Issue makes a certificate as it is asked for.
func (ca *CA) Issue(t T, c *x509.Certificate) tls.Certificate {
	t.Helper()
	key := NewKey(t)
	cert := ca.sign(t, c, key)
	return tls.Certificate{Certificate: append([][]byte{cert.Raw}, ca.Chain...), PrivateKey: key, Leaf: cert}
}

// List makes a list of revoked certificates that holds for a while.
func (ca *CA) List(t T, from time.Time, holds time.Duration, revoked ...tls.Certificate) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: from.Add(holds)}
	for _, c := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: from})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// PEM returns the CA's certificate.
func (ca *CA) PEM() []byte { return certificatePEM(ca.Cert.Raw) }

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Server makes a certificate for a server on this host, and returns it with its
// key, both in PEM.
func (ca *CA) Server(t T) (certificate, key []byte) {
	t.Helper()
	return PEM(t, ca.Issue(t, &x509.Certificate{
		NotBefore: ca.now.Add(-time.Hour), NotAfter: ca.now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}))
}

// PEM returns a certificate, with those above it, and its key, both in PEM.
func PEM(t T, c tls.Certificate) (certificate, key []byte) {
	t.Helper()
	for _, der := range c.Certificate {
		certificate = append(certificate, certificatePEM(der)...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
