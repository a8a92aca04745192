package ledger

import "github.com/cairnlog/cairn/proofs"

// A Pending is what somebody decided about payloads and is not over, as the
// entries of the log say it in clear. To tell it opens nothing, so that it can
// be asked for every minute; what people gave as their reasons, and whom it
// concerns, are told by [Session.Holds] and [Session.Requests], which record
// who asked.
type Pending struct {
	Custody  CustodyConfig    `json:"custody"`
	Holds    []uint64         `json:"holds"`    // indices of those that are not released
	Requests []PendingRequest `json:"requests"` // neither done nor withdrawn
	Closings []ClosingInfo    `json:"closings"` // announced and not done, in their order
}

// A PendingRequest is a request of a custodian without what it is about.
type PendingRequest struct {
	Request  uint64 `json:"request"` // index of the entry that asked
	Kind     string `json:"kind"`    // of the entry that it asks for: "settings", "erasure" or "release"
	Approved uint64 `json:"approved,omitempty"`
	From     uint64 `json:"from,omitempty"` // when it is done at the earliest, in microseconds since 1970
}

// Pending returns what is pending now.
func (l *Ledger) Pending() Pending {
	p := Pending{Custody: l.Custody(), Holds: []uint64{}, Requests: []PendingRequest{}, Closings: l.closings()}
	p.Holds = append(p.Holds, l.retain.Active()...)
	for _, r := range l.retain.Requests() {
		p.Requests = append(p.Requests, PendingRequest{Request: r.Index, Kind: r.Kind.String(), Approved: r.Approval, From: r.From})
	}
	return p
}

// Requested returns what became of what an entry asked for, without what that
// is; ok is false if it asked for nothing.
func (l *Ledger) Requested(index uint64) (r RequestInfo, ok bool) {
	request, ok := l.retain.Request(index)
	if !ok {
		return RequestInfo{}, false
	}
	return *requestInfo(request, proofs.Act{}), true
}

// closings returns what is announced to become unreadable and is not done, in
// the order in which it will be.
func (l *Ledger) closings() []ClosingInfo {
	list := []ClosingInfo{}
	open := l.retain.Open()
	if len(open) == 0 {
		return list
	}
	trouble := l.canDestroy()
	for i, c := range open {
		list = append(list, l.closingInfo(c, i == 0, trouble))
	}
	return list
}
