package signing_test

import (
	"crypto/ed25519"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

// patience is longer than anything may take on a busy machine.
const patience = 30 * time.Second

// A running is an ssh-agent that a test can use as ssh-add does, and stop.
type running struct {
	agent.Agent
	stop func()
}

// starters start the ssh-agents that are tested with: one in this process, and
// OpenSSH's where it is installed.
func starters() map[string]func(t testing.TB, socket string) running {
	all := map[string]func(testing.TB, string) running{"in memory": startInMemory}
	if _, err := exec.LookPath("ssh-agent"); err == nil {
		all["of OpenSSH"] = startOpenSSH
	}
	return all
}

func startInMemory(t testing.TB, socket string) running {
	a, err := agenttest.Start(socket)
	must(t, err)
	stop := once(func() { must(t, a.Close()) })
	t.Cleanup(stop)
	return running{a, stop}
}

func startOpenSSH(t testing.TB, socket string) running {
	a, err := agenttest.StartProgram(socket)
	must(t, err)
	stop := once(func() { must(t, a.Close()) })
	t.Cleanup(stop)
	return running{a, stop}
}

func once(f func()) func() {
	return func() {
		if f != nil {
			f()
		}
		f = nil
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newSocket returns the path of a socket that nobody listens at yet.
func newSocket(t testing.TB) string {
	t.Helper()
	path, remove, err := agenttest.Socket()
	must(t, err)
	t.Cleanup(remove)
	return path
}

// secret returns one of the keys of the tests.
func secret(number byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = number
	return ed25519.NewKeyFromSeed(seed)
}

func public(number byte) ed25519.PublicKey { return secret(number).Public().(ed25519.PublicKey) }

func (r running) add(t testing.TB, number byte) {
	t.Helper()
	key := secret(number)
	must(t, r.Add(agent.AddedKey{PrivateKey: &key, Comment: "test"}))
}

// agentKey returns a key that an agent has.
func agentKey(t testing.TB, a *signing.Agent, typ proofs.KeyType, number byte) proofs.SigningKey {
	t.Helper()
	k, err := a.Key("example.com/log", typ, public(number))
	must(t, err)
	return k
}

// checkpoint returns the text of some checkpoint.
func checkpoint(t testing.TB) string {
	t.Helper()
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: "example.com/log", Root: proofs.EmptyRoot()})
	must(t, err)
	return text
}

// has reports whether an error says something.
func has(err error, want string) bool {
	return err != nil && strings.Contains(err.Error(), want)
}
