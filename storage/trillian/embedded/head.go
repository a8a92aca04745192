package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/compact"
)

// head is a tree's last root and the right edge of the tree at that size,
// stored as
//
//	uint16 length; opaque logRoot[length];   // trillian.SignedLogRoot.log_root
//	opaque edge[32*n];                       // n is 0 or the ones in the size
//
// The edge holds the roots of the perfect subtrees, left to right, as
// compact.RangeNodes(0, size) names them. It is missing only where a root was
// stored without its nodes.
type head struct {
	stored  []byte // as below
	logRoot []byte
	root    types.LogRootV1
	edge    []hash
}

// readHead reads a tree's head; without one it is storage.ErrTreeNeedsInit. A
// head never changes, so one that was parsed before is returned again.
func (s *Store) readHead(r pebble.Reader, tree int64) (*head, error) {
	value, closer, err := r.Get(headKey(tree))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, storage.ErrTreeNeedsInit
	}
	if err != nil {
		return nil, fmt.Errorf("read head: %w", err)
	}
	parsed := &s.state(tree).parsed
	h := parsed.Load()
	if h == nil || !bytes.Equal(h.stored, value) {
		if h, err = parseHead(bytes.Clone(value)); err == nil {
			parsed.Store(h)
		}
	}
	return h, errors.Join(err, closer.Close())
}

func parseHead(b []byte) (*head, error) {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return nil, fmt.Errorf("head: %w: %d bytes", errCorrupt, len(b))
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	h := &head{stored: b, logRoot: b[2:n]}
	if err := h.root.UnmarshalBinary(h.logRoot); err != nil {
		return nil, fmt.Errorf("head: %w: %w", errCorrupt, err)
	}
	edge := b[n:]
	if len(edge) != 0 && len(edge) != hashSize*bits.OnesCount64(h.root.TreeSize) {
		return nil, fmt.Errorf("head: %w: edge of %d bytes at size %d", errCorrupt, len(edge), h.root.TreeSize)
	}
	h.edge = make([]hash, len(edge)/hashSize)
	for i := range h.edge {
		copy(h.edge[i][:], edge[hashSize*i:])
	}
	return h, nil
}

// format sets and returns h.stored.
func (h *head) format() []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(h.logRoot)+hashSize*len(h.edge)), uint16(len(h.logRoot)))
	b = append(b, h.logRoot...)
	for i := range h.edge {
		b = append(b, h.edge[i][:]...)
	}
	h.stored = b
	return b
}

// size is the tree's size; a tree that needs initialising has none.
func (h *head) size() uint64 {
	if h == nil {
		return 0
	}
	return h.root.TreeSize
}

func (h *head) signed() *trillian.SignedLogRoot {
	return &trillian.SignedLogRoot{LogRoot: h.logRoot}
}

// node finds a node on the right edge.
func (h *head) node(id compact.NodeID) (hash, bool) {
	if h == nil || len(h.edge) == 0 || !onEdge(id, h.root.TreeSize) {
		return hash{}, false
	}
	// Higher levels come first.
	return h.edge[bits.OnesCount64(h.root.TreeSize>>id.Level>>1)], true
}

// edgeRoot is the root hash that the edge implies; it is not empty.
func edgeRoot(edge []hash) hash {
	root := edge[len(edge)-1]
	for i := len(edge) - 2; i >= 0; i-- {
		root = hashNode(&edge[i], &root)
	}
	return root
}
