package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
)

// identitiesConfig has machines known by certificates and people by a login.
const identitiesConfig = `[listen]
address = "127.0.0.1:0"
write = "127.0.0.2:0"
admin = "off"
certificate = "tls.crt"
key = "tls.key"
require_client_certificate = ["write"]

[[client_ca]]
name = "fleet"
certificates = "ca.pem"

[[client_ca.grant]]
uri = "spiffe://example.org/collector/*"
role = "writer"
streams = ["*"]

[[oidc]]
name = "corp"
issuer = %q
audience = "cairn"

[[oidc.grant]]
claim = "groups"
value = "readers"
role = "reader"
streams = ["*"]
`

// A company has machines with certificates, and people who log in.
type company struct {
	dir, config      string
	writing, reading string // URLs
	said             *talk
	ca               *identitytest.CA
	machine, person  *http.Client
	alice            string // the token of a person
}

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{dir: filepath.Join(t.TempDir(), "ledger"), ca: identitytest.NewCA(t, time.Now(), "fleet CA")}
	key := identitytest.NewSigner(t, "key-1", "ES256")
	login := identitytest.NewIssuer(t, key)
	certificate, private := c.ca.Server(t)
	for name, data := range map[string][]byte{"ca.pem": c.ca.PEM(), "tls.crt": certificate, "tls.key": private} {
		write(t, filepath.Join(c.dir, name), string(data))
	}
	c.config = fmt.Sprintf(identitiesConfig, login.Server.URL)
	faces, said := serveConfig(t, c.dir, c.config)
	c.writing, c.reading, c.said = "https://"+faces["write public"], "https://"+faces["read public metrics"], said
	c.machine, c.person = c.with(c.ca.Client(t, "spiffe://example.org/collector/1")), c.with()
	c.alice = key.Token(t, identitytest.ClaimsOf(login.Server.URL, time.Now(), nil))
	return c
}

// with returns a client that shows a certificate, or none.
func (c *company) with(show ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(c.ca.Cert)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: show, ServerName: "127.0.0.1"}, ForceAttemptHTTP2: true}}
}

const appending, receipt = "/v1/streams/default/entries?wait=sequenced", "/v1/receipts/0"

// A machine appends by its certificate alone, a person reads by a login, and
// neither can do what the other can.
func TestMachinesByCertificatePeopleByLogin(t *testing.T) {
	c := newCompany(t)
	log, err := client.Dial(c.writing, client.Options{HTTPClient: c.machine})
	if err != nil {
		t.Fatal(err)
	}
	got, err := log.Append(t.Context(), "default", []client.Event{{Data: []byte(`{"a":1}`)}}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	if log, err = client.Dial(c.reading, client.Options{HTTPClient: c.person, Token: c.alice}); err != nil {
		t.Fatal(err)
	}
	entry, err := log.Entry(t.Context(), got[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	part, err := entry.Disclosure.Parts[0].Part()
	if err != nil || part.Appender != "cert:fleet:spiffe://example.org/collector/1" {
		t.Errorf("got appender %q and error %v", part.Appender, err)
	}
	writer := token(t, c.dir, "w", "--role", "writer", "--stream", "*")
	for what, r := range map[string]struct {
		hc          *http.Client
		method, url string
		bearer      string
		want        int
	}{
		"a person appends":                         {c.person, "POST", c.writing + appending, c.alice, 0},
		"a token without a certificate appends":    {c.person, "POST", c.writing + appending, writer, 0},
		"a token with a certificate appends":       {c.machine, "POST", c.writing + appending, writer, http.StatusCreated},
		"a certificate without a grant":            {c.with(c.ca.Client(t, "spiffe://example.org/other/1")), "POST", c.writing + appending, "", http.StatusForbidden},
		"a person appends by another's machine":    {c.machine, "POST", c.writing + appending, c.alice, http.StatusForbidden},
		"a machine reads":                          {c.machine, "GET", c.reading + receipt, "", http.StatusForbidden},
		"nobody reads":                             {c.person, "GET", c.reading + receipt, "", http.StatusUnauthorized},
		"a broken token beside a good certificate": {c.machine, "GET", c.reading + receipt, c.alice + "x", http.StatusUnauthorized},
		"everybody sees what is public":            {c.person, "GET", c.reading + "/log", "", http.StatusOK},
	} {
		if got := ask(t, r.hc, r.method, r.url, r.bearer); got != r.want {
			t.Errorf("%s: got %d, want %d", what, got, r.want)
		}
	}
}

// At SIGHUP, who is refused now is refused from the next request on, also on
// connections that there are.
func TestIdentitiesAreReadAgain(t *testing.T) {
	c := newCompany(t)
	await(t, c.said, func() bool { return ask(t, c.person, "GET", c.reading+receipt, c.alice) == http.StatusOK })
	write(t, filepath.Join(c.dir, "cairn.toml"), strings.Replace(c.config, "[[oidc.grant]]", "refused = [\"alice\"]\n[[oidc.grant]]", 1))
	hangUp(t)
	await(t, c.said, func() bool { return ask(t, c.person, "GET", c.reading+receipt, c.alice) == http.StatusUnauthorized })
	write(t, filepath.Join(c.dir, "cairn.toml"), "[[oidc]]\n")
	hangUp(t)
	await(t, c.said, func() bool { return strings.Contains(c.said.String(), "identities are as before") })
	if got := ask(t, c.machine, "POST", c.writing+appending, ""); got != http.StatusCreated {
		t.Errorf("after a configuration that cannot be used: got %d", got)
	}
}

// hangUp sends this process, and so the server in it, the signal to read who
// vouches for identities again.
func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func TestConfigurationOfIdentitiesIsChecked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	const ca = "[[client_ca]]\nname = \"fleet\"\ncertificates = \"ca.pem\"\n[[client_ca.grant]]\ncommon_name = \"*\"\nrole = \"auditor\"\n"
	const tlsFiles = "certificate = \"tls.crt\"\nkey = \"tls.key\"\n"
	for config, want := range map[string]string{
		ca: "client_ca: clients show certificates by TLS alone",
		"[listen]\n" + tlsFiles + "require_client_certificate = [\"write\"]\n":    "there is no client_ca",
		"[listen]\n" + tlsFiles + "require_client_certificate = [\"all\"]\n" + ca: `"all" is none of "write", "read" and "admin"`,
		"[listen]\nadmin = \"nowhere\"\n":                                         `listen.admin: "nowhere" is not host:port`,
		"[listen]\n" + tlsFiles + ca:                                              "ca.pem: no such file",
		"[[oidc]]\nname = \"corp\"\n":                                             `oidc "corp": issuer: "" is no URL`,
		"[[oidc]]\nisuer = \"corp\"\n":                                            `:2: there is no setting "oidc.isuer"`,
		"[[oidc]]\nclock_skew = \"soon\"\n":                                       `oidc number 1: name: ""`,
		"[[oidc]]\nclock_skew = 5\n":                                              "oidc.clock_skew",
	} {
		write(t, filepath.Join(dir, "cairn.toml"), config)
		status, _, talk := cairnd(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
		if status != command.Misuse && status != command.Unknown || !strings.Contains(talk, want) {
			t.Errorf("%q: got exit status %d and %q, want %q", config, status, talk, want)
		}
	}
}
