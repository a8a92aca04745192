package signing_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
)

// FuzzAnswers has an agent answer every request with some bytes, and break
// off.
func FuzzAnswers(f *testing.F) {
	f.Add(message(failure))
	f.Add(append(message(failure), identities(keyBlob(1), keyBlob(2), fidoKey())...))
	f.Add(signature("ssh-ed25519", make([]byte, 64)))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, signed})
	socket := newSocket(f)
	answers := make(chan []byte, 1)
	serveConns(f, socket, answerOnce(answers))
	a := signing.NewAgent(socket, time.Second)
	k := agentKey(f, a, proofs.Ed25519, 1)
	text := checkpoint(f)
	f.Fuzz(func(t *testing.T, answer []byte) {
		answers <- answer
		if s, err := k.SignCheckpoint(text, 0); !errors.Is(err, proofs.ErrUnsigned) {
			t.Errorf("got %v, %v, want ErrUnsigned", s, err)
		}
		answers <- answer
		if found, err := a.Find(signing.Fingerprint(k.Key())); err == nil && !found.Equal(public(1)) {
			t.Errorf("got the key %x, want %x", found, public(1))
		}
	})
}
