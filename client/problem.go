package client

import (
	"encoding/json"
	"fmt"
	"time"
)

// A Problem is a refusal or failure that the ledger means, as an RFC 9457
// problem document.
type Problem struct {
	Type     string `json:"type"`               // "urn:cairn:problem:" and a [ProblemCode]
	Title    string `json:"title"`              // the same for every problem of the type
	Status   int    `json:"status"`             // the HTTP status
	Detail   string `json:"detail,omitempty"`   // what happened this time
	Instance string `json:"instance,omitempty"` // names the request in the server's log
	Hint     string `json:"hint,omitempty"`     // what to do about it
	Index    uint64 `json:"index,omitempty"`    // the entry concerned, of a conflict

	// Reasons are the entries that say why a payload is gone, or disabled.
	Reasons []uint64 `json:"reasons,omitempty"`

	// RetryAfter is how long to wait before trying again; zero: trying again
	// as it is will not help. In JSON in whole seconds, rounded up, as in the
	// header of that name.
	RetryAfter time.Duration `json:"-"`
}

// A ProblemCode says what kind of problem it is, in one word that never
// changes its meaning.
type ProblemCode string

// The kinds of problems, each with its HTTP status.
const (
	BadRequest      ProblemCode = "bad-request"       // 400
	Unauthorized    ProblemCode = "unauthorized"      // 401: no or an unknown token
	Forbidden       ProblemCode = "forbidden"         // 403: the token does not allow it
	ReasonNeeded    ProblemCode = "reason-needed"     // 403: whoever reads this stream must say why
	NoSuchEntry     ProblemCode = "no-such-entry"     // 404
	NoSuchStream    ProblemCode = "no-such-stream"    // 404
	AlreadyExists   ProblemCode = "already-exists"    // 409: a stream or class of that name
	NotNow          ProblemCode = "not-now"           // 409: what is recorded does not allow it, or not yet
	Gone            ProblemCode = "gone"              // 410: the payload was erased or expired
	Disabled        ProblemCode = "disabled"          // 410: the payload is to be erased, and is not read unless that is taken back
	TooLarge        ProblemCode = "too-large"         // 413
	Conflict        ProblemCode = "conflict"          // 422: the same idempotency key or sequence number with other bytes
	Invalid         ProblemCode = "invalid"           // 422: an event that the stream's settings do not allow
	Overloaded      ProblemCode = "overloaded"        // 503: the queue is full; nothing was taken
	Unavailable     ProblemCode = "unavailable"       // 503: starting, stopping, or stopped by a self-check
	NotYetPublished ProblemCode = "not-yet-published" // 404: no published checkpoint covers it yet
	Internal        ProblemCode = "internal"          // 500

	// Problems of HTTP alone.
	NotFound         ProblemCode = "not-found"              // 404: there is nothing of that name
	NoSuchPath       ProblemCode = "no-such-path"           // 404: this address serves no such path; another may
	MethodNotAllowed ProblemCode = "method-not-allowed"     // 405
	TimedOut         ProblemCode = "timed-out"              // 408: the request came too slowly
	UnsupportedType  ProblemCode = "unsupported-media-type" // 415
	Undecided        ProblemCode = "undecided"              // 503: the time was up before it was known whether the events are recorded
)

const problemPrefix = "urn:cairn:problem:"

// NewProblem returns a problem of a kind. Detail says what happened and hint,
// which may be empty, what to do.
func NewProblem(code ProblemCode, detail, hint string) *Problem {
	status, title := code.meaning()
	return &Problem{Type: problemPrefix + string(code), Title: title, Status: status, Detail: detail, Hint: hint}
}

// Code returns the kind of the problem.
func (p *Problem) Code() ProblemCode {
	if len(p.Type) < len(problemPrefix) {
		return ProblemCode(p.Type)
	}
	return ProblemCode(p.Type[len(problemPrefix):])
}

// Error returns the detail, or the title where there is none.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return fmt.Sprintf("%s: %s", p.Title, p.Detail)
}

// A wireProblem is a Problem as JSON has it.
type wireProblem struct {
	problemFields
	RetryAfter uint32 `json:"retry_after,omitempty"` // seconds
}

type problemFields Problem // without methods

// RetrySeconds returns RetryAfter in whole seconds, rounded up.
func (p *Problem) RetrySeconds() uint32 {
	return uint32((max(p.RetryAfter, 0) + time.Second - 1) / time.Second)
}

// MarshalJSON returns the problem document.
func (p *Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireProblem{problemFields(*p), p.RetrySeconds()})
}

// UnmarshalJSON reads a problem document of any server.
func (p *Problem) UnmarshalJSON(b []byte) error {
	var w wireProblem
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*p = Problem(w.problemFields)
	p.RetryAfter = time.Duration(w.RetryAfter) * time.Second
	return nil
}

func (c ProblemCode) meaning() (status int, title string) {
	switch c {
	case BadRequest:
		return 400, "bad request"
	case Unauthorized:
		return 401, "not authenticated"
	case Forbidden:
		return 403, "not allowed"
	case ReasonNeeded:
		return 403, "a reason is needed"
	case NoSuchEntry:
		return 404, "no such entry"
	case NoSuchStream:
		return 404, "no such stream"
	case NotYetPublished:
		return 404, "not yet published"
	case NotFound:
		return 404, "not found"
	case NoSuchPath:
		return 404, "no such path"
	case MethodNotAllowed:
		return 405, "method not allowed"
	case TimedOut:
		return 408, "too slow"
	case UnsupportedType:
		return 415, "media type not supported"
	case AlreadyExists:
		return 409, "already exists"
	case NotNow:
		return 409, "not allowed now"
	case Gone:
		return 410, "gone"
	case Disabled:
		return 410, "disabled"
	case TooLarge:
		return 413, "too large"
	case Conflict:
		return 422, "conflict with what is recorded"
	case Invalid:
		return 422, "invalid event"
	case Overloaded:
		return 503, "overloaded"
	case Unavailable:
		return 503, "unavailable"
	case Undecided:
		return 503, "not known whether it was recorded"
	}
	return 500, "internal error"
}
