package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"crypto/hmac"
	"crypto/sha256"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/retain"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A RequestInfo is what one custodian asked for, and how far it has come.
type RequestInfo struct {
	Request  uint64     `json:"request"` // index of the entry that asked
	Act      proofs.Act `json:"act"`     // what for
	Approved uint64     `json:"approved,omitempty"`
	From     uint64     `json:"from,omitempty"` // when it is done at the earliest, in microseconds since 1970

	// What ended it, if anything did: index of the entry that it allowed, or
	// of that by which it was withdrawn.
	Used      uint64 `json:"used,omitempty"`
	Withdrawn uint64 `json:"withdrawn,omitempty"`

	Moot *Moot `json:"moot,omitempty"` // of one that nothing ended: it cannot be done any more
}

// pseudonym returns the number that stands for an identity in public.
func (l *Ledger) pseudonym(name string) uint64 {
	m := hmac.New(sha256.New, l.cfg.Secrets.Derive("identity"))
	m.Write([]byte(name))
	return binary.BigEndian.Uint64(m.Sum(nil))
}

// request records that somebody asks for an act that another has to approve,
// and returns the index of the entry. Who gets an error records that.
func (s *Session) request(ctx context.Context, kind proofs.Kind, act proofs.Act) (uint64, error) {
	if err := s.mustBeCustodian(); err != nil {
		return 0, err
	}
	body := proofs.AdministrationBody{Request: &proofs.RequestBody{Kind: kind, By: s.l.pseudonym(s.caller.Name)}}
	control, err := proofs.FormatAdministration(body)
	if err != nil {
		return 0, err
	}
	return s.l.announceAct(ctx, proofs.Administration, control, act)
}

// Requests returns what was asked for and is neither done nor withdrawn. Of one
// whose act has expired only the clear body is left.
func (s *Session) Requests(ctx context.Context) ([]RequestInfo, error) {
	list := []RequestInfo{}
	act := s.caller.act(proofs.ActHistory)
	act.Query = "requests"
	for _, r := range s.l.retain.Requests() {
		info, err := s.l.openRequest(ctx, r)
		if err != nil {
			return nil, s.answered(ctx, act, err)
		}
		list = append(list, *info)
	}
	act.Results = uint64(len(list))
	if err := s.answered(ctx, act, nil); err != nil {
		return nil, err
	}
	return list, nil
}

// Request returns what an entry asked for, also after that was done or
// withdrawn.
func (s *Session) Request(ctx context.Context, index uint64) (*RequestInfo, error) {
	info, err := s.l.requested(ctx, index)
	act := s.caller.act(proofs.ActHistory)
	act.Query, act.Request = "request", index
	if err == nil {
		act.Results = 1
	}
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return info, nil
}

func (l *Ledger) requested(ctx context.Context, index uint64) (*RequestInfo, error) {
	r, ok := l.retain.Request(index)
	if !ok {
		return nil, noRequest(index)
	}
	info, err := l.openRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	if sizes, _ := l.progress.snapshot(); r.Used >= sizes.Sequenced {
		info.Used = 0 // its entry is about to be there
	}
	return info, nil
}

// openRequest returns what a request asks for, and whether it still can be done.
func (l *Ledger) openRequest(ctx context.Context, r retain.Request) (*RequestInfo, error) {
	act, err := l.requestedAct(ctx, r.Index)
	if err != nil && !isGone(err) {
		return nil, err
	}
	info := requestInfo(r, act)
	if r.Used == 0 && r.Withdrawn == 0 {
		info.Moot, err = l.moot(ctx, r, act)
		return info, err
	}
	return info, nil
}

func isGone(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) && p.Code() == client.Gone
}

func noRequest(index uint64) error {
	return client.NewProblem(client.NotFound, fmt.Sprintf("entry %d asks for nothing", index), "see what was asked for with: cairnd request list")
}

func requestInfo(r retain.Request, act proofs.Act) *RequestInfo {
	return &RequestInfo{Request: r.Index, Act: act, Approved: r.Approval, From: r.From, Used: r.Used, Withdrawn: r.Withdrawn}
}

// requestedAct returns what an entry asks for. The subject is among it as long
// as its keys are there. Where the act has expired nobody can know.
func (l *Ledger) requestedAct(ctx context.Context, index uint64) (proofs.Act, error) {
	leaves, err := l.leaves(ctx, index, index+1)
	if err != nil {
		return proofs.Act{}, err
	}
	r, ok, err := l.recordedAct(ctx, index, leaves[0])
	if err == nil && !ok {
		err = client.NewProblem(client.Gone, fmt.Sprintf("what entry %d asks for has expired", index), fmt.Sprintf("take it back with: cairnd request withdraw %d, and ask again", index))
	}
	return r.Act, err
}

// Approve approves what another custodian asked for. It is done once the grace
// is over.
func (s *Session) Approve(ctx context.Context, request uint64) (*RequestInfo, error) {
	return s.answer(ctx, request, proofs.ActApprove, func(a *proofs.AnswerBody) proofs.AdministrationBody {
		return proofs.AdministrationBody{Approval: a}
	})
}

// Withdraw takes back a request, by whom asked, or an approval, by whom
// approved.
func (s *Session) Withdraw(ctx context.Context, request uint64) (*RequestInfo, error) {
	return s.answer(ctx, request, proofs.ActWithdraw, func(a *proofs.AnswerBody) proofs.AdministrationBody {
		return proofs.AdministrationBody{Withdrawal: a}
	})
}

func (s *Session) answer(ctx context.Context, request uint64, what string, body func(*proofs.AnswerBody) proofs.AdministrationBody) (*RequestInfo, error) {
	act := s.caller.act(what)
	act.Request = request
	if _, ok := s.l.retain.Request(request); !ok {
		return nil, s.answered(ctx, act, noRequest(request))
	}
	if what == proofs.ActApprove {
		if err := s.mustBeCustodian(); err != nil {
			return nil, s.answered(ctx, act, err)
		}
	}
	control, err := proofs.FormatAdministration(body(&proofs.AnswerBody{Request: request, By: s.l.pseudonym(s.caller.Name)}))
	if err != nil {
		return nil, err
	}
	if _, err := s.l.announceAct(ctx, proofs.Administration, control, act); err != nil {
		return nil, s.answered(ctx, act, err)
	}
	s.l.closer.nudge()
	return s.l.requested(ctx, request)
}

// nextGrace returns how long it is until the grace of an approved request is
// over, or the most that it may be.
func (l *Ledger) nextGrace(most time.Duration) time.Duration {
	now := uint64(l.cfg.Clock().UnixMicro())
	for _, r := range l.retain.Requests() {
		if r.Approval > 0 && r.From > now {
			most = min(most, time.Duration(min(r.From-now, uint64(most/time.Microsecond)))*time.Microsecond)
		}
	}
	return most
}

// doApproved does what was approved and whose grace is over, and reports
// whether there was anything.
func (l *Ledger) doApproved(ctx context.Context) (bool, error) {
	did := false
	for _, r := range l.retain.Requests() {
		if r.Approval == 0 || uint64(l.cfg.Clock().UnixMicro()) < r.From {
			continue
		}
		err := l.doRequest(ctx, r)
		var p *client.Problem
		if errors.As(err, &p) && p.Code() != client.Unavailable && p.Code() != client.Overloaded || errors.Is(err, storage.ErrCorrupt) {
			// It cannot be done, now or ever; it stays to be withdrawn, and keeps nothing else from being done.
			l.log.Warn("what was approved cannot be done", slog.Uint64("request", r.Index), slog.String("error", err.Error()))
			continue
		}
		if err != nil {
			return did, fmt.Errorf("request of entry %d: %w", r.Index, err)
		}
		did = true
	}
	return did, nil
}

func (l *Ledger) doRequest(ctx context.Context, r retain.Request) error {
	act, err := l.requestedAct(ctx, r.Index)
	if err != nil {
		return err
	}
	m, err := l.moot(ctx, r, act)
	if err != nil {
		return err
	}
	if m != nil {
		return m.problem(r.Index)
	}
	act.Request = r.Index
	switch act.What {
	case proofs.ActErase:
		if err := l.canDestroy(); err != nil {
			return err
		}
		_, err := l.erase(ctx, Erasure{Stream: act.Stream, Subject: act.Subject}, act)
		return err
	case proofs.ActRelease:
		hold, err := strconv.ParseUint(act.Object, 10, 64)
		if err != nil {
			return client.NewProblem(client.Invalid, "it names no hold", "")
		}
		if err := l.canRelease(hold); err != nil {
			return err
		}
		_, err = l.release(ctx, hold, act)
		return err
	}
	_, err = l.setRequested(ctx, act)
	return err
}
