package cmd_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A site is a ledger and three witnesses, as processes of the real programs.
type site struct {
	*testing.T
	dir                     string
	address                 string
	ledger                  *server
	witnesses               []*server
	writer, reader, auditor string // tokens
}

// A server is a process that can be started and stopped again.
type server struct {
	t    *testing.T
	args []string
	url  string
	cmd  *exec.Cmd
	talk *buffer
}

// A buffer takes what a process says while others read it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (s *server) start() {
	s.t.Helper()
	s.talk = new(buffer)
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = s.talk, s.talk
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		res, err := http.Get(s.url + "/healthz")
		if err == nil {
			res.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			s.stop()
			s.t.Fatalf("%v does not answer: %s", s.args, s.talk)
		}
	}
}

// stop ends the process as a supervisor would, and returns its exit status.
func (s *server) stop() int {
	if s.cmd == nil {
		return 0
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	_ = s.cmd.Wait()
	status := s.cmd.ProcessState.ExitCode()
	s.cmd = nil
	return status
}

// kill ends the process as a power cut would.
func (s *server) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait() // it was killed
	s.cmd = nil
}

// awaitReady waits until the ledger takes entries.
func (s *server) awaitReady() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		res, err := http.Get(s.url + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%v is not ready: %s", s.args, s.talk)
		}
	}
}

// metric returns the value of a metric without labels that the process
// serves.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	res, err := http.Get(s.url + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		s.t.Fatalf("%s serves no metric %s", s.url, name)
	}
	value, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

// newSite starts three witnesses and a ledger with these settings.
func newSite(t *testing.T, settings ...string) *site {
	t.Helper()
	return newSiteBy(t, [4][]string{}, settings...)
}

// newSiteBy starts three witnesses and a ledger, which are made with these
// further arguments, the ledger's first.
func newSiteBy(t *testing.T, made [4][]string, settings ...string) *site {
	t.Helper()
	s := &site{T: t, dir: t.TempDir(), address: freeAddress(t)}
	var policy strings.Builder
	var names []string
	for i := range 3 {
		name, address := fmt.Sprintf("w%d.example", i), freeAddress(t)
		dir := filepath.Join(s.dir, name)
		args := append([]string{"init", "--name", name, "--dir", dir, "--listen", address}, made[i+1]...)
		for line := range strings.Lines(s.run(0, "cairn-witness", args...)) {
			if strings.HasPrefix(line, "witness "+name+"-ed25519 ") {
				policy.WriteString(line)
			}
		}
		names = append(names, name+"-ed25519")
		s.witnesses = append(s.witnesses, &server{t: t, args: []string{s.program("cairn-witness"), "serve", "--dir", dir}, url: "http://" + address})
	}
	fmt.Fprintf(&policy, "group two 2 %s\nquorum two\n", strings.Join(names, " "))
	lines := filepath.Join(s.dir, "witnesses.policy")
	s.write(lines, policy.String())
	s.run(0, "cairnd", append([]string{"init", "--dir", s.ledgerDir(), "--origin", "log.example/audit", "--witnesses", lines}, made[0]...)...)
	settings = append(settings, "[listen]", fmt.Sprintf("address = %q", s.address))
	s.write(filepath.Join(s.ledgerDir(), "cairn.toml"), strings.Join(settings, "\n")+"\n")
	for i, w := range s.witnesses {
		for _, key := range s.logKeys() {
			s.run(0, "cairn-witness", "log", "add", "--dir", filepath.Join(s.dir, fmt.Sprintf("w%d.example", i)), key)
		}
		w.start()
		t.Cleanup(func() { w.stop() })
	}
	t.Cleanup(func() { s.ledger.stop() })
	s.startLedger()
	s.writer = s.token("writer", "--stream", "default")
	s.reader = s.token("reader", "--stream", "*")
	s.auditor = s.token("auditor")
	return s
}

func (s *site) program(name string) string { return filepath.Join(programs(s.T), name) }
func (s *site) ledgerDir() string          { return filepath.Join(s.dir, "ledger") }
func (s *site) policyFile() string         { return filepath.Join(s.ledgerDir(), "policy") }

func (s *site) startLedger() {
	s.Helper()
	s.ledger = &server{t: s.T, args: []string{s.program("cairnd"), "serve", "--dir", s.ledgerDir()}, url: "http://" + s.address}
	s.ledger.start()
}

func (s *site) token(role string, more ...string) string {
	s.Helper()
	args := append([]string{"token", "issue", role + "-1", "--dir", s.ledgerDir(), "--role", role}, more...)
	for line := range strings.Lines(s.run(0, "cairnd", args...)) {
		if strings.HasPrefix(line, "cairn_") {
			return strings.TrimSpace(line)
		}
	}
	s.Fatalf("no token of a %s was issued", role)
	return ""
}

// run runs a program, demands an exit status and returns all that it said.
func (s *site) run(status int, program string, args ...string) string {
	s.Helper()
	return s.runEnv(status, nil, program, args...)
}

// cairn runs cairn with a token.
func (s *site) cairn(status int, token string, args ...string) string {
	s.Helper()
	return s.runEnv(status, []string{"CAIRN_URL=http://" + s.address, "CAIRN_POLICY=" + s.policyFile(), "CAIRN_TOKEN=" + token}, "cairn", args...)
}

func (s *site) runEnv(status int, env []string, program string, args ...string) string {
	s.Helper()
	c := exec.Command(s.program(program), args...)
	c.Env = append(append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(s.dir, "state")), env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != status {
		s.Fatalf("%s %s: got exit status %d, want %d:\n%s", program, strings.Join(args, " "), got, status, tail(out))
	}
	return string(out)
}

func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

func (s *site) wants(out, want string) {
	s.Helper()
	if !strings.Contains(out, want) {
		s.Errorf("got %q, want %q in it", tail([]byte(out)), want)
	}
}

func (s *site) write(path, content string) {
	s.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
}

// logKeys returns the verifier keys of the ledger, from its policy.
func (s *site) logKeys() (keys []string) {
	s.Helper()
	for _, l := range s.policy().Logs {
		keys = append(keys, l.Key.String())
	}
	return keys
}

func (s *site) policy() *proofs.Policy {
	s.Helper()
	text, err := os.ReadFile(s.policyFile())
	if err != nil {
		s.Fatal(err)
	}
	p, err := proofs.ParsePolicy(text)
	if err != nil {
		s.Fatal(err)
	}
	return p
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
