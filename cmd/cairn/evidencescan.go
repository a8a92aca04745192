package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// A leafScan reads a ledger's leaves from the first on, as far as it is asked
// to, and gathers what control entries say.
type leafScan struct {
	reader    *proofs.Reader
	collector *evidence.Collector
	workers   int
	each      func(index uint64, leaf proofs.Leaf) // nil: nobody wants them
	say       func(format string, args ...any)     // what is odd
	show      func(done uint64)                    // progress

	next uint64 // the leaves before it were read
}

// to reads the leaves before an index that were not read yet.
func (s *leafScan) to(ctx context.Context, end uint64) error {
	start := s.next
	fetch := func(ctx context.Context, from uint64) (leaves [][]byte, err error) {
		to := min(end, from-from%proofs.TileWidth+proofs.TileWidth)
		for b, err := range s.reader.Leaves(ctx, from, to) {
			if errors.Is(err, errPruned) {
				return make([][]byte, to-from), nil // nobody can choose them
			}
			if err != nil {
				return nil, err
			}
			leaves = append(leaves, b)
		}
		return leaves, nil
	}
	return inOrder(ctx, s.workers, bundlesFrom(start, end), fetch, s.take)
}

// bundlesFrom yields where each bundle begins that has entries of [start, end):
// the first at start itself.
func bundlesFrom(start, end uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for from := start; from < end; from = from - from%proofs.TileWidth + proofs.TileWidth {
			if !yield(from) {
				return
			}
		}
	}
}

// take takes the next leaves.
func (s *leafScan) take(leaves [][]byte) error {
	for _, b := range leaves {
		if b == nil {
			s.next++
			continue
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return fmt.Errorf("entry %d: %w", s.next, err)
		}
		if err := s.collector.Take(s.next, leaf); err != nil {
			s.say("entry %d is passed over: %v", s.next, err) // an audit finds it too
		}
		if s.each != nil {
			s.each(s.next, leaf)
		}
		s.next++
	}
	s.show(s.next)
	return nil
}
