package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A Revocation is of a token that was revoked, as long as no entry of the ledger
// tells it.
type Revocation struct {
	ID  string      `json:"id"` // of the token
	At  time.Time   `json:"at"`
	Act *proofs.Act `json:"act,omitempty"` // of whoever did it; nil: there was no room for it
}

// Revoke makes a token worthless from now on. With the same write it keeps the
// act of whoever does, which act makes of what is known of the token, until
// [Tokens.Recorded], over restarts too: a ledger that takes no entries keeps no
// token good, and nothing is done without a record. With a nil act nothing is
// kept.
func (t *Tokens) Revoke(ctx context.Context, id string, act func(Token) proofs.Act) error {
	err := t.revoke(ctx, id, func(f *tokensFile, about Token, now time.Time) {
		if act != nil {
			a := act(about).Fit()
			f.Revoked = append(f.Revoked, Revocation{ID: id, At: now, Act: &a})
		}
	})
	var full *client.Problem
	if errors.As(err, &full) && full.Code() == client.TooLarge {
		// The ID takes less than the token did.
		return t.revoke(ctx, id, func(f *tokensFile, _ Token, now time.Time) {
			f.Revoked = append(f.Revoked, Revocation{ID: id, At: now})
		})
	}
	return err
}

// revoke takes a token out and, with the same write, does what keep does.
func (t *Tokens) revoke(ctx context.Context, id string, keep func(f *tokensFile, about Token, now time.Time)) error {
	return t.change(ctx, storage.MaxRegister, func(f *tokensFile) error {
		i := slices.IndexFunc(f.Tokens, func(r tokenRow) bool { return r.ID == id })
		if i < 0 {
			return client.NewProblem(client.NotFound, fmt.Sprintf("there is no token %q", id), "see the IDs with: cairnd token list")
		}
		about := f.Tokens[i].Token
		f.Tokens = slices.Delete(f.Tokens, i, i+1)
		keep(f, about, t.now().UTC().Truncate(time.Second))
		return nil
	})
}

// Unrecorded returns the revocations that no entry tells yet, the earliest
// first.
func (t *Tokens) Unrecorded() []Revocation { return slices.Clone(t.list.Load().file.Revoked) }

// Recorded forgets the revocation of a token: an entry tells it.
func (t *Tokens) Recorded(ctx context.Context, id string) error {
	return t.change(ctx, storage.MaxRegister, func(f *tokensFile) error {
		f.Revoked = slices.DeleteFunc(f.Revoked, func(r Revocation) bool { return r.ID == id })
		return nil
	})
}
