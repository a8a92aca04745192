package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

// What an [Evidence] shows.
const (
	Fork     = "fork"     // the log signed two histories: the evidence proves it to everybody
	Rollback = "rollback" // the ledger showed a smaller checkpoint as its latest: whoever saw it knows
	Broken   = "broken"   // the log promised an entry and put another in its place: the evidence proves it to everybody
)

// An Evidence holds two things that a log signed and that contradict each
// other: two checkpoints, or a promise and a checkpoint.
//
// In JSON the checkpoints are the signed notes, hashes in standard base64;
// [ParseEvidence] reads it strictly.
type Evidence struct {
	What string `json:"what"` // [Fork], [Rollback] or [Broken]
	Old  string `json:"old"`  // the signed checkpoint that was believed; of a broken promise its file, see [PromisedEntry]
	New  string `json:"new"`  // the signed checkpoint that came later

	// Root is what the tree of the larger one has at the size of the smaller
	// one, by Proof, the consistency proof between the two sizes (RFC 6962
	// §2.1.2). Of a fork it is not the root that the smaller one says. Both
	// are empty where the sizes are equal, or of a rollback.
	Root  *proofs.Hash  `json:"root,omitempty"`
	Proof []proofs.Hash `json:"proof,omitempty"`

	// Leaf is, of a broken promise, the hash of the leaf that stands in the
	// tree at the index that was promised, by Proof, the inclusion proof (RFC
	// 6962 §2.1.1). It is not that of the promised leaf.
	Leaf *proofs.Hash `json:"leaf,omitempty"`
}

// A HistoryError says that a log contradicts itself. It matches
// [proofs.ErrNotVerified].
type HistoryError struct{ Evidence Evidence }

// Error says what was seen.
func (e *HistoryError) Error() string {
	return fmt.Sprintf("%v: %s", proofs.ErrNotVerified, e.Evidence)
}

// Unwrap makes the error match [proofs.ErrNotVerified].
func (e *HistoryError) Unwrap() error { return proofs.ErrNotVerified }

// String says what the evidence shows, in a sentence.
func (e Evidence) String() string {
	if e.What == Broken {
		return e.brokenString()
	}
	old, errOld := proofs.ParseSignedCheckpoint([]byte(e.Old))
	latest, errNew := proofs.ParseSignedCheckpoint([]byte(e.New))
	switch {
	case errOld != nil || errNew != nil:
		return "the log contradicts itself"
	case e.What == Rollback:
		return fmt.Sprintf("rollback: %s had %d entries before, and now shows %d as its latest", old.Origin, old.Size, latest.Size)
	}
	return fmt.Sprintf("fork: %s signed two histories, one with %d entries and root %s, another with %d entries and root %s",
		old.Origin, old.Size, old.Root, latest.Size, latest.Root)
}

// compare returns the evidence of a fork if the tree of larger does not begin
// with that of small, without the checkpoints, and nil if it does. An error
// means that the files do not tell.
func compare(ctx context.Context, larger *proofs.Reader, small proofs.Checkpoint) (*Evidence, error) {
	c := larger.Checkpoint()
	if small.Size == c.Size {
		if small.Root != c.Root {
			return &Evidence{What: Fork}, nil
		}
		return nil, nil
	}
	// What the reader returns leads to the root of the larger one, so another
	// root than the smaller one's is the log's doing and not a damaged file's.
	root, err := proofs.Root(ctx, small.Size, larger)
	if err != nil || root == small.Root {
		return nil, err
	}
	proof, err := proofs.ProveConsistency(ctx, small.Size, c.Size, larger)
	if err != nil {
		return nil, err
	}
	return &Evidence{What: Fork, Root: &root, Proof: proof}, nil
}

// FormatEvidence returns the evidence in indented JSON.
func FormatEvidence(e Evidence) ([]byte, error) {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return append(b, '\n'), nil
}

// ParseEvidence reads what [FormatEvidence] writes and nothing else. What it
// says is for [Evidence.Check] to judge.
func ParseEvidence(b []byte) (Evidence, error) {
	var e Evidence
	if err := json.Unmarshal(b, &e); err != nil {
		return Evidence{}, fmt.Errorf("%w: evidence: %w", proofs.ErrMalformed, err)
	}
	again, err := FormatEvidence(e)
	if err != nil {
		return Evidence{}, err
	}
	if !bytes.Equal(again, b) {
		return Evidence{}, fmt.Errorf("%w: evidence: not written as it must be", proofs.ErrMalformed)
	}
	return e, nil
}

// Check checks that the evidence shows what it says: both things are signed by
// the same log of the policy, and contradict each other. It returns nil if so:
// the log is convicted. Of a rollback it can only check that the
// second is smaller.
func (e Evidence) Check(p *proofs.Policy) error {
	if e.What == Broken {
		return e.checkBroken(p)
	}
	old, err := p.CheckLog([]byte(e.Old))
	if err != nil {
		return fmt.Errorf("evidence: old: %w", err)
	}
	latest, err := p.CheckLog([]byte(e.New))
	if err != nil {
		return fmt.Errorf("evidence: new: %w", err)
	}
	small, large := old.Checkpoint, latest.Checkpoint
	if small.Size > large.Size {
		small, large = large, small
	}
	no := func(why string) error { return fmt.Errorf("%w: evidence: %s", proofs.ErrNotVerified, why) }
	switch {
	case small.Origin != large.Origin:
		return no("the checkpoints are of two logs")
	case e.What == Rollback && latest.Checkpoint.Size < old.Checkpoint.Size:
		return nil
	case e.What != Fork:
		return no("it is neither a fork nor a rollback nor a broken promise")
	case small.Size == large.Size && small.Root != large.Root:
		return nil
	case e.Root == nil || *e.Root == small.Root:
		return no("the checkpoints do not contradict each other")
	}
	if err := proofs.CheckConsistency(small.Size, large.Size, *e.Root, large.Root, e.Proof); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}
