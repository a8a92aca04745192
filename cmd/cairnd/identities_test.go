package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/identity/identitytest"
)

// serveConfig serves a new ledger with a configuration until the test ends, and
// returns its directory and the addresses of its faces by their names, such as
// "write" or "read admin".
func serveConfig(t *testing.T, dir, config string) (addresses map[string]string, said *talk) {
	t.Helper()
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	write(t, filepath.Join(dir, "cairn.toml"), config)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan int, 1)
	said = new(talk)
	go func() { served <- run(ctx, []string{"serve", "--dir", dir}, strings.NewReader(""), io.Discard, said) }()
	t.Cleanup(func() {
		stop()
		if status := <-served; status != command.Yes {
			t.Errorf("serve: got exit status %d, want 0: %s", status, said)
		}
	})
	await(t, said, func() bool {
		status, _, _ := cairnd(t, "status", "--dir", dir)
		return status == command.Yes && strings.Contains(said.String(), "cairnd: serving ")
	})
	addresses = make(map[string]string)
	for _, m := range regexp.MustCompile(`msg=listening address=(\S+) faces=(?:"([^"]+)"|(\S+))`).FindAllStringSubmatch(said.String(), -1) {
		addresses[m[2]+m[3]] = m[1]
	}
	return addresses, said
}

// await waits until something holds.
func await(t *testing.T, said *talk, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not happen: %s", said)
		}
	}
}

// token issues a token.
func token(t *testing.T, dir string, args ...string) string {
	t.Helper()
	status, out, talk := cairnd(t, append([]string{"token", "issue", "--dir", dir}, args...)...)
	if status != command.Yes {
		t.Fatalf("token issue: got exit status %d: %s", status, talk)
	}
	return strings.TrimSpace(out)
}

// ask makes a request and returns the status, or 0 where no connection is made.
func ask(t *testing.T, hc *http.Client, method, url, bearer string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodGet {
		req.Body, req.ContentLength = nil, 0
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := hc.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

// Every face answers at its own address, to its own roles, and nothing else
// does.
func TestEachFaceIsAloneAtItsAddress(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	faces, _ := serveConfig(t, dir, `[listen]
address = "127.0.0.9:0" # at which nothing is left
write = "127.0.0.1:0"
read = "127.0.0.2:0"
admin = "127.0.0.3:0"
public = "127.0.0.4:0"
metrics = "127.0.0.5:0"
`)
	bearer := map[string]string{
		"writer": token(t, dir, "w", "--role", "writer", "--stream", "*"), "reader": token(t, dir, "r", "--role", "reader", "--stream", "*"),
		"operator": token(t, dir, "o", "--role", "operator"), "": "",
	}
	if len(faces) != 5 {
		t.Fatalf("got %v, want five addresses", faces)
	}
	for _, c := range []struct {
		method, path, face, role string
		want                     int
	}{
		{"POST", "/v1/streams/default/entries?wait=sequenced", "write", "writer", http.StatusCreated},
		{"GET", "/v1/receipts/0", "read", "reader", http.StatusOK},
		{"GET", "/v1/status", "admin", "operator", http.StatusOK},
		{"GET", "/log", "public", "", http.StatusOK},
		{"GET", "/healthz", "metrics", "", http.StatusOK},
	} {
		for face, address := range faces {
			for role, bearer := range bearer {
				want := http.StatusNotFound
				switch {
				case face == c.face && (role == c.role || c.role == ""):
					want = c.want
				case face == c.face && role == "":
					want = http.StatusUnauthorized
				case face == c.face:
					want = http.StatusForbidden
				}
				if got := ask(t, http.DefaultClient, c.method, "http://"+address+c.path, bearer); got != want {
					t.Errorf("%s %s at the face %s as %q: got %d, want %d", c.method, c.path, face, role, got, want)
				}
			}
		}
	}
}

func TestFacesCanBeOff(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	faces, _ := serveConfig(t, dir, "[listen]\naddress = \"127.0.0.1:0\"\nread = \"off\"\nadmin = \"off\"\nmetrics = \"off\"\n")
	address, ok := faces["write public"]
	if !ok || len(faces) != 1 {
		t.Fatalf("got %v, want writing and the public files", faces)
	}
	writer, reader, operator := token(t, dir, "w", "--role", "writer", "--stream", "*"), token(t, dir, "r", "--role", "reader", "--stream", "*"), token(t, dir, "o", "--role", "operator")
	for _, c := range []struct {
		method, path, bearer string
		want                 int
	}{
		{"POST", "/v1/streams/default/entries?wait=sequenced", writer, http.StatusCreated}, {"GET", "/log", "", http.StatusOK},
		{"GET", "/v1/receipts/0", reader, http.StatusNotFound}, {"GET", "/v1/streams", operator, http.StatusNotFound},
		{"GET", "/v1/status", operator, http.StatusNotFound}, {"GET", "/metrics", "", http.StatusNotFound},
	} {
		if got := ask(t, http.DefaultClient, c.method, "http://"+address+c.path, c.bearer); got != c.want {
			t.Errorf("%s %s: got %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

func TestOnlyTheSocketIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	faces, said := serveConfig(t, dir, "[listen]\nwrite = \"off\"\nread = \"off\"\nadmin = \"off\"\npublic = \"off\"\nmetrics = \"off\"\n")
	if len(faces) != 0 || !strings.Contains(said.String(), "at unix:"+filepath.Join(dir, "cairnd.sock")) {
		t.Errorf("got %v and %s", faces, said)
	}
}

// A machine appends by its certificate alone, a person reads by a login, and
// neither can do what the other can.
func TestMachinesByCertificatePeopleByLogin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	ca, key := identitytest.NewCA(t, time.Now(), "fleet CA"), identitytest.NewSigner(t, "key-1", "ES256")
	login := identitytest.NewIssuer(t, key)
	certificate, private := ca.Server(t)
	for name, data := range map[string][]byte{"ca.pem": ca.PEM(), "tls.crt": certificate, "tls.key": private} {
		write(t, filepath.Join(dir, name), string(data))
	}
	config := fmt.Sprintf(`[listen]
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
`, login.Server.URL)
	faces, said := serveConfig(t, dir, config)
	writing, reading := "https://"+faces["write"], "https://"+faces["read public metrics"]
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	with := func(show ...tls.Certificate) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: show, ServerName: "127.0.0.1"}, ForceAttemptHTTP2: true}}
	}
	machine, person := with(ca.Client(t, "spiffe://example.org/collector/1")), with()
	alice := key.Token(t, identitytest.ClaimsOf(login.Server.URL, time.Now(), nil))

	log, err := client.Dial(writing, client.Options{HTTPClient: machine})
	if err != nil {
		t.Fatal(err)
	}
	got, err := log.Append(t.Context(), "default", []client.Event{{Data: []byte(`{"a":1}`)}}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	log, err = client.Dial(reading, client.Options{HTTPClient: person, Token: alice})
	if err != nil {
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
	const appending, one = "/v1/streams/default/entries?wait=sequenced", "/v1/receipts/0"
	writer := token(t, dir, "w", "--role", "writer", "--stream", "*")
	for what, c := range map[string]struct {
		hc          *http.Client
		method, url string
		bearer      string
		want        int
	}{
		"a person appends":                         {person, "POST", writing + appending, alice, 0},
		"a token without a certificate appends":    {person, "POST", writing + appending, writer, 0},
		"a token with a certificate appends":       {machine, "POST", writing + appending, writer, http.StatusCreated},
		"a certificate without a grant":            {with(ca.Client(t, "spiffe://example.org/other/1")), "POST", writing + appending, "", http.StatusForbidden},
		"a person appends by another's machine":    {machine, "POST", writing + appending, alice, http.StatusForbidden},
		"a machine reads":                          {machine, "GET", reading + one, "", http.StatusForbidden},
		"nobody reads":                             {person, "GET", reading + one, "", http.StatusUnauthorized},
		"a broken token beside a good certificate": {machine, "GET", reading + one, alice + "x", http.StatusUnauthorized},
		"everybody sees what is public":            {person, "GET", reading + "/log", "", http.StatusOK},
	} {
		if got := ask(t, c.hc, c.method, c.url, c.bearer); got != c.want {
			t.Errorf("%s: got %d, want %d", what, got, c.want)
		}
	}

	// At SIGHUP, who is refused now is refused at once, also on the connections
	// that there are.
	write(t, filepath.Join(dir, "cairn.toml"), strings.Replace(config, "[[oidc.grant]]", "refused = [\"alice\"]\n[[oidc.grant]]", 1))
	hangUp(t)
	await(t, said, func() bool { return ask(t, person, "GET", reading+one, alice) == http.StatusUnauthorized })
	write(t, filepath.Join(dir, "cairn.toml"), "[[oidc]]\n")
	hangUp(t)
	await(t, said, func() bool { return strings.Contains(said.String(), "identities are as before") })
	if got := ask(t, machine, "POST", writing+appending, ""); got != http.StatusCreated {
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
