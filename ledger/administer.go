package ledger

import (
	"context"
	"errors"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// Record records an act of administration that the program which serves the
// ledger has done for the session's caller, or could not do: err says why. It
// returns what the caller is to be told, which is err, or why the act cannot be
// recorded. Nobody is answered before (law 7): what was done and cannot be
// recorded the program takes back, or keeps until it can be.
func (s *Session) Record(ctx context.Context, act proofs.Act, err error) error {
	if err := s.caller.check(); err != nil {
		return err
	}
	var p *client.Problem
	switch {
	case err == nil:
		act.Outcome = proofs.OutcomeDone
	case errors.As(err, &p) && p.Code() == client.Forbidden:
		return s.Refused(ctx, act, p)
	case errors.As(err, &p):
		act.Outcome, act.Detail = proofs.OutcomeFailed, string(p.Code())
	default:
		act.Outcome, act.Detail = proofs.OutcomeFailed, string(client.Internal)
	}
	if err := s.l.ready(ctx); err != nil {
		return err
	}
	// Whoever asked may go: it is done, or was tried.
	if err := s.l.recordNow(context.WithoutCancel(ctx), proofs.Administration, act); err != nil {
		return err
	}
	return err
}
