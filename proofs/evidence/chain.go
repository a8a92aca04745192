package evidence

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"sort"

	"github.com/cairnlog/cairn/proofs"
)

// clockTolerance is how many seconds the clock of a ledger may be ahead of its
// witnesses': beyond it the ledger takes no entries.
const clockTolerance = 60

// A chain is the checkpoints of a file, each of which extends the one before.
type chain struct {
	policy *proofs.Policy
	links  []link
	last   proofs.Verdict // of the last one
}

// A link is what is kept of a checkpoint.
type link struct {
	size uint64
	root proofs.Hash
	time uint64      // [proofs.Verdict.Time]; 0: the quorum does not attest one
	note proofs.Hash // SHA-256 of the signed note

	until uint64 // the time of this one or, where it has none, of the next that has
	since uint64 // the time of this one or, where it has none, of the last that had
}

// add checks the next checkpoint: the log of the policy has signed it, and its
// tree begins with that of the one before. Witnesses that a policy demands
// today may not have been there: of the last one alone the quorum is demanded
// (see end).
func (c *chain) add(k *Checkpoint) error {
	v, err := c.policy.CheckLog([]byte(k.Note))
	if err != nil {
		return err
	}
	next := link{size: v.Checkpoint.Size, root: v.Checkpoint.Root, time: v.Time, note: sha256.Sum256([]byte(k.Note))}
	if n := len(c.links); n > 0 {
		before := c.links[n-1]
		if err := proofs.CheckConsistency(before.size, next.size, before.root, next.root, k.Consistency); err != nil {
			return fmt.Errorf("checkpoints of size %d and %d: %w", before.size, next.size, err)
		}
	}
	c.links, c.last = append(c.links, next), v
	return nil
}

// end checks that the quorum has cosigned the last checkpoint.
func (c *chain) end() error {
	if !c.last.QuorumMet {
		return fmt.Errorf("%w: the quorum %q of the policy has not cosigned the last checkpoint", proofs.ErrNotVerified, c.policy.Quorum)
	}
	var until, since uint64
	for i := range c.links {
		l := &c.links[i]
		l.since = cmp.Or(l.time, since)
		since = l.since
	}
	for i := len(c.links) - 1; i >= 0; i-- {
		l := &c.links[i]
		l.until = cmp.Or(l.time, until)
		until = l.until
	}
	return nil
}

// check checks that an entry is under the last checkpoint.
func (c *chain) check(e *Entry) error {
	k := c.last.Checkpoint
	return proofs.CheckInclusion(e.Index, k.Size, proofs.LeafHash(e.Leaf), e.Proof, k.Root)
}

// bracket returns when the quorum had not yet seen an entry and when it had, in
// seconds since 1970; 0 where no checkpoint of the file says.
func (c *chain) bracket(index uint64) (after, before uint64) {
	at := c.atLeast(index + 1)
	if at < len(c.links) {
		before = c.links[at].until
	}
	if at > 0 {
		after = c.links[at-1].since
	}
	return after, before
}

// find returns the checkpoint that a control entry names; the zero link, if
// the file does not have it.
func (c *chain) find(ref proofs.CheckpointRef) link {
	at := c.atLeast(ref.Size)
	if at == len(c.links) || c.links[at].size != ref.Size || c.links[at].note != ref.Note {
		return link{}
	}
	return c.links[at]
}

// extends checks that a checkpoint which the log signed is of the history of the
// file: that one of its checkpoints has the same size and root.
func (c *chain) extends(k proofs.Checkpoint) error {
	at := c.atLeast(k.Size)
	if at == len(c.links) || c.links[at].size != k.Size {
		return fmt.Errorf("%w: its checkpoint, of size %d, is none of the file: nothing shows that it is of the same history", proofs.ErrNotVerified, k.Size)
	}
	if c.links[at].root != k.Root {
		return fmt.Errorf("%w: its checkpoint is of another history: the log has signed two trees of size %d", proofs.ErrNotVerified, k.Size)
	}
	return nil
}

// atLeast returns the place of the first checkpoint of at least a size.
func (c *chain) atLeast(size uint64) int {
	return sort.Search(len(c.links), func(i int) bool { return c.links[i].size >= size })
}
