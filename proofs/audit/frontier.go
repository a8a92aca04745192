package audit

import "github.com/cairnlog/cairn/proofs"

// A frontier is the largest complete subtrees over the leaves so far, from left
// to right: all that is needed to go on and to know the root.
type frontier struct {
	count uint64
	nodes []proofs.Hash
}

// push adds the next leaf hash.
func (f *frontier) push(h proofs.Hash) {
	last := len(f.nodes) - 1
	for n := f.count; n&1 == 1; n >>= 1 {
		h = proofs.NodeHash(f.nodes[last], h)
		last--
	}
	f.nodes = append(f.nodes[:last+1], h)
	f.count++
}

// foldRight returns the root over subtrees that do not grow from left to right.
func foldRight(subtrees []proofs.Hash) proofs.Hash {
	if len(subtrees) == 0 {
		return proofs.EmptyRoot()
	}
	root := subtrees[len(subtrees)-1]
	for i := len(subtrees) - 2; i >= 0; i-- {
		root = proofs.NodeHash(subtrees[i], root)
	}
	return root
}
