package ledger

import (
	"context"
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A Caller is who uses the ledger, as the program that serves it has found
// out. All of it is recorded with everything that the caller reads or does.
type Caller struct {
	Name    string // the identity: 1 to 255 bytes
	Role    string // by which it may; at most 64 bytes
	From    string // a network address, or what else says where it came from; at most 255 bytes
	Because string // the reason that it states; at most 1,024 bytes

	// May says what the caller may read: entries of a kind that are about a
	// stream, by the name that it has now. Settings are about their stream, and
	// so is the entry that opens a bucket; other control entries are about the
	// ledger itself, whose name is empty. Nil: everything.
	May func(kind proofs.Kind, stream string) bool
}

// A Session is a ledger as one caller uses it. What it hands out and what it
// does is recorded in the ledger, durably, before it answers (law 7): where
// that cannot be, it refuses. Receipts and proofs are public, and are not.
type Session struct {
	l      *Ledger
	caller Caller
}

var _ client.Log = (*Session)(nil)

// As returns the ledger as it is for a caller.
func (l *Ledger) As(c Caller) *Session { return &Session{l: l, caller: c} }

// may reports whether the caller may read entries of a kind about a stream.
func (s *Session) may(kind proofs.Kind, stream string) bool {
	return s.caller.May == nil || s.caller.May(kind, stream)
}

// Append appends events to a stream; see [client.Log].
func (s *Session) Append(ctx context.Context, stream string, events []client.Event, wait client.State) ([]client.Appended, error) {
	return s.l.append(ctx, s.caller, stream, events, wait)
}

// check refuses a caller that cannot be recorded.
func (c Caller) check() error {
	for _, f := range []struct {
		what, value string
		least, most int
	}{
		{"identity", c.Name, 1, 255}, {"role", c.Role, 0, 64}, {"address", c.From, 0, 255}, {"reason", c.Because, 0, 1024},
	} {
		if len(f.value) < f.least || len(f.value) > f.most {
			return client.NewProblem(client.BadRequest, fmt.Sprintf("the %s has %d bytes, and must have %d to %d", f.what, len(f.value), f.least, f.most), "")
		}
	}
	return nil
}
