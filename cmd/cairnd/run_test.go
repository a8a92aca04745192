package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// cairnd runs cairnd in this process.
func cairnd(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, talk bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &talk)
	return status, out.String(), talk.String()
}

func TestTourSeesEverythingWork(t *testing.T) {
	status, out, talk := cairnd(t, "dev", "--tour")
	if status != command.Yes {
		t.Fatalf("got exit status %d, want 0: %s%s", status, out, talk)
	}
	for _, want := range []string{"Verified the receipt", "the same bytes", "nothing was added", "No findings"} {
		if !strings.Contains(out, want) {
			t.Errorf("got %q, want %q in it", out, want)
		}
	}
}

// A full disk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	dir := serveNew(t)
	for _, args := range []string{
		"status", "status --json", "stream list", "stream list --json", "retention list", "retention list --json",
		"retention status", "retention status --json", "hold list", "hold list --json", "request list", "request list --json", "custody", "custody --json",
		"token issue app --role auditor", "token issue app --role auditor --json", "token list", "token list --json",
		"init --origin o --dir " + filepath.Join(t.TempDir(), "new"), "dev --tour --dir " + filepath.Join(t.TempDir(), "tour"),
		"dev --listen 127.0.0.1:0 --dir " + filepath.Join(t.TempDir(), "dev"), "help status", "version", "completion zsh",
	} {
		words := append([]string{"--dir", dir}, strings.Fields(args)...)
		var talk bytes.Buffer
		if status := run(t.Context(), words, strings.NewReader(""), fullDisk{}, &talk); status != command.Unknown || !strings.Contains(talk.String(), "no space left") {
			t.Errorf("cairnd %s: got exit status %d and %q, want 3 and that the disk is full", args, status, talk.String())
		}
	}
}

func TestExitStatusesAndHints(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	typo := filepath.Join(t.TempDir(), "typo")
	if err := os.CopyFS(typo, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(typo, "cairn.toml"), []byte("[listen]\nadress = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.CopyFS(open, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(open, "keys", "log.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"a flag that there is not":        {[]string{"serve", "--frobnicate"}, command.Misuse, "unknown flag"},
		"an argument too many":            {[]string{"status", "now"}, command.Misuse, "cairnd: "},
		"a command that there is not":     {[]string{"frobnicate"}, command.Misuse, "unknown command"},
		"a subcommand that there is not":  {[]string{"stream", "frobnicate"}, command.Misuse, "unknown command"},
		"no origin":                       {[]string{"init", "--dir", dir + "2"}, command.Misuse, "--origin"},
		"a ledger that is there":          {[]string{"init", "--dir", dir, "--origin", "example.com/l"}, command.No, "already"},
		"no ledger":                       {[]string{"serve", "--dir", dir + "3"}, command.Unknown, "cairnd init --dir " + dir + "3 --origin NAME"},
		"a ledger that is no toy":         {[]string{"dev", "--dir", dir}, command.Misuse, "cairnd dev did not make"},
		"no server at a URL":              {[]string{"hold", "list", "--url", "http://127.0.0.1:1"}, command.Unknown, "is --url its address"},
		"no URL":                          {[]string{"hold", "list", "--url", "log.example.com"}, command.Misuse, "cairnd: "},
		"a token file that there is not":  {[]string{"hold", "list", "--url", "http://127.0.0.1:1", "--token-file", dir + "/none"}, command.Unknown, "token: "},
		"no server":                       {[]string{"status", "--dir", dir}, command.Unknown, "cairnd serve --dir " + dir},
		"a setting that there is not":     {[]string{"serve", "--dir", typo}, command.Misuse, "cairn.toml:2"},
		"a key file that others can read": {[]string{"serve", "--dir", open}, command.Unknown, "chmod 600"},
		"a field that is not NAME=PATH":   {[]string{"stream", "add", "s", "--field", "x", "--dir", dir}, command.Misuse, "NAME=PATH"},
		"a token without a role":          {[]string{"token", "issue", "x", "--dir", dir}, command.Misuse, "--role writer"},
		"a token for less than a day":     {[]string{"token", "issue", "x", "--role", "reader", "--days", "-1", "--dir", dir}, command.Misuse, "--days"},
		"a log format that there is not":  {[]string{"serve", "--log-format", "xml", "--dir", dir}, command.Misuse, "text or json"},
		"a network without TLS":           {[]string{"serve", "--listen", "0.0.0.0:0", "--dir", dir}, command.Unknown, "behind_proxy"},
		"a policy file that there is not": {[]string{"init", "--dir", dir + "4", "--origin", "o", "--witnesses", dir + "/none"}, command.Unknown, "/none: no such file or directory\nhint: give the file"},
		"encryption without a passphrase": {[]string{"init", "--dir", dir + "5", "--origin", "o", "--encrypt"}, command.Misuse, "CAIRN_PASSPHRASE"},
		"a certificate without its key":   {[]string{"serve", "--dir", certOnly(t, dir)}, command.Misuse, "belong together"},
		"a completion script":             {[]string{"completion", "bash"}, command.Yes, ""},
		"the version":                     {[]string{"version"}, command.Yes, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, talk := cairnd(t, c.args...)
			if status != c.status || !strings.Contains(talk, c.want) {
				t.Errorf("got exit status %d and %q, want %d and %q", status, talk, c.status, c.want)
			}
		})
	}
}

// certOnly returns a copy of a ledger's directory whose configuration has a
// certificate and no key.
func certOnly(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "cert")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "cairn.toml"), []byte("[listen]\ncertificate = \"c\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}
