package signing_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
)

// An agent's life: whatever it goes through, the key signs when it can, and
// says why when it cannot, without being made anew.
func TestAnAgentComesAndGoes(t *testing.T) {
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			socket := newSocket(t)
			a := signing.NewAgent(socket, patience)
			keys := []proofs.SigningKey{agentKey(t, a, proofs.Ed25519, 1), agentKey(t, a, proofs.Ed25519Cosignature, 1)}
			refuses := func(when, want string) {
				t.Helper()
				for _, k := range keys {
					s, err := k.SignCheckpoint(checkpoint(t), 7)
					if !errors.Is(err, proofs.ErrUnsigned) || !has(err, socket) || !has(err, want) || len(s.Bytes) > 0 {
						t.Errorf("%s: got %v, want ErrUnsigned with %q", when, err, want)
					}
				}
				if err := a.Check(keys); !has(err, want) {
					t.Errorf("%s: got %v, want %q", when, err, want)
				}
			}
			signs := func(when string) {
				t.Helper()
				for _, k := range keys {
					s, err := k.SignCheckpoint(checkpoint(t), 7)
					if err != nil {
						t.Fatalf("%s: %v", when, err)
					}
					if _, err := k.Key().CheckSignature(checkpoint(t), s); err != nil {
						t.Errorf("%s: %v", when, err)
					}
				}
				if err := a.Check(keys); err != nil {
					t.Errorf("%s: %v", when, err)
				}
			}
			refuses("before it runs", "no such file")
			r := start(t, socket)
			refuses("without keys", "it has no key, or is locked")
			r.add(t, 2)
			refuses("with another key", "it does not have the key "+signing.Fingerprint(keys[0].Key()))
			r.add(t, 1)
			signs("with the key")
			must(t, r.Lock([]byte("p")))
			refuses("locked", "it has no key, or is locked")
			must(t, r.Unlock([]byte("p")))
			signs("unlocked")
			r.stop()
			refuses("stopped", "connect: ")
			r = start(t, socket)
			r.add(t, 1)
			signs("started again")
			must(t, r.RemoveAll())
			refuses("with its keys removed", "it has no key")
		})
	}
}

// Somebody has to confirm each signature, and nobody does.
func TestWhatNobodyConfirmsIsNotSigned(t *testing.T) {
	start, ok := starters()["of OpenSSH"]
	if !ok {
		start = startRefusing
	}
	socket := newSocket(t)
	r := start(t, socket)
	key := secret(1)
	must(t, r.Add(agent.AddedKey{PrivateKey: &key, ConfirmBeforeUse: true}))
	_, err := agentKey(t, signing.NewAgent(socket, patience), proofs.Ed25519, 1).SignCheckpoint(checkpoint(t), 0)
	if !errors.Is(err, proofs.ErrUnsigned) || !has(err, "it refuses to sign with SHA256:") {
		t.Errorf("got %v, want that it refuses", err)
	}
}

// startRefusing starts an agent that lists keys and signs nothing.
func startRefusing(t testing.TB, socket string) running {
	serve(t, socket, refuseToSign(1))
	return running{agent.NewKeyring(), func() {}}
}

func TestManySignAtOnce(t *testing.T) {
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			socket := newSocket(t)
			start(t, socket).add(t, 1)
			k := agentKey(t, signing.NewAgent(socket, patience), proofs.Ed25519Cosignature, 1)
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					if _, err := k.SignCheckpoint(checkpoint(t), uint64(i+1)); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestKeysAreFoundByWhatOpenSSHCallsThem(t *testing.T) {
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	other, err := ssh.NewPublicKey(ecdsaKey.Public())
	must(t, err)
	own, err := ssh.NewPublicKey(public(1))
	must(t, err)
	fido := fidoKey()
	socket := newSocket(t)
	r := startInMemory(t, socket)
	r.add(t, 1)
	must(t, r.Add(agent.AddedKey{PrivateKey: ecdsaKey}))
	a := signing.NewAgent(socket, patience)
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	line := func(k ssh.PublicKey) string {
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) + " of a log\n"
	}
	for name, c := range map[string]struct{ choice, want string }{
		"a fingerprint":                   {ssh.FingerprintSHA256(own), ""},
		"the file of the public key":      {file("id.pub", line(own)), ""},
		"a fingerprint that nobody has":   {"SHA256:abc", "it does not have the key SHA256:abc"},
		"the fingerprint of an ECDSA key": {ssh.FingerprintSHA256(other), "no key of the type ssh-ed25519"},
		"the file of an ECDSA key":        {file("id.pub", line(other)), "no key of the type ssh-ed25519"},
		"the file of a FIDO key":          {file("id.pub", "sk-ssh-ed25519@openssh.com "+base64.StdEncoding.EncodeToString(fido)+"\n"), "it is a FIDO key"},
		"the file of a secret key":        {file("id", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"), "no file with a public key"},
		"a file that is empty":            {file("id.pub", ""), "no file with a public key"},
		"a file that is too large":        {file("id.pub", strings.Repeat("#\n", 1<<20)), "larger than"},
		"a file that is not there":        {"missing.pub", "no such file"},
	} {
		got, err := a.Find(c.choice)
		if c.want == "" && (err != nil || !got.Equal(public(1))) || c.want != "" && !has(err, c.want) {
			t.Errorf("%s: got %x and error %v, want %q", name, got, err, c.want)
		}
	}
}

// fidoKey returns the public key of a FIDO token in the form of the protocol.
func fidoKey() []byte {
	return ssh.Marshal(struct {
		Type, Public, Application string
	}{ssh.KeyAlgoSKED25519, string(public(1)), "ssh:"})
}

func TestAFIDOKeyInTheAgentIsRefused(t *testing.T) {
	socket := newSocket(t)
	serve(t, socket, func(request []byte) []byte { return identities(fidoKey()) })
	_, err := signing.NewAgent(socket, patience).Find(fingerprintOf(fidoKey()))
	if !has(err, "it is a FIDO key, which never signs a checkpoint itself") {
		t.Errorf("got %v, want why no FIDO key can be taken", err)
	}
}

func TestWithoutASocketTheErrorSaysSo(t *testing.T) {
	a := signing.NewAgent("", 0)
	_, err := agentKey(t, a, proofs.Ed25519, 1).SignCheckpoint(checkpoint(t), 0)
	if !errors.Is(err, proofs.ErrUnsigned) || !has(err, "SSH_AUTH_SOCK") {
		t.Errorf("got %v", err)
	}
	if err := a.Check(nil); err != nil {
		t.Errorf("no key is asked for: got %v", err)
	}
}

func TestOnlyEd25519KeysAreAnAgents(t *testing.T) {
	if k, err := signing.NewAgent("", 0).Key("a", proofs.MLDSA44, public(1)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("got %v, %v, want ErrMalformed", k, err)
	}
}

func BenchmarkSign(b *testing.B) {
	socket := newSocket(b)
	startInMemory(b, socket).add(b, 1)
	k := agentKey(b, signing.NewAgent(socket, time.Minute), proofs.Ed25519, 1)
	text := checkpoint(b)
	for b.Loop() {
		if _, err := k.SignCheckpoint(text, 0); err != nil {
			b.Fatal(err)
		}
	}
}
