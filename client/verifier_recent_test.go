package client_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/memory"
)

// A countedMemory counts how often it is asked: a checkpoint is compared with
// what it holds, or not.
type countedMemory struct {
	storage.Register
	loads int
}

func (m *countedMemory) Load(ctx context.Context) ([]byte, error) {
	m.loads++
	return m.Register.Load(ctx)
}

// The answers to batches come in any order, and each holds many receipts of
// one checkpoint.
func TestVerifierComparesACheckpointOnce(t *testing.T) {
	l := newCheatingLog(t)
	m := &countedMemory{Register: memory.New(nil).Register("memory")}
	w := l.watch(func(o *client.VerifierOptions) { o.Memory = m })
	var signed [][]byte
	for i := range 100 {
		signed = append(signed, l.grow(300+i, "true", uint64(1000+i)))
	}
	believe := func(indices ...int) {
		t.Helper()
		for _, i := range indices {
			view, err := w.Believe(ctx, signed[i])
			if err != nil || !bytes.Equal(view.Signed, signed[i]) || view.Checkpoint.Size != uint64(300+i) {
				t.Fatalf("checkpoint %d: got size %d and error %v", i, view.Checkpoint.Size, err)
			}
		}
	}
	believe(99, 3, 17)
	before := m.loads
	for range 5 {
		believe(3, 99, 17, 17, 3)
	}
	if m.loads != before {
		t.Errorf("checkpoints were compared %d times again", m.loads-before)
	}
	for i := 20; i < 99; i++ {
		believe(i)
	}
	if believe(3); m.loads != before+80 {
		t.Errorf("%d checkpoints were compared, want 79 that are new and one of long ago", m.loads-before)
	}
	w.remembers(t, signed[99])
}

// What is kept is no way around the rules: neither for another history, nor
// for who changes the bytes that were believed.
func TestVerifierKeepsNoForks(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	small, believed := l.grow(200, "true", 1000), l.grow(300, "true", 1001)
	for _, signed := range [][]byte{believed, small} {
		if _, err := w.Believe(ctx, signed); err != nil {
			t.Fatal(err)
		}
	}
	fork := newCheatingLog(t)
	forged := fork.grow(200, "false", 1000)
	if len(forged) != len(small) {
		t.Fatalf("the checkpoints differ in length")
	}
	for range 2 {
		_, err := w.Believe(ctx, forged)
		var h *client.HistoryError
		if !errors.As(err, &h) || h.Evidence.What != client.Fork {
			t.Errorf("a fork of the size of a view that is kept: got error %v, want a fork", err)
		}
	}
	copy(small, forged)
	if _, err := w.Believe(ctx, small); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("a fork in the bytes that were believed: got error %v, want a refusal", err)
	}
	w.remembers(t, believed)
}

func TestVerifierIsSafeForManyAtOnce(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	var signed [][]byte
	for i := range 8 {
		signed = append(signed, l.grow(300+i, "true", uint64(1000+i)))
	}
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			if view, err := w.Believe(ctx, signed[i%8]); err != nil || view.Checkpoint.Size != uint64(300+i%8) {
				t.Errorf("got size %d and error %v, want %d", view.Checkpoint.Size, err, 300+i%8)
			}
		})
	}
	all.Wait()
	w.remembers(t, signed[7])
}
