package ledger

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// An outside key is one that somebody else keeps, and is away on demand.
type outsideKey struct {
	ed25519.PrivateKey

	mu     sync.Mutex
	away   func() error           // nil: it is there
	signed map[uint64]proofs.Hash // the root of each size that it signed
	forked bool                   // two roots of one size
	asked  int                    // how often it was asked for a checkpoint
}

func (k *outsideKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, err := proofs.ParseCheckpoint(string(message))
	if err == nil {
		k.asked++
	}
	if k.away != nil {
		if err := k.away(); err != nil {
			return nil, err
		}
	}
	if err == nil {
		root, seen := k.signed[c.Size]
		k.forked = k.forked || seen && root != c.Root
		k.signed[c.Size] = c.Root
	}
	return k.PrivateKey.Sign(nil, message, opts)
}

var errAway = errors.New("ssh-agent /run/agent: no such file")

func (k *outsideKey) leave()    { k.behave(func() error { return errAway }) }
func (k *outsideKey) comeBack() { k.behave(nil) }

func (k *outsideKey) behave(away func() error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.away = away
}

// outsideWorld is a world whose log is signed for by an outside key.
func outsideWorld(t *testing.T) (*world, *outsideKey) {
	t.Helper()
	w := newWorld(t)
	k := &outsideKey{PrivateKey: ed25519.NewKeyFromSeed(make([]byte, 32)), signed: make(map[uint64]proofs.Hash)}
	key, err := proofs.NewSigningKey(w.keys[0].Key().Name(), proofs.Ed25519, k)
	if err != nil {
		t.Fatal(err)
	}
	w.setPolicy(strings.ReplaceAll(string(w.text), w.keys[0].Key().String(), key.Key().String()))
	w.keys = []proofs.SigningKey{key}
	for _, tw := range w.witnesses {
		tw.log = key.Key()
	}
	t.Cleanup(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.forked {
			t.Error("two roots of one size were signed")
		}
		for _, tw := range w.witnesses {
			if tw.fork != "" {
				t.Error(tw.fork)
			}
		}
	})
	return w, k
}
