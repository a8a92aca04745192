package proofs

import (
	"crypto/rand"
	"errors"
	"testing"
)

func TestPromise(t *testing.T) {
	key, err := GenerateKey("example.com/log", Ed25519, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	policy := &Policy{Logs: []PolicyLog{{Key: key.Key()}}, Quorum: NoQuorum}
	leaves := [][]byte{[]byte("a"), []byte("b"), []byte("c")}
	left := NodeHash(LeafHash(leaves[0]), LeafHash(leaves[1]))
	root := NodeHash(left, LeafHash(leaves[2]))
	text := PromiseText{Origin: "example.com/log", State: "sequenced", Start: 7, End: 10, Root: root, Time: 5}
	note, err := key.SignPromise(text)
	if err != nil {
		t.Fatal(err)
	}
	p := Promise{Note: note, Proof: []Hash{left}}
	if got, err := p.Check(policy, 9, leaves[2]); err != nil || got != text {
		t.Fatalf("the last leaf of the batch: got %v, %v, want %v", got, err, text)
	}
	other, _ := GenerateKey("example.com/log", Ed25519, rand.Reader)
	forged, err := other.SignPromise(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]func() error{
		"another index":    func() error { _, err := p.Check(policy, 8, leaves[2]); return err },
		"beyond the batch": func() error { _, err := p.Check(policy, 10, leaves[2]); return err },
		"before the batch": func() error { _, err := p.Check(policy, 6, leaves[2]); return err },
		"another leaf":     func() error { _, err := p.Check(policy, 9, leaves[1]); return err },
		"a key not believed": func() error {
			_, err := (Promise{Note: forged, Proof: p.Proof}).Check(policy, 9, leaves[2])
			return err
		},
	} {
		if err := check(); !errors.Is(err, ErrNotVerified) {
			t.Errorf("%s: got %v, want ErrNotVerified", name, err)
		}
	}
	if _, err := ParseSignedCheckpoint(note); err == nil {
		t.Error("a promise parses as a checkpoint")
	}
}

func FuzzParsePromiseText(f *testing.F) {
	f.Add("cairn/v1 promise by o\nsequenced\n0 1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n1\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePromiseText(text)
		if err != nil {
			return
		}
		if again, err := FormatPromiseText(p); err != nil || again != text {
			t.Fatalf("got %q, %v, want %q", again, err, text)
		}
	})
}
