package local_test

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

// An agentSocket is where an ssh-agent with one key comes and goes.
type agentSocket struct {
	t       *testing.T
	path    string
	private ed25519.PrivateKey
}

func newAgentSocket(t *testing.T) agentSocket {
	t.Helper()
	path, remove, err := agenttest.Socket()
	must(t, err)
	t.Cleanup(remove)
	return agentSocket{t, path, ed25519.NewKeyFromSeed([]byte("the seed of a key on some token."))}
}

// start starts an agent that has the key, and returns what ends it.
func (s agentSocket) start() (stop func()) {
	s.t.Helper()
	a, err := agenttest.Start(s.path)
	must(s.t, err)
	must(s.t, a.Add(agent.AddedKey{PrivateKey: s.private}))
	return func() { must(s.t, a.Close()) }
}

// options are those of a ledger that the agent signs for.
func (s agentSocket) options() local.InitOptions {
	return local.Quick(local.InitOptions{
		Origin: initOrigin, AgentKey: s.private.Public().(ed25519.PublicKey),
		Config: local.Config{SSHAgent: s.path, Heartbeat: "1s"},
	})
}

func TestAgentSignsForALedger(t *testing.T) {
	for name, passphrase := range map[string]string{"key files in clear": "", "key files with a passphrase": "p"} {
		t.Run(name, func(t *testing.T) {
			s := newAgentSocket(t)
			o := s.options()
			o.PostQuantum, o.Passphrase = true, passphrase
			stop := s.start()
			dir := filepath.Join(t.TempDir(), "ledger")
			must(t, local.Init(t.Context(), dir, o))
			opened := local.Options{Passphrase: func() (string, error) { return passphrase, nil }}
			d := open(t, dir, opened)
			first := appendOne(t, d, payload(1, 100))
			receipt, err := proofs.ParseReceipt(first.Receipt)
			must(t, err)
			if v, err := receipt.Check(d.Policy, first.Leaf); err != nil || len(v.LogKeys) != 2 {
				t.Errorf("got %d log keys, %v, want the agent's and the ML-DSA-44 one", len(v.LogKeys), err)
			}
			must(t, d.Close())
			stop()

			d = open(t, dir, opened)
			defer d.Close()
			_, err = d.Ledger.As(ledger.Caller{Name: "alice"}).Append(t.Context(), ledger.DefaultStream, []client.Event{payload(2, 100)}, client.Sequenced)
			var p *client.Problem
			if !errors.As(err, &p) || p.Code() != client.Unavailable {
				t.Errorf("got %v, want unavailable while the agent is away", err)
			}
			for end := time.Now().Add(time.Minute); !strings.Contains(d.Ledger.Status().Paused, s.path); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the status says %q, want that the agent at %s is away", d.Ledger.Status().Paused, s.path)
				}
			}
			defer s.start()()
			second := appendOne(t, d, payload(2, 100))
			if !second.Duplicate || second.State != client.Witnessed {
				t.Errorf("got %+v, want the event that was recorded while the agent was away", second)
			}
		})
	}
}

func TestKeyFileOfAnAgentHoldsNoSecretOfIt(t *testing.T) {
	s := newAgentSocket(t)
	defer s.start()()
	dir := filepath.Join(t.TempDir(), "ledger")
	must(t, local.Init(t.Context(), dir, s.options()))
	data, err := os.ReadFile(filepath.Join(dir, "keys", "log.key"))
	must(t, err)
	if text := string(data); strings.Contains(text, "PRIVATE") || !strings.Contains(text, "\nssh-agent "+initOrigin+"+") || !strings.Contains(text, "\n# SHA256:") {
		t.Errorf("got\n%s", text)
	}
}

func TestSocketOfTheOptionsIsForConfigurationsWithoutOne(t *testing.T) {
	s, other := newAgentSocket(t), newAgentSocket(t)
	defer s.start()()
	for name, c := range map[string]struct {
		configured, option string
		signs              bool
	}{
		"only the options name it":      {"", s.path, true},
		"the configuration comes first": {s.path, other.path, true},
		"also where it is wrong":        {other.path, s.path, false},
		"nothing names it":              {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := s.options()
			o.Config.SSHAgent, o.SSHAgent = c.configured, c.option
			err := local.Init(t.Context(), filepath.Join(t.TempDir(), "ledger"), o)
			if c.signs != (err == nil) || !c.signs && !errors.Is(err, proofs.ErrUnsigned) {
				t.Errorf("got %v, want that it signs: %v", err, c.signs)
			}
		})
	}
}

func TestInitGoesOnWhenTheAgentIsBack(t *testing.T) {
	s := newAgentSocket(t)
	dir := filepath.Join(t.TempDir(), "ledger")
	o := s.options()
	if err := local.Init(t.Context(), dir, o); !errors.Is(err, proofs.ErrUnsigned) {
		t.Fatalf("got %v, want ErrUnsigned", err)
	}
	for name, other := range map[string]ed25519.PublicKey{
		"no key of an agent":   nil,
		"another of the agent": ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey),
	} {
		wrong := o
		wrong.AgentKey = other
		if err := local.Init(t.Context(), dir, wrong); !errors.Is(err, ledger.ErrExists) || !strings.Contains(err.Error(), "log.key") {
			t.Errorf("%s: got %v, want ErrExists of log.key", name, err)
		}
	}
	defer s.start()()
	must(t, local.Init(t.Context(), dir, o))
	d := open(t, dir, local.Options{})
	appendOne(t, d, payload(1, 100))
	must(t, d.Close())
}

func TestAgentMayRestartUnderLoad(t *testing.T) {
	s := newAgentSocket(t)
	stop := s.start()
	dir := filepath.Join(t.TempDir(), "ledger")
	must(t, local.Init(t.Context(), dir, s.options()))
	d := open(t, dir, local.Options{})
	defer d.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 10 {
			stop()
			time.Sleep(5 * time.Millisecond)
			stop = s.start()
			time.Sleep(5 * time.Millisecond)
		}
	}()
	for i := range 30 {
		appendOne(t, d, payload(int64(i), 100))
	}
	<-ended
	stop()
	if err := d.Ledger.Stopped(); err != nil {
		t.Errorf("the ledger stopped: %v", err)
	}
}
