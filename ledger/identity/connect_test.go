package identity_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// write writes the certificates of CAs to a file.
func write(t testing.TB, path string, cas ...*identitytest.CA) string {
	t.Helper()
	var data []byte
	for _, ca := range cas {
		data = append(data, ca.PEM()...)
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

// bearerOf returns the credentials of a request with a token.
func bearerOf(token string) []string { return []string{"Bearer " + token} }

// connect makes a TLS connection to a listener of the authenticator and returns
// what the server sees of it, or the server's error.
func connect(t testing.TB, a *identity.Authenticator, required bool, show ...tls.Certificate) (*tls.ConnectionState, error) {
	t.Helper()
	server := identitytest.NewCA(t, start, "server")
	config := a.TLS(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{
		{Certificate: [][]byte{server.Cert.Raw}, PrivateKey: server.Key},
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
func sealList(t testing.TB, ca *identitytest.CA, l *x509.RevocationList) []byte {
	t.Helper()
	ends := !l.NextUpdate.IsZero()
	if !ends {
		l.NextUpdate = l.ThisUpdate.Add(time.Hour)
	}
	l.Number = big.NewInt(1)
	der, err := x509.CreateRevocationList(rand.Reader, l, ca.Cert, ca.Key)
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
