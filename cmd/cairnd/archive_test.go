package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// An archive is a served ledger that can destroy keys, with a stream "people"
// of three events about alice, alice and bob.
type archive struct {
	*testing.T
	dir, url string
	indices  []uint64
}

func newArchive(t *testing.T) *archive {
	a := &archive{T: t, dir: filepath.Join(t.TempDir(), "ledger")}
	a.run("", command.Yes, "init --origin example.com/l --key-place keystate --key-place keystate2")
	a.url = serve(t, a.dir, "--listen", "127.0.0.1:0")
	a.run("", command.Yes, "retention add month --days 30 --period day")
	a.run("", command.Yes, "stream add people --class month --subject actor=actor --field n=n")
	a.append("alice", "alice", "bob")
	return a
}

// append appends events about subjects.
func (a *archive) append(subjects ...string) {
	a.Helper()
	log, err := client.Dial(a.url, client.Options{Token: a.token("app", "writer", "--stream", "people")})
	if err != nil {
		a.Fatal(err)
	}
	for i, subject := range subjects {
		got, err := log.Append(a.Context(), "people", []client.Event{{Data: fmt.Appendf(nil, `{"actor":%q,"n":%d}`, subject, i)}}, client.Witnessed)
		if err != nil || got[0].Err != nil {
			a.Fatal(err, got)
		}
		a.indices = append(a.indices, got[0].Index)
	}
}

func (a *archive) token(name, role string, more ...string) string {
	a.Helper()
	status, stdout, talk := cairnd(a.T, append([]string{"token", "issue", name, "--role", role, "--dir", a.dir}, more...)...)
	if status != command.Yes {
		a.Fatal(talk)
	}
	return strings.TrimSpace(stdout)
}

// run runs a command with a standard input and demands an exit status. It
// returns all that was said. N stands for the index of a request or hold, as
// it was said last.
func (a *archive) run(stdin string, want int, line string) string {
	a.Helper()
	var out, talk bytes.Buffer
	status := run(a.Context(), append(words(line), "--dir", a.dir), strings.NewReader(stdin), &out, &talk)
	if status != want {
		a.Fatalf("cairnd %s: got exit status %d, want %d: %s%s", line, status, want, &out, &talk)
	}
	return out.String() + talk.String()
}

// words splits a command line; what is in quotes stays together.
func words(line string) (all []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}

func (a *archive) wants(said string, patterns ...string) {
	a.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(said) {
			a.Errorf("got %q, want %q", said, pattern)
		}
	}
}

// index returns the index that a pattern has found.
func (a *archive) index(said, pattern string) string {
	a.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(said)
	if m == nil {
		a.Fatalf("got %q, want %q", said, pattern)
	}
	return m[1]
}

// gone checks which of the events are gone.
func (a *archive) gone(want ...bool) {
	a.Helper()
	log, err := client.Dial(a.url, client.Options{Token: a.token("alice", "reader", "--stream", "*")})
	if err != nil {
		a.Fatal(err)
	}
	for i, index := range a.indices {
		_, err := log.Entry(a.Context(), index)
		if (err != nil) != want[i] {
			a.Errorf("event %d: got %v, want that it is gone: %v", i, err, want[i])
		}
	}
}

// tokenOf returns a file with a token of a role.
func tokenOf(a *archive, role string) string {
	path := filepath.Join(a.TempDir(), role)
	write(a.T, path, a.token(role, role))
	return path
}
