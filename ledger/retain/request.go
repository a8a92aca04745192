package retain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A Request is what one custodian asked for, so that another can approve it.
// It allows one act.
type Request struct {
	Index      uint64      // of the entry that asked
	Kind       proofs.Kind // of the entry that it asks for: Settings, Erasure or Release
	By         uint64      // pseudonym of who asked
	Approval   uint64      // index of the entry that approved it; 0: none did, or it was withdrawn
	ApprovedBy uint64      // pseudonym, while it is approved
	From       uint64      // when the grace is over, in microseconds since 1970, while it is approved
	Withdrawn  uint64      // index of the entry by which who asked took it back; 0: none
	Used       uint64      // index of the entry that it allowed, the last one of an erasure; 0: none
}

// Request returns what an entry asked for; ok is false if it asked for nothing.
func (s *State) Request(index uint64) (r Request, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.request(index); p != nil {
		return *p, true
	}
	return Request{}, false
}

// Requests returns those that are neither used nor withdrawn, in the order of
// their indices.
func (s *State) Requests() (list []Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.requests {
		if r.Used == 0 && r.Withdrawn == 0 {
			list = append(list, *r)
		}
	}
	return list
}

// Used returns those that allowed an entry of a kind, in the order of their
// indices.
func (s *State) Used(kind proofs.Kind) (list []Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.requests {
		if r.Used > 0 && r.Kind == kind {
			list = append(list, *r)
		}
	}
	return list
}

// NeedsRequest reports whether an entry of a kind needs a request now. The
// body is that of a settings entry, and not looked at for other kinds.
func (s *State) NeedsRequest(kind proofs.Kind, body proofs.SettingsBody) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.needsRequest(kind, body)
}

func (s *State) needsRequest(kind proofs.Kind, body proofs.SettingsBody) bool {
	if s.ledgerNow().Custodians < 2 {
		return false
	}
	return kind == proofs.Erasure || kind == proofs.Release || kind == proofs.Settings && s.weaker(body) != ""
}

// Weaker returns what settings take from what there is, for whoever is told so,
// whether or not two custodians are needed; it is empty where they take nothing.
func (s *State) Weaker(body proofs.SettingsBody) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.weaker(body)
}

// Allowed reports whether a request allows an entry of a kind and time, in
// microseconds since 1970. The error matches [ErrRequest] and says why not.
func (s *State) Allowed(request uint64, kind proofs.Kind, micros uint64) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.allowed(request, kind, micros)
}

// IsCustodian reports whether an identity is a custodian where two are needed.
func (s *State) IsCustodian(by uint64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.named.Takes(by)
}

func (s *State) allowed(index uint64, kind proofs.Kind, micros uint64) error {
	r, err := s.pending(index)
	switch {
	case err != nil:
		return err
	case r.Kind != kind:
		return requestError(index, fmt.Sprintf("it asks for something else: %v", r.Kind))
	case r.Approval == 0:
		return requestError(index, "nobody else has approved it")
	case !s.named.Takes(r.By) || !s.named.Takes(r.ApprovedBy):
		return requestError(index, "who asked or approved is not one of the custodians any more")
	case micros < r.From:
		return requestError(index, "the grace is not over before "+time.UnixMicro(int64(r.From)).UTC().Format("2006-01-02 15:04:05.000000 UTC"))
	}
	return nil
}

// pending returns a request that is neither used nor withdrawn.
func (s *State) pending(index uint64) (*Request, error) {
	r := s.request(index)
	switch {
	case r == nil:
		return nil, requestError(index, "no entry asked for anything there")
	case r.Used > 0:
		return nil, requestError(index, fmt.Sprintf("entry %d has used it", r.Used))
	case r.Withdrawn > 0:
		return nil, requestError(index, fmt.Sprintf("entry %d has withdrawn it", r.Withdrawn))
	}
	return r, nil
}

func requestError(index uint64, why string) error {
	return &requestRefusal{fmt.Sprintf("request %d: %s", index, why)}
}

// A requestRefusal says all by itself, and matches [ErrRequest].
type requestRefusal struct{ why string }

func (e *requestRefusal) Error() string { return e.why }
func (e *requestRefusal) Unwrap() error { return ErrRequest }

// judgeRequest judges the request that an act names; 0 is none.
func (s *State) judgeRequest(request uint64, needed bool, kind proofs.Kind, micros uint64) error {
	if request > 0 {
		return s.allowed(request, kind, micros)
	}
	if needed {
		return ErrNeedsRequest
	}
	return nil
}

// use takes over that an act has used a request; 0 is none.
func (s *State) use(request, index uint64) {
	if request > 0 {
		s.request(request).Used = index
	}
}

func (s *State) request(index uint64) *Request {
	i, ok := slices.BinarySearchFunc(s.requests, index, func(r *Request, index uint64) int { return cmp.Compare(r.Index, index) })
	if !ok {
		return nil
	}
	return s.requests[i]
}

func (s *State) judgeAdministration(index uint64, leaf *proofs.Leaf) (change func(), err error) {
	body, err := proofs.ParseAdministration(leaf.Control)
	switch {
	case err != nil:
		return nil, err
	case body.Request != nil && !s.named.Takes(body.Request.By):
		return nil, ErrNotNamed
	case body.Request != nil:
		r := &Request{Index: index, Kind: body.Request.Kind, By: body.Request.By}
		return func() { s.requests = append(s.requests, r) }, nil
	case body.Approval != nil:
		return s.judgeApproval(index, leaf.Time, body.Approval)
	case body.Withdrawal != nil:
		return s.judgeWithdrawal(index, body.Withdrawal)
	}
	return nil, nil
}

func (s *State) judgeApproval(index, micros uint64, a *proofs.AnswerBody) (change func(), err error) {
	r, err := s.pending(a.Request)
	switch {
	case err != nil:
		return nil, err
	case r.Approval > 0:
		return nil, requestError(a.Request, fmt.Sprintf("entry %d has approved it", r.Approval))
	case r.By == a.By:
		return nil, requestError(a.Request, "who asked cannot approve it")
	case !s.named.Takes(a.By):
		return nil, ErrNotNamed
	case !s.named.Takes(r.By):
		return nil, requestError(a.Request, "who asked is not one of the custodians who are named")
	}
	from := micros + uint64(s.ledgerNow().Grace)*microsPerSecond
	return func() { r.Approval, r.ApprovedBy, r.From = index, a.By, from }, nil
}

// judgeWithdrawal judges that somebody takes back what they asked for, or
// their approval.
func (s *State) judgeWithdrawal(index uint64, a *proofs.AnswerBody) (change func(), err error) {
	r, err := s.pending(a.Request)
	switch {
	case err != nil:
		return nil, err
	case r.By == a.By:
		return func() { r.Withdrawn = index }, nil
	case r.Approval > 0 && r.ApprovedBy == a.By:
		return func() { r.Approval, r.ApprovedBy, r.From = 0, 0, 0 }, nil
	}
	return nil, requestError(a.Request, "only who asked or approved can withdraw that")
}
