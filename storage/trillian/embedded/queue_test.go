package embedded_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

func TestALogKeepsTheOrderOfItsQueue(t *testing.T) {
	l := create(t, open(t, embedded.Options{Deferred: true}), newTree(trillian.TreeType_LOG))
	random := rand.New(rand.NewPCG(3, 4))
	now := time.Now()
	queued, size := 0, 0
	for size < 1500 {
		n := 1 + random.IntN(300)
		l.queue(t, now, logLeaves(queued, n)...)
		queued += n
		n = 1 + random.IntN(queued-size)
		mustIntegrate(t, l, n, n)
		size += n
	}
	l.check(t, values(0, size))
	mustIntegrate(t, l, queued, queued-size)
	mustIntegrate(t, l, 1, 0)
	l.check(t, values(0, queued))
}

func TestAQueueIsOrderedByTime(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_LOG))
	now := time.Now()
	l.queue(t, now, logLeaf(1))
	l.queue(t, now.Add(-time.Hour), logLeaf(0))
	mustIntegrate(t, l, 1, 1)
	l.queue(t, now.Add(-2*time.Hour), logLeaf(2)) // older than what is gone
	mustIntegrate(t, l, 10, 2)
	l.check(t, [][]byte{value(0), value(2), value(1)})
}

func TestADuplicateIsAnsweredWithTheOriginal(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_LOG))
	now := time.Now()
	l.queue(t, now, logLeaves(0, 3)...)
	mustIntegrate(t, l, 2, 2)
	again := logLeaf(1) // in the tree
	again.ExtraData = []byte("other")
	batch := []*trillian.LogLeaf{again, logLeaf(2), logLeaf(3), logLeaf(3)}
	results, err := l.QueueLeaves(t.Context(), l.tree, batch, now)
	got := statuses(t, results, err)
	if want := []codes.Code{codes.AlreadyExists, codes.AlreadyExists, codes.OK, codes.AlreadyExists}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	if len(results[0].Leaf.ExtraData) != 0 || results[0].Leaf.LeafIndex != 1 {
		t.Errorf("the original is %v", results[0].Leaf)
	}
	mustIntegrate(t, l, 10, 2)
	l.check(t, values(0, 4))
}

func TestTheGuardWindowHoldsNewLeavesBack(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_LOG))
	now := time.Now()
	l.queue(t, now, logLeaf(0))
	l.queue(t, now.Add(time.Second), logLeaf(1))
	err := l.ReadWriteTransaction(t.Context(), l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
		leaves, err := tx.DequeueLeaves(ctx, 10, now)
		if err != nil || len(leaves) != 1 || string(leaves[0].LeafValue) != string(value(0)) {
			t.Errorf("dequeued %v, %v, want leaf 0", leaves, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsRolledBackIsInTheQueueAgain(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_LOG))
	l.queue(t, time.Now(), logLeaves(0, 5)...)
	wanted := errors.New("wanted")
	err := l.ReadWriteTransaction(t.Context(), l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
		leaves, err := tx.DequeueLeaves(ctx, 3, time.Now())
		if err != nil || len(leaves) != 3 {
			t.Errorf("dequeued %d leaves, %v, want 3", len(leaves), err)
		}
		return wanted
	})
	if !errors.Is(err, wanted) {
		t.Errorf("err = %v, want %v", err, wanted)
	}
	// Dequeued and left there, which a commit does not change either.
	err = l.ReadWriteTransaction(t.Context(), l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
		_, err := tx.DequeueLeaves(ctx, 2, time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mustIntegrate(t, l, 10, 5)
	l.check(t, values(0, 5))
}

func TestUpdateSequencedLeavesRefuses(t *testing.T) {
	l := create(t, open(t, embedded.Options{}), newTree(trillian.TreeType_LOG))
	l.queue(t, time.Now(), logLeaves(0, 2)...)
	for _, c := range []struct {
		name   string
		change func(leaves []*trillian.LogLeaf) []*trillian.LogLeaf
	}{
		{"a leaf that was not dequeued", func([]*trillian.LogLeaf) []*trillian.LogLeaf { return logLeaves(5, 1) }},
		{"two leaves at one index", func(l []*trillian.LogLeaf) []*trillian.LogLeaf { l[1].LeafIndex = 0; return l }},
		{"a leaf twice", func(l []*trillian.LogLeaf) []*trillian.LogLeaf { return []*trillian.LogLeaf{l[0], l[0]} }},
	} {
		err := l.ReadWriteTransaction(t.Context(), l.tree, func(ctx context.Context, tx storage.LogTreeTX) error {
			leaves, err := tx.DequeueLeaves(ctx, 2, time.Now())
			if err != nil {
				return err
			}
			for i, leaf := range leaves {
				leaf.LeafIndex, leaf.IntegrateTimestamp = int64(i), leaf.QueueTimestamp
			}
			return tx.UpdateSequencedLeaves(ctx, c.change(leaves))
		})
		if err == nil {
			t.Errorf("%s was sequenced", c.name)
		}
	}
}
