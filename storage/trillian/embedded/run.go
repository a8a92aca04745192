package embedded

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/trillian"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// run is the stored leaves of one run.
type run struct {
	number uint64
	slots  [runSize]slot
	hashes *tileHashes
}

// slot is leaf i of fragment f; without a fragment there is no leaf.
type slot struct {
	f *storedFragment
	i int
}

// storedFragment is a fragment with its times as Trillian wants them.
type storedFragment struct {
	fragment
	times times
}

// readRun reads a run; one that is not stored is empty.
func readRun(r pebble.Reader, tree int64, number uint64) (*run, error) {
	out := &run{number: number}
	value, err := get(r, leavesKey(tree, number))
	if errors.Is(err, pebble.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read run %d: %w", number, err)
	}
	if out.hashes, err = readTile(r, tree, 0, number); err != nil {
		return nil, err
	}
	for len(value) > 0 {
		f := new(storedFragment)
		if f.fragment, value, err = cutFragment(value); err != nil {
			return nil, fmt.Errorf("run %d: %w", number, err)
		}
		f.times = newTimes(&f.fragment)
		for i := range f.values {
			if !out.hashes.present[f.first+i] {
				return nil, fmt.Errorf("run %d: %w: leaf %d has no hash", number, errCorrupt, f.first+i)
			}
			out.slots[f.first+i] = slot{f, i}
		}
	}
	return out, nil
}

// has says whether the leaf at this place of the run is stored.
func (r *run) has(at int) bool { return r.slots[at].f != nil }

// last is the place of the last leaf of a run that has one.
func (r *run) last() int {
	at := runSize - 1
	for at > 0 && !r.has(at) {
		at--
	}
	return at
}

// leaf returns the leaf at this place, which is stored.
func (r *run) leaf(at int) *trillian.LogLeaf {
	leaf := new(trillian.LogLeaf)
	r.fill(leaf, at)
	return leaf
}

// fill makes leaf the one at this place, which is stored.
func (r *run) fill(leaf *trillian.LogLeaf, at int) {
	s := r.slots[at]
	fillLeaf(leaf, &s.f.fragment, s.i, r.number*runSize+uint64(at), r.hashes.hashes[at][:], s.f.times)
}

// size is how many bytes of value and extra data the leaf at this place has.
func (r *run) size(at int) int {
	s := r.slots[at]
	n := len(s.f.values[s.i])
	if s.f.extras != nil {
		n += len(s.f.extras[s.i])
	}
	return n
}

// times are a fragment's times; leaves of one fragment share them.
type times struct {
	integrated *timestamppb.Timestamp
	queued     *timestamppb.Timestamp // nil when each leaf has its own
}

func newTimes(f *fragment) times {
	t := times{integrated: timestamp(f.integrated)}
	if len(f.queued) == 1 {
		t.queued = timestamp(f.queued[0])
	}
	return t
}

func timestamp(nanos int64) *timestamppb.Timestamp { return timestamppb.New(time.Unix(0, nanos)) }

// fillLeaf makes leaf the i-th of a fragment. It holds on to hash and to the
// fragment's bytes.
func fillLeaf(leaf *trillian.LogLeaf, f *fragment, i int, index uint64, hash []byte, t times) {
	leaf.MerkleLeafHash = hash
	leaf.LeafValue = f.values[i]
	if f.extras != nil {
		leaf.ExtraData = f.extras[i]
	}
	leaf.LeafIndex = int64(index)
	leaf.LeafIdentityHash = hash
	if f.identities != nil {
		leaf.LeafIdentityHash = f.identities[hashSize*i : hashSize*(i+1) : hashSize*(i+1)]
	}
	leaf.IntegrateTimestamp = t.integrated
	leaf.QueueTimestamp = t.queued
	if t.queued == nil {
		leaf.QueueTimestamp = timestamp(f.queued[i])
	}
}
