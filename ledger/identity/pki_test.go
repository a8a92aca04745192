package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/identity"
)

// An authority is a CA with its key.
type authority struct {
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	issued int64
	chain  [][]byte // up to the root, without it
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a certificate, by the CA or, where that is nil, by itself.
func (ca *authority) sign(t testing.TB, c *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	parent, by := c, key
	if ca != nil {
		ca.issued++
		c.SerialNumber, parent, by = big.NewInt(ca.issued), ca.cert, ca.key
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

// newCA makes a CA, below another or of its own.
func newCA(t testing.TB, above *authority, name string) *authority {
	t.Helper()
	ca := &authority{key: newKey(t)}
	ca.cert = above.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, ca.key)
	if above != nil {
		ca.chain = append([][]byte{ca.cert.Raw}, above.chain...)
	}
	return ca
}

// client makes a client's certificate. A name with "://" is its URI.
func (ca *authority) client(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	c := &x509.Certificate{NotBefore: start.Add(-time.Hour), NotAfter: start.Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, name := range names {
		if u, err := url.Parse(name); err == nil && u.Scheme != "" {
			c.URIs = append(c.URIs, u)
			continue
		}
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: []int{2, 5, 4, 3}, Value: name})
	}
	return ca.issue(t, c)
}

func (ca *authority) issue(t testing.TB, c *x509.Certificate) tls.Certificate {
	t.Helper()
	key := newKey(t)
	cert := ca.sign(t, c, key)
	return tls.Certificate{Certificate: append([][]byte{cert.Raw}, ca.chain...), PrivateKey: key, Leaf: cert}
}

// list makes a list of revoked certificates that holds for a while.
func (ca *authority) list(t testing.TB, from time.Time, holds time.Duration, revoked ...tls.Certificate) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: from.Add(holds)}
	for _, c := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: from})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// write writes the certificates of CAs to a file.
func write(t testing.TB, path string, cas ...*authority) string {
	t.Helper()
	var data []byte
	for _, ca := range cas {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})...)
	}
	writeFile(t, path, data)
	return path
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// connect makes a TLS connection to a listener of the authenticator and returns
// what the server sees of it, or the server's error.
func connect(t testing.TB, a *identity.Authenticator, required bool, show ...tls.Certificate) (*tls.ConnectionState, error) {
	t.Helper()
	server := newCA(t, nil, "server")
	config := a.TLS(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{
		{Certificate: [][]byte{server.cert.Raw}, PrivateKey: server.key},
	}}, required)
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	clientConfig := &tls.Config{InsecureSkipVerify: true, ServerName: "server", NextProtos: []string{"h2"}} // the test is about clients
	if len(show) > 0 {
		// Shown whatever the server asks for.
		clientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &show[0], nil }
	}
	go func() {
		c := tls.Client(far, clientConfig)
		_ = c.Handshake()              // the server's view counts
		_, _ = c.Read(make([]byte, 1)) // takes what the server still says
	}()
	s := tls.Server(near, config)
	if err := s.HandshakeContext(t.Context()); err != nil {
		return nil, err
	}
	state := s.ConnectionState()
	return &state, nil
}

// sealList signs a list as it is.
func (ca *authority) sealList(t testing.TB, l *x509.RevocationList) []byte {
	t.Helper()
	ends := !l.NextUpdate.IsZero()
	if !ends {
		l.NextUpdate = l.ThisUpdate.Add(time.Hour)
	}
	l.Number = big.NewInt(1)
	der, err := x509.CreateRevocationList(rand.Reader, l, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if !ends {
		der = withoutEnd(t, der)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// withoutEnd leaves nextUpdate out of a list. The signature is that of before:
// what is read of the list does not depend on it.
func withoutEnd(t testing.TB, der []byte) []byte {
	t.Helper()
	var list struct {
		Body struct {
			Version    int
			Algorithm  pkix.AlgorithmIdentifier
			Issuer     asn1.RawValue
			From       time.Time
			To         time.Time       `asn1:"optional"`
			Extensions []asn1.RawValue `asn1:"tag:0,explicit,optional"`
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &list); err != nil {
		t.Fatal(err)
	}
	list.Body.To = time.Time{}
	der, err := asn1.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
