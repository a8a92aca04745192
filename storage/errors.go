package storage

import "errors"

// Refusals: the call changed nothing and the store goes on.
var (
	// ErrNotFound means that what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that a compare-and-swap lost, or that a vault's
	// record came out of order.
	ErrConflict = errors.New("conflict")
	// ErrExists means that other bytes are there already.
	ErrExists = errors.New("exists with other content")
	// ErrInvalid means that a name or a size is outside its bounds: the caller
	// used the store wrongly.
	ErrInvalid = errors.New("invalid name or size")
	// ErrNoSpace means that the medium is full. The call can be repeated when
	// there is room again. A store that cannot tell whether a write that ran
	// out of space left something behind fails for good instead.
	ErrNoSpace = errors.New("no space left")
	// ErrCorrupt means that stored bytes are not what was stored. It is never
	// returned for what a crash may legitimately leave behind.
	ErrCorrupt = errors.New("corrupt")
	// ErrLocked means that another process has the store open.
	ErrLocked = errors.New("locked by another process")
)

// ErrFailed means that an earlier call of this store failed, so that what is
// durable is in doubt. It stays so until the store is opened again.
var ErrFailed = errors.New("store failed earlier and must be opened again")

// ErrClosed means that the store was closed by its owner.
var ErrClosed = errors.New("store is closed")
