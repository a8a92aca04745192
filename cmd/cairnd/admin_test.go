package main

import (
	"context"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// serveNew serves a new ledger until the test ends, and returns its directory.
func serveNew(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l"); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan int, 1)
	go func() {
		served <- run(ctx, []string{"serve", "--dir", dir, "--listen", "127.0.0.1:0"}, strings.NewReader(""), io.Discard, io.Discard)
	}()
	t.Cleanup(func() {
		stop()
		if status := <-served; status != command.Yes {
			t.Errorf("serve: got exit status %d, want 0", status)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if status, _, talk := cairnd(t, "status", "--dir", dir); status == command.Yes {
			return dir
		} else if time.Now().After(deadline) {
			t.Fatalf("the ledger is not ready: %s", talk)
		}
	}
}

func TestAdministrationThroughTheSocket(t *testing.T) {
	dir := serveNew(t)
	var id string
	for _, c := range []struct {
		args         string
		status       int
		stdout, talk string // patterns
	}{
		{"status", command.Yes, `(?m)^state +takes entries; everything is witnessed$`, "^$"},
		{"status --json", command.Yes, `"origin": "example.com/l"`, "^$"},
		{"retention add short --days 30 --period day", command.Yes, "^$", "^cairnd: retention class short is added\n$"},
		{"retention add short", command.No, "^$", "^cairnd: .*already exists"},
		{"retention add fast --period hour", command.No, "^$", "hour"},
		{"retention list", command.Yes, `(?m)^short +30 +day$`, "^$"},
		{"retention list --json", command.Yes, `"short"`, "^$"},
		{"stream add cloud --class short --field action=eventName --subject actor=userIdentity.arn", command.Yes, "^$", "^cairnd: stream cloud is added\n$"},
		{"stream add cloud", command.No, "^$", "already exists"},
		{"stream set nowhere", command.No, "^$", "(?s)no such stream.*\nhint: .*cairnd stream add"},
		{"stream list", command.Yes, `(?m)^cloud +short +entries +action=.*eventName actor=.*userIdentity.arn \(subject\)$`, "^$"},
		{"stream set cloud --closed", command.Yes, "^$", "cairnd: stream cloud is set\n"},
		{"stream list", command.Yes, `(?m)^cloud +short +nothing +action=.*eventName actor=.*userIdentity.arn \(subject\)$`, "^$"},
		{"stream set cloud --closed=false --field who=actor", command.Yes, "^$", "cairnd: stream cloud is set\n"},
		{"stream list", command.Yes, `(?m)^cloud +short +entries +who=\S*actor$`, "^$"},
		{"stream set cloud --no-fields --field who=actor", command.Misuse, "^$", "--no-fields"},
		{"stream set cloud --no-fields --class standard", command.Yes, "^$", "cairnd: stream cloud is set\n"},
		{"stream list", command.Yes, `(?m)^cloud +standard +entries *$`, "^$"},
		{"stream list --json", command.Yes, `"cloud"`, "^$"},
		{"token issue app --role writer --stream default --days 1", command.Yes, `^cairn_\S+\n$`, "^cairnd: token [0-9a-f]+ of app, a writer; it is shown this one time\n$"},
		{"token issue app --role king", command.No, "^$", "king"},
		{"token list", command.Yes, `(?m)^[0-9a-f]{16} +app +writer +default +\S+ +\S+$`, "^$"},
		{"token revoke ID", command.Yes, "^$", "^cairnd: token [0-9a-f]+ is revoked\n$"},
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
