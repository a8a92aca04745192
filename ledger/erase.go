package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/proofs"
)

// An Erasure says whose payloads are to be erased.
type Erasure struct {
	Stream  string `json:"stream"`
	Subject string `json:"subject"` // as events name it
	Reason  string `json:"reason"`  // why, for the record
}

// An ErasurePlan is what an erasure closes.
type ErasurePlan struct {
	Entries uint64       `json:"entries"` // that concern the subject
	Closes  []proofs.Run `json:"closes"`
	Unread  []proofs.Run `json:"unread,omitempty"` // that may concern the subject too: their records are damaged
	Holds   []Held       `json:"holds,omitempty"`  // what of it is held, and stays until that is over

	// Announced is the index of the entry that announced it, or Requested that
	// of the request that another custodian has to approve. Neither is set in
	// a plan that was only asked for.
	Announced uint64 `json:"announced,omitempty"`
	Requested uint64 `json:"requested,omitempty"`
}

// A Held is what a hold keeps.
type Held struct {
	Hold    uint64 `json:"hold"`    // index of the entry that made it
	Entries uint64 `json:"entries"` // how many
}

// PlanErasure returns what an erasure would close now, and erases nothing. It
// is recorded, as the search that it is; without the name where nothing
// concerns the subject, or to look whether it is erased would name it again.
func (s *Session) PlanErasure(ctx context.Context, e Erasure) (*ErasurePlan, error) {
	var plan *ErasurePlan
	target, err := s.l.erasure(e)
	if err == nil {
		plan, err = s.l.plan(ctx, target)
	}
	act := s.caller.act(proofs.ActSearch)
	act.Stream, act.Query = e.Stream, "a subject"
	if plan != nil && plan.Entries > 0 { // else nothing would ever close the name
		act.Results, act.Subject = plan.Entries, e.Subject
	}
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return plan, nil
}

// Erase closes everything of a stream that concerns a data subject: it is
// announced, and once that is published the keys are destroyed. Where two
// custodians are needed it is only requested. It returns when it is announced
// or requested; [Session.Closing] says when it is done.
func (s *Session) Erase(ctx context.Context, e Erasure) (*ErasurePlan, error) {
	if s.caller.Because == "" {
		s = s.l.As(s.caller.because(e.Reason))
	}
	target, err := s.l.erasure(e)
	if err == nil && s.caller.Because == "" {
		err = client.NewProblem(client.BadRequest, "an erasure needs a reason", "state it with --reason; it is recorded, for whoever audits")
	}
	if err == nil {
		err = s.l.canDestroy()
	}
	act := s.caller.act(proofs.ActErase)
	act.Stream, act.Subject = e.Stream, e.Subject
	if err != nil {
		act.Subject = "" // nothing would ever close it
		return nil, s.answered(ctx, act, err)
	}
	if err := s.l.ready(ctx); err != nil {
		return nil, err
	}
	plan, err := s.eraseOrRequest(ctx, target, act)
	if err != nil {
		act.Subject = ""
		return nil, s.answered(ctx, act, err)
	}
	return plan, nil
}

func (s *Session) eraseOrRequest(ctx context.Context, t *erasureTarget, act proofs.Act) (plan *ErasurePlan, err error) {
	if !s.l.retain.NeedsRequest(proofs.Erasure, proofs.SettingsBody{}) {
		return s.l.erase(ctx, t.Erasure, act)
	}
	if plan, err = s.l.plan(ctx, t); err != nil {
		return nil, err
	}
	plan.Requested, err = s.request(ctx, proofs.Erasure, act)
	return plan, err
}

func (c Caller) because(reason string) Caller {
	c.Because = reason
	return c
}

// canDestroy returns the problem that keys cannot be destroyed.
func (l *Ledger) canDestroy() error {
	if l.cfg.Keystate == nil {
		return client.NewProblem(client.NotNow, "this ledger cannot destroy keys", "")
	}
	err := l.cfg.Keystate.Check()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keystate.ErrOneCopy):
		return client.NewProblem(client.NotNow, err.Error(), "make an empty directory on another disk, name both in cairn.toml, table key_state, and start the server again; see cairn-keys(7)")
	}
	return client.NewProblem(client.NotNow, err.Error(), "see cairnd key status")
}

// An erasureTarget is a subject with the keys that close what concerns it.
type erasureTarget struct {
	Erasure
	erasedSubject
}

// erasure finds the keys of the subject of an erasure.
func (l *Ledger) erasure(e Erasure) (*erasureTarget, error) {
	settings, ok := l.state.streamNamed(e.Stream)
	if !ok {
		return nil, noStream(e.Stream)
	}
	if e.Subject == "" || len(e.Subject) > 1024 {
		return nil, client.NewProblem(client.BadRequest, "a data subject's name has 1 to 1024 bytes", "")
	}
	t := &erasureTarget{Erasure: e, erasedSubject: erasedSubject{stream: settings.Body.Stream}}
	var err error
	if t.refs, err = l.keys.generations(t.stream, e.Subject); err != nil {
		return nil, err
	}
	t.acts, err = l.keys.generations(controlStream, actSubject(t.stream, e.Subject))
	return t, err
}

// plan finds what an erasure closes.
func (l *Ledger) plan(ctx context.Context, t *erasureTarget) (*ErasurePlan, error) {
	sizes, _ := l.progress.snapshot()
	indices, unread, err := l.concerning(ctx, &t.erasedSubject, 0, sizes.Sequenced)
	if err != nil {
		return nil, err
	}
	return l.planOf(t, indices, unread), nil
}

func (l *Ledger) planOf(t *erasureTarget, indices, unread []uint64) *ErasurePlan {
	plan := &ErasurePlan{Closes: proofs.RunsOf(indices), Entries: uint64(len(indices)), Unread: proofs.RunsOf(unread)}
	if len(indices) > 0 {
		for _, ring := range l.retain.Held(t.stream, plan.Closes) {
			plan.Holds = append(plan.Holds, Held{Hold: ring.Hold, Entries: proofs.CountEntries(ring.Runs)})
		}
	}
	return plan
}

// erase announces an erasure. What is new about the subject waits meanwhile, but
// not while most of what there is is looked for.
func (l *Ledger) erase(ctx context.Context, e Erasure, act proofs.Act) (*ErasurePlan, error) {
	l.erasures.Lock() // so that the keys of the subject that are there now are all there are
	defer l.erasures.Unlock()
	t, err := l.erasure(e)
	if err != nil {
		return nil, err
	}
	before, _ := l.progress.snapshot()
	indices, unread, err := l.concerning(ctx, &t.erasedSubject, 0, before.Sequenced)
	if err == nil {
		err = l.keepsUnread(t, proofs.RunsOf(unread))
	}
	if err != nil {
		return nil, err
	}
	l.keys.pause(t.stream, t.refs)
	defer l.keys.resume()
	// What was admitted before is in the journal behind this, or refused there.
	barrier := newRequest(nil)
	barrier.alone, barrier.change = true, func(uint64) ([]*admission, error) { return nil, nil }
	if err := l.submit(ctx, barrier); err != nil {
		return nil, l.asProblem(err)
	}
	after, _ := l.progress.snapshot()
	late, more, err := l.concerning(ctx, &t.erasedSubject, before.Sequenced, after.Sequenced)
	if err != nil {
		return nil, err
	}
	plan := l.planOf(t, append(indices, late...), append(unread, more...))
	act.Results = plan.Entries
	if plan.Announced, err = l.announceErasure(ctx, t, plan, act); err != nil {
		return nil, err
	}
	l.closer.nudge()
	return plan, nil
}

// erasureParts is how many entries of an announcement make a batch at most, so
// that it is well below what a journal's record can hold.
const erasureParts = 256

// announceErasure announces an erasure in as many entries as its runs need, and
// returns the index of the last. The act comes with that one, and the subject's
// name is closed with the subject's keys, as everything about it is.
func (l *Ledger) announceErasure(ctx context.Context, t *erasureTarget, plan *ErasurePlan, act proofs.Act) (uint64, error) {
	parts, err := erasedParts(t.stream, act.Request, plan)
	if err != nil {
		return 0, err
	}
	for len(parts) > erasureParts {
		some := openParts(parts[:erasureParts])
		if err := l.announce(ctx, these(some...)); err != nil {
			return 0, err // what is announced in part counts for nothing
		}
		parts = parts[erasureParts:]
	}
	var last *admission
	err = l.announceSealed(ctx, func() (_ announcement, err error) {
		if last, err = l.actAbout(ctx, proofs.Erasure, parts[len(parts)-1], act, t.erasedSubject); err != nil {
			return nil, err
		}
		list := append(openParts(parts[:len(parts)-1]), last)
		return func(uint64) ([]*admission, error) {
			return list, l.keepsUnread(t, plan.Unread) // a hold may have come meanwhile
		}, nil
	})
	if err != nil {
		return 0, err
	}
	t.unread = plan.Unread
	l.closer.retired(last.index, &t.erasedSubject)
	return last.index, nil
}

// erasedParts returns the clear bodies of the entries that announce an erasure:
// at least one.
func erasedParts(stream uint32, request uint64, plan *ErasurePlan) (parts [][]byte, err error) {
	var bodies []*proofs.ErasedBody
	for closes, unread := plan.Closes, plan.Unread; len(bodies) == 0 || len(closes)+len(unread) > 0; {
		n := min(len(closes), proofs.MaxRuns)
		m := min(len(unread), proofs.MaxRuns-n)
		bodies = append(bodies, &proofs.ErasedBody{Stream: stream, Request: request, Closes: closes[:n], Unread: unread[:m]})
		closes, unread = closes[n:], unread[m:]
	}
	for i, body := range bodies {
		body.Part, body.Parts = uint32(i+1), uint32(len(bodies))
		control, err := proofs.FormatErasure(proofs.ErasureBody{Erased: body})
		if err != nil {
			return nil, err
		}
		parts = append(parts, control)
	}
	return parts, nil
}

// keepsUnread refuses to erase where a hold keeps what cannot be read: its keys
// cannot be saved from those that are destroyed.
func (l *Ledger) keepsUnread(t *erasureTarget, unread []proofs.Run) error {
	if len(unread) == 0 {
		return nil
	}
	held := l.retain.Held(t.stream, unread)
	if len(held) == 0 {
		return nil
	}
	return client.NewProblem(client.NotNow,
		fmt.Sprintf("entry %d is damaged, and may concern the subject: hold %d keeps it, and could not any more", held[0].Runs[0].First, held[0].Hold),
		"restore the record from a backup, or release the hold, and erase again")
}

func openParts(parts [][]byte) (list []*admission) {
	for _, control := range parts {
		list = append(list, openControl(proofs.Erasure, control))
	}
	return list
}
