package keystate

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzParseCell(f *testing.F) {
	f.Add(formatCell(cell{epoch: 7, bytes: bytes.Repeat([]byte{1}, cellSize)}))
	f.Add(formatCell(cell{epoch: 1 << 40, owner: [ownSize]byte{9}, wrapping: "passphrase", bytes: []byte("wrapped")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCell(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v, want ErrMalformed", err)
			}
			return
		}
		if again := formatCell(c); !bytes.Equal(again, b) {
			t.Errorf("got %x again, want %x", again, b)
		}
	})
}

func FuzzOpenState(f *testing.F) {
	key := [cellSize]byte{1}
	f.Add(sealState(cell{epoch: 3}, &key, []byte("state")), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, epoch uint64) {
		state, err := openState(b, cell{epoch: epoch}, &key)
		if err == nil && !bytes.Equal(sealState(cell{epoch: epoch}, &key, state), b) {
			t.Errorf("%x opens to %x, which seals otherwise", b, state)
		}
	})
}

func TestStateOpensOnlyAsItWasSealed(t *testing.T) {
	key := [cellSize]byte{1}
	own := cell{epoch: 3, owner: [ownSize]byte{9}}
	sealed := sealState(own, &key, []byte("state"))
	if state, err := openState(sealed, own, &key); err != nil || string(state) != "state" {
		t.Fatalf("got %q, %v", state, err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := openState(changed, own, &key); !errors.Is(err, ErrMalformed) {
			t.Errorf("with byte %d changed: got %v, want ErrMalformed", i, err)
		}
	}
	if _, err := openState(sealed, cell{epoch: 4, owner: own.owner}, &key); err == nil {
		t.Error("it opens as of another epoch")
	}
	if _, err := openState(sealed, cell{epoch: 3}, &key); err == nil {
		t.Error("it opens as of another ledger")
	}
	if _, err := openState(sealed, own, &[cellSize]byte{2}); err == nil {
		t.Error("it opens with another cell")
	}
}

func TestNamesOfFiles(t *testing.T) {
	for name, want := range map[string]bool{
		"cell-0": true, "state-18446744073709551615": true, "cell-": false, "cell-01": false, "cell-1.new": false, "state-+1": false, "other": false,
	} {
		if _, ours := parseName(name); ours != want {
			t.Errorf("%s: got %v, want %v", name, ours, want)
		}
	}
	for name, want := range map[string]bool{"escrow-3.age": true, "escrow-.age": false, "escrow-03.age": false, "escrow-3.age.new": false, "escrow.age": false} {
		if _, ours := parseEscrowName(name); ours != want {
			t.Errorf("%s: got %v, want %v", name, ours, want)
		}
	}
}
