package client_test

import (
	"errors"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

func TestVerifierBelievesReceipts(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	small := l.grow(100, "true", 1000)
	middle := l.grow(300, "true", 1001)
	update(t, w, 300)
	large := l.grow(400, "true", 1002)
	for _, signed := range [][]byte{small, middle, large, large, small} {
		v, err := w.CheckReceipt(ctx, l.receipt(7, signed), 7, l.leaves[7])
		if err != nil {
			t.Fatalf("a true receipt: %v", err)
		}
		if len(v.Cosignatures) != 2 {
			t.Errorf("got %d cosignatures, want 2", len(v.Cosignatures))
		}
	}
	w.remembers(t, large)
	for name, f := range map[string]func() error{
		"another leaf": func() error {
			_, err := w.CheckReceipt(ctx, l.receipt(7, large), 7, l.leaves[8])
			return err
		},
		"another index": func() error {
			_, err := w.CheckReceipt(ctx, l.receipt(7, large), 8, l.leaves[7])
			return err
		},
		"a cut receipt": func() error {
			_, err := w.CheckReceipt(ctx, l.receipt(7, large)[:90], 7, l.leaves[7])
			return err
		},
	} {
		if err := f(); !errors.Is(err, proofs.ErrNotVerified) && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want a refusal", name, err)
		}
	}
}

func TestVerifierRefusesReceiptsOfAnotherHistory(t *testing.T) {
	for name, size := range map[string]int{"smaller": 200, "equal": 300, "larger": 350} {
		t.Run(name, func(t *testing.T) {
			l := newCheatingLog(t)
			w := l.watch()
			believed := l.grow(300, "true", 1000)
			update(t, w, 300)
			fork := newCheatingLog(t)
			false1 := fork.grow(size, "false", 1001)
			if size > 300 { // the log serves the files of the fork
				l.leaves = fork.leaves
			}
			_, err := w.CheckReceipt(ctx, fork.receipt(7, false1), 7, fork.leaves[7])
			refused(t, l, w, err, client.Fork, believed)
		})
	}
}

func TestVerifierChecksEntriesByTiles(t *testing.T) {
	l := newCheatingLog(t)
	w := l.watch()
	l.grow(300, "true", 1000)
	if _, err := w.CheckEntry(ctx, 299, l.leaves[299]); err != nil {
		t.Errorf("a true entry: %v", err)
	}
	if _, err := w.CheckEntry(ctx, 299, l.leaves[298]); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("another leaf: got error %v, want ErrNotVerified", err)
	}
	_, err := w.CheckEntry(ctx, 300, []byte("true 300"))
	if !errors.Is(err, client.ErrNotCovered) || errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("an entry beyond: got error %v, want ErrNotCovered alone", err)
	}
	l.grow(301, "true", 1001)
	if _, err := w.CheckEntry(ctx, 300, []byte("true 300")); err != nil {
		t.Errorf("an entry that is covered now: %v", err)
	}
}
