package peers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// origin is the name of the ledger that is judged.
const origin = "cairn.localhost/peers"

// A servedLedger is a ledger with keys of both types, whose checkpoints carry
// both cosignatures of a witness, and a server of its public files.
type servedLedger struct {
	*ledger.Ledger
	URL     string
	Policy  *proofs.Policy
	Witness servedWitness
	Leaves  map[uint64][]byte // of the events that were appended

	public  http.Handler
	damaged atomic.Pointer[string] // the path of the file that is served with one bit flipped
}

// newLedger makes a ledger of a little more than n entries, all published.
func newLedger(t *testing.T, n int) *servedLedger {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	l := &servedLedger{Witness: serveWitness(t), Leaves: make(map[uint64][]byte)}
	err := local.Init(t.Context(), dir, local.InitOptions{
		Origin: origin, PostQuantum: true,
		Policy: fmt.Sprintf("witness ed25519 %s %s\nwitness mldsa %s %s\ngroup both all ed25519 mldsa\nquorum both\n",
			l.Witness.Ed25519, l.Witness.URL, l.Witness.MLDSA, l.Witness.URL),
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := local.Open(t.Context(), dir, local.Config{}, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	l.Ledger, l.Policy, l.public = d.Ledger, d.Policy, publicFace(t, d)
	l.Witness.trust(t, logKeys(d.Policy)...)
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	l.URL = server.URL + "/"
	l.append(t, n)
	return l
}

func logKeys(p *proofs.Policy) []proofs.Key {
	var keys []proofs.Key
	for _, l := range p.Logs {
		keys = append(keys, l.Key)
	}
	return keys
}

// append appends n events and waits until they are published.
func (l *servedLedger) append(t *testing.T, n int) []client.Appended {
	t.Helper()
	events := make([]client.Event, n)
	for i := range events {
		events[i].Data = fmt.Appendf(nil, `{"actor":"alice","action":"read","object":%d}`, len(l.Leaves)+i)
	}
	answers, err := l.As(ledger.Caller{Name: "peers"}).Append(t.Context(), ledger.DefaultStream, events, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
		l.Leaves[a.Index] = a.Leaf
	}
	return answers
}

// checkpoint returns the published checkpoint, as it is served and parsed.
func (l *servedLedger) checkpoint(t *testing.T) ([]byte, proofs.Checkpoint) {
	t.Helper()
	signed, err := l.ReadFile(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	return signed, c.Checkpoint
}

// key returns the ledger's key of a type.
func (l *servedLedger) key(t *testing.T, kind proofs.KeyType) proofs.Key {
	t.Helper()
	for _, k := range logKeys(l.Policy) {
		if k.Type() == kind {
			return k
		}
	}
	t.Fatalf("the ledger has no key of type %v", kind)
	return proofs.Key{}
}

// ed25519Policy is a policy in C2SP's format that demands the ledger's Ed25519
// signature and the witness's Ed25519 cosignature. The judges' policies know
// no ML-DSA-44 keys yet.
func (l *servedLedger) ed25519Policy(t *testing.T) []byte {
	t.Helper()
	return l.Witness.policyFor(l.key(t, proofs.Ed25519))
}

// damage has the file at a path served with one bit flipped, or all files as
// they are where the path is empty.
func (l *servedLedger) damage(path string) { l.damaged.Store(&path) }

// publicFace returns the handler of the public files, as cairnd serves them.
func publicFace(t *testing.T, d *local.Directory) http.Handler {
	t.Helper()
	tokens, err := identity.OpenTokens(t.Context(), identity.TokensConfig{Register: d.Tokens})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := identity.New(identity.Options{Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	api, err := httpapi.New(httpapi.Config{Ledger: d.Ledger, Identities: identities})
	if err != nil {
		t.Fatal(err)
	}
	return api.Handler(httpapi.Public)
}

// ServeHTTP serves the public files, and one of them damaged.
func (l *servedLedger) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	path := strings.TrimPrefix(req.URL.Path, "/")
	if damaged := l.damaged.Load(); damaged == nil || *damaged != path {
		l.public.ServeHTTP(rw, req)
		return
	}
	req.Header.Del("Accept-Encoding")
	good := httptest.NewRecorder()
	l.public.ServeHTTP(good, req)
	rw.WriteHeader(good.Code)
	_, _ = rw.Write(flipBit(good.Body.Bytes(), path))
}

// flipBit returns a copy of a file with one bit flipped: in the middle, or in
// the checkpoint at the start, since judges ignore signatures they don't know.
func flipBit(data []byte, path string) []byte {
	data = slices.Clone(data)
	at := len(data) / 2
	if path == "checkpoint" {
		at = 0
	}
	data[at] ^= 1
	return data
}
