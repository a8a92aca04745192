package witness

import (
	"context"
	"fmt"
	"time"
)

// A Cosigner cosigns checkpoints: a [Witness] in this process, or a [Client]
// of one elsewhere.
type Cosigner interface {
	// AddCheckpoint returns one or more signature lines of a note, or an
	// *Error where the witness refuses. Any other error means that the
	// witness could not be asked, or gave no answer that can be understood.
	// The caller checks the signatures, and ignores those of keys that it
	// does not know.
	AddCheckpoint(ctx context.Context, r Request) (cosignatures []byte, err error)
}

// A Monitor shows what a witness has cosigned: a [Witness] in this process, or
// a [Client] of one elsewhere.
type Monitor interface {
	// Checkpoint returns the checkpoint that the witness cosigned last for the
	// log of an origin, with the log's signatures and the witness's. An *Error
	// with status 404 says that there is none. The caller checks all of it.
	Checkpoint(ctx context.Context, origin string) ([]byte, error)
}

// An Error is a witness's refusal. Its Status is the one of C2SP tlog-witness:
//
//	400  the request is malformed, or its old size is above the checkpoint's
//	403  no signature by a trusted key, or a wrong one
//	404  the log is unknown; or never cosigned, where its checkpoint was asked for
//	409  the old size is not the size that the witness cosigned last: that is Size
//	413  the request is too large
//	422  the checkpoint is not shown to extend the one cosigned last
//	429  too many requests
//	5xx  the witness has trouble of its own
type Error struct {
	Status     int
	Size       uint64        // with status 409: the size that the witness cosigned last
	RetryAfter time.Duration // zero where the witness gave none
	Reason     string        // for people, on one line; from a Client it is hostile and escaped
}

// Error returns the status and the reason.
func (e *Error) Error() string { return fmt.Sprintf("witness answers %d: %s", e.Status, e.Reason) }
