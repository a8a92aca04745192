package httpapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/local"
)

// writePair writes a certificate for a name and its key.
func writePair(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	writeFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return certFile, keyFile
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateIsReadAgainWhenItChanges(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	dir := t.TempDir()
	certFile, keyFile := writePair(t, dir, "first.example")
	config, err := httpapi.LoadCertificate(certFile, keyFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := s.api.Listen(httpapi.Address{Address: "127.0.0.1:0", Faces: httpapi.Every, TLS: config})
	if err != nil {
		t.Fatal(err)
	}
	run(t, server)
	name := func() string {
		t.Helper()
		// The test looks at the name alone.
		c, err := tls.Dial("tcp", server.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.ConnectionState().NegotiatedProtocol; got != "h2" {
			t.Errorf("got protocol %q, want h2", got)
		}
		return c.ConnectionState().PeerCertificates[0].DNSNames[0]
	}
	if got := name(); got != "first.example" {
		t.Errorf("got the certificate of %s", got)
	}
	writeFile(t, keyFile, []byte("half of a change"))
	if got := name(); got != "first.example" {
		t.Errorf("while the pair is bad: got the certificate of %s, want the old one", got)
	}
	writePair(t, dir, "the-second.example")
	if got := name(); got != "the-second.example" {
		t.Errorf("after the change: got the certificate of %s", got)
	}
	if _, err := httpapi.LoadCertificate(certFile, filepath.Join(dir, "none"), nil); err == nil {
		t.Error("a server starts without its key")
	}
}
