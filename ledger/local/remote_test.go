package local_test

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
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/storage/trillian/trilliantest"
)

// trillianServer starts Trillian's own log server and returns the address of a
// new tree.
func trillianServer(t *testing.T, o ...grpc.ServerOption) string {
	t.Helper()
	s, err := trilliantest.Start(t.Context(), o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL
}

// TestLedgerOverATrillianServer keeps the tree in Trillian's own log server,
// which its own sequencer integrates.
func TestLedgerOverATrillianServer(t *testing.T) {
	c := local.Config{Tree: trillianServer(t)}
	dir := filepath.Join(t.TempDir(), "ledger")
	if err := local.Init(t.Context(), dir, local.InitOptions{Origin: "example.com/remote", Config: c}); err != nil {
		t.Fatal(err)
	}
	for run := range 2 {
		d, err := local.Open(t.Context(), dir, c, local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if got := appendOne(t, d, payload(int64(i), 200)); got.Duplicate != (run > 0) {
				t.Errorf("run %d, event %d: got duplicate %v", run, i, got.Duplicate)
			}
		}
		appendOne(t, d, payload(int64(100+run), 200))
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTrillianServerBehindTLS demands a certificate of its clients, and has
// one that its own authority vouches for.
func TestTrillianServerBehindTLS(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, filepath.Join(dir, "ca.pem"))
	ca.issue(t, filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	ca.issue(t, filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key"))
	newAuthority(t, filepath.Join(dir, "stranger.pem"))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.certificate)
	address := trillianServer(t, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
	})))
	if err := os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config local.Config
		want   string
	}{
		"in plain text":                       {local.Config{Tree: address}, "Unavailable"},
		"without a certificate of its own":    {local.Config{Tree: address, TreeCA: "ca.pem"}, "Unavailable"},
		"with another authority":              {local.Config{Tree: address, TreeCA: "stranger.pem", TreeCertificate: "client.pem", TreeKey: "client.key"}, "unknown authority"},
		"with the authorities of this system": {local.Config{Tree: address, TreeCertificate: "client.pem", TreeKey: "client.key"}, "unknown authority"},
		"with an authority that is missing":   {local.Config{Tree: address, TreeCA: "none.pem"}, "tree_ca: open"},
		"with an empty authority":             {local.Config{Tree: address, TreeCA: "empty"}, "tree_ca: " + filepath.Join(dir, "empty")},
		"with a key of another certificate":   {local.Config{Tree: address, TreeCA: "ca.pem", TreeCertificate: "client.pem", TreeKey: "server.key"}, "tree_certificate and tree_key"},
	} {
		err := local.Init(t.Context(), dir, local.InitOptions{Origin: "example.com/remote", Config: c.config})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		remove(t, dir, local.ConfigFile)
		remove(t, dir, "keys")
		remove(t, dir, "keystate")
		remove(t, dir, "policy")
		remove(t, dir, "data")
	}
	c := local.Config{Tree: address, TreeCA: "ca.pem", TreeCertificate: "client.pem", TreeKey: "client.key"}
	if err := local.Init(t.Context(), dir, local.InitOptions{Origin: "example.com/remote", Config: c}); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir, local.Options{})
	appendOne(t, d, payload(1, 200))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// An authority vouches for certificates of 127.0.0.1.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newAuthority makes an authority and writes its certificate.
func newAuthority(t *testing.T, path string) *authority {
	t.Helper()
	a := &authority{certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: filepath.Base(path)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}}
	der := a.certify(t, a.certificate, a)
	writePEM(t, path, "CERTIFICATE", der)
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.certificate = certificate
	return a
}

// certify makes the key of a certificate's holder, and the certificate.
func (a *authority) certify(t *testing.T, template *x509.Certificate, holder *authority) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	holder.key = key
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// issue writes a new certificate and its key.
func (a *authority) issue(t *testing.T, certificate, key string) {
	t.Helper()
	var holder authority
	writePEM(t, certificate, "CERTIFICATE", a.certify(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, &holder))
	der, err := x509.MarshalPKCS8PrivateKey(holder.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, key, "PRIVATE KEY", der)
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
