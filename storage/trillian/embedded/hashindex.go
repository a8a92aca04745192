package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
)

// indexHashSize is how much of a hash is a key of the hash index. The rest is
// compared with the leaf.
const indexHashSize = 8

// putIndex adds a leaf to the hash index, under its leaf hash, and under its
// identity hash if that is another one. Bloom filters answer most look-ups of
// new hashes without reading.
func putIndex(b *pebble.Batch, tree int64, leaf *trillian.LogLeaf) error {
	value := binary.BigEndian.AppendUint64(nil, uint64(leaf.LeafIndex))
	if err := b.Merge(indexKey(tree, leaf.MerkleLeafHash), value, nil); err != nil {
		return err
	}
	if bytes.Equal(leaf.LeafIdentityHash, leaf.MerkleLeafHash) {
		return nil
	}
	return b.Merge(indexKey(tree, leaf.LeafIdentityHash), value, nil)
}

func merkleLeafHash(leaf *trillian.LogLeaf) []byte { return leaf.MerkleLeafHash }

func identityHash(leaf *trillian.LogLeaf) []byte { return leaf.LeafIdentityHash }

// findLeaves returns the stored leaves of which a hash, the leaf hash or the
// identity hash, is as given.
func findLeaves(r pebble.Reader, tree int64, hash []byte, of func(*trillian.LogLeaf) []byte) ([]*trillian.LogLeaf, error) {
	if len(hash) != hashSize {
		return nil, nil
	}
	indices, err := get(r, indexKey(tree, hash))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read hash index: %w", err)
	}
	if len(indices)%8 != 0 {
		return nil, fmt.Errorf("hash index: %w: %d bytes", errCorrupt, len(indices))
	}
	var leaves []*trillian.LogLeaf
	seen := make(map[uint64]bool)
	for ; len(indices) > 0; indices = indices[8:] {
		index := binary.BigEndian.Uint64(indices)
		if seen[index] {
			continue
		}
		seen[index] = true
		run, err := readRun(r, tree, index/runSize)
		if err != nil {
			return nil, err
		}
		at := int(index % runSize)
		if !run.has(at) {
			return nil, fmt.Errorf("hash index: %w: leaf %d is not stored", errCorrupt, index)
		}
		if leaf := run.leaf(at); bytes.Equal(of(leaf), hash) {
			leaves = append(leaves, leaf)
		}
	}
	return leaves, nil
}
