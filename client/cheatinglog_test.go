package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/memory"
)

// A cheatingLog signs and serves whatever a test tells it to: its files are
// those of the leaves, up to the size that it shows.
type cheatingLog struct {
	t      testing.TB
	key    proofs.SigningKey
	wit    []proofs.SigningKey
	policy *proofs.Policy

	leaves  [][]byte
	shown   []byte            // what it serves as checkpoint
	altered map[string][]byte // files that it serves instead of the right ones
	asked   func(path string) // nil, or called before each answer
}

const logOrigin = "example.com/cheating"

func newCheatingLog(t testing.TB) *cheatingLog { return newCheatingLogOf(t, 1) }

// newCheatingLogOf returns one of several logs of the same name.
func newCheatingLogOf(t testing.TB, number byte) *cheatingLog {
	t.Helper()
	rng := rand.NewChaCha8([32]byte{number})
	generate := func(name string, typ proofs.KeyType) proofs.SigningKey {
		k, err := proofs.GenerateKey(name, typ, rng)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	l := &cheatingLog{t: t, key: generate(logOrigin, proofs.Ed25519), altered: make(map[string][]byte)}
	text := "log " + l.key.Key().String() + "\n"
	for i := range 2 {
		l.wit = append(l.wit, generate(fmt.Sprintf("w%d.example", i), proofs.Ed25519Cosignature))
		text += fmt.Sprintf("witness w%d %s\n", i, l.wit[i].Key())
	}
	text += "group both all w0 w1\nquorum both\n"
	var err error
	if l.policy, err = proofs.ParsePolicy([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return l
}

// grow adds leaves until there are size of them, each saying what history it
// is of, and shows a checkpoint of them all that witnesses cosigned at a time.
func (l *cheatingLog) grow(size int, history string, unixTime uint64) []byte {
	for i := len(l.leaves); i < size; i++ {
		l.leaves = append(l.leaves, fmt.Appendf(nil, "%s %d", history, i))
	}
	l.shown = l.sign(size, unixTime, l.wit...)
	return l.shown
}

// sign signs a checkpoint of the first leaves.
func (l *cheatingLog) sign(size int, unixTime uint64, witnesses ...proofs.SigningKey) []byte {
	l.t.Helper()
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: l.key.Key().Name(), Size: uint64(size), Root: rootOf(l.leaves[:size])})
	if err != nil {
		l.t.Fatal(err)
	}
	note := proofs.Note{Text: text}
	for _, k := range append([]proofs.SigningKey{l.key}, witnesses...) {
		s, err := k.SignCheckpoint(text, unixTime)
		if err != nil {
			l.t.Fatal(err)
		}
		note.Signatures = append(note.Signatures, s)
	}
	return proofs.FormatNote(note)
}

// rewrite makes another history of the same length behind the first leaves.
func (l *cheatingLog) rewrite(keep int) {
	l.leaves = l.leaves[:keep:keep]
}

// ReadFile implements proofs.FileReader.
func (l *cheatingLog) ReadFile(_ context.Context, path string) ([]byte, error) {
	if l.asked != nil {
		l.asked(path)
	}
	if b, ok := l.altered[path]; ok {
		return b, nil
	}
	if path == "checkpoint" && l.shown != nil {
		return l.shown, nil
	}
	if b, err := proofs.ParseBundlePath(path); err == nil && int(b.Index)*256+b.Width <= len(l.leaves) {
		first := int(b.Index) * 256
		return proofs.FormatBundle(l.leaves[first : first+b.Width])
	}
	t, err := proofs.ParseTilePath(path)
	if err != nil || !t.In(uint64(len(l.leaves))) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	var hashes []proofs.Hash
	span := 1 << (8 * int(t.Level))
	for i := range t.Width {
		first := (int(t.Index)*256 + i) * span
		hashes = append(hashes, rootOf(l.leaves[first:first+span]))
	}
	return proofs.FormatTile(hashes), nil
}

// rootOf is RFC 6962 §2.1, word for word.
func rootOf(leaves [][]byte) proofs.Hash {
	switch len(leaves) {
	case 0:
		return proofs.EmptyRoot()
	case 1:
		return proofs.LeafHash(leaves[0])
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return proofs.NodeHash(rootOf(leaves[:k]), rootOf(leaves[k:]))
}

// receipt returns a receipt of an entry under a checkpoint.
func (l *cheatingLog) receipt(index int, signed []byte) []byte {
	l.t.Helper()
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		l.t.Fatal(err)
	}
	proof, err := proofs.ProveInclusion(context.Background(), uint64(index), c.Size, proofs.NewReader(c.Checkpoint, l))
	if err != nil {
		l.t.Fatal(err)
	}
	b, err := proofs.FormatReceipt(proofs.Receipt{Extra: l.leaves[index], Index: uint64(index), Proof: proof, Checkpoint: signed})
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// A watcher is a verifier of a cheating log with its memory and the evidence
// that it saved.
type watcher struct {
	*client.Verifier
	memory   storage.Register
	evidence []client.Evidence
}

func (l *cheatingLog) watch(change ...func(*client.VerifierOptions)) *watcher {
	l.t.Helper()
	w := &watcher{memory: memory.New(nil).Register("memory")}
	o := client.VerifierOptions{
		Policy: l.policy, Files: l, Memory: w.memory,
		Evidence: func(_ context.Context, e client.Evidence) error {
			w.evidence = append(w.evidence, e)
			return nil
		},
	}
	for _, c := range change {
		c(&o)
	}
	w.memory = o.Memory
	v, err := client.NewVerifier(o)
	if err != nil {
		l.t.Fatal(err)
	}
	w.Verifier = v
	return w
}

// again returns a watcher of another process with the same memory.
func (w *watcher) again(l *cheatingLog) *watcher {
	return l.watch(func(o *client.VerifierOptions) { o.Memory = w.memory })
}

// remembers fails the test unless the memory holds exactly a checkpoint.
func (w *watcher) remembers(t *testing.T, want []byte) {
	t.Helper()
	got, err := w.memory.Load(context.Background())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the memory holds %q (error %v), want %q", got, err, want)
	}
}
