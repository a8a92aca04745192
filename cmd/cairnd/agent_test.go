package main

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

// A signAgent is an ssh-agent with a key, at a socket where it comes and goes.
type signAgent struct {
	t           *testing.T
	socket      string
	private     ed25519.PrivateKey
	fingerprint string
	file        string // of the public key
}

func newSignAgent(t *testing.T) *signAgent {
	t.Helper()
	socket, remove, err := agenttest.Socket()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(t.TempDir(), "log.pub"), string(ssh.MarshalAuthorizedKey(public)))
	return &signAgent{t, socket, private, ssh.FingerprintSHA256(public), file}
}

// start starts the agent.
func (s *signAgent) start() *agenttest.Agent {
	s.t.Helper()
	a, err := agenttest.Start(s.socket)
	if err == nil {
		err = a.Add(agent.AddedKey{PrivateKey: s.private})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func TestInitFindsTheKeyBeforeItMakesAnything(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	s := newSignAgent(t)
	defer s.start().Close()
	other := write(t, filepath.Join(t.TempDir(), "other"), "no key\n")
	stranger := "SHA256:" + strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no agent is known":     {[]string{"--ssh-key", s.fingerprint}, command.Unknown, "SSH_AUTH_SOCK"},
		"nobody is there":       {[]string{"--ssh-key", s.fingerprint, "--ssh-agent", s.socket + "x"}, command.Unknown, s.socket + "x"},
		"it has another key":    {[]string{"--ssh-key", stranger, "--ssh-agent", s.socket}, command.Unknown, "it does not have the key " + stranger},
		"the hint says how":     {[]string{"--ssh-key", stranger, "--ssh-agent", s.socket}, command.Unknown, "hint: see which keys an agent has with: ssh-add -l"},
		"the file is no key":    {[]string{"--ssh-key", other, "--ssh-agent", s.socket}, command.Misuse, "it is no file with a public key"},
		"the file is not there": {[]string{"--ssh-key", other + "x", "--ssh-agent", s.socket}, command.Unknown, "no such file"},
		"which key?":            {[]string{"--ssh-agent", s.socket}, command.Misuse, "--ssh-key"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ledger")
			status, _, talk := cairnd(t, append([]string{"init", "--dir", dir, "--origin", "example.com/l"}, c.args...)...)
			if status != c.status || !strings.Contains(talk, c.want) {
				t.Errorf("got exit status %d, want %d with %q:\n%s", status, c.status, c.want, talk)
			}
			if made := files(t, dir); len(made) > 0 {
				t.Errorf("it made %v", made)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	write(t, filepath.Join(dir, "cairn.toml"), "")
	status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l", "--ssh-key", s.fingerprint, "--ssh-agent", s.socket)
	if status != command.Misuse || !strings.Contains(talk, "say in its setting ssh_agent") {
		t.Errorf("got exit status %d, want that cairn.toml is there:\n%s", status, talk)
	}
	t.Setenv("SSH_AUTH_SOCK", s.socket)
	status, _, talk = cairnd(t, "init", "--dir", dir, "--origin", "example.com/l", "--ssh-key", s.file)
	if status != command.Yes || !strings.Contains(talk, "hint: name the agent's socket in cairn.toml") {
		t.Errorf("got exit status %d, want that a ledger was made, and a hint:\n%s", status, talk)
	}
}

func TestStatusSaysThatTheAgentIsAway(t *testing.T) {
	s := newSignAgent(t)
	a := s.start()
	dir := filepath.Join(t.TempDir(), "ledger")
	if status, _, talk := cairnd(t, "init", "--dir", dir, "--origin", "example.com/l", "--ssh-key", s.fingerprint, "--ssh-agent", s.socket); status != command.Yes {
		t.Fatalf("init: got exit status %d: %s", status, talk)
	}
	config, err := os.ReadFile(filepath.Join(dir, "cairn.toml"))
	if err != nil || !strings.Contains(string(config), "ssh_agent = '"+s.socket+"'") {
		t.Errorf("%v: got\n%swant the socket", err, config)
	}
	serve(t, dir, "--listen", "127.0.0.1:0")
	says := func(status int, want ...string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			got, out, talk := cairnd(t, "status", "--dir", dir)
			all := got == status
			for _, w := range want {
				all = all && strings.Contains(out+talk, w)
			}
			if all {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("got exit status %d, want %d with %q:\n%s%s", got, status, want, out, talk)
			}
		}
	}
	if err := a.Lock([]byte("p")); err != nil {
		t.Fatal(err)
	}
	// What is asked for is recorded, and waits for its checkpoint.
	if status, _, talk := cairnd(t, "stream", "add", "one", "--dir", dir); status != command.Yes {
		t.Errorf("stream add: got exit status %d: %s", status, talk)
	}
	says(command.No, "takes entries; signing pauses until the key can be used again", "signing     ssh-agent "+s.socket+": it has no key, or is locked", "hint: start or unlock the ssh-agent")
	if err := a.Unlock([]byte("p")); err != nil {
		t.Fatal(err)
	}
	says(command.Yes, "takes entries; nobody witnesses them")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _, talk := cairnd(t, "stream", "add", "two", "--dir", dir); status != command.Yes {
		t.Errorf("stream add: got exit status %d: %s", status, talk)
	}
	says(command.No, "signing     ssh-agent "+s.socket+": ")
	defer s.start().Close()
	says(command.Yes, "takes entries; nobody witnesses them")
}
