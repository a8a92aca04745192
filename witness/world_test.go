package witness_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// A history is what a log's tree holds. Two histories of one name have the
// same leaves up to where they part.
type history struct {
	parts uint64 // index from which on the leaves are its own
	own   string
	mu    *sync.Mutex
	nodes map[proofs.NodeID]proofs.Hash
}

func newHistory(parts uint64, own string) history {
	return history{parts, own, new(sync.Mutex), make(map[proofs.NodeID]proofs.Hash)}
}

// ReadNodes implements proofs.NodeReader.
func (h history) ReadNodes(_ context.Context, ids []proofs.NodeID) ([]proofs.Hash, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var hashes []proofs.Hash
	for _, id := range ids {
		hashes = append(hashes, h.node(id))
	}
	return hashes, nil
}

func (h history) node(id proofs.NodeID) proofs.Hash {
	if n, ok := h.nodes[id]; ok {
		return n
	}
	var n proofs.Hash
	switch {
	case id.Level > 0:
		n = proofs.NodeHash(h.node(proofs.NodeID{Level: id.Level - 1, Index: 2 * id.Index}),
			h.node(proofs.NodeID{Level: id.Level - 1, Index: 2*id.Index + 1}))
	case id.Index < h.parts:
		n = proofs.LeafHash(fmt.Appendf(nil, "entry %d", id.Index))
	default:
		n = proofs.LeafHash(fmt.Appendf(nil, "%s %d", h.own, id.Index))
	}
	h.nodes[id] = n
	return n
}

func (h history) root(t testing.TB, size uint64) proofs.Hash {
	t.Helper()
	root, err := proofs.Root(t.Context(), size, h)
	must(t, err)
	return root
}

func (h history) proof(t testing.TB, from, to uint64) []proofs.Hash {
	t.Helper()
	proof, err := proofs.ProveConsistency(t.Context(), from, to, h)
	must(t, err)
	return proof
}

// text returns the text of a checkpoint of a log with this history.
func (h history) text(t testing.TB, origin string, size uint64, extensions ...string) string {
	t.Helper()
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: origin, Size: size, Root: h.root(t, size), Extensions: extensions})
	must(t, err)
	return text
}

// sign puts a note together from a text and the signatures of keys over it.
// ML-DSA-44 signs the first three lines only.
func sign(t testing.TB, text string, keys ...proofs.SigningKey) []byte {
	t.Helper()
	n := proofs.Note{Text: text}
	for _, k := range keys {
		statement := text
		if k.Key().Type() == proofs.MLDSA44 {
			statement = strings.Join(strings.SplitAfter(text, "\n")[:3], "")
		}
		s, err := k.SignCheckpoint(statement, 1)
		must(t, err)
		n.Signatures = append(n.Signatures, s)
	}
	return proofs.FormatNote(n)
}

// key returns the same key whenever it is asked for the same name and type.
func key(t testing.TB, name string, typ proofs.KeyType) proofs.SigningKey {
	t.Helper()
	seed := [32]byte{byte(typ)}
	copy(seed[1:], name)
	k, err := proofs.GenerateKey(name, typ, rand.NewChaCha8(seed))
	must(t, err)
	return k
}

func witnessKeys(t testing.TB) []proofs.SigningKey {
	t.Helper()
	return []proofs.SigningKey{key(t, "witness.example/w", proofs.Ed25519Cosignature), key(t, "witness.example/w", proofs.MLDSA44)}
}

// A clock stands still until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock(unix int64) *clock { return &clock{now: time.Unix(unix, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(unix int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = time.Unix(unix, 0)
}

const noon = 1795435200 // 2026-11-23 12:00:00 UTC

// A bench is a witness with what it stands on.
type bench struct {
	*witness.Witness
	clock *clock
	world *memory.World
	logs  []witness.Log
}

func trust(keys ...proofs.SigningKey) (logs []witness.Log) {
	for _, k := range keys {
		logs = append(logs, witness.Log{Origin: k.Key().Name(), Key: k.Key(), QPD: 86400, Contact: "nobody"})
	}
	return logs
}

func newBench(t testing.TB, logs ...witness.Log) *bench {
	t.Helper()
	b := &bench{clock: newClock(noon), world: memory.New(nil), logs: logs}
	b.open(t)
	return b
}

// open starts a witness over what the world holds.
func (b *bench) open(t testing.TB) {
	t.Helper()
	b.Witness = open(t, b.world.Registers("cosigned"), b.clock, b.logs)
}

func open(t testing.TB, registers storage.Registers, c *clock, logs []witness.Log) *witness.Witness {
	t.Helper()
	w, err := witness.New(context.Background(), witness.Config{Keys: witnessKeys(t), Registers: registers, Logs: logs, Clock: c.Now})
	must(t, err)
	return w
}

// do sends a request to the witness by HTTP.
func (b *bench) do(t testing.TB, method, path string, body []byte) *http.Response {
	t.Helper()
	rw := httptest.NewRecorder()
	b.Handler().ServeHTTP(rw, httptest.NewRequest(method, path, bytes.NewReader(body)))
	return rw.Result()
}

// served returns the checkpoint that monitors are served, or the status.
func (b *bench) served(t testing.TB, origin string) string {
	t.Helper()
	answer := b.do(t, "GET", "/"+witness.OriginHash(origin)+"/checkpoint", nil)
	if answer.StatusCode != http.StatusOK {
		return answer.Status
	}
	return read(t, answer)
}

func read(t testing.TB, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return string(body)
}

// checkAnswer checks that an answer consists of one good cosignature of the
// text by each key of the witness, and returns their times.
func checkAnswer(t testing.TB, answer []byte, text string) (times []uint64) {
	t.Helper()
	signatures, err := proofs.ParseSignatures(answer)
	must(t, err)
	keys := witnessKeys(t)
	if len(signatures) != len(keys) {
		t.Fatalf("%d signatures, want %d", len(signatures), len(keys))
	}
	for _, k := range keys {
		i := slices.IndexFunc(signatures, func(s proofs.Signature) bool { return s.KeyID == k.Key().ID() })
		if i < 0 {
			t.Fatalf("no signature by %v", k)
		}
		statement := text
		if k.Key().Type() == proofs.MLDSA44 {
			statement = strings.Join(strings.SplitAfter(text, "\n")[:3], "")
		}
		time, err := k.Key().CheckSignature(statement, signatures[i])
		must(t, err)
		times = append(times, time)
	}
	return times
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
