package cmd_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// TestRealEventsThroughTheRealPrograms does what a new user would do: three
// witnesses and a ledger with a policy of two of them, as processes; two sets
// of real audit events; everything read back and verified; witnesses that
// stop; a ledger's directory brought back from the past.
func TestRealEventsThroughTheRealPrograms(t *testing.T) {
	s := newSite(t)
	sets := []eventSet{
		{zip: "cloudtrail-s3-exfiltration.zip", key: "eventID"},
		{zip: "windows-persistence.zip", key: "Hostname,Channel,RecordNumber"},
	}
	if testing.Short() {
		sets = sets[:1]
	}
	past := filepath.Join(s.dir, "past")
	var want [][]byte
	for i, set := range sets {
		file, lines := s.unpack(set.zip)
		out := s.cairn(0, s.writer, "append", "--ndjson", file, "--idempotency-field", set.key)
		s.wants(out, fmt.Sprintf("%d events recorded, 0 were there already, 0 refused", len(lines)))
		out = s.cairn(0, s.writer, "append", "--ndjson", file, "--idempotency-field", set.key)
		s.wants(out, fmt.Sprintf("0 events recorded, %d were there already, 0 refused", len(lines)))
		want = append(want, lines...)
		if i == 0 {
			s.ledger.stop()
			s.copyLedger(past)
			s.startLedger()
		}
	}
	indices := s.readBack(want)
	s.cairn(0, s.reader, "audit")
	export := filepath.Join(s.dir, "export")
	s.cairn(0, s.auditor, "export", "--vault", export)
	s.verifyOffline(indices, export)
	s.findFlippedBits(export)
	s.startLedger()
	s.witnessesStop()
	s.pastIsRefused(past)
}

type eventSet struct{ zip, key string }

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
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
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

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, dir: t.TempDir(), address: freeAddress(t)}
	var policy strings.Builder
	var names []string
	for i := range 3 {
		name, address := fmt.Sprintf("w%d.example", i), freeAddress(t)
		dir := filepath.Join(s.dir, name)
		for line := range strings.Lines(s.run(0, "cairn-witness", "init", "--name", name, "--dir", dir, "--listen", address)) {
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
	s.run(0, "cairnd", "init", "--dir", s.ledgerDir(), "--origin", "log.example/audit", "--witnesses", lines)
	s.write(filepath.Join(s.ledgerDir(), "cairn.toml"), fmt.Sprintf("[listen]\naddress = %q\n", s.address))
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

// unpack unpacks a set of events and returns the file and its lines.
func (s *site) unpack(name string) (string, [][]byte) {
	s.Helper()
	z, err := zip.OpenReader(filepath.Join("..", "testdata", "events", name))
	if err != nil {
		s.Fatal(err)
	}
	defer z.Close()
	f, err := z.File[0].Open()
	if err != nil {
		s.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		s.Fatal(err)
	}
	file := filepath.Join(s.dir, strings.TrimSuffix(name, ".zip")+".ndjson")
	s.write(file, string(data))
	var lines [][]byte
	for line := range bytes.Lines(data) {
		lines = append(lines, bytes.TrimRight(line, "\r\n"))
	}
	return file, lines
}

// readBack follows the log from its start and compares every payload with
// what was sent, byte for byte; batches that were under way together may be in
// another order. It returns the indices of the events.
func (s *site) readBack(want [][]byte) (indices []uint64) {
	s.Helper()
	missing := make(map[string]int)
	for _, line := range want {
		missing[string(line)]++
	}
	log, err := client.Dial("http://"+s.address, client.Options{Token: s.reader})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	for e, err := range log.Tail(ctx, client.TailQuery{Stream: "default"}) {
		if err != nil {
			s.Fatalf("after %d events: %v", len(indices), err)
		}
		leaf, err := proofs.ParseLeaf(e.Leaf)
		if err != nil {
			s.Fatal(err)
		}
		if err := e.Disclosure.Check(leaf); err != nil {
			s.Fatalf("entry %d: %v", e.Index, err)
		}
		got := e.Disclosure.Parts[0].Data
		if missing[string(got)]--; missing[string(got)] < 0 {
			s.Fatalf("entry %d: got %.100q, which was not sent so often", e.Index, got)
		}
		if indices = append(indices, e.Index); len(indices) == len(want) {
			break
		}
	}
	return indices
}

// verifyOffline verifies the receipts of a random sample, and the export,
// with the server stopped.
func (s *site) verifyOffline(indices []uint64, export string) {
	s.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	var receipts []string
	for range 20 {
		index := indices[rng.IntN(len(indices))]
		receipt := filepath.Join(s.dir, fmt.Sprintf("%d.tlog-proof", index))
		s.cairn(0, s.reader, "prove", "inclusion", fmt.Sprint(index), "-o", receipt)
		receipts = append(receipts, receipt)
	}
	if status := s.ledger.stop(); status != 0 {
		s.Errorf("cairnd serve: got exit status %d at SIGTERM, want 0: %s", status, s.ledger.talk)
	}
	for _, receipt := range receipts {
		s.wants(s.run(0, "cairn", "verify", "--policy", s.policyFile(), receipt), "verifies")
	}
	s.flip(receipts[0])
	s.run(1, "cairn", "verify", "--policy", s.policyFile(), receipts[0])
	s.run(0, "cairn", "audit", "--policy", s.policyFile(), export)
}

// findFlippedBits flips one bit in a file of each kind and lets the auditor
// find it.
func (s *site) findFlippedBits(export string) {
	s.Helper()
	for _, dir := range []string{"checkpoint", "tile/0", "tile/entries", "vault"} {
		path := firstFile(s.T, filepath.Join(export, filepath.FromSlash(dir)))
		before, err := os.ReadFile(path)
		if err != nil {
			s.Fatal(err)
		}
		s.flip(path)
		out := s.run(1, "cairn", "audit", "--policy", s.policyFile(), export)
		name, err := filepath.Rel(export, path)
		if err != nil {
			s.Fatal(err)
		}
		s.wants(out, filepath.ToSlash(name))
		s.write(path, string(before))
	}
}

func firstFile(t *testing.T, path string) (first string) {
	t.Helper()
	err := filepath.WalkDir(path, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			first = path
			return filepath.SkipAll
		}
		return err
	})
	if err != nil || first == "" {
		t.Fatalf("%s: there is no file (%v)", path, err)
	}
	return first
}

// flip flips one bit in the middle of a file.
func (s *site) flip(path string) {
	s.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	data[len(data)/2] ^= 1
	s.write(path, string(data))
}

// witnessesStop stops two of the three witnesses: nothing is published, but
// entries are still integrated. When they are back nothing is lost.
func (s *site) witnessesStop() {
	s.Helper()
	s.witnesses[0].stop()
	s.witnesses[2].stop()
	s.wants(s.cairn(0, s.writer, "append", "--wait", "integrated", "--idempotency-key", "while-down", `{"while":"down"}`), "integrated")
	out := s.runEnv(3, []string{"CAIRN_URL=http://" + s.address, "CAIRN_POLICY=" + s.policyFile(), "CAIRN_TOKEN=" + s.writer},
		"cairn", "append", "--timeout", "2s", "--idempotency-key", "never-witnessed", `{"never":"witnessed"}`)
	if strings.Contains(out, "witnessed  ") {
		s.Errorf("an entry was reported as witnessed without a quorum: %s", out)
	}
	s.wants(s.run(1, "cairnd", "status", "--dir", s.ledgerDir()), "the quorum of witnesses does not cosign")
	if published, integrated := s.ledger.metric("cairn_size_published"), s.ledger.metric("cairn_size_integrated"); published >= integrated {
		s.Errorf("metrics: %v entries are published and %v integrated, want fewer published", published, integrated)
	}
	s.witnesses[0].start()
	s.witnesses[2].start()
	for _, key := range []string{"while-down", "never-witnessed"} {
		data := map[string]string{"while-down": `{"while":"down"}`, "never-witnessed": `{"never":"witnessed"}`}[key]
		s.wants(s.cairn(0, s.writer, "append", "--idempotency-key", key, data), "was there")
	}
}

func (s *site) copyLedger(to string) {
	s.Helper()
	if err := os.CopyFS(to, os.DirFS(s.ledgerDir())); err != nil {
		s.Fatal(err)
	}
	for _, key := range []string{"log.key", "secrets.key"} {
		if err := os.Chmod(filepath.Join(to, "keys", key), 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

// pastIsRefused serves the directory of an earlier time: it signs nothing,
// says why, and ends with status 1.
func (s *site) pastIsRefused(past string) {
	s.Helper()
	s.ledger.stop()
	out := s.run(1, "cairnd", "serve", "--dir", past)
	s.wants(out, "has cosigned size")
	s.startLedger()
	s.cairn(0, s.writer, "append", `{"after":"the past"}`)
	s.cairn(0, s.reader, "audit")
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
