package main

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A talk is what a command says while a test reads it.
type talk struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *talk) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *talk) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// serve serves the ledger in dir until the test ends, and returns its URL.
func serve(t *testing.T, dir string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	served, said := make(chan int, 1), new(talk)
	go func() {
		served <- run(ctx, append([]string{"serve", "--dir", dir}, args...), strings.NewReader(""), io.Discard, said)
	}()
	t.Cleanup(func() {
		stop()
		if status := <-served; status != command.Yes {
			t.Errorf("serve: got exit status %d, want 0: %s", status, said)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		status, state, _ := cairnd(t, "status", "--dir", dir)
		if url := regexp.MustCompile(`serving \S+ at (\S+)\n`).FindStringSubmatch(said.String()); status == command.Yes && url != nil && !strings.Contains(state, "some wait") {
			return url[1]
		}
		if time.Now().After(deadline) {
			t.Fatalf("the ledger is not ready: %s", said)
		}
	}
}

// serveNew serves a new ledger until the test ends, and returns its directory.
func serveNew(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	serve(t, dir, "--listen", "127.0.0.1:0")
	return dir
}

func TestAdministrationThroughTheSocket(t *testing.T) {
	dir := serveNew(t)
	var id string
	for _, c := range []struct {
		args         string
		status       int
		stdout, talk string // patterns
	}{
		{"status", command.Yes, `(?m)^state +takes entries; nobody witnesses them: the policy's quorum is none$`, "^hint: nothing can be erased.*\n$"},
		{"status --json", command.Yes, `(?s)"origin": "example.com/l".*"clock_ahead": 0,.*"quorum": "none",\s+"quorum_cosigns": true.*"destroys": false`, "^hint: nothing can be erased.*\n$"},
		{"retention add short --days 30 --period day", command.Yes, "^$", "^cairnd: retention class short is added\n$"},
		{"retention add short", command.No, "^$", "^cairnd: .*already exists"},
		{"retention add fast --period hour", command.Misuse, "^$", "hour"},
		{"retention list", command.Yes, `(?m)^short +30 +day$`, "^$"},
		{"retention list --json", command.Yes, `"short"`, "^$"},
		{"stream add cloud --class short --field action=eventName --subject actor=userIdentity.arn", command.Yes, "^$", "^cairnd: stream cloud is added\n$"},
		{"stream add json --json", command.Yes, `"index": \d+`, "^cairnd: stream json is added\n$"},
		{"retention add json --json", command.Yes, `"index": \d+`, "^cairnd: retention class json is added\n$"},
		{"stream add cloud", command.No, "^$", "already exists"},
		{"stream set nowhere", command.No, "^$", "(?s)no such stream.*\nhint: .*cairnd stream add"},
		{"stream list", command.Yes, `(?m)^cloud +short +entries +- +action=.*eventName actor=.*userIdentity.arn \(subject\)$`, "^$"},
		{"stream set cloud --closed", command.Yes, "^$", "cairnd: stream cloud is set\n"},
		{"stream list", command.Yes, `(?m)^cloud +short +nothing +- +action=.*eventName actor=.*userIdentity.arn \(subject\)$`, "^$"},
		{"stream set cloud --closed=false --field who=actor", command.Yes, "^$", "cairnd: stream cloud is set\n"},
		{"stream list", command.Yes, `(?m)^cloud +short +entries +- +who=\S*actor$`, "^$"},
		{"stream set cloud --no-fields --field who=actor", command.Misuse, "^$", "--no-fields"},
		{"stream set cloud --no-fields --class standard", command.Yes, "^$", "cairnd: stream cloud is set\n"},
		{"stream list", command.Yes, `(?m)^cloud +standard +entries +- *$`, "^$"},
		{"stream set cloud --reason-needed --reason case-7", command.Yes, "^$", "cairnd: stream cloud is set\n"},
		{"stream list", command.Yes, `(?m)^cloud +standard +entries +needed *$`, "^$"},
		{"stream list --json", command.Yes, `"cloud"`, "^$"},
		{"stream add ../x", command.Misuse, "^$", "name"},
		{"stream add mail --split --subject from=sender.id --subject to=to[*].id,about=from --field name=sender.name,about=from", command.Yes, "^$", "cairnd: stream mail is added\n"},
		{"stream list", command.Yes, `(?m)^mail +standard +entries in parts +- +from=\S*sender.id \(subject\) name=\S*sender.name \(about from\) to=\S*to\[\*\].id \(subject, about from\)$`, "^$"},
		{"stream list --json", command.Yes, `"split": ?true`, "^$"},
		{"stream set mail --field name=sender.name", command.Misuse, "^$", "(?s)no field of the stream names any.*\nhint: .*--subject"},
		{"stream set mail --subject from=sender.id --field name=sender.name,about=form", command.Misuse, "^$", "(?s)about \"form\", which the stream does not declare.*\nhint: .*--subject form=PATH"},
		{"stream set mail --subject from=sender.id --field name=sender.name --field first=sender.first,about=name", command.Misuse, "^$", "(?s)about \"name\", whose values do not name people.*\nhint: .*--subject name="},
		{"stream set mail --subject from=sender.id,about=from", command.Misuse, "^$", "is about itself"},
		{"stream set mail --field name=sender.name,about=", command.Misuse, "^$", "does not say which field"},
		{"stream set mail --split=false --reason-needed", command.Yes, "^$", "cairnd: stream mail is set\n"},
		{"stream list --json", command.Yes, `"reason": ?true`, "^$"},
		{"token issue app --role auditor --days 100000000", command.Misuse, "^$", "--days is from 1 to 36500"},
		{"token issue app --role auditor --days 36500", command.Yes, `^cairn_\S+\n$`, "of app as auditor;"},
		{"token issue app --role writer --stream default --days 1", command.Yes, `^cairn_\S+\n$`, "^cairnd: token [0-9a-f]+ of app as writer; it is shown this one time\n$"},
		{"token issue app --role king", command.Misuse, "^$", "king"},
		{"token list", command.Yes, `(?m)^[0-9a-f]{16} +app +writer +default +\S+ +\S+$`, "^$"},
		{"token revoke ID --reason stolen", command.Yes, "^$", "^cairnd: token [0-9a-f]+ is revoked\n$"},
		{"token revoke ID", command.No, "^$", "(?s)not found.*hint: .*cairnd token list"},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "ID", id))
		status, stdout, talk := cairnd(t, append(args, "--dir", dir)...)
		if status != c.status || !regexp.MustCompile(c.stdout).MatchString(stdout) || !regexp.MustCompile(c.talk).MatchString(talk) {
			t.Errorf("cairnd %s: got exit status %d, %q and %q, want %d, %q and %q", c.args, status, stdout, talk, c.status, c.stdout, c.talk)
		}
		if m := regexp.MustCompile(`token ([0-9a-f]{16}) of`).FindStringSubmatch(talk); m != nil {
			id = m[1]
		}
	}
}

func TestSocketReplacesASocketOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	policy := filepath.Join(dir, "policy")
	before, err := os.ReadFile(policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(policy, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"policy", "link", "keys"} {
		write(t, filepath.Join(dir, "cairn.toml"), "[listen]\nsocket = \""+name+"\"\n")
		status, _, talk := cairnd(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
		if status != command.Misuse || !strings.Contains(talk, "listen.socket: "+filepath.Join(dir, name)+" is there already and no socket") {
			t.Errorf("%s: got exit status %d and %q, want 2 and that it is no socket", name, status, talk)
		}
	}
	if after, err := os.ReadFile(policy); err != nil || string(after) != string(before) {
		t.Errorf("the policy became %q (%v)", after, err)
	}
	write(t, filepath.Join(dir, "cairn.toml"), "")
	left, err := net.Listen("unix", filepath.Join(dir, "cairnd.sock"))
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	serve(t, dir, "--listen", "127.0.0.1:0")
}
