package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func TestATerminalGetsPayloadsEscaped(t *testing.T) {
	s := newSession(t)
	text := "red: \x1b[31m and \u202eback\nline two\n"
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	index, _, _ := strings.Cut(s.must("writer", "append", "--media-type", "text/plain", "-f", file), " ")
	if got := s.must("reader", "get", index); got != text {
		t.Errorf("to a file: got %q, want %q", got, text)
	}
	s.terminal = true
	if got, want := s.must("reader", "get", index), "red: \\x1b[31m and \\u202eback\nline two\n\n"; got != want {
		t.Errorf("to a terminal: got %q, want %q", got, want)
	}
	if got := s.must("reader", "get", "--raw", index); got != text {
		t.Errorf("to a terminal with --raw: got %q, want %q", got, text)
	}
	copied := filepath.Join(t.TempDir(), "copied")
	s.must("reader", "get", index, "-o", copied)
	if got, err := os.ReadFile(copied); err != nil || string(got) != text {
		t.Errorf("to -o: got %q and error %v, want %q", got, err, text)
	}
}

func TestATerminalGetsJSONEscapedAsJSON(t *testing.T) {
	s := newSession(t)
	event := "{\"text\":\"C1 \u009b31m, \u202eback, <html>\"}"
	index, _, _ := strings.Cut(s.must("writer", "append", event), " ")
	args := []string{"tail", "--json", "--count", "1", "--from", index}
	if got := s.must("reader", args...); !strings.Contains(got, `"payload":`+event) {
		t.Errorf("to a file: got %q, want the event as it is", got)
	}
	s.terminal = true
	if got, want := s.must("reader", args...), `"payload":{"text":"C1 \u009b31m, \u202eback, <html>"}`; !strings.Contains(got, want) {
		t.Errorf("to a terminal: got %q, want %q", got, want)
	}
}

func TestATerminalGetsTheLedgersPolicyEscaped(t *testing.T) {
	s := newSession(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "log"), []byte(`{"policy":"quorum none\n# \u001b[31mred\n"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for terminal, want := range map[bool]string{false: "quorum none\n# \x1b[31mred\n", true: "quorum none\n# \\x1b[31mred\n"} {
		s.terminal = terminal
		if got := s.must("", "log", "--show-policy", "--url", dir); got != want {
			t.Errorf("terminal %v: got %q, want %q", terminal, got, want)
		}
	}
}

func TestATerminalIsToldTheProgress(t *testing.T) {
	s := newSession(t)
	s.terminal = true
	if status, _, stderr := s.run("writer", "append"); status != command.Misuse || !strings.Contains(stderr, "what shall be appended?") {
		t.Errorf("append from a terminal: got status %d and %q, want the question what to append", status, stderr)
	}
	s.must("writer", "append", "{}")
	status, _, stderr := s.run("", "audit")
	if status != command.Yes || !strings.HasPrefix(stderr, "\rcairn: audited ") || !strings.HasSuffix(stderr, "\r\x1b[K") {
		t.Errorf("got status %d and %q, want a line of progress that is removed at the end", status, stderr)
	}
}
