package client_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// consistency returns two checkpoints of a log and the proof between them.
func consistency(t testing.TB, from, to int) (old, latest proofs.Checkpoint, p client.ConsistencyProof) {
	t.Helper()
	l := newCheatingLog(t)
	l.grow(to, "true", 1000)
	latest = proofs.Checkpoint{Origin: logOrigin, Size: uint64(to), Root: rootOf(l.leaves)}
	old = proofs.Checkpoint{Origin: logOrigin, Size: uint64(from), Root: rootOf(l.leaves[:from])}
	hashes, err := proofs.ProveConsistency(ctx, uint64(from), uint64(to), proofs.NewReader(latest, l))
	if err != nil {
		t.Fatal(err)
	}
	return old, latest, client.ConsistencyProof{Old: uint64(from), New: uint64(to), Hashes: hashes}
}

func TestConsistencyProofsAreWrittenAndCheck(t *testing.T) {
	for _, sizes := range [][2]int{{0, 0}, {0, 5}, {5, 5}, {3, 5}, {4, 8}, {255, 300}} {
		old, latest, p := consistency(t, sizes[0], sizes[1])
		b := client.FormatConsistencyProof(p)
		q, err := client.ParseConsistencyProof(b)
		if err != nil {
			t.Fatalf("%d to %d: %v", sizes[0], sizes[1], err)
		}
		if err := q.Check(old, latest); err != nil {
			t.Errorf("%d to %d: %v", sizes[0], sizes[1], err)
		}
	}
}

func TestConsistencyProofsProveNothingElse(t *testing.T) {
	old, latest, p := consistency(t, 3, 5)
	tests := []struct {
		name   string
		change func()
	}{
		{"another root before", func() { old.Root[0] ^= 1 }},
		{"another root after", func() { latest.Root[0] ^= 1 }},
		{"another log", func() { latest.Origin = "example.com/other" }},
		{"another size before", func() { old.Size = 4 }},
		{"another size after", func() { latest.Size = 6 }},
		{"a hash less", func() { p.Hashes = p.Hashes[1:] }},
		{"a hash more", func() { p.Hashes = append(p.Hashes, proofs.Hash{}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wasOld, wasLatest, was := old, latest, p
			defer func() { old, latest, p = wasOld, wasLatest, was }()
			tt.change()
			if err := p.Check(old, latest); !errors.Is(err, proofs.ErrNotVerified) {
				t.Errorf("got error %v, want ErrNotVerified", err)
			}
		})
	}
}

func TestParseConsistencyProofIsStrict(t *testing.T) {
	hash := proofs.EmptyRoot().String() + "\n"
	head := "cairn/v1 consistency proof\n"
	for name, text := range map[string]string{
		"empty":                "",
		"no sizes":             head,
		"no new size":          head + "old 3\n",
		"no newline at end":    head + "old 3\nnew 5",
		"another header":       "cairn/v2 consistency proof\nold 3\nnew 5\n",
		"leading zeros":        head + "old 03\nnew 5\n",
		"sizes that shrink":    head + "old 5\nnew 3\n",
		"a size beyond 2^63-1": head + "old 5\nnew 9223372036854775808\n",
		"a sign":               head + "old +3\nnew 5\n",
		"an empty line":        head + "old 3\nnew 5\n\n" + hash,
		"no hash":              head + "old 3\nnew 5\nhash\n",
		"65 hashes":            head + "old 3\nnew 5\n" + strings.Repeat(hash, 65),
		"carriage returns":     head + "old 3\r\nnew 5\n",
	} {
		if p, err := client.ParseConsistencyProof([]byte(text)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v and error %v, want ErrMalformed", name, p, err)
		}
	}
	if _, err := client.ParseConsistencyProof([]byte(head + "old 3\nnew 5\n" + strings.Repeat(hash, 64))); err != nil {
		t.Errorf("64 hashes: %v", err)
	}
}

func FuzzParseConsistencyProof(f *testing.F) {
	_, _, p := consistency(f, 3, 5)
	f.Add(client.FormatConsistencyProof(p))
	f.Add([]byte("cairn/v1 consistency proof\nold 0\nnew 0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := client.ParseConsistencyProof(b)
		if err != nil {
			return
		}
		if again := client.FormatConsistencyProof(p); !bytes.Equal(again, b) {
			t.Fatalf("%q became %q", b, again)
		}
	})
}
