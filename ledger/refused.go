package ledger

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// refusals bounds how many refused attempts are recorded: of each caller the
// first at once, and those of the next minute together as one more act, so
// that whoever is refused for ever cannot fill the log.
type refusals struct {
	mu    sync.Mutex
	since map[refusal]*refusedRun
}

func newRefusals() refusals { return refusals{since: make(map[refusal]*refusedRun)} }

// A refusal is what refused attempts have in common.
type refusal struct{ who, from string }

// refusedRun counts the attempts since one was recorded.
type refusedRun struct {
	last  proofs.Act
	count uint64
}

const (
	refusedEvery = time.Minute
	maxRefusals  = 256 // callers in a minute; the others are counted together
)

// Refused records that an act was refused, and returns the problem that says
// why. Where it cannot be recorded the act is refused as well. It is for
// programs that serve a ledger, for what they refuse themselves.
func (s *Session) Refused(ctx context.Context, act proofs.Act, why *client.Problem) error {
	act.Outcome, act.Detail = proofs.OutcomeRefused, string(why.Code())
	s.l.metrics.who.refuse(why)
	if s.l.refusals.counted(refusal{act.Who, act.From}, act) {
		return why
	}
	if err := s.l.recordRefused(ctx, act); err != nil {
		s.l.refusals.count(refusal{act.Who, act.From}, act, 1)
		s.l.log.Warn("a refused attempt could not be recorded, and will be with those of the next minute", slog.String("error", err.Error()))
	}
	return why
}

// recordRefused records a refused attempt. It does not break off where the
// caller goes away: what is submitted is recorded, and must not be counted too.
func (l *Ledger) recordRefused(ctx context.Context, act proofs.Act) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	return l.recordNow(context.WithoutCancel(ctx), proofs.Access, act)
}

// Act returns an act of the session's caller, of one of the words of
// [proofs.Act].
func (s *Session) Act(what string) proofs.Act { return s.caller.act(what) }

// counted counts an attempt, and reports whether one was recorded a moment ago.
func (r *refusals) counted(k refusal, act proofs.Act) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	run, ok := r.run(k, &act)
	if ok {
		run.last, run.count = act, run.count+1
	}
	return ok
}

// count counts attempts that could not be recorded, the last of which is given.
func (r *refusals) count(k refusal, act proofs.Act, attempts uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run, _ := r.run(k, &act)
	run.last, run.count = act, run.count+attempts
}

// run returns what is counted of a caller, and whether that was so before. Where
// there are too many callers the act becomes that of all others.
func (r *refusals) run(k refusal, act *proofs.Act) (run *refusedRun, ok bool) {
	if r.since[k] == nil && len(r.since) >= maxRefusals {
		k, act.Who, act.From, act.Role = refusal{}, "others", "", ""
	}
	if run, ok = r.since[k]; !ok {
		run = &refusedRun{}
		r.since[k] = run
	}
	return run, ok
}

// take returns an act for every caller that was refused more than once since
// the last time, and forgets them all.
func (r *refusals) take() []proofs.Act {
	r.mu.Lock()
	defer r.mu.Unlock()
	var acts []proofs.Act
	for _, run := range r.since {
		if run.count > 0 {
			act := run.last
			act.What, act.Results = proofs.ActRefused, run.count
			acts = append(acts, act)
		}
	}
	clear(r.since)
	return acts
}

// recordRefusals records every minute what was counted, until the context ends.
func (l *Ledger) recordRefusals(ctx context.Context) {
	ticker := time.NewTicker(refusedEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.flushRefusals(ctx)
		}
	}
}

func (l *Ledger) flushRefusals(ctx context.Context) {
	for _, act := range l.refusals.take() {
		if err := l.record(ctx, proofs.Access, act); err != nil {
			l.refusals.count(refusal{act.Who, act.From}, act, act.Results)
			l.log.Warn("refused attempts could not be recorded, and are counted on", slog.Uint64("attempts", act.Results), slog.String("error", err.Error()))
		}
	}
}
