package cmd_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairnlog/cairn/ledger/identity/identitytest"
)

const identitiesConfig = `[listen]
address = %q
write = %q
admin = "off"
certificate = "tls.crt"
key = "tls.key"
require_client_certificate = ["write"]

[[client_ca]]
name = "fleet"
certificates = "ca.pem"

[[client_ca.grant]]
common_name = "collector-*"
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

// TestACertificateAppendsAndALoginReads uses the real programs as people and
// machines do who have no token of the ledger.
func TestACertificateAppendsAndALoginReads(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(at(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ca, key := identitytest.NewCA(t, time.Now(), "fleet CA"), identitytest.NewSigner(t, "key-1", "ES256")
	login := identitytest.NewIssuer(t, key)
	run := func(name string, env []string, args ...string) (string, error) {
		var out bytes.Buffer
		c := exec.Command(filepath.Join(programs(t), name), args...)
		c.Env = append(os.Environ(), "SSL_CERT_FILE="+at("ca.pem"), "CAIRN_POLICY="+at("policy"), "CAIRN_STATE="+at("state"), "XDG_STATE_HOME="+at("home"))
		c.Env, c.Stdout, c.Stderr = append(c.Env, env...), &out, &out
		err := c.Run()
		return out.String(), err
	}
	if out, err := run("cairnd", nil, "init", "--dir", dir, "--origin", "example.com/l"); err != nil {
		t.Fatalf("init: %v: %s", err, out)
	}
	reading, writing := freeAddress(t), freeAddress(t)
	certificate, private := ca.Server(t)
	put("ca.pem", ca.PEM())
	put("tls.crt", certificate)
	put("tls.key", private)
	put("cairn.toml", fmt.Appendf(nil, identitiesConfig, reading, writing, login.Server.URL))
	server := exec.Command(filepath.Join(programs(t), "cairnd"), "serve", "--dir", dir)
	var log bytes.Buffer
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil {
			t.Errorf("serve: %v: %s", err, &log)
		}
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := run("cairnd", nil, "status", "--dir", dir); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the ledger is not ready")
		}
	}
	for name, client := range map[string]string{"collector": "collector-1", "stranger": "somebody"} {
		cert, private := identitytest.PEM(t, ca.Client(t, client))
		put(name+".crt", cert)
		put(name+".key", private)
	}
	shows := func(name string) []string {
		return []string{"CAIRN_URL=https://" + writing, "CAIRN_CLIENT_CERTIFICATE=" + at(name+".crt"), "CAIRN_CLIENT_KEY=" + at(name+".key")}
	}
	alice := []string{"CAIRN_URL=https://" + reading, "CAIRN_TOKEN=" + key.Token(t, identitytest.ClaimsOf(login.Server.URL, time.Now(), nil))}
	for _, c := range []struct {
		what string
		env  []string
		args []string
		want string
		ok   bool
	}{
		{"the collector appends", shows("collector"), []string{"append", `{"n":1}`}, "witnessed", true},
		{"a stranger appends", shows("stranger"), []string{"append", `{"n":2}`}, "the client certificate gives no right here", false},
		{"alice reads", alice, []string{"tail", "--stream", "default", "--from", "0", "--count", "1"}, `{"n":1}`, true},
		{"the collector appends again, and compares with what it saw", shows("collector"), []string{"append", `{"n":6}`}, "witnessed", true},
		{"alice appends", append(alice[:1:1], "CAIRN_URL=https://"+writing, alice[1]), []string{"append", `{"n":3}`}, "certificate required|connection reset|broken pipe|could not be established", false}, // whatever comes first
		{"the collector reads", append(shows("collector"), "CAIRN_URL=https://"+reading), []string{"get", "5"}, "a writer may not read", false},
		{"half a certificate", shows("collector")[:2], []string{"append", `{"n":4}`}, "belong together", false},
		{"a certificate without TLS", append(shows("collector"), "CAIRN_URL=http://"+writing), []string{"append", `{"n":5}`}, "by https alone", false},
		{"everybody audits", alice[:1], []string{"audit"}, "", true},
	} {
		out, err := run("cairn", c.env, c.args...)
		said := slices.ContainsFunc(strings.Split(c.want, "|"), func(want string) bool { return strings.Contains(out, want) })
		if (err == nil) != c.ok || !said {
			t.Errorf("%s: got error %v and %s\nwant %q", c.what, err, out, c.want)
		}
	}
}
