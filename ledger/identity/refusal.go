package identity

import (
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client"
)

// An Outcome says how it ended to ask who a request comes from.
type Outcome string

// The outcomes.
const (
	Known       Outcome = "known"       // an identity
	Absent      Outcome = "absent"      // there is no credential
	Unknown     Outcome = "unknown"     // malformed, or of nobody who is known; a token that was revoked too
	Expired     Outcome = "expired"     // or not yet good
	Revoked     Outcome = "revoked"     // a certificate of its CA's list, or a name that the configuration refuses
	Nothing     Outcome = "nothing"     // good, and gives no right
	Unavailable Outcome = "unavailable" // nobody could tell just now
)

// A Refusal is why it is not known who a request comes from, or why whoever it
// is has no right.
type Refusal struct {
	Kind    Kind    // of the credential
	Outcome Outcome // never [Known]
	Who     string  // the identity's name, where that is known
	Detail  string  // for whoever asked
	Hint    string  // what they can do

	reason     error // for the server's log; nil: the detail says it all
	retryAfter time.Duration
}

// refuseExpired returns why a token that has expired is refused.
func (t Token) refuseExpired() *Refusal {
	return &Refusal{
		Kind: ByToken, Outcome: Expired,
		Detail: "the token expired at " + t.Expires.Format(time.RFC3339),
		Hint:   "ask whoever issued it for another; it is made with: cairnd token issue",
	}
}

// Error returns the detail, with the reason where there is another.
func (r *Refusal) Error() string {
	if r.reason == nil {
		return r.Detail
	}
	return fmt.Sprintf("%s: %v", r.Detail, r.reason)
}

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.reason }

// Problem returns what to answer: 403 to whoever is known and has no right, 503
// where nobody could tell, and 401 to all others.
func (r *Refusal) Problem() *client.Problem {
	code := client.Unauthorized
	switch r.Outcome {
	case Nothing:
		code = client.Forbidden
	case Unavailable:
		code = client.Unavailable
	}
	p := client.NewProblem(code, r.Detail, r.Hint)
	p.RetryAfter = r.retryAfter
	return p
}
