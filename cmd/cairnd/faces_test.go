package main

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/httpapi"
)

func TestFacesAreWhereTheConfigurationSays(t *testing.T) {
	const main, other, third = "10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"
	for name, c := range map[string]struct {
		listen Listen
		want   []addressed
	}{
		"all at one address": {Listen{Address: main}, []addressed{{main, httpapi.Every, false}}},
		"all apart": {Listen{Address: main, Write: other, Read: third, Admin: "10.0.0.1:4", Public: "10.0.0.1:5", Metrics: "10.0.0.1:6"}, []addressed{
			{other, httpapi.Write | httpapi.Public, false}, {third, httpapi.Read | httpapi.Public, false}, {"10.0.0.1:4", httpapi.Admin, false},
			{"10.0.0.1:5", httpapi.Public, false}, {"10.0.0.1:6", httpapi.Health, false},
		}},
		"two at one other address": {Listen{Address: main, Write: other, Read: other}, []addressed{
			{main, httpapi.Admin | httpapi.Public | httpapi.Health, false}, {other, httpapi.Write | httpapi.Read | httpapi.Public, false},
		}},
		"one at the main address by name": {Listen{Address: main, Write: main}, []addressed{{main, httpapi.Every, false}}},
		"reading off":                     {Listen{Address: main, Read: off}, []addressed{{main, httpapi.Every &^ httpapi.Read, false}}},
		"all off but writing":             {Listen{Address: main, Read: off, Admin: off, Public: off, Metrics: off}, []addressed{{main, httpapi.Write, false}}},
		"all off":                         {Listen{Address: main, Write: off, Read: off, Admin: off, Public: off, Metrics: off}, nil},
		"certificates for writing": {Listen{Address: main, Write: other, RequireClientCertificate: []string{"write"}}, []addressed{
			{main, httpapi.Every &^ httpapi.Write, false}, {other, httpapi.Write | httpapi.Public, true},
		}},
		"certificates where others are served too": {Listen{Address: main, RequireClientCertificate: []string{"read"}}, []addressed{{main, httpapi.Every, true}}},
		"certificates for what is off":             {Listen{Address: main, Read: off, RequireClientCertificate: []string{"read"}}, []addressed{{main, httpapi.Every &^ httpapi.Read, false}}},
	} {
		if got := c.listen.addresses(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

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
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
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
// does, but for the public files: who writes or reads checks by them.
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
		{"POST", "/v1/streams/default/entries?wait=sequenced", "write public", "writer", http.StatusCreated},
		{"GET", "/v1/receipts/0", "read public", "reader", http.StatusOK},
		{"GET", "/v1/status", "admin", "operator", http.StatusOK},
		{"GET", "/log", "public", "", http.StatusOK},
		{"GET", "/healthz", "metrics", "", http.StatusOK},
	} {
		for face, address := range faces {
			for role, bearer := range bearer {
				want := http.StatusNotFound
				switch {
				case strings.HasSuffix(face, c.face) && (role == c.role || c.role == ""):
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
