package client

import (
	"context"
	"iter"

	"github.com/cairnlog/cairn/proofs"
)

// A Log is a ledger as its users see it. [HTTP] implements it over the
// network and the ledger itself in process, so that a program that embeds a
// ledger and one that talks to a server are the same program.
//
// Errors that the ledger means are of type [*Problem]; others say that the
// ledger could not be asked.
type Log interface {
	// Append records events in a stream, in their order, and returns once all
	// have reached the state that the caller waits for, or its context ends.
	// There is one result for each event; one that was refused has its Err set
	// and refuses no other. An error means that nothing is known of any event:
	// with idempotency keys the caller may send all of them again.
	Append(ctx context.Context, stream string, events []Event, wait State) ([]Appended, error)

	// Entry reads one entry and opens its payload.
	Entry(ctx context.Context, index uint64) (*Entry, error)

	// Receipt returns the C2SP tlog-proof of an entry under the latest
	// published checkpoint, with the leaf as its extra data.
	Receipt(ctx context.Context, index uint64) ([]byte, error)

	// Tail yields the published entries that a query selects, in order, and
	// goes on as new ones are published until the context ends.
	Tail(ctx context.Context, q TailQuery) iter.Seq2[*Entry, error]

	// ReadFile reads a file of the public face: "checkpoint" and tiles and
	// entry bundles as in C2SP tlog-tiles, kept checkpoints as
	// "checkpoints/<N>", and "log", an [Info] in JSON. A file that is not
	// there matches fs.ErrNotExist. Nothing that is read may be believed
	// before it is checked.
	ReadFile(ctx context.Context, path string) ([]byte, error)
}

// A State is how far an entry has come. States are in order: a later one
// includes all earlier ones.
type State string

// The states that an append can wait for.
const (
	Sequenced  State = "sequenced"  // index and content survive a crash
	Integrated State = "integrated" // it is in the tree
	Witnessed  State = "witnessed"  // a published checkpoint with the policy's quorum covers it
)

// Reached reports whether s is want or a later state. It is false where
// either is not a state.
func (s State) Reached(want State) bool {
	order := map[State]int{Sequenced: 1, Integrated: 2, Witnessed: 3}
	return order[s] >= order[want] && order[want] > 0
}

// An Event is what an application appends.
type Event struct {
	Data      []byte // kept as it is; at most the ledger's payload limit
	MediaType string // empty: application/json, which must then be strict JSON

	// IdempotencyKey makes the append happen once: sent again with the same
	// bytes it gives the same entry, with others it is refused. Its scope is
	// the stream and the identity that appends. At most 1,024 bytes.
	IdempotencyKey string

	// Source and Sequence place the event in its source's own count, which
	// auditors check for gaps. Sent again, they too give the same entry.
	Source   string // empty: no source; at most 255 bytes
	Sequence uint64

	Class     string              // a retention class longer than the stream's; empty: the stream's
	Subjects  []string            // data subjects beside those that declared fields name
	Fields    []proofs.GivenField // values of declared fields that are not in Data
	Signature []byte              // the producer's own signature, kept with the event
}

// An Appended is the ledger's answer about one event.
type Appended struct {
	Index     uint64 `json:"index"`
	State     State  `json:"state"`
	Duplicate bool   `json:"duplicate,omitempty"` // it was there already, under this index

	// Uncompared says of a duplicate that what was recorded under its key is
	// erased, in whole or in part: what is left fits, and nobody can tell
	// whether the rest was the same.
	Uncompared bool `json:"uncompared,omitempty"`

	// Leaf and Disclosure let the writer check that what was recorded is what
	// it sent. The disclosure leaves out the data.
	Leaf       []byte             `json:"leaf"`
	Disclosure *proofs.Disclosure `json:"disclosure,omitempty"`

	// Receipt is the tlog-proof of the entry where State is Witnessed, also
	// where the caller did not wait for that.
	Receipt []byte `json:"receipt,omitempty"`

	// Promise is the log's signed word where State is weaker: if no
	// checkpoint ever covers the entry, it is evidence against the log.
	Promise *proofs.Promise `json:"promise,omitempty"`

	Err *Problem `json:"problem,omitempty"` // set where the event was refused
}

// An Entry is an entry and what the reader may see of it.
type Entry struct {
	Index      uint64             `json:"index"`
	Leaf       []byte             `json:"leaf"`
	Stream     string             `json:"stream"` // the stream's name now
	Disclosure *proofs.Disclosure `json:"disclosure,omitempty"`

	// Reasons are, where a part of the payload is not shown, the indices of the
	// entries that may say why it was erased.
	Reasons []uint64 `json:"reasons,omitempty"`

	// Settings is the index of the entry with the settings that the stream had
	// when the entry was recorded: what its fields are called, and where they are.
	Settings uint64 `json:"settings,omitempty"`

	// FieldKeys are the keys of the stream's declared fields in the entry's
	// bucket, in base64 by field number, with which the tags can be computed again.
	FieldKeys map[uint16][]byte `json:"field_keys,omitempty"`
}

// A TailQuery selects what to follow.
type TailQuery struct {
	Stream string `json:"stream,omitempty"` // empty: every stream that the caller may read, and control entries
	From   uint64 `json:"from,omitempty"`   // the first index to yield
	Query  string `json:"query,omitempty"`  // only events that fit it, in the language of package query
}

// An Info is what a ledger says about itself, to be compared with what one
// knows from elsewhere and never believed on its own.
type Info struct {
	Origin       string   `json:"origin"`
	Keys         []string `json:"keys"`   // the log's verifier keys
	Policy       string   `json:"policy"` // a C2SP tlog-policy
	MinimumIndex uint64   `json:"minimum_index"`
	MaxPayload   int      `json:"max_payload"` // bytes
	MaxBatch     int      `json:"max_batch"`   // events in one append
	Sizes        Sizes    `json:"sizes"`
}

// Sizes are the four sizes of a ledger, which only grow:
// Sequenced ≥ Integrated ≥ Signed ≥ Published.
type Sizes struct {
	Sequenced  uint64 `json:"sequenced"`
	Integrated uint64 `json:"integrated"`
	Signed     uint64 `json:"signed"`
	Published  uint64 `json:"published"`
}
