package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// follows checks that a source's latest checkpoint extends one that was
// believed earlier, and saves evidence beside a file if it does not.
func (p *program) follows(ctx context.Context, s *source, policy *proofs.Policy, believed []byte, beside string) error {
	v, err := client.NewVerifier(client.VerifierOptions{
		Policy: policy, Files: s.files, Memory: &seededRegister{believed},
		Patience: p.patienceWith(s), Evidence: p.evidenceSaver(beside),
	})
	if err != nil {
		return err
	}
	_, err = v.Update(ctx)
	return err
}

// A seededRegister is a storage.Register in memory that begins with a value.
type seededRegister struct{ value []byte }

func (r *seededRegister) Load(context.Context) ([]byte, error) { return r.value, nil }

func (r *seededRegister) Swap(_ context.Context, old, new []byte) error {
	if !bytes.Equal(old, r.value) {
		return fmt.Errorf("register: %w", storage.ErrConflict)
	}
	r.value = bytes.Clone(new)
	return nil
}
