package cmd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

// agentKeys are keys in an ssh-agent, OpenSSH's where it is installed, which
// comes and goes.
type agentKeys struct {
	*site
	socket string
	keys   [4]ed25519.PrivateKey // of the ledger and of three witnesses
	agent  agent.Agent
	stop   func()
}

func newAgentKeys(t *testing.T) *agentKeys {
	t.Helper()
	socket, remove, err := agenttest.Socket()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	k := &agentKeys{socket: socket}
	dir := t.TempDir()
	var made [4][]string
	for i := range k.keys {
		k.keys[i] = ed25519.NewKeyFromSeed(fmt.Appendf(nil, "the seed of key number %d, 32 bytes", i)[:32])
		public, err := ssh.NewPublicKey(k.keys[i].Public())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.pub", i))
		if err := os.WriteFile(file, ssh.MarshalAuthorizedKey(public), 0o600); err != nil {
			t.Fatal(err)
		}
		made[i] = []string{"--ssh-key", file, "--ssh-agent", socket}
	}
	k.site = &site{T: t}
	k.start()
	t.Cleanup(func() { k.stop() })
	k.site = newSiteBy(t, made, fmt.Sprintf("ssh_agent = %q", socket))
	return k
}

// start starts the agent and gives it its keys.
func (k *agentKeys) start() {
	k.Helper()
	var a interface {
		agent.Agent
		io.Closer
	}
	a, err := agenttest.StartProgram(k.socket)
	if errors.Is(err, exec.ErrNotFound) {
		a, err = agenttest.Start(k.socket)
	}
	if err != nil {
		k.Fatal(err)
	}
	k.agent = a
	k.stop = sync.OnceFunc(func() {
		if err := a.Close(); err != nil {
			k.Error(err)
		}
	})
	for _, key := range k.keys {
		if err := a.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			k.Fatal(err)
		}
	}
}

// forget takes the ledger's key away, and leaves those of the witnesses. Without
// theirs a ledger may wait for cosignatures of what it signed just before, and
// would not notice that its own is away.
func (k *agentKeys) forget() {
	k.Helper()
	public, err := ssh.NewPublicKey(k.keys[0].Public())
	if err == nil {
		err = k.agent.Remove(public)
	}
	if err != nil {
		k.Fatal(err)
	}
}

// TestAgentGoesAndComesUnderLoad takes the keys of a ledger and of its three
// witnesses away, under a load of appends, and kills the ledger meanwhile. What
// was acknowledged is there, nobody signed two histories, and no secret is in
// a file or in what the programs say.
func TestAgentGoesAndComesUnderLoad(t *testing.T) {
	k := newAgentKeys(t)
	k.ledger.awaitReady()
	l := &load{acked: make(map[int]client.Appended)}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { k.keepLoading(ctx, l) })
	}
	defer wg.Wait()
	defer cancel()
	var said strings.Builder
	for round := range 2 {
		time.Sleep(300 * time.Millisecond)
		k.forget()
		k.awaitMetric("cairn_signing_paused", 1)
		k.stop()
		k.wants(k.run(1, "cairnd", "status", "--dir", k.ledgerDir()), "takes entries; signing pauses until the key can be used again")
		signed := k.ledger.metric("cairn_size_signed")
		if round == 1 { // its start has nothing to sign with
			k.ledger.kill()
			said.WriteString(k.ledger.talk.String())
			k.ledger.start()
		}
		time.Sleep(300 * time.Millisecond)
		if now := k.ledger.metric("cairn_size_signed"); now != signed {
			t.Errorf("%v entries were signed without the key, after %v", now, signed)
		}
		k.start()
		k.awaitMetric("cairn_signing_paused", 0)
		k.ledger.awaitReady()
	}
	time.Sleep(300 * time.Millisecond)
	cancel()
	wg.Wait()
	k.checkLoad(l)
	k.checkWitnesses()
	k.wants(k.run(0, "cairnd", "status", "--dir", k.ledgerDir()), "takes entries")
	said.WriteString(k.ledger.talk.String())
	for _, w := range k.witnesses {
		said.WriteString(w.talk.String())
	}
	k.wants(said.String(), "signing pauses until the signing key can be used again")
	k.findsNoSecret("what the programs say", []byte(said.String()))
	k.findsNoSecretIn(k.dir)
}

// keepLoading appends events whatever becomes of single ones.
func (s *site) keepLoading(ctx context.Context, l *load) {
	log, err := client.Dial("http://"+s.address, client.Options{Token: s.writer, Attempts: 1})
	if err != nil {
		s.Error(err)
		return
	}
	for ctx.Err() == nil {
		l.run(ctx, log)
		time.Sleep(50 * time.Millisecond)
	}
}

// awaitMetric waits until the ledger serves a value.
func (s *site) awaitMetric(name string, want float64) {
	s.Helper()
	for end := time.Now().Add(30 * time.Second); s.ledger.metric(name) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("%s is never %v: %s", name, want, s.ledger.talk)
		}
	}
}

// findsNoSecret looks for the secrets of the agent's keys, and for those of
// other keys in a form that signs.
func (k *agentKeys) findsNoSecret(where string, data []byte) {
	k.Helper()
	for _, key := range k.keys {
		for _, form := range []string{string(key.Seed()), fmt.Sprintf("%x", key.Seed()), base64.StdEncoding.EncodeToString(key.Seed())} {
			if bytes.Contains(data, []byte(form)) {
				k.Errorf("%s: a secret of the agent", where)
			}
		}
	}
	if bytes.Contains(data, []byte("PRIVATE+KEY")) && filepath.Base(where) != "witness.key" {
		k.Errorf("%s: a signing key", where)
	}
}

func (k *agentKeys) findsNoSecretIn(dir string) {
	k.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		k.findsNoSecret(path, data)
		return err
	})
	if err != nil {
		k.Error(err)
	}
}
