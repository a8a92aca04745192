package ledger

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/cairnlog/cairn/proofs"
)

// An edge is the right edge of the tree as this package computes it, from the
// journal's bytes and with x/mod's hashing, apart from Trillian: the roots of
// the largest complete subtrees of [0, size), the largest first. It is kept in
// the register "signed" (law 3).
type edge struct {
	size   uint64
	hashes []tlog.Hash // one for each bit of size
}

// append adds a leaf.
func (e *edge) append(leaf []byte) {
	h := tlog.RecordHash(leaf)
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.hashes) - 1
		h = tlog.NodeHash(e.hashes[last], h)
		e.hashes = e.hashes[:last]
	}
	e.hashes = append(e.hashes, h)
	e.size++
}

// root returns the root of the tree of e.size leaves.
func (e *edge) root() proofs.Hash {
	if e.size == 0 {
		return proofs.EmptyRoot()
	}
	h := e.hashes[len(e.hashes)-1]
	for i := len(e.hashes) - 2; i >= 0; i-- {
		h = tlog.NodeHash(e.hashes[i], h)
	}
	return proofs.Hash(h)
}

// clone returns an edge that shares nothing with e.
func (e *edge) clone() edge {
	return edge{size: e.size, hashes: append([]tlog.Hash(nil), e.hashes...)}
}

func newEdge(size uint64, hashes []proofs.Hash) (edge, error) {
	if bits.OnesCount64(size) != len(hashes) {
		return edge{}, fmt.Errorf("%d hashes are not the edge of size %d", len(hashes), size)
	}
	e := edge{size: size}
	for _, h := range hashes {
		e.hashes = append(e.hashes, tlog.Hash(h))
	}
	return e, nil
}
