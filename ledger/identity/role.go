package identity

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// A Role says what an identity may do. The roles are apart, each with the least
// that its work takes: see [Role.Actions].
type Role string

// The roles.
const (
	Writer    Role = "writer"    // appends to given streams, and nothing else
	Reader    Role = "reader"    // reads what is about given streams
	Auditor   Role = "auditor"   // checks everything that needs no payload
	Operator  Role = "operator"  // runs the ledger; sees no payload
	Custodian Role = "custodian" // decides what must stay and what must go; sees no payload
)

// Roles returns all roles.
func Roles() []Role { return []Role{Writer, Reader, Auditor, Operator, Custodian} }

// An Action is a set of things that requests ask for. Every route of the API
// names the one that it is.
type Action uint16

// The actions.
const (
	Append      Action = 1 << iota // append to a stream
	Read                           // read payloads: entries, tails, searches, evidence
	Prove                          // receipts and proofs
	ReadSealed                     // sealed records
	ReadHistory                    // what the ledger says of itself: who did what, control entries
	ReadSettings
	ChangeSettings
	ManageTokens   // list, issue and revoke tokens; not issue those of custodians
	ReadStatus     // how the ledger is
	ReadClosings   // holds, erasures, expiries, and requests for them
	Close          // ask for holds, releases, erasures and shorter retention, and approve them
	NameCustodians // issue tokens of custodians

	// EveryAction is all of them.
	EveryAction Action = 1<<iota - 1
)

// Actions is the table of who may do what. It is the only one.
func (r Role) Actions() Action {
	switch r {
	case Writer:
		return Append
	case Reader:
		return Read | Prove
	case Auditor:
		return Prove | ReadSealed | ReadHistory | ReadSettings | ReadClosings
	case Operator:
		return ReadSettings | ChangeSettings | ManageTokens | ReadStatus
	case Custodian:
		return ReadSettings | ReadClosings | Close | NameCustodians
	}
	return 0
}

// HasStreams reports whether the role is for given streams.
func (r Role) HasStreams() bool { return r == Writer || r == Reader }

// letter is how a role shows in a token.
func (r Role) letter() (byte, bool) {
	i := slices.Index(Roles(), r)
	if i < 0 {
		return 0, false
	}
	return letters[i], true
}

// letters are those of [Roles], in their order.
const letters = "wraoc"

// String names the actions, for messages.
func (a Action) String() string {
	names := []string{
		"append", "read", "prove", "read sealed records", "read the history", "read settings", "change settings",
		"administer tokens", "read the status", "read holds and erasures", "hold and erase", "name custodians",
	}
	var set []string
	for ; a != 0; a &= a - 1 {
		if i := bits.TrailingZeros16(uint16(a)); i < len(names) {
			set = append(set, names[i])
		} else {
			set = append(set, "do what is unknown")
		}
	}
	return strings.Join(set, " or ")
}

// EveryStream in place of a stream's name stands for all streams, those of the
// future too.
const EveryStream = "*"

// A Right is a role, for streams where it is for streams.
type Right struct {
	Role    Role     `json:"role"`
	Streams []string `json:"streams,omitempty"` // of a writer or reader; [EveryStream] for all
}

// covers reports whether the right is for a stream. Those of roles without
// streams are for all.
func (r Right) covers(stream string) bool {
	return !r.Role.HasStreams() || slices.Contains(r.Streams, EveryStream) || stream != "" && slices.Contains(r.Streams, stream)
}

// check refuses a right that nobody can have.
func (r Right) check() error {
	if _, ok := r.Role.letter(); !ok {
		return fmt.Errorf("there is no role %q: a role is writer, reader, auditor, operator or custodian", r.Role)
	}
	if r.Role.HasStreams() != (len(r.Streams) > 0) {
		return fmt.Errorf("a writer or reader is of one stream at least, %q for all, and nobody else is", EveryStream)
	}
	if len(r.Streams) > maxStreams || slices.ContainsFunc(r.Streams, func(s string) bool { return s == "" || len(s) > 64 }) {
		return fmt.Errorf("it is for at most %d streams, each with a name of 1 to 64 bytes", maxStreams)
	}
	return nil
}

// maxStreams is how many streams one right is for at most.
const maxStreams = 256
