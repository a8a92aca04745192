package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// recomputed is what vouches for directories that were made again here.
const recomputed = "recomputed"

// errMeanwhile means that tags are not shown as a proof lets expect; the ledger may
// have closed something since the proof was made.
var errMeanwhile = errors.New("not all tags are shown as the entries commit to them")

// proveRecomputed asks for a proof and makes the directories again that it rests
// on. Where something may have been closed in between it does so once more.
func (p *program) proveRecomputed(ctx context.Context, log *client.HTTP, v *client.Verifier, asked client.CompleteQuery) (b []byte, a *searchAnswer, err error) {
	for range 2 {
		if b, a, err = p.proveComplete(ctx, log, v, asked); err != nil {
			return nil, nil, err
		}
		if err = p.recompute(ctx, log, v, a); err == nil || !errors.Is(err, errMeanwhile) {
			break
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return b, a, nil
}

// recompute makes the directories again that an answer rests on, of the tags that
// the ledger shows.
func (p *program) recompute(ctx context.Context, log *client.HTTP, v *client.Verifier, a *searchAnswer) error {
	if len(a.verdict.Directories) == 0 {
		return nil // there is nothing to be vouched for
	}
	view, err := v.Believe(ctx, a.proof.Checkpoint)
	if err != nil {
		return err
	}
	g := p.progress("segments recomputed:")
	defer g.end()
	found, notJudged, err := audit.RecomputeSearch(ctx, audit.SearchRecomputing{
		Proof: a.proof, Tree: view.Reader, Show: showerOf(log, a.stream),
		Progress: func(done, total int) { g.show(uint64(done), uint64(total)) },
	})
	switch {
	case errors.Is(err, audit.ErrDisabled):
		return command.Hinted(errors.New("the directories could not be recomputed: the ledger shows no tags of a segment while one of its entries is to be erased"),
			"ask again when that is done")
	case err != nil:
		return err
	case len(found) > 0:
		return liesIn(found)
	case len(notJudged) > 0:
		return fmt.Errorf("not all directories could be recomputed: %s", notJudged[0])
	}
	a.vouched = recomputed
	return nil
}

// liesIn is that directories are not what their tags make, or that not all tags
// are shown.
func liesIn(found []audit.Finding) error {
	more := ""
	if len(found) > 1 {
		more = fmt.Sprintf(" And %d more.", len(found)-1)
	}
	at := slices.IndexFunc(found, func(f audit.Finding) bool { return f.Kind == audit.DirectoryWrong })
	if at < 0 {
		return fmt.Errorf("%w: %w: %s%s", proofs.ErrNotVerified, errMeanwhile, found[0].Detail, more)
	}
	return fmt.Errorf("%w: a directory is not what its tags make: %s%s", proofs.ErrNotVerified, found[at].Detail, more)
}
