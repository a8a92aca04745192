package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// act returns an act of the caller; the zero Caller is the ledger itself.
func (c Caller) act(what string) proofs.Act {
	return proofs.Act{What: what, Who: c.Name, Role: c.Role, From: c.From, Because: c.Because, Outcome: proofs.OutcomeDone}
}

// answered records an act with what came of it, and returns what the caller is
// to be told. Nobody is answered before the record is durable (law 7): where
// it cannot be, that is the answer.
func (s *Session) answered(ctx context.Context, act proofs.Act, err error) error {
	if err := s.caller.check(); err != nil {
		return err
	}
	var p *client.Problem
	switch {
	case err == nil:
	case errors.As(err, &p) && (p.Code() == client.Forbidden || p.Code() == client.ReasonNeeded):
		return s.Refused(ctx, act, p)
	case errors.As(err, &p):
		act.Outcome, act.Detail = proofs.OutcomeFailed, string(p.Code())
	default:
		act.Outcome, act.Detail = proofs.OutcomeFailed, string(client.Internal)
	}
	if unrecorded := s.l.record(ctx, proofs.Access, act); unrecorded != nil {
		return unrecorded
	}
	return err
}

// actRuns returns runs that an act can have: those that rise, or, where these are
// too many, such that have a few entries more, so that none is missed by whoever
// asks what became of it. The narrowest gaps are closed.
func actRuns(runs []proofs.Run) []proofs.Run {
	excess := len(runs) - proofs.MaxActRuns
	if excess <= 0 {
		return runs
	}
	gaps := make([]int, 0, len(runs)-1) // which runs have one before them
	for i := range runs[1:] {
		gaps = append(gaps, i+1)
	}
	slices.SortFunc(gaps, func(a, b int) int {
		return cmp.Compare(runs[a].First-runs[a-1].Last, runs[b].First-runs[b-1].Last)
	})
	kept := gaps[excess:]
	slices.Sort(kept)
	fewer, first := make([]proofs.Run, 0, proofs.MaxActRuns), 0
	for _, next := range append(kept, len(runs)) {
		fewer = append(fewer, proofs.Run{First: runs[first].First, Last: runs[next-1].Last})
		first = next
	}
	return fewer
}

// answeredAll records acts that were done, all at once, before anybody is
// answered.
func (s *Session) answeredAll(ctx context.Context, acts []proofs.Act) error {
	if err := s.caller.check(); err != nil || len(acts) == 0 {
		return err
	}
	return s.l.record(ctx, proofs.Access, acts...)
}

// record makes acts durable.
func (l *Ledger) record(ctx context.Context, kind proofs.Kind, acts ...proofs.Act) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	return l.recordNow(ctx, kind, acts...)
}

func (l *Ledger) recordNow(ctx context.Context, kind proofs.Kind, acts ...proofs.Act) error {
	for {
		var list []*admission
		for _, act := range acts {
			a, err := l.actEntry(ctx, kind, act)
			if err != nil {
				return err
			}
			list = append(list, a)
		}
		err := l.submit(ctx, newRequest(list))
		if err == nil {
			return nil
		}
		if !errors.Is(err, errStale) {
			return l.asProblem(err)
		}
	}
}

// actEntry returns the control entry of an act that says no more than it.
func (l *Ledger) actEntry(ctx context.Context, kind proofs.Kind, act proofs.Act) (*admission, error) {
	return l.actAbout(ctx, kind, nil, act, l.subjectStream(act))
}

// subjectStream returns the stream that the subject of an act is of.
func (l *Ledger) subjectStream(act proofs.Act) (t erasedSubject) {
	if settings, ok := l.state.streamNamed(act.Stream); ok {
		t.stream = settings.Body.Stream
	}
	return t
}

// sealedAct returns the control entry of an act, with a clear body.
func (l *Ledger) sealedAct(b *bucket, kind proofs.Kind, control []byte, act proofs.Act) (*admission, error) {
	data, err := proofs.FormatAct(act.Fit())
	if err != nil {
		return nil, fmt.Errorf("act: %w", err)
	}
	return l.sealedControl(b, kind, control, proofs.Part{MediaType: proofs.ActMediaType, Data: data})
}

// recordStart records that the ledger has started, once it may take entries:
// it is the first that it takes.
func (l *Ledger) recordStart(ctx context.Context) {
	if err := l.progress.wait(ctx, func(p *progress) bool { return p.cleared }); err != nil {
		return // it never came so far
	}
	act := Caller{}.act(proofs.ActStart)
	act.Detail = version()
	for l.recordNow(ctx, proofs.Administration, act) != nil {
		select {
		case <-time.After(startRetry): // whatever it is, such as a wrong clock, the status says
		case <-l.failed:
			return
		case <-ctx.Done():
			return
		}
	}
	l.progress.update(func(p *progress) { p.begun = true })
}

// recordStop records that the ledger ends, if it takes entries now.
func (l *Ledger) recordStop() {
	if !l.Status().Ready {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	l.flushRefusals(ctx)
	if err := l.record(ctx, proofs.Administration, Caller{}.act(proofs.ActStop)); err != nil {
		l.log.Warn("the end could not be recorded", slog.String("error", err.Error()))
	}
}

// stopTime bounds how long the end waits for its own record.
const stopTime = 10 * time.Second

const startRetry = 100 * time.Millisecond

// version returns the version of the module that the program was built with.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	const path = "github.com/cairnlog/cairn"
	if info.Main.Path == path {
		return info.Main.Version
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}

// announceAct has one entry sequenced that a caller wanted: the clear body and
// the act. It returns its index.
func (l *Ledger) announceAct(ctx context.Context, kind proofs.Kind, control []byte, act proofs.Act) (uint64, error) {
	var a *admission
	err := l.announceSealed(ctx, func() (_ announcement, err error) {
		a, err = l.actAbout(ctx, kind, control, act, l.subjectStream(act))
		return these(a), err
	})
	if err != nil {
		return 0, err
	}
	return a.index, nil
}
