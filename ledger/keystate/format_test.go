package keystate

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzParseCell(f *testing.F) {
	f.Add(formatCell(cell{epoch: 7, bytes: bytes.Repeat([]byte{1}, cellSize)}))
	f.Add(formatCell(cell{epoch: 1 << 40, wrapping: "passphrase", bytes: []byte("wrapped")}))
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
	f.Add(sealState(3, &key, []byte("state")), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, epoch uint64) {
		state, err := openState(b, epoch, &key)
		if err == nil && !bytes.Equal(sealState(epoch, &key, state), b) {
			t.Errorf("%x opens to %x, which seals otherwise", b, state)
		}
	})
}

func TestStateOpensOnlyAsItWasSealed(t *testing.T) {
	key := [cellSize]byte{1}
	sealed := sealState(3, &key, []byte("state"))
	if state, err := openState(sealed, 3, &key); err != nil || string(state) != "state" {
		t.Fatalf("got %q, %v", state, err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := openState(changed, 3, &key); !errors.Is(err, ErrMalformed) {
			t.Errorf("with byte %d changed: got %v, want ErrMalformed", i, err)
		}
	}
	if _, err := openState(sealed, 4, &key); err == nil {
		t.Error("it opens as of another epoch")
	}
	if _, err := openState(sealed, 3, &[cellSize]byte{2}); err == nil {
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
