package keytree_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
)

//go:generate env CAIRN_WRITE_VECTORS=1 go test -count=1 -run ^TestVectors$ .

// A vector is a tree after keys were destroyed, and what it then derives; or
// a state that is refused. All of it comes from the reference.
type vector struct {
	Name      string    `json:"name"`
	Root      string    `json:"root,omitempty"`
	Destroyed [][]place `json:"destroyed,omitempty"` // a list for each epoch
	State     string    `json:"state"`
	Hash      string    `json:"hash,omitempty"` // of the state, SHA-256
	Keys      []keyOf   `json:"keys,omitempty"`
	Handles   []handle  `json:"handles,omitempty"`
	Verdict   string    `json:"verdict"`
	Why       string    `json:"why,omitempty"`
}

type keyOf struct {
	place
	Bits string `json:"bits"`
	Key  string `json:"key"` // empty: destroyed
}

type handle struct {
	Stream     uint32 `json:"stream"`
	Subject    string `json:"subject"`
	Generation uint32 `json:"generation"`
	Handle     string `json:"handle"`
}

func TestVectors(t *testing.T) {
	path := filepath.Join("..", "..", "testdata", "vectors", "keytree.json")
	want := append(must(json.MarshalIndent(append(goodVectors(), badVectors()...), "", "  ")), '\n')
	if os.Getenv("CAIRN_WRITE_VECTORS") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, want) {
		t.Errorf("%s is not what its rows make: run go generate", path)
	}
	var read []vector
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	for _, v := range read {
		t.Run(v.Name, func(t *testing.T) {
			state := must(hex.DecodeString(v.State))
			tree, err := keytree.Parse(state)
			if v.Verdict == "reject" {
				if !errors.Is(err, keytree.ErrMalformed) || !strings.Contains(err.Error(), v.Why) {
					t.Fatalf("got %v, want %q", err, v.Why)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			made := keytree.New([32]byte(must(hex.DecodeString(v.Root))))
			for _, places := range v.Destroyed {
				var paths []keytree.Path
				for _, p := range places {
					paths = append(paths, p.path())
				}
				puncture(t, made, paths...)
			}
			judgeVector(t, v, made)
			judgeVector(t, v, tree)
		})
	}
}

func judgeVector(t *testing.T, v vector, tree *keytree.Tree) {
	t.Helper()
	hash := tree.Hash()
	if got := hex.EncodeToString(keytree.Format(tree)); got != v.State || hex.EncodeToString(hash[:]) != v.Hash {
		t.Errorf("state %s with hash %x, want %s with %s", got, hash, v.State, v.Hash)
	}
	for _, k := range v.Keys {
		key, err := tree.Derive(k.path())
		if got := hex.EncodeToString(key[:]); err == nil && got != k.Key || err != nil && (k.Key != "" || !errors.Is(err, keytree.ErrDestroyed)) {
			t.Errorf("%s: got %s, %v, want %s", k.path(), got, err, k.Key)
		}
	}
	for _, h := range v.Handles {
		got, err := tree.Handle(h.Stream, []byte(h.Subject), h.Generation)
		if err != nil || got.String() != h.Handle {
			t.Errorf("handle %d of %q: got %s, %v, want %s", h.Generation, h.Subject, got, err, h.Handle)
		}
	}
}

var vectorRoot = must(hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"))

func goodVectors() []vector {
	bucket := place{Stream: 7, Class: 1, Period: 20454}
	subject := place{Stream: 7, Handle: "8f3e9f6a1c2b4d5e"}
	hold := place{Hold: "4711"}
	tags := bucket
	tags.Use = "tags"
	return []vector{
		goodVector("nothing is destroyed"),
		goodVector("a bucket is destroyed", []place{bucket}),
		goodVector("one key of a bucket is destroyed", []place{tags}),
		goodVector("a key of a bucket is destroyed and then the bucket", []place{tags}, []place{bucket}),
		goodVector("a subject is destroyed", []place{subject}),
		goodVector("a hold is destroyed", []place{hold}),
		goodVector("the last key of the last hold is destroyed", []place{{Hold: "18446744073709551615", Use: "deduplication"}}),
		goodVector("the first and the last bucket are destroyed", []place{{}, {Stream: 1<<32 - 1, Class: 1<<16 - 1, Period: 1<<32 - 1}}),
		goodVector("two periods that follow one another are destroyed", []place{bucket}, []place{{Stream: 7, Class: 1, Period: 20455}}),
		goodVector("a bucket, a subject and a hold are destroyed at once", []place{subject, hold, bucket}),
		goodVector("a search index is destroyed", []place{{Search: "4711"}}),
	}
}

func goodVector(name string, destroyed ...[]place) vector {
	var all []string
	for _, places := range destroyed {
		for _, p := range places {
			all = append(all, p.bits())
		}
	}
	state := refFormat(uint64(len(destroyed)), refHeld(vectorRoot, "", all))
	v := vector{Name: name, Root: hex.EncodeToString(vectorRoot), Destroyed: destroyed, State: hex.EncodeToString(state), Verdict: "ok"}
	hash := sha256.Sum256(state)
	v.Hash = hex.EncodeToString(hash[:])
	for _, use := range []string{"sealing", "tags", "deduplication"} {
		for _, p := range []place{{}, {Stream: 7, Class: 1, Period: 20454}, {Stream: 7, Class: 1, Period: 20455}, {Stream: 7, Handle: "8f3e9f6a1c2b4d5e"}, {Hold: "4711"}, {Search: "4711"}} {
			p.Use = use
			k := keyOf{place: p, Bits: p.bits(), Key: hex.EncodeToString(refKey(vectorRoot, p.bits()))}
			for _, d := range all {
				if strings.HasPrefix(k.Bits, d) {
					k.Key = ""
				}
			}
			v.Keys = append(v.Keys, k)
		}
	}
	for _, who := range []string{"alice", "arn:aws:iam::123456789123:user/pedro"} {
		for _, generation := range []uint32{0, 1, 1<<32 - 1} {
			v.Handles = append(v.Handles, handle{7, who, generation, hex.EncodeToString(refHandle(vectorRoot, 7, who, generation))})
		}
	}
	return v
}

// refFormat writes a state, canonical or not.
func refFormat(epoch uint64, nodes []heldNode) []byte {
	var list []byte
	for _, n := range nodes {
		list = append(list, byte(len(n.bits)))
		for at := 0; at < len(n.bits); at += 8 {
			octet := (n.bits[at:] + "0000000")[:8]
			var b byte
			for _, bit := range octet {
				b = b<<1 | byte(bit-'0')
			}
			list = append(list, b)
		}
		list = append(list, n.value...)
	}
	b := binary.BigEndian.AppendUint64([]byte{1}, epoch)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(list))), list...)
}

func badVectors() []vector {
	bad := func(name string, state []byte, why string) vector {
		return vector{Name: name, State: hex.EncodeToString(state), Verdict: "reject", Why: why}
	}
	node := func(bits string) heldNode { return heldNode{bits, vectorRoot} }
	state := func(epoch uint64, bits ...string) []byte {
		var nodes []heldNode
		for _, b := range bits {
			nodes = append(nodes, node(b))
		}
		return refFormat(epoch, nodes)
	}
	good := state(1, "0", "10")
	key := place{Stream: 1, Class: 2, Period: 3, Use: "tags"}.bits()
	holdKey := place{Hold: "1", Use: "tags"}.bits()
	subjectKey := place{Stream: 1, Handle: "0000000000000000", Use: "tags"}.bits()
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	stray := state(1, "0", "10")
	stray[14] |= 1
	return []vector{
		bad("nothing is no state", nil, "cut off"),
		bad("the header may not be cut off", good[:12], "cut off"),
		bad("another version is refused", change(0, 2), "version 2"),
		bad("a length that is too small is refused", change(12, 1), "bytes of nodes"),
		bad("the last node may not be cut off", refCut(good, 1), "node cut off"),
		bad("a node may not be only a depth", append(refFormat(1, nil)[:9], 0, 0, 0, 1, 8), "node cut off"),
		bad("bytes may not follow", append(bytes.Clone(good), 0), "bytes of nodes"),
		bad("bits behind the end of a path are zero", stray, "bits behind the end"),
		bad("nodes are in order", state(1, "10", "0"), "not in order"),
		bad("a node is there once", state(1, "0", "0"), "not in order"),
		bad("no node is within another", state(1, "0", "01"), "within another"),
		bad("no node is within the root", state(1, "", "01"), "within another"),
		bad("a node is there instead of its two children", state(1, "00", "01", "1"), "siblings"),
		bad("the root is there instead of its two children", state(1, "0", "1"), "siblings"),
		bad("a node may not be below a key of a bucket", state(1, key+"0"), "below a key"),
		bad("a node may not be below a key of a hold", state(1, holdKey+"0"), "below a key"),
		bad("a node may not be below a key of a subject", state(1, subjectKey+"0"), "depth 107"),
		bad("a node may not be below the handle key", state(1, "000000110"), "below a key"),
		bad("a node may not be in a branch that is not known", state(1, "000001100"), "below a key"),
		bad("epoch 0 holds the root", state(0, "0"), "epoch 0"),
		bad("epoch 0 holds something", state(0), "epoch 0"),
		bad("a later epoch does not hold the root", state(1, ""), "epoch 0"),
	}
}

// refCut cuts n bytes off a state and corrects its length.
func refCut(state []byte, n int) []byte {
	b := bytes.Clone(state[:len(state)-n])
	binary.BigEndian.PutUint32(b[9:], uint32(len(b)-13))
	return b
}

func TestParseTakesWhateverPunctureLeaves(t *testing.T) {
	tree := keytree.New([32]byte{1})
	puncture(t, tree, keytree.Path{})
	if _, err := keytree.Parse(keytree.Format(tree)); err != nil {
		t.Errorf("an empty tree: %v", err)
	}
}

// FuzzParse holds that what parses re-formats to the same bytes, and that a
// tree from hostile bytes destroys what it is told to.
func FuzzParse(f *testing.F) {
	for _, v := range append(goodVectors(), badVectors()...) {
		f.Add(must(hex.DecodeString(v.State)), uint32(20454))
	}
	f.Fuzz(func(t *testing.T, state []byte, period uint32) {
		tree, err := keytree.Parse(state)
		if err != nil {
			if !errors.Is(err, keytree.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(keytree.Format(tree), state) {
			t.Fatalf("%x parses and becomes %x", state, keytree.Format(tree))
		}
		paths := []keytree.Path{keytree.Bucket(7, 1, period), keytree.Subject(7, keytree.Handle{byte(period)}), keytree.Hold(uint64(period))}
		if err := tree.Puncture(forget, paths...); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if _, err := tree.Derive(path.For(keytree.Tags)); !errors.Is(err, keytree.ErrDestroyed) {
				t.Fatalf("%s is destroyed, and derived with %v", path, err)
			}
		}
		if _, err := keytree.Parse(keytree.Format(tree)); err != nil {
			t.Fatalf("%x: what is left does not parse: %v", state, err)
		}
	})
}
