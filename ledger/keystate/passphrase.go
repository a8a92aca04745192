package keystate

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"filippo.io/age"
)

// Passphrase returns a wrapper that closes cells with a passphrase, as age
// does: scrypt with the work factor 2^logN, or age's own where logN is 0.
//
// A wrapped cell is as good as the passphrase is, and it is destroyed by
// erasing the file, as one that lies open is: the passphrase stays.
func Passphrase(passphrase string, logN int) Wrapper { return passphraseWrapper{passphrase, logN} }

type passphraseWrapper struct {
	passphrase string
	logN       int
}

func (passphraseWrapper) Name() string { return "passphrase" }

// Format hides the passphrase from every verb.
func (passphraseWrapper) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(passphrase)") }

func (p passphraseWrapper) Wrap(_ context.Context, cell []byte) ([]byte, error) {
	r, err := age.NewScryptRecipient(p.passphrase)
	if err != nil {
		return nil, err
	}
	if p.logN != 0 {
		r.SetWorkFactor(p.logN)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, r)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(cell); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (p passphraseWrapper) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	id, err := age.NewScryptIdentity(p.passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(wrapped), id)
	if err != nil {
		return nil, fmt.Errorf("the passphrase is wrong, or the file is damaged: %w", err)
	}
	return io.ReadAll(io.LimitReader(r, cellSize+1))
}
