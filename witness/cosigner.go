// Package witness never signs two histories of one log.
package witness

import (
	"context"
	"fmt"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A Request asks a witness to cosign a checkpoint (C2SP tlog-witness,
// add-checkpoint).
type Request struct {
	Old        uint64        // the size that the witness cosigned last, as far as the log knows
	Proof      []proofs.Hash // consistency from Old to the checkpoint
	Checkpoint []byte        // signed by the log
}

// A Cosigner cosigns checkpoints: a witness, in this process or elsewhere.
type Cosigner interface {
	// AddCheckpoint returns signature lines, or an *Error where the witness
	// refuses.
	AddCheckpoint(ctx context.Context, r Request) (cosignatures []byte, err error)
}

// An Error is a witness's refusal.
type Error struct {
	Status     int           // the HTTP status of C2SP tlog-witness
	Size       uint64        // with status 409: the size that the witness cosigned last
	RetryAfter time.Duration // zero where the witness gave none
	Reason     string
}

// Error returns the status and the reason.
func (e *Error) Error() string { return fmt.Sprintf("witness answers %d: %s", e.Status, e.Reason) }
