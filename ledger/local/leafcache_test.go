package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/ledger"
)

// A countingTree is a tree of so many leaves that counts how often it is read.
type countingTree struct {
	ledger.Tree

	mu    sync.Mutex
	size  uint64
	reads int
	pad   int // bytes behind each leaf
}

var errBeyond = errors.New("there are not so many leaves")

func (t *countingTree) Head(context.Context) (uint64, [32]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.size, [32]byte{}, nil
}

func (t *countingTree) Integrate(_ context.Context, size uint64) ([32]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size = size
	return [32]byte{}, nil
}

func (t *countingTree) Leaves(_ context.Context, start, count uint64) ([][]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads++
	if start+count > t.size {
		return nil, errBeyond
	}
	var leaves [][]byte
	for i := start; i < start+count; i++ {
		leaves = append(leaves, append(fmt.Appendf(nil, "leaf %d", i), make([]byte, t.pad)...))
	}
	return leaves, nil
}

func TestLeavesAreTheTreesHoweverTheyAreRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	inner := &countingTree{size: 3}
	c := newLeafCache(inner)
	ctx := t.Context()
	for range 20_000 {
		if rng.IntN(50) == 0 { // it grows, at last beyond what is remembered
			if _, err := c.Integrate(ctx, inner.size+rng.Uint64N(300)); err != nil {
				t.Fatal(err)
			}
		}
		start := rng.Uint64N(inner.size + 2)
		count := 1 + rng.Uint64N(3)
		if rng.IntN(20) == 0 {
			count = rng.Uint64N(700)
		}
		want, wantErr := inner.Leaves(ctx, start, count)
		got, err := c.Leaves(ctx, start, count)
		if !errors.Is(err, wantErr) || !slices.EqualFunc(got, want, func(a, b []byte) bool { return string(a) == string(b) }) {
			t.Fatalf("%d leaves from %d of %d: got %d, %v, want %d, %v", count, start, inner.size, len(got), err, len(want), wantErr)
		}
		for _, leaf := range got {
			clear(leaf) // which is nobody else's
		}
	}
	if len(c.runs) > leafRuns || inner.size < leafRun*leafRuns {
		t.Errorf("%d runs are remembered of %d leaves, want %d of more", len(c.runs), inner.size, leafRuns)
	}
}

func TestLeavesThatWereReadAreRemembered(t *testing.T) {
	inner := &countingTree{size: 1000}
	c := newLeafCache(inner)
	if _, _, err := c.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i := range uint64(1000) {
				if leaf, err := c.Leaves(t.Context(), i, 1); err != nil || string(leaf[0]) != fmt.Sprint("leaf ", i) {
					t.Errorf("leaf %d: got %q, %v", i, leaf, err)
				}
			}
		})
	}
	readers.Wait()
	if inner.reads > 4*4 {
		t.Errorf("the tree was read %d times for 4 runs by 4 readers", inner.reads)
	}
}

// TestLongLeavesTakeNoMoreRoom: entries that announce what is closed have long
// leaves.
func TestLongLeavesTakeNoMoreRoom(t *testing.T) {
	const runs = 40
	inner := &countingTree{size: runs * leafRun, pad: leafBytes / leafRun / 8}
	c := newLeafCache(inner)
	if _, _, err := c.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	for run := range uint64(runs) {
		if _, err := c.Leaves(t.Context(), run*leafRun, 1); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, r := range c.runs {
			kept += bytesIn(r)
		}
		if kept > leafBytes || kept != c.bytes || kept == 0 {
			t.Fatalf("after %d runs %d bytes are remembered, %d counted, want at most %d", run+1, kept, c.bytes, leafBytes)
		}
	}
	inner.pad *= 16
	if _, err := c.Leaves(t.Context(), leafRun-1, 1); err != nil || c.bytes > leafBytes {
		t.Errorf("got %v, and %d bytes are remembered", err, c.bytes)
	}
}
