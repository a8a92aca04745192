package keytree

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is matched by every error of [Parse].
var ErrMalformed = errors.New("malformed")

const (
	stateVersion = 1
	stateHeader  = 1 + 8 + 4
)

// Format returns the state of a tree in the format of the package comment:
// everything that is needed to derive the keys that are left, in clear.
func Format(t *Tree) []byte {
	t.mu.RLock()
	defer t.mu.RUnlock()
	size := stateHeader
	for _, n := range t.nodes {
		size += 1 + n.path.size() + len(n.value)
	}
	b := make([]byte, 0, size)
	b = append(b, stateVersion)
	b = binary.BigEndian.AppendUint64(b, t.epoch)
	b = binary.BigEndian.AppendUint32(b, uint32(size-stateHeader))
	for _, n := range t.nodes {
		b = append(b, n.path.n)
		b = append(b, n.path.bits[:n.path.size()]...)
		b = append(b, n.value[:]...)
	}
	return b
}

// Parse reads the bytes that [Format] writes and no others. Its errors match
// [ErrMalformed] and quote none of the secrets.
func Parse(b []byte) (*Tree, error) {
	if len(b) < stateHeader {
		return nil, malformed("cut off")
	}
	if b[0] != stateVersion {
		return nil, malformed(fmt.Sprintf("version %d is not known, this program knows %d", b[0], stateVersion))
	}
	epoch := binary.BigEndian.Uint64(b[1:])
	if size := binary.BigEndian.Uint32(b[9:]); uint64(size) != uint64(len(b)-stateHeader) {
		return nil, malformed(fmt.Sprintf("%d bytes of nodes, not %d", len(b)-stateHeader, size))
	}
	b = b[stateHeader:]
	nodes := make([]node, 0, count(b)) // never grown, which would leave copies behind
	for len(b) > 0 {
		n, size, err := parseNode(b)
		if err != nil {
			return nil, err
		}
		if err := follows(nodes, n.path); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
		b = b[size:]
	}
	whole := len(nodes) == 1 && nodes[0].path.n == 0
	if whole != (epoch == 0) {
		return nil, malformed("epoch 0 holds the root, and no later one does")
	}
	return newTree(epoch, nodes), nil
}

// Hash returns the SHA-256 of the state. It can be published: a state holds
// at least 32 bytes that nobody can guess, or nothing that is secret.
func (t *Tree) Hash() [32]byte {
	state := Format(t)
	defer clear(state)
	return sha256.Sum256(state)
}

// count returns how many nodes there are at most.
func count(b []byte) (n int) {
	for len(b) > 0 {
		n++
		b = b[min(len(b), 1+Path{n: b[0]}.size()+len(node{}.value)):]
	}
	return n
}

func parseNode(b []byte) (n node, size int, err error) {
	n.path.n = b[0]
	if n.path.n > maxBits {
		return n, 0, malformed(fmt.Sprintf("node at depth %d", n.path.n))
	}
	size = 1 + n.path.size() + len(n.value)
	if len(b) < size {
		return n, 0, malformed("node cut off")
	}
	copy(n.path.bits[:], b[1:1+n.path.size()])
	copy(n.value[:], b[1+n.path.size():size])
	if n.path != n.path.prefix(int(n.path.n)) {
		return n, 0, malformed("bits behind the end of a path")
	}
	if !n.path.inside() {
		return n, 0, malformed("node below a key")
	}
	return n, size, nil
}

// follows demands that a path can come next in a canonical list.
func follows(nodes []node, p Path) error {
	if len(nodes) == 0 {
		return nil
	}
	last := nodes[len(nodes)-1].path
	switch {
	case last.compare(p) >= 0:
		return malformed("nodes are not in order")
	case p.within(last):
		return malformed("a node within another")
	case p.sibling() == last:
		return malformed("two siblings instead of the node above them")
	}
	return nil
}

// inside says whether p is in the tree: at a key or above one.
func (p Path) inside() bool { return p.n <= branchBits || int(p.n) <= depth(p.branch()) }

// size returns how many bytes the bits take.
func (p Path) size() int { return (int(p.n) + 7) / 8 }

func malformed(why string) error { return fmt.Errorf("%w: key tree state: %s", ErrMalformed, why) }
