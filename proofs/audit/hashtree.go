package audit

import (
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A hashTree is the RFC 6962 tree over hashes, of which any can be replaced.
type hashTree struct {
	hashes []proofs.Hash
	levels [][]proofs.Hash // complete nodes, from the leaves up
}

// set makes a hash the one of a number that there is, or the next.
func (t *hashTree) set(number uint64, h proofs.Hash) {
	t.hashes = put(t.hashes, number, h)
	node := proofs.LeafHash(h[:])
	for level := 0; ; level++ {
		if level == len(t.levels) {
			t.levels = append(t.levels, nil)
		}
		nodes := put(t.levels[level], number, node)
		t.levels[level] = nodes
		left := number &^ 1
		if left+1 >= uint64(len(nodes)) {
			return
		}
		node, number = proofs.NodeHash(nodes[left], nodes[left+1]), number/2
	}
}

// append adds the next hash.
func (t *hashTree) append(h proofs.Hash) { t.set(uint64(len(t.hashes)), h) }

func put(list []proofs.Hash, number uint64, h proofs.Hash) []proofs.Hash {
	if number == uint64(len(list)) {
		return append(list, h)
	}
	list[number] = h
	return list
}

// root returns the root over all hashes, as [proofs.DirectoriesRoot] does.
func (t *hashTree) root() proofs.Hash {
	var subtrees []proofs.Hash // from left to right
	for level := len(t.levels) - 1; level >= 0; level-- {
		if nodes := t.levels[level]; len(nodes)%2 == 1 {
			subtrees = append(subtrees, nodes[len(nodes)-1])
		}
	}
	return foldRight(subtrees)
}

func (t *hashTree) clone() (c hashTree) {
	c.hashes = slices.Clone(t.hashes)
	for _, nodes := range t.levels {
		c.levels = append(c.levels, slices.Clone(nodes))
	}
	return c
}
