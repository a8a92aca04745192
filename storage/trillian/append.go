package trillian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/trillian"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How long Append waits before it repeats, the first time and at most.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// appendLeaves adds leaves until each is known to be stored.
func appendLeaves(ctx context.Context, e engine, first uint64, leaves []Leaf) error {
	if len(leaves) == 0 {
		return nil
	}
	if first > math.MaxInt64-uint64(len(leaves)) {
		return fmt.Errorf("%w: index is above 2^63", ErrRange)
	}
	rest, err := logLeaves(first, leaves)
	if err != nil {
		return err
	}
	for pause := firstPause; len(rest) > 0; {
		before := len(rest)
		rest, err = addOnce(ctx, e, rest)
		switch {
		case err != nil && !transient(err):
			return err
		case len(rest) < before:
			pause = firstPause
			continue
		}
		if done := sleep(ctx, pause); done != nil {
			return fmt.Errorf("%w, while %w", done, err)
		}
		pause = min(2*pause, lastPause)
	}
	return nil
}

// logLeaves makes Trillian's leaves of ours.
func logLeaves(first uint64, leaves []Leaf) ([]*trillian.LogLeaf, error) {
	out := make([]*trillian.LogLeaf, len(leaves))
	slab := make([]trillian.LogLeaf, len(leaves))
	hashes := make([]byte, 0, HashSize*len(leaves))
	hash := sha256.New()
	for i := range leaves {
		if len(leaves[i].Value) == 0 {
			return nil, fmt.Errorf("%w: leaf %d is empty", ErrRange, first+uint64(i))
		}
		hash.Reset()
		hash.Write([]byte{0}) // RFC 6962 section 2.1
		hash.Write(leaves[i].Value)
		hashes = hash.Sum(hashes)
		leaf := &slab[i]
		leaf.MerkleLeafHash = hashes[HashSize*i : HashSize*(i+1) : HashSize*(i+1)]
		leaf.LeafValue = leaves[i].Value
		leaf.LeafIndex = int64(first) + int64(i)
		leaf.LeafIdentityHash = leaf.MerkleLeafHash
		if leaves[i].Identity != [HashSize]byte{} {
			leaf.LeafIdentityHash = leaves[i].Identity[:]
		}
		out[i] = leaf
	}
	return out, nil
}

// addOnce adds some leaves, from the first one on, and returns those that are
// not known to be stored.
func addOnce(ctx context.Context, e engine, leaves []*trillian.LogLeaf) (rest []*trillian.LogLeaf, err error) {
	chunk, after := leaves, leaves[:0]
	if n := e.chunk(leaves); n < len(leaves) {
		chunk, after = leaves[:n], leaves[n:]
	}
	results, err := e.add(ctx, chunk)
	if err != nil {
		return leaves, err
	}
	if len(results) != len(chunk) {
		return leaves, fmt.Errorf("%d results for %d leaves", len(results), len(chunk))
	}
	back := readBack{engine: e}
	for i, leaf := range chunk {
		known, err := back.settle(ctx, leaf, results[i], uint64(len(chunk)-i))
		if !known {
			return leaves[i:], err
		}
	}
	return after, nil
}

// readBack reads leaves of which a status left a doubt, many at a time.
type readBack struct {
	engine engine
	leaves []*trillian.LogLeaf
}

// settle reads the status of a leaf, and in doubt the leaf itself, with some
// of the count leaves from it on.
func (b *readBack) settle(ctx context.Context, leaf *trillian.LogLeaf, result *trillian.QueuedLogLeaf, count uint64) (known bool, err error) {
	if result == nil {
		return false, fmt.Errorf("no result for leaf %d", leaf.LeafIndex)
	}
	if codes.Code(result.GetStatus().GetCode()) == codes.OK {
		return true, nil
	}
	for len(b.leaves) > 0 && b.leaves[0].LeafIndex < leaf.LeafIndex {
		b.leaves = b.leaves[1:]
	}
	if len(b.leaves) == 0 {
		if b.leaves, err = readLeaves(ctx, b.engine, uint64(leaf.LeafIndex), count); err != nil {
			return false, err
		}
	}
	if len(b.leaves) == 0 {
		return false, status.ErrorProto(result.GetStatus())
	}
	if !bytes.Equal(b.leaves[0].LeafValue, leaf.LeafValue) {
		return false, &ForeignLeafError{Index: uint64(leaf.LeafIndex)}
	}
	return true, nil
}

// readLeaves reads stored leaves from start on, up to count.
func readLeaves(ctx context.Context, e engine, start, count uint64) ([]*trillian.LogLeaf, error) {
	leaves, err := e.stored(ctx, start, count)
	if err != nil {
		return nil, err
	}
	return leaves, checkRange(leaves, start, count)
}

// checkRange says whether leaves are some from start on, up to count.
func checkRange(leaves []*trillian.LogLeaf, start, count uint64) error {
	if uint64(len(leaves)) > count {
		return fmt.Errorf("%d leaves instead of %d", len(leaves), count)
	}
	for i, leaf := range leaves {
		if leaf == nil || uint64(leaf.LeafIndex) != start+uint64(i) {
			return fmt.Errorf("leaf %d where leaf %d should be", leaf.GetLeafIndex(), start+uint64(i))
		}
	}
	return nil
}

// transient says whether an error may pass by itself.
func transient(err error) bool {
	var s interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &s) {
		return false
	}
	switch s.GRPCStatus().Code() {
	case codes.Unavailable, codes.Aborted, codes.ResourceExhausted, codes.DeadlineExceeded:
		return true
	}
	return false
}

// sleep waits, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
