package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A succession is two checkpoints of which one must follow the other.
type succession struct {
	policy   *proofs.Policy
	believed []byte // the earlier one
	latest   []byte // the later one; nil: the source is asked for it
	beside   string // the file beside which evidence is saved if it does not
}

// follows checks that the later checkpoint extends the earlier one, by the
// files of a source.
func (p *program) follows(ctx context.Context, s *source, c succession) error {
	v, err := client.NewVerifier(client.VerifierOptions{
		Policy: c.policy, Files: s.files, Memory: &seededRegister{c.believed},
		Patience: p.patienceWith(s), Evidence: p.evidenceSaver(s, c.beside),
	})
	if err != nil {
		return err
	}
	if c.latest == nil {
		_, err = v.Update(ctx)
	} else {
		_, err = v.Believe(ctx, c.latest)
	}
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
