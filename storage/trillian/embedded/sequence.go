package embedded

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// AddSequencedLeaves stores leaves at the indices they carry, in one batch,
// also where they leave gaps.
func (l logStorage) AddSequencedLeaves(_ context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) ([]*trillian.QueuedLogLeaf, error) {
	w, err := l.store.write(tree)
	if err != nil {
		return nil, err
	}
	defer w.release()
	if w.head == nil {
		return nil, storage.ErrTreeNeedsInit
	}
	if err := w.refuseUnless(trillian.TreeState_ACTIVE, trillian.TreeState_DRAINING); err != nil {
		return nil, err
	}
	if err := checkLeaves(leaves); err != nil {
		return nil, err
	}
	results, accepted, err := w.judge(leaves)
	if err != nil || len(accepted) == 0 {
		return results, err
	}
	if err := w.store.reserve(leavesSize(accepted)); err != nil {
		return nil, err
	}
	b := w.store.db.NewBatch()
	pieces, err := w.put(b, accepted, func(*trillian.LogLeaf) int64 { return at.UnixNano() }, 0)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if err := w.commit(b); err != nil {
		return nil, err
	}
	w.added(pieces)
	return results, nil
}

// checkLeaves refuses leaves that cannot be stored.
func checkLeaves(leaves []*trillian.LogLeaf) error {
	for i, leaf := range leaves {
		switch {
		case leaf == nil:
			return status.Errorf(codes.InvalidArgument, "leaf %d is missing", i)
		case len(leaf.MerkleLeafHash) != hashSize, len(leaf.LeafIdentityHash) != hashSize:
			return status.Errorf(codes.InvalidArgument, "leaf %d has hashes of %d and %d bytes", i, len(leaf.MerkleLeafHash), len(leaf.LeafIdentityHash))
		case len(leaf.LeafValue) > maxValue, len(leaf.ExtraData) > maxValue:
			return status.Errorf(codes.InvalidArgument, "leaf %d has %d and %d bytes, the most is %d", i, len(leaf.LeafValue), len(leaf.ExtraData), maxValue)
		case leaf.LeafIndex < 0:
			return status.Errorf(codes.InvalidArgument, "leaf %d has index %d", i, leaf.LeafIndex)
		}
	}
	return nil
}

// leavesSize is about how many bytes leaves take on disk.
func leavesSize(leaves []*trillian.LogLeaf) int {
	n := 0
	for _, leaf := range leaves {
		n += len(leaf.LeafValue) + len(leaf.ExtraData) + leafOverhead
	}
	return n
}

// newSlab makes n results that say OK.
func newSlab(leaves []*trillian.LogLeaf) []*trillian.QueuedLogLeaf {
	ok := new(spb.Status)
	slab := make([]trillian.QueuedLogLeaf, len(leaves))
	results := make([]*trillian.QueuedLogLeaf, len(leaves))
	for i, leaf := range leaves {
		slab[i].Leaf, slab[i].Status = leaf, ok
		results[i] = &slab[i]
	}
	return results
}

// judge gives each leaf its status, and returns those to be stored.
func (w *writer) judge(leaves []*trillian.LogLeaf) (results []*trillian.QueuedLogLeaf, accepted []*trillian.LogLeaf, err error) {
	results = newSlab(leaves)
	if !w.index && rising(leaves, w.state.end) {
		return results, leaves, nil
	}
	j := judge{writer: w, taken: make(map[int64]*trillian.LogLeaf), identities: make(map[string]*trillian.LogLeaf)}
	for i, leaf := range leaves {
		other, err := j.conflict(leaf)
		switch {
		case err != nil:
			return nil, nil, err
		case other == nil:
			accepted = append(accepted, leaf)
		case sameLeaf(other, leaf):
			results[i].Leaf = other
			results[i].Status = status.Newf(codes.AlreadyExists, "leaf %d is stored already", leaf.LeafIndex).Proto()
		default:
			results[i].Leaf = other
			results[i].Status = status.Newf(codes.FailedPrecondition, "leaf %d conflicts with leaf %d", leaf.LeafIndex, other.LeafIndex).Proto()
		}
	}
	return results, accepted, nil
}

// rising says whether leaves have consecutive indices, none below end.
func rising(leaves []*trillian.LogLeaf, end uint64) bool {
	for i, leaf := range leaves {
		if uint64(leaf.LeafIndex) < end || leaf.LeafIndex != leaves[0].LeafIndex+int64(i) {
			return false
		}
	}
	return true
}

// sameLeaf says whether two leaves are one.
func sameLeaf(a, b *trillian.LogLeaf) bool {
	return a.LeafIndex == b.LeafIndex &&
		bytes.Equal(a.LeafIdentityHash, b.LeafIdentityHash) &&
		bytes.Equal(a.MerkleLeafHash, b.MerkleLeafHash) &&
		bytes.Equal(a.LeafValue, b.LeafValue) &&
		bytes.Equal(a.ExtraData, b.ExtraData)
}

// judge finds the leaves that new leaves conflict with.
type judge struct {
	writer     *writer
	run        *run                         // the one looked at last
	taken      map[int64]*trillian.LogLeaf  // by index, of this batch
	identities map[string]*trillian.LogLeaf // by identity hash, of this batch
}

// conflict returns the leaf that has the index, or the identity hash, of leaf.
// Without one leaf has taken them.
func (j *judge) conflict(leaf *trillian.LogLeaf) (*trillian.LogLeaf, error) {
	if other := j.taken[leaf.LeafIndex]; other != nil {
		return other, nil
	}
	if other, err := j.stored(uint64(leaf.LeafIndex)); err != nil || other != nil {
		return other, err
	}
	if j.writer.index {
		if other := j.identities[string(leaf.LeafIdentityHash)]; other != nil {
			return other, nil
		}
		found, err := findLeaves(j.writer.store.db, j.writer.tree.TreeId, leaf.LeafIdentityHash, identityHash)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return found[0], nil
		}
		j.identities[string(leaf.LeafIdentityHash)] = leaf
	}
	j.taken[leaf.LeafIndex] = leaf
	return nil, nil
}

// stored returns the stored leaf at index, or nil.
func (j *judge) stored(index uint64) (_ *trillian.LogLeaf, err error) {
	if index >= j.writer.state.end {
		return nil, nil
	}
	if j.run == nil || j.run.number != index/runSize {
		if j.run, err = readRun(j.writer.store.db, j.writer.tree.TreeId, index/runSize); err != nil {
			return nil, err
		}
	}
	if at := int(index % runSize); j.run.has(at) {
		return j.run.leaf(at), nil
	}
	return nil, nil
}

// put stores leaves, whose indices are free. Consecutive leaves of a run become
// one piece.
func (w *writer) put(b *pebble.Batch, leaves []*trillian.LogLeaf, queued func(*trillian.LogLeaf) int64, integrated int64) ([]piece, error) {
	var pieces []piece
	if w.index {
		for _, leaf := range leaves {
			if err := putIndex(b, w.tree.TreeId, leaf); err != nil {
				return nil, err
			}
		}
	}
	for len(leaves) > 0 {
		n := 1
		first := leaves[0].LeafIndex
		for n < len(leaves) && leaves[n].LeafIndex == first+int64(n) && (first+int64(n))%runSize != 0 {
			n++
		}
		p := newPiece(leaves[:n], queued, integrated)
		leaves = leaves[n:]
		pieces = append(pieces, p)
		run := p.first / runSize
		if err := b.Merge(leavesKey(w.tree.TreeId, run), p.leaves, nil); err != nil {
			return nil, err
		}
		if err := b.Merge(tileKey(w.tree.TreeId, 0, run), tileValue(p.first, p.hashes), nil); err != nil {
			return nil, err
		}
	}
	return pieces, nil
}

// newPiece encodes consecutive leaves of one run.
func newPiece(leaves []*trillian.LogLeaf, queued func(*trillian.LogLeaf) int64, integrated int64) piece {
	p := piece{first: uint64(leaves[0].LeafIndex), hashes: make([]byte, 0, hashSize*len(leaves))}
	f := fragment{
		first:      int(p.first % runSize),
		integrated: integrated,
		queued:     []int64{queued(leaves[0])},
		values:     make([][]byte, len(leaves)),
	}
	sameTime, sameHash, noExtra := true, true, true
	for i, leaf := range leaves {
		p.hashes = append(p.hashes, leaf.MerkleLeafHash...)
		f.values[i] = leaf.LeafValue
		sameTime = sameTime && queued(leaf) == f.queued[0]
		sameHash = sameHash && bytes.Equal(leaf.LeafIdentityHash, leaf.MerkleLeafHash)
		noExtra = noExtra && len(leaf.ExtraData) == 0
	}
	if !sameTime {
		f.queued = f.queued[:0]
	}
	for _, leaf := range leaves {
		if !sameTime {
			f.queued = append(f.queued, queued(leaf))
		}
		if !noExtra {
			f.extras = append(f.extras, leaf.ExtraData)
		}
		if !sameHash {
			f.identities = append(f.identities, leaf.LeafIdentityHash...)
		}
	}
	p.leaves = f.appendTo(make([]byte, 0, leavesSize(leaves)))
	return p
}

// added notes in memory that pieces are stored.
func (w *writer) added(pieces []piece) {
	for _, p := range pieces {
		w.state.end = max(w.state.end, p.end())
		w.state.tail.add(p)
	}
}
