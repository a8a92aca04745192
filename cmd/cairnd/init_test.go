package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/trillian/trilliantest"
	"github.com/cairnlog/cairn/witness"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// files returns all that lies below a directory.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return paths
}

func TestInitLeavesNothingOfWhatCannotBe(t *testing.T) {
	t.Setenv("CAIRN_PASSPHRASE", "")
	stranger, err := proofs.GenerateKey("example.com/stranger", proofs.Ed25519, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	here := t.TempDir()
	secret := write(t, filepath.Join(here, "secret"), "correct horse\n")
	none := write(t, filepath.Join(here, "empty"), "")
	noQuorum := write(t, filepath.Join(here, "noquorum"), "# witnesses follow\n")
	foreign := write(t, filepath.Join(here, "foreign"), "log "+stranger.Key().String()+"\nquorum none\n")
	wrong := write(t, filepath.Join(here, "wrong"), "# two\nwitness w\nquorum none\n")
	for name, c := range map[string]struct {
		args   []string
		config string
		want   []string
	}{
		"a name with a space":              {[]string{"--origin", "a b"}, "", []string{"origin: "}},
		"a name that is too long":          {[]string{"--origin", strings.Repeat("o", 300)}, "", []string{"origin: 300 bytes"}},
		"witnesses that are an empty file": {[]string{"--origin", "o", "--witnesses", none}, "", []string{"it is empty", `hint: the file has the lines that cairn-witness init printed, and one more: "quorum NAME"`}},
		"witnesses without a quorum":       {[]string{"--origin", "o", "--witnesses", noQuorum}, "", []string{"quorum", `hint: the file has the lines that cairn-witness init printed, and one more: "quorum NAME"`}},
		"a log among the witnesses":        {[]string{"--origin", "o", "--witnesses", foreign}, "", []string{"it has the log example.com/stranger"}},
		"a line that is none":              {[]string{"--origin", "o", "--witnesses", wrong}, "", []string{wrong, "line 2"}},
		"a passphrase for nothing":         {[]string{"--origin", "o", "--passphrase-file", secret}, "", []string{"--encrypt"}},
		"no contact":                       {[]string{"--origin", "o", "--contact", ""}, "", []string{"--contact"}},
		"a contact of two lines":           {[]string{"--origin", "o", "--contact", "a\nb"}, "", []string{"--contact"}},
		"no requests":                      {[]string{"--origin", "o", "--qpd", "0"}, "", []string{"--qpd"}},
		"a setting that there is not":      {[]string{"--origin", "o"}, "dta = \"d\"\n", []string{"cairn.toml:1: there is no setting \"dta\""}},
		"a setting beyond its bounds":      {[]string{"--origin", "o"}, "heartbeat = \"1ns\"\n", []string{"cairn.toml: heartbeat: \"1ns\" is not"}},
		"an address that is none":          {[]string{"--origin", "o"}, "[listen]\nread = \"localhost\"\n", []string{"cairn.toml: listen.read: \"localhost\" is not host:port"}},
		"a main address that is off":       {[]string{"--origin", "o"}, "[listen]\naddress = \"off\"\n", []string{"cairn.toml: listen.address"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ledger")
			if c.config != "" {
				write(t, filepath.Join(dir, "cairn.toml"), c.config)
			}
			before := files(t, dir)
			status, stdout, talk := cairnd(t, append([]string{"init", "--dir", dir}, c.args...)...)
			if status != command.Misuse || stdout != "" {
				t.Errorf("got exit status %d and %q, want 2 and nothing: %s", status, stdout, talk)
			}
			for _, want := range c.want {
				if !strings.Contains(talk, want) {
					t.Errorf("got %q, want %q in it", talk, want)
				}
			}
			if after := files(t, dir); len(after) != len(before) {
				t.Errorf("it made %q", after)
			}
		})
	}
}

func TestInitSaysWhatComesNext(t *testing.T) {
	key, err := proofs.GenerateKey("w.example", proofs.Ed25519Cosignature, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	lines := write(t, filepath.Join(t.TempDir(), "lines"), "witness w "+key.Key().String()+" http://127.0.0.1:1\nquorum w\n")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"witnesses":    {[]string{"--witnesses", lines}, "hint: give the printed list to the witnesses, for: cairn-witness log add --list FILE\nhint: or the keys alone, for: cairn-witness log add example.com/l+"},
		"no witnesses": {nil, "cairnd: its quorum is none: nobody cosigns, and only a signed_copy elsewhere stops a copy"},
	} {
		dir := filepath.Join(t.TempDir(), "ledger")
		args := append([]string{"init", "--dir", dir, "--origin", "example.com/l", "--post-quantum", "--contact", "ops (at) example.com", "--qpd", "7"}, c.args...)
		status, stdout, talk := cairnd(t, args...)
		if status != command.Yes || !strings.Contains(talk, c.want) {
			t.Errorf("%s: got exit status %d and %q, want %q in it", name, status, talk, c.want)
		}
		policy, err := local.ReadPolicy(dir, local.Config{})
		if err != nil {
			t.Fatal(err)
		}
		logs, err := witness.ParseLogList([]byte(stdout))
		if err != nil || len(logs) != 2 || len(policy.Logs) != 2 {
			t.Fatalf("%s: got %d logs and error %v of %q, want the two keys of the policy", name, len(logs), err, stdout)
		}
		for i, l := range logs {
			want := witness.Log{Origin: "example.com/l", Key: policy.Logs[i].Key, QPD: 7, Contact: "ops (at) example.com"}
			if l != want {
				t.Errorf("%s: got %+v, want %+v", name, l, want)
			}
		}
	}
}

// TestWhatIsLeftOfALedgerIsNotMadeAnew: its keys or its data may be on a disk
// that is not mounted.
func TestWhatIsLeftOfALedgerIsNotMadeAnew(t *testing.T) {
	for _, away := range []string{"keys", "keystate", "data"} {
		dir := filepath.Join(t.TempDir(), "ledger")
		if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
			t.Fatalf("init: got exit status %d: %s", status, talk)
		}
		path := filepath.Join(dir, away)
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		status, _, talk := cairnd(t, "serve", "--dir", dir)
		if status != command.Unknown || strings.Contains(talk, "cairnd init") || !strings.Contains(talk, path) {
			t.Errorf("serve: got exit status %d and %q, want 3, what is missing, and no advice to make a ledger", status, talk)
		}
		status, _, talk = cairnd(t, "init", "--dir", dir, "--origin", "example.com/l")
		if status != command.No || !strings.Contains(talk, "bring it back") || !strings.Contains(talk, "\nhint: ") {
			t.Errorf("init: got exit status %d and %q, want 1 and to bring it back", status, talk)
		}
		if found := files(t, path); found != nil {
			t.Errorf("init made %q", found)
		}
	}
}

// TestDevLeavesOtherLedgersAlone: it would add a witness, and tokens that
// anybody who sees the terminal can read.
func TestDevLeavesOtherLedgersAlone(t *testing.T) {
	for _, part := range []string{"", "cairn.toml", "policy", "keys", "keystate", "data"} { // what is left, or all
		dir := filepath.Join(t.TempDir(), "ledger")
		if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
			t.Fatalf("init: got exit status %d: %s", status, talk)
		}
		for _, other := range []string{"cairn.toml", "policy", "keys", "keystate", "data"} {
			if part != "" && other != part {
				if err := os.RemoveAll(filepath.Join(dir, other)); err != nil {
					t.Fatal(err)
				}
			}
		}
		before := files(t, dir)
		status, stdout, talk := cairnd(t, "dev", "--tour", "--dir", dir)
		if status != command.Misuse || stdout != "" || !strings.Contains(talk, "cairnd dev did not make") {
			t.Errorf("%q: got exit status %d, %q and %q, want 2 and a refusal", part, status, stdout, talk)
		}
		if after := files(t, dir); len(after) != len(before) {
			t.Errorf("%q: it made %q", part, after)
		}
	}
}

func TestServedLedgerIsWhatInitWasTold(t *testing.T) {
	server, err := trilliantest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() }) // after the ledger, which records its end
	dir := filepath.Join(t.TempDir(), "ledger")
	write(t, filepath.Join(dir, "cairn.toml"), "data = \"elsewhere\"\ntree = \""+server.URL+"\"\n\n[listen]\naddress = \"127.0.0.1:0\"\n")
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	for name, want := range map[string]bool{"data": false, "elsewhere/tree": false, "elsewhere/shadow": true, "elsewhere/journal": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: got error %v, want that it is there: %v", name, err, want)
		}
	}
	url := serve(t, dir)
	status, token, talk := cairnd(t, "token", "issue", "app", "--role", "writer", "--stream", "*", "--dir", dir)
	if status != command.Yes {
		t.Fatalf("token issue: got exit status %d: %s", status, talk)
	}
	log, err := client.Dial(url, client.Options{Token: strings.TrimSpace(token)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := log.Append(t.Context(), ledger.DefaultStream, []client.Event{{Data: []byte(`{"a":1}`)}}, client.Witnessed)
	if err != nil || got[0].Err != nil || got[0].State != client.Witnessed {
		t.Errorf("append: got %+v and error %v", got, err)
	}
}
