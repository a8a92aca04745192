package retain

import (
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// What callers of [State.Check] tell apart. An [EntryError] matches at most
// one of them; one whose body is malformed matches [proofs.ErrMalformed].
var (
	// ErrGap means that entries before this one were not applied.
	ErrGap = errors.New("not the next entry")
	// ErrClosed means that the bucket takes no more entries.
	ErrClosed = errors.New("bucket is closed")
	// ErrNoHold means that no hold is active that was made by that entry.
	ErrNoHold = errors.New("no such hold is active")
	// ErrNeedsRequest means that two custodians have to want it.
	ErrNeedsRequest = errors.New("needs a request that another custodian approved")
	// ErrNotNamed means that it takes one of the custodians whom the ledger
	// names.
	ErrNotNamed = errors.New("not one of the custodians who are named")
	// ErrRequest means that the request named cannot be used so, or not yet.
	ErrRequest = errors.New("request does not allow it")
)

// An EntryError says why an entry cannot follow those that were applied.
type EntryError struct {
	Index uint64
	Kind  proofs.Kind
	Err   error
}

func (e *EntryError) Error() string { return fmt.Sprintf("entry %d (%v): %v", e.Index, e.Kind, e.Err) }

// Unwrap returns the reason.
func (e *EntryError) Unwrap() error { return e.Err }
