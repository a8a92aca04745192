package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/ledgertest"
	"github.com/cairnlog/cairn/ledger/local"
)

// A session is a user with a ledger, who runs commands in this process.
type session struct {
	t     *testing.T
	world *ledgertest.World
	env   map[string]string

	terminal bool // everything is one
	maxKept  int  // 0: as many as ever

	publishing time.Duration // 0: as long as ever

	before func(*http.Request) // happens before the server sees a request; nil: nothing
}

func newSession(t *testing.T) *session {
	t.Helper()
	return newSessionOf(t, ledgertest.Open(t, local.Config{}))
}

// newSessionOf returns a user with a ledger that is there already.
func newSessionOf(t *testing.T, world *ledgertest.World) *session {
	t.Helper()
	s := &session{t: t, world: world}
	tokens, err := identity.OpenTokens(t.Context(), identity.TokensConfig{Register: s.world.Tokens})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := identity.New(identity.Options{Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	api, err := httpapi.New(httpapi.Config{Ledger: s.world.Ledger, Identities: identities})
	if err != nil {
		t.Fatal(err)
	}
	handler := api.Handler(httpapi.Every)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.before != nil {
			s.before(r)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		api.EndTails()
		server.Close()
	})
	policy := filepath.Join(t.TempDir(), "policy")
	if err := os.WriteFile(policy, s.world.PolicyText, 0o600); err != nil {
		t.Fatal(err)
	}
	s.env = map[string]string{"CAIRN_URL": server.URL, "CAIRN_POLICY": policy, "HOME": t.TempDir()}
	for name, g := range map[string]identity.Grant{
		"writer":  {Name: "app", Role: identity.Writer, Streams: []string{identity.EveryStream}},
		"reader":  {Name: "alice", Role: identity.Reader, Streams: []string{identity.EveryStream}},
		"auditor": {Name: "audit", Role: identity.Auditor},
	} {
		if s.env[name], _, err = tokens.Issue(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run runs a command with the token of a role and returns its status and
// what it printed.
func (s *session) run(role string, args ...string) (status int, stdout, stderr string) {
	return s.runUntil(s.t.Context(), role, args...)
}

// runUntil is run that is interrupted when a context ends.
func (s *session) runUntil(ctx context.Context, role string, args ...string) (status int, stdout, stderr string) {
	var out, talk bytes.Buffer
	status = s.program(role, &out, &talk).run(ctx, args)
	return status, out.String(), talk.String()
}

func (s *session) program(role string, stdout, stderr *bytes.Buffer) *program {
	return &program{
		Program: command.Program{Name: "cairn", Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr}, clock: time.Now,
		rand: rand.NewChaCha8([32]byte{5}), terminal: func(any) bool { return s.terminal },
		maxKept: cmp.Or(s.maxKept, maxKept), publishing: cmp.Or(s.publishing, publishPatience),
		env: func(name string) string {
			if name == "CAIRN_TOKEN" {
				return s.env[role]
			}
			return s.env[name]
		},
	}
}

// must runs a command that must exit with 0.
func (s *session) must(role string, args ...string) (stdout string) {
	s.t.Helper()
	status, stdout, stderr := s.run(role, args...)
	if status != command.Yes {
		s.t.Fatalf("cairn %s: exit status %d\n%s%s", strings.Join(args, " "), status, stdout, stderr)
	}
	return stdout
}

// filesOf returns the paths of the files of an export that audit judges.
func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path != "log" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("the export has only the files %v", files)
	}
	return files
}

func TestEveryFlippedBitOfAnExportIsFound(t *testing.T) {
	s := newSession(t)
	dir := t.TempDir()
	events := filepath.Join(dir, "events.ndjson")
	if err := os.WriteFile(events, bytes.Repeat([]byte("{\"actor\":\"alice\"}\n"), 300), 0o600); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy")
	s.must("writer", "append", "--ndjson", events)
	receipt := filepath.Join(dir, "100.tlog-proof")
	s.must("", "prove", "receipt", "100", "-o", receipt) // before: an export is recorded, and so newer
	s.must("auditor", "export", "--vault", copied)
	if err := errors.Join(os.Mkdir(filepath.Join(copied, "receipts"), 0o700), os.Rename(receipt, filepath.Join(copied, "receipts", "100.tlog-proof"))); err != nil {
		t.Fatal(err)
	}
	s.must("", "audit", copied)
	files := filesOf(t, copied)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, path := range files {
		full := filepath.Join(copied, path)
		sound, err := os.ReadFile(full)
		if err != nil {
			t.Fatal(err)
		}
		flips := 3
		if testing.Short() {
			flips = 1
		}
		for range flips {
			at, bit := rng.IntN(len(sound)), rng.IntN(8)
			damaged := bytes.Clone(sound)
			damaged[at] ^= 1 << bit
			if err := os.WriteFile(full, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			status, stdout, stderr := s.run("", "audit", copied)
			if status != command.No || !strings.Contains(stdout, path) {
				t.Errorf("bit %d of byte %d of %s: got status %d, want %d and a finding that names the file\n%s%s", bit, at, path, status, command.No, stdout, stderr)
			}
		}
		if err := os.WriteFile(full, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.must("", "audit", copied)
}

// What a web server has of an export is a ledger that lists nothing.
func TestAWebServerOfAnExportIsALedger(t *testing.T) {
	s := newSession(t)
	s.must("writer", "append", "{}")
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	s.must("", "export", first)
	server := httptest.NewServer(http.FileServer(http.Dir(first)))
	defer server.Close()
	s.env["CAIRN_URL"] = server.URL
	for args, want := range map[string]string{
		"audit":            "Not judged: kept checkpoints",
		"export " + second: "entries of ledger.example/test are in",
	} {
		status, stdout, stderr := s.run("", strings.Fields(args)...)
		if status != command.Yes || !strings.Contains(stdout+stderr, want) || !strings.Contains(stderr, "the checkpoints that the ledger keeps are left out: ") {
			t.Errorf("%s: got status %d and\n%s%s, want %q and that kept checkpoints are left out", args, status, stdout, stderr, want)
		}
	}
	s.must("", "audit", second)
}

func TestAServerThatIsNotTrustedIsNotAsked(t *testing.T) {
	s := newSession(t)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	s.env["CAIRN_URL"] = server.URL
	status, _, stderr := s.run("reader", "get", "1")
	if status != command.Unknown || !strings.Contains(stderr, "certificate") || !strings.Contains(stderr, "hint: nobody whom this system trusts") {
		t.Errorf("got status %d and %q, want that the certificate is not trusted, and how to trust it", status, stderr)
	}
}

// A signalBuffer tells when something was written to it.
type signalBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{}
	once    sync.Once
}

func (b *signalBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.once.Do(func() { close(b.written) })
	return b.b.Write(p)
}

func TestTailEndsWellWhenItIsInterrupted(t *testing.T) {
	s := newSession(t)
	s.must("writer", "append", "{}") // so that something is published
	var stderr bytes.Buffer
	out := &signalBuffer{written: make(chan struct{})}
	p := s.program("reader", nil, &stderr)
	p.Stdout = out
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-out.written
		cancel()
	}()
	if status := p.run(ctx, []string{"tail", "--from", "0"}); status != command.Yes || stderr.Len() > 0 {
		t.Errorf("got status %d and %q, want %d and nothing to say", status, &stderr, command.Yes)
	}
}

func TestOthersSayThatTheyWereInterrupted(t *testing.T) {
	s := newSession(t)
	s.must("writer", "append", "{}")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	status := s.program("auditor", &stdout, &stderr).run(ctx, []string{"export", filepath.Join(t.TempDir(), "copy")})
	if status != command.Unknown || stderr.String() != "cairn: interrupted\n" {
		t.Errorf("got status %d and %q, want %d and that it was interrupted", status, &stderr, command.Unknown)
	}
}

// verifierOf returns what commands speak to the ledger through.
func (s *session) verifierOf(role string) (*client.Verifier, client.Log) {
	s.t.Helper()
	p := s.program(role, new(bytes.Buffer), new(bytes.Buffer))
	src, err := p.source()
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := p.verifier(s.t.Context(), src)
	if err != nil {
		s.t.Fatal(err)
	}
	return v, src.log
}

func TestAnOutputThatIsNoFileStaysWhatItIs(t *testing.T) {
	s := newSession(t)
	index, _, _ := strings.Cut(s.must("writer", "append", "{}"), " ")
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the target is made, and written over
		s.must("reader", "get", index, "-o", link)
		if got, err := os.ReadFile(target); err != nil || string(got) != "{}" {
			t.Errorf("got %q and error %v, want the payload where the link leads", got, err)
		}
	}
}
