package keytree_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
)

func forget([]byte) error { return nil }

func puncture(t testing.TB, tree *keytree.Tree, paths ...keytree.Path) {
	t.Helper()
	if err := tree.Puncture(forget, paths...); err != nil {
		t.Fatal(err)
	}
}

// A world is a small part of the tree: every key of a few buckets, subjects
// and holds.
func world() []place {
	var keys []place
	for _, use := range []string{"sealing", "tags", "deduplication"} {
		for _, stream := range []uint32{0, 1, 1<<32 - 1} {
			for _, class := range []uint16{0, 5} {
				for _, period := range []uint32{0, 1, 2, 3, 20454, 20455, 1<<32 - 1} {
					keys = append(keys, place{Stream: stream, Class: class, Period: period, Use: use})
				}
			}
			for _, handle := range []string{"0000000000000000", "0000000000000001", "8f3e9f6a1c2b4d5e", "ffffffffffffffff"} {
				keys = append(keys, place{Stream: stream, Handle: handle, Use: use})
			}
		}
		for _, hold := range []string{"0", "1", "4711", "18446744073709551615"} {
			keys = append(keys, place{Hold: hold, Use: use})
		}
	}
	return keys
}

// somewhere returns a place to destroy: a key of the world, or all of a
// bucket, subject or hold.
func somewhere(random *rand.Rand) place {
	p := world()[random.IntN(len(world()))]
	if random.IntN(3) > 0 {
		p.Use = ""
	}
	return p
}

func TestDeriveFollowsTheDefinition(t *testing.T) {
	root := [32]byte(bytes.Repeat([]byte("root"), 8))
	tree := keytree.New(root)
	for range 2 { // the second time from what is at hand
		for _, p := range world() {
			got, err := tree.Derive(p.path())
			if want := refKey(root[:], p.bits()); err != nil || !bytes.Equal(got[:], want) {
				t.Fatalf("%s: got %x, %v, want %x", p.path(), got, err, want)
			}
		}
	}
	for _, subject := range []string{"", "alice", strings.Repeat("x", 1000)} {
		for _, generation := range []uint32{0, 1, 1<<32 - 1} {
			got, err := tree.Handle(7, []byte(subject), generation)
			if want := refHandle(root[:], 7, subject, generation); err != nil || !bytes.Equal(got[:], want) {
				t.Errorf("handle %d of %q: got %x, %v, want %x", generation, subject, got, err, want)
			}
		}
	}
}

// Whatever is destroyed, in whatever batches: exactly those keys are gone,
// from the tree and from its state, and all others are as they were.
func TestPunctureDestroysExactlyWhatItIsGiven(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			root := [32]byte{0: byte(seed), 31: 1}
			tree := keytree.New(root)
			keys := make(map[place][]byte)
			for _, p := range world() {
				keys[p] = refKey(root[:], p.bits())
			}
			var destroyed []string
			for range 4 {
				var batch []keytree.Path
				for range 1 + random.IntN(4) {
					p := somewhere(random)
					batch = append(batch, p.path())
					destroyed = append(destroyed, p.bits())
				}
				puncture(t, tree, batch...)
				judge(t, tree, root[:], keys, destroyed)
			}
		})
	}
}

// judge compares a tree and its state with what should be left of it.
func judge(t *testing.T, tree *keytree.Tree, root []byte, keys map[place][]byte, destroyed []string) {
	t.Helper()
	state := keytree.Format(tree)
	again, err := keytree.Parse(state)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(keytree.Format(again), state) || again.Hash() != tree.Hash() || again.Epoch() != tree.Epoch() {
		t.Fatal("the state is another after it was parsed")
	}
	_, nodes := refState(t, state)
	if !sameNodes(nodes, refHeld(root, "", destroyed)) {
		t.Fatal("the state does not hold the largest subtrees that are whole")
	}
	if most := 1 + len(destroyed)*106; len(nodes) > most {
		t.Fatalf("the state holds %d nodes, more than %d", len(nodes), most)
	}
	for p, want := range keys {
		gone := false
		for _, d := range destroyed {
			gone = gone || strings.HasPrefix(p.bits(), d)
		}
		for name, from := range map[string]*keytree.Tree{"tree": tree, "parsed tree": again} {
			got, err := from.Derive(p.path())
			if gone != errors.Is(err, keytree.ErrDestroyed) || !gone && !bytes.Equal(got[:], want) {
				t.Fatalf("%s: %s: got %x, %v, destroyed: %v", name, p.path(), got, err, gone)
			}
		}
		if gone {
			wantUnderivable(t, root, p.bits(), state, nodes)
		}
	}
}

// wantUnderivable looks for a way from the state to a destroyed key: a node
// above it, or the bytes of one of these or of the key anywhere in the state.
func wantUnderivable(t *testing.T, root []byte, bits string, state []byte, nodes []heldNode) {
	t.Helper()
	for _, n := range nodes {
		if strings.HasPrefix(bits, n.bits) {
			t.Fatalf("the state holds node %s above the destroyed key %s", n.bits, bits)
		}
	}
	node := root
	for depth := range len(bits) + 1 {
		if depth > 0 {
			node = refNode(node, bits[depth-1:depth])
		}
		if bytes.Contains(state, node) {
			t.Fatalf("the state has the bytes of node %s, above the destroyed key %s", bits[:depth], bits)
		}
	}
	if bytes.Contains(state, refKey(node, "")) {
		t.Fatalf("the state has the bytes of the destroyed key %s", bits)
	}
}

// What is held depends on what was destroyed, not on the order or the batches.
func TestStateDoesNotDependOnTheOrder(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		var paths []keytree.Path
		for range 8 {
			paths = append(paths, somewhere(random).path())
		}
		paths = append(paths, keytree.Buckets(1, 0, 1, 20455)...)
		together := keytree.New([32]byte{1})
		puncture(t, together, paths...)
		_, want := refState(t, keytree.Format(together))
		for range 3 {
			random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
			alone := keytree.New([32]byte{1})
			for _, p := range paths {
				puncture(t, alone, p)
			}
			if _, got := refState(t, keytree.Format(alone)); !sameNodes(got, want) {
				t.Fatalf("seed %d: another order left another state", seed)
			}
		}
	}
	// As many batches that each destroy something leave the same bytes.
	a, b := keytree.New([32]byte{1}), keytree.New([32]byte{1})
	p, q := keytree.Bucket(1, 2, 3), keytree.Subject(1, keytree.Handle{4})
	puncture(t, a, p)
	puncture(t, a, q)
	puncture(t, b, q)
	puncture(t, b, p)
	if a.Hash() != b.Hash() {
		t.Error("two orders left two hashes")
	}
}

// More keys are derived than a tree keeps at hand, and then again.
func TestDeriveOfManySubjects(t *testing.T) {
	tree := keytree.New([32]byte{1})
	sums := [2][32]byte{}
	for i := range sums {
		for n := range 9000 {
			key := must(tree.Derive(keytree.Subject(1, keytree.Handle{byte(n), byte(n >> 8)}).For(keytree.Tags)))
			for j := range key {
				sums[i][j] ^= key[j]
			}
		}
	}
	if sums[0] != sums[1] || sums[0] == [32]byte{} {
		t.Error("the second time the keys were others")
	}
}

func TestDeriveRefusesWhatIsNoKey(t *testing.T) {
	tree := keytree.New([32]byte{1})
	for _, p := range append(keytree.Buckets(1, 2, 0, 3), keytree.Path{}, keytree.Bucket(1, 2, 3), keytree.Subject(1, keytree.Handle{}), keytree.Hold(1)) {
		if _, err := tree.Derive(p); err == nil || errors.Is(err, keytree.ErrDestroyed) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestGenerateReadsTheRoot(t *testing.T) {
	tree, err := keytree.Generate(strings.NewReader(strings.Repeat("r", 40)))
	if err != nil || tree.Hash() != keytree.New([32]byte([]byte(strings.Repeat("r", 32)))).Hash() {
		t.Errorf("got %v, %v", tree, err)
	}
	if _, err := keytree.Generate(strings.NewReader("short")); err == nil {
		t.Error("a source that ran dry gave a tree")
	}
}

func TestNoVerbPrintsASecret(t *testing.T) {
	tree := keytree.New([32]byte{1})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t"} {
		for _, v := range []any{tree, []*keytree.Tree{tree}, struct{ T any }{tree}} {
			printed := strings.ToLower(fmt.Sprintf(verb, v))
			if !strings.Contains(printed, "at epoch 0 holding") || len(printed) > 80 {
				t.Errorf("%s: %s", verb, printed)
			}
		}
	}
}
