package proofs_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"filippo.io/mldsa"

	"github.com/cairnlog/cairn/proofs"
)

// The log of these tests: refLeaves(7) are its first entries.
const (
	testOrigin = "ledger.example/audit"
	testTime   = 1795435200 // 2026-11-23 12:00:00 UTC
)

// A seededRandom is a stream of bytes that its seed decides.
type seededRandom struct {
	seed  string
	block uint64
}

func (r *seededRandom) Read(p []byte) (int, error) {
	for i := 0; i < len(p); r.block++ {
		block := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(r.seed), r.block))
		i += copy(p[i:], block[:])
	}
	return len(p), nil
}

// seededKey is the same key every time for a name and a type.
func seededKey(name string, typ proofs.KeyType) proofs.SigningKey {
	return must(proofs.GenerateKey(name, typ, &seededRandom{seed: keySeed(name, typ)}))
}

func keySeed(name string, typ proofs.KeyType) string {
	return fmt.Sprintf("cairn test key %s %d", name, typ)
}

// seedOf is the part of a signing key that is secret, in base64.
func seedOf(k proofs.SigningKey) string { return strings.SplitN(k.Secret(), "+", 5)[4] }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// checkpointText is the checkpoint of the test log at a size.
func checkpointText(size int) string {
	c := proofs.Checkpoint{Origin: testOrigin, Size: uint64(size), Root: refMTH(refLeaves(size))}
	return must(proofs.FormatCheckpoint(c))
}

// refSign signs as [proofs.SigningKey.SignCheckpoint] does, but without
// randomness, for any time, and with messages written anew from C2SP
// signed-note and tlog-cosignature.
func refSign(k proofs.SigningKey, text string, unixTime uint64) proofs.Signature {
	key := k.Key()
	var seed [32]byte
	(&seededRandom{seed: keySeed(key.Name(), key.Type())}).Read(seed[:])
	stamp := binary.BigEndian.AppendUint64(nil, unixTime)
	s := proofs.Signature{Name: key.Name(), KeyID: key.ID()}
	switch key.Type() {
	case proofs.Ed25519:
		s.Bytes = ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), []byte(text))
	case proofs.Ed25519Cosignature:
		message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", unixTime, text)
		s.Bytes = append(stamp, ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), []byte(message))...)
	case proofs.MLDSA44:
		private := must(mldsa.NewPrivateKey(mldsa.MLDSA44(), seed[:]))
		message := refMLDSAMessage(key.Name(), unixTime, must(proofs.ParseCheckpoint(text)))
		s.Bytes = append(stamp, must(private.SignDeterministic(message, nil))...)
	}
	return s
}

// refKeyID is the key ID of C2SP signed-note.
func refKeyID(name string, typ proofs.KeyType, public []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"+string(rune(typ))), public...))
	return binary.BigEndian.Uint32(sum[:4])
}

// refMLDSAMessage is the cosigned_message of C2SP tlog-cosignature.
func refMLDSAMessage(cosigner string, unixTime uint64, c proofs.Checkpoint) []byte {
	m := []byte("subtree/v1\n\x00")
	m = append(append(m, byte(len(cosigner))), cosigner...)
	m = binary.BigEndian.AppendUint64(m, unixTime)
	m = append(append(m, byte(len(c.Origin))), c.Origin...)
	m = binary.BigEndian.AppendUint64(m, 0)
	m = binary.BigEndian.AppendUint64(m, c.Size)
	return append(m, c.Root[:]...)
}

// signedBy is a note of the text, signed by each key with refSign at testTime.
func signedBy(text string, keys ...proofs.SigningKey) []byte {
	n := proofs.Note{Text: text}
	for _, k := range keys {
		n.Signatures = append(n.Signatures, refSign(k, text, testTime))
	}
	return proofs.FormatNote(n)
}

// lines joins lines, each with a newline at its end.
func lines(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

// wantEqual fails the test where got is not want.
func wantEqual[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
