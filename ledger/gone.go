package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// gone returns the problem that a payload is gone, with the entries that say why.
func (l *Ledger) gone(ctx context.Context, index uint64, leafBytes []byte) error {
	p := client.NewProblem(client.Gone, fmt.Sprintf("the payload of entry %d is gone", index), "")
	leaf, err := proofs.ParseLeaf(leafBytes)
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	if p.Reasons, err = l.reasons(ctx, index, leaf); err != nil {
		return err
	}
	if n := len(p.Reasons); n > 0 {
		says := fmt.Sprintf("entry %d says", p.Reasons[0])
		if n > maxReasons {
			says = fmt.Sprintf("one of %d entries says", n)
		}
		p.Hint = fmt.Sprintf("%s why; a file that shows it to anybody, and that cairn verify explains, is made with: cairn export --evidence FILE %d", says, index)
	}
	return p
}

// maxReasons is of how many announcements a read looks into each; so many are
// read in less than a millisecond.
const maxReasons = 64

// reasons returns the entries that say why a payload, or a part of it, is gone;
// where more than maxReasons may say so, all these.
func (l *Ledger) reasons(ctx context.Context, index uint64, leaf proofs.Leaf) ([]uint64, error) {
	may := l.retain.Reasons(leaf.Stream, leaf.Bucket, index)
	if len(may) < 2 || len(may) > maxReasons {
		return may, nil
	}
	reasons := may[:0]
	for _, r := range may {
		closes, err := l.closes(ctx, r, index)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", r, err)
		}
		if closes {
			reasons = append(reasons, r)
		}
	}
	return reasons, nil
}

// closes reports whether what an entry announces closes another one: an expiry
// of its bucket does.
func (l *Ledger) closes(ctx context.Context, announcement, index uint64) (bool, error) {
	leaf, err := l.leaf(ctx, announcement)
	if err != nil || leaf.Kind != proofs.Erasure {
		return err == nil, err
	}
	runs, err := l.erasedRuns(ctx, announcement)
	return proofs.InRuns(runs, index), err
}

// erasedRuns returns the entries of which the announcement of an erasure, or a
// part of it, says that it closes them, or may.
func (l *Ledger) erasedRuns(ctx context.Context, announcement uint64) ([]proofs.Run, error) {
	leaf, err := l.leaf(ctx, announcement)
	if err != nil {
		return nil, err
	}
	body, err := proofs.ParseErasure(leaf.Control)
	if err != nil || body.Erased == nil {
		return nil, err
	}
	return proofs.JoinRuns(slices.Concat(body.Erased.Closes, body.Erased.Unread)), nil
}
