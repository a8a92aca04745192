package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
)

// A Release says which hold is to end.
type Release struct {
	Hold   uint64 `json:"hold"`
	Reason string `json:"reason"`
}

// Release ends a hold. What expired or was erased while it was held is closed
// then, unless another hold keeps it.
func (s *Session) Release(ctx context.Context, r Release) (*Releasing, error) {
	if s.caller.Because == "" {
		s = s.l.As(s.caller.because(r.Reason))
	}
	act := s.caller.act(proofs.ActRelease)
	act.Object = fmt.Sprint(r.Hold)
	err := s.l.canRelease(r.Hold)
	if err == nil && s.caller.Because == "" {
		err = client.NewProblem(client.BadRequest, "a release needs a reason", "state it with --reason; it is recorded, for whoever audits")
	}
	if err != nil {
		return nil, s.answered(ctx, act, err)
	}
	if err := s.l.ready(ctx); err != nil {
		return nil, err
	}
	if s.l.retain.NeedsRequest(proofs.Release, proofs.SettingsBody{}) {
		requested, err := s.request(ctx, proofs.Release, act)
		if err != nil {
			return nil, s.answered(ctx, act, err)
		}
		return &Releasing{Requested: requested}, nil
	}
	announced, err := s.l.release(ctx, r.Hold, act)
	return &Releasing{Announced: announced}, err
}

// A Releasing is what became of a release: announced, or only requested.
type Releasing struct {
	Announced uint64 `json:"announced,omitempty"`
	Requested uint64 `json:"requested,omitempty"`
}

func (l *Ledger) canRelease(hold uint64) error {
	at := slices.IndexFunc(l.retain.Holds(), func(h retain.Hold) bool { return h.Index == hold && h.Released == 0 })
	if at < 0 {
		return client.NewProblem(client.NotFound, fmt.Sprintf("there is no hold %d", hold), "see which there are with: cairnd hold list")
	}
	return l.canDestroy()
}

func (l *Ledger) release(ctx context.Context, hold uint64, act proofs.Act) (uint64, error) {
	control, err := proofs.FormatRelease(proofs.ReleaseBody{Released: &proofs.ReleasedBody{Hold: hold, Request: act.Request}})
	if err != nil {
		return 0, err
	}
	index, err := l.announceAct(ctx, proofs.Release, control, act)
	if err == nil {
		l.closer.nudge()
	}
	return index, err
}
