package keytree

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"
)

// ErrDestroyed is matched by the error of [Tree.Derive] that means: this key
// was destroyed, and cannot be had from this tree any more.
var ErrDestroyed = errors.New("key destroyed")

// maxCached bounds the values that a tree keeps at hand, of about 100 bytes each.
const maxCached = 1 << 14

// A Tree derives keys, and forgets how to derive those that were destroyed.
// It is safe for concurrent use.
type Tree struct {
	puncture sync.Mutex // one Puncture at a time

	mu    sync.RWMutex // guards epoch and nodes; whoever holds it for reading may use cached
	epoch uint64
	nodes []node // what is held: sorted by path, none within another, no two siblings

	cachedMu sync.RWMutex // guards cached within mu
	cached   map[Path][32]byte
}

// A node is the root of a subtree that is held whole.
type node struct {
	path  Path
	value [32]byte
}

// Format prints the path, whatever the verb, and not the secret.
func (n node) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.path.String()) }

// New returns the tree of a root. Nothing is destroyed yet: the epoch is 0.
func New(root [32]byte) *Tree { return newTree(0, []node{{value: root}}) }

// Generate returns the tree of a root that it reads from a source of randomness.
func Generate(rand io.Reader) (*Tree, error) {
	var root [32]byte
	if _, err := io.ReadFull(rand, root[:]); err != nil {
		return nil, fmt.Errorf("generate key tree: %w", err)
	}
	return New(root), nil
}

func newTree(epoch uint64, nodes []node) *Tree {
	return &Tree{epoch: epoch, nodes: nodes, cached: make(map[Path][32]byte)}
}

// String tells the epoch and the size, and no secret.
func (t *Tree) String() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return fmt.Sprintf("key tree at epoch %d holding %d nodes", t.epoch, len(t.nodes))
}

// Format writes String, so that no verb of fmt prints a secret.
func (t *Tree) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// Epoch returns how often keys were destroyed.
func (t *Tree) Epoch() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.epoch
}

// Derive returns the key at a path made by [Path.For]. If the key was
// destroyed the error is [ErrDestroyed]; any other error means that the path
// names no key.
func (t *Tree) Derive(p Path) ([32]byte, error) {
	if !p.isKey() {
		return [32]byte{}, fmt.Errorf("derive key: %s is a subtree, not a key", p)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if key, ok := t.lookup(p); ok {
		return key, nil
	}
	at, ok := t.start(p)
	if !ok {
		return [32]byte{}, ErrDestroyed
	}
	for at.path.n < p.n {
		at = at.child(p.bit(int(at.path.n)))
		if n := int(at.path.n); n == streamLevel || n == int(p.n)-useBits && n > branchBits {
			t.remember(at.path, at.value) // other keys of the stream, bucket, subject or hold begin here
		}
	}
	key := expand(&at.value, labelKey)
	t.remember(p, key)
	return key, nil
}

// Handle returns the handle of one generation of a data subject in a stream.
// Two of n handles of one stream are the same, and so share a fate, with a
// probability below n²/2⁶⁵.
func (t *Tree) Handle(stream uint32, subject []byte, generation uint32) (Handle, error) {
	key, err := t.Derive(handleKey())
	if err != nil {
		return Handle{}, err
	}
	h := hmac.New(sha256.New, key[:])
	var b [8]byte
	binary.BigEndian.PutUint32(b[:], stream)
	binary.BigEndian.PutUint32(b[4:], generation)
	h.Write(b[:])
	h.Write(subject)
	return Handle(h.Sum(nil)), nil
}

// Puncture destroys every key at or below the paths, all at once. It gives
// the state of the next epoch to store, which must replace the old state
// durably, wherever it is, before it returns; only then does the tree forget
// the keys, what it kept at hand included. If store fails, nothing has
// changed, and the same call later offers the same bytes again.
//
// If all keys are destroyed already, there is nothing to store and the epoch
// stays. The state given to store is overwritten when it has returned. Derive
// can be called meanwhile, by store too; Puncture not by store.
func (t *Tree) Puncture(store func(state []byte) error, paths ...Path) error {
	t.puncture.Lock()
	defer t.puncture.Unlock()
	nodes, changed := without(t.nodes, paths) // only Puncture writes t.nodes
	if !changed {
		clear(nodes)
		return nil
	}
	next := newTree(t.epoch+1, nodes)
	state := Format(next)
	defer clear(state)
	if err := store(state); err != nil {
		clear(nodes)
		return fmt.Errorf("destroy keys: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.nodes)
	clear(t.cached)
	t.epoch, t.nodes = next.epoch, next.nodes
	return nil
}

// start returns the nearest node above p that is at hand or held.
func (t *Tree) start(p Path) (node, bool) {
	for _, n := range [...]int{int(p.n) - useBits, streamLevel} {
		if branchBits < n && n < int(p.n) {
			if value, ok := t.lookup(p.prefix(n)); ok {
				return node{p.prefix(n), value}, true
			}
		}
	}
	// The nodes are sorted and none is within another: only the last one that
	// is not behind p can be above it.
	i := sort.Search(len(t.nodes), func(i int) bool { return t.nodes[i].path.compare(p) > 0 })
	if i == 0 || !p.within(t.nodes[i-1].path) {
		return node{}, false
	}
	return t.nodes[i-1], true
}

func (t *Tree) lookup(p Path) ([32]byte, bool) {
	t.cachedMu.RLock()
	defer t.cachedMu.RUnlock()
	value, ok := t.cached[p]
	return value, ok
}

func (t *Tree) remember(p Path, value [32]byte) {
	t.cachedMu.Lock()
	defer t.cachedMu.Unlock()
	if len(t.cached) >= maxCached {
		clear(t.cached)
	}
	t.cached[p] = value
}

// without returns the nodes that hold what nodes hold, except what lies at or
// below the paths, and whether that is less.
func without(nodes []node, paths []Path) (held []node, changed bool) {
	paths = slices.Clone(paths)
	slices.SortFunc(paths, Path.compare)
	held = make([]node, 0, len(nodes)+maxBits*len(paths))
	for _, n := range nodes {
		for len(paths) > 0 && paths[0].compare(n.path) < 0 && !n.path.within(paths[0]) {
			paths = paths[1:] // before this node and not above it
		}
		before := len(held)
		held = split(held, n, paths)
		changed = changed || len(held) != before+1 || held[before].path != n.path
	}
	exact := slices.Clone(held)
	clear(held)
	return exact, changed
}

// split appends what is left of a node when the paths, which are sorted and
// begin no earlier than those that concern the node, are destroyed.
func split(held []node, n node, paths []Path) []node {
	if len(paths) == 0 || !paths[0].within(n.path) && !n.path.within(paths[0]) {
		return append(held, n)
	}
	if n.path.within(paths[0]) {
		return held
	}
	right := n.path.child(1)
	cut := sort.Search(len(paths), func(i int) bool { return paths[i].compare(right) >= 0 })
	held = split(held, n.child(0), paths[:cut])
	return split(held, n.child(1), paths[cut:])
}
