package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A remadeGroup is the directories of a group, made again.
type remadeGroup struct {
	segmentGroup
	by       *retention             // as far as is known
	made     []*RecomputedDirectory // the small ones, and the large one
	disabled []proofs.SegmentID     // of which the ledger shows nothing because of an erasure
}

// remake makes the directories of a group again, as far as is known.
func (r *recomputing) remake(ctx context.Context, by *retention, g segmentGroup) (remadeGroup, error) {
	done := remadeGroup{segmentGroup: g, by: by}
	state := &State{retention: *by}
	ids := make([]proofs.SegmentID, 0, len(g.small)+1)
	for _, number := range g.small {
		ids = append(ids, proofs.SegmentID{Number: number})
	}
	if g.large {
		ids = append(ids, proofs.SegmentID{Large: true, Number: g.number})
	}
	for _, id := range ids {
		x, err := r.remakeOne(ctx, state, id, done.made)
		if err != nil {
			return done, err
		}
		if x.disabled {
			done.disabled = append(done.disabled, id)
		}
		done.made = append(done.made, x.RecomputedDirectory)
	}
	return done, nil
}

// A remadeDirectory is a directory that was made again, or could not be.
type remadeDirectory struct {
	*RecomputedDirectory
	disabled bool
}

// remakeOne makes a directory again: of what is shown, and of a large one of its
// small ones. Where it is wrong the rows are asked for, which name the one.
func (r *recomputing) remakeOne(ctx context.Context, s *State, id proofs.SegmentID, small []*RecomputedDirectory) (made remadeDirectory, err error) {
	var leaves []proofs.Leaf
	if !id.Large {
		if leaves, err = r.leavesOf(ctx, id); leaves == nil {
			return unmade(id, Finding{}, fmt.Sprintf("the directory of %v: its entries are pruned, or their files are missing or damaged", id)), err
		}
	}
	for rows := false; ; rows = true {
		shown, err := r.Show(ctx, id, rows)
		switch {
		case errors.Is(err, ErrDisabled):
			made = unmade(id, Finding{}, fmt.Sprintf("the directory of %v: the ledger does not show it because of an erasure that is approved or announced and not done", id))
			made.disabled = true
			return made, nil
		case errors.Is(err, ErrNotShown) || wrong(err):
			return unmade(id, Finding{Kind: DirectoryUnshown, Detail: fmt.Sprintf("The ledger does not show what the directory of %v is made of: %s.", id, why(err))}, ""), nil
		case err != nil:
			return made, fmt.Errorf("directory of %v: %w", id, err)
		}
		if !id.Large {
			made.RecomputedDirectory, err = s.RecomputeDirectory(id.Number, leaves, shown)
		} else {
			made.RecomputedDirectory, err = s.RecomputeLarge([proofs.LargeSegments]*RecomputedDirectory(small), shown)
		}
		if err != nil || rows || !slices.ContainsFunc(made.Findings, func(f Finding) bool { return f.Kind == DirectoryWrong }) {
			return made, err
		}
	}
}

// unmade is a directory that could not be made again, with what is wrong or why.
func unmade(id proofs.SegmentID, f Finding, notJudged string) remadeDirectory {
	x := newRecomputed(id)
	x.NotJudged, x.partial = notJudged, true
	if f.Kind != "" {
		f.Index, f.Last = int64(id.First()), int64(id.End()-1)
		x.Findings = []Finding{f}
	}
	return remadeDirectory{RecomputedDirectory: x}
}

// leavesOf returns the entries of a segment; nil where they are not there.
func (r *recomputing) leavesOf(ctx context.Context, id proofs.SegmentID) (leaves []proofs.Leaf, err error) {
	if id.First() < r.history.pruning.minimum {
		return nil, nil
	}
	for b, err := range r.reader.Leaves(ctx, id.First(), id.End()) {
		if wrong(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return nil, nil // which is found elsewhere
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}

// take reports on a group. What is wrong by the checkpoint that is judged by is
// judged once more by the newest one: the ledger may have closed something.
func (r *recomputing) take(ctx context.Context, g remadeGroup) error {
	for g.doubtful() {
		h, err := r.readNewest(ctx)
		if err != nil {
			return err
		}
		if g, err = r.remake(ctx, &h.retention, g.segmentGroup); err != nil {
			return err
		}
		if g.doubtful() && !r.waits(ctx) {
			break
		}
	}
	for _, x := range g.made {
		if slices.ContainsFunc(g.disabled, func(id proofs.SegmentID) bool { return id == x.Segment && !g.excuses(id) }) {
			x = unmade(x.Segment, Finding{Kind: DirectoryUnshown, Detail: fmt.Sprintf(
				"The ledger does not show what the directory of %v is made of because of an erasure: no published entry approves or announces one.", x.Segment)}, "").RecomputedDirectory
		}
		r.report(x, g.by)
	}
	return ctx.Err()
}

// doubtful reports whether anything is wrong with a group.
func (g *remadeGroup) doubtful() bool {
	return slices.ContainsFunc(g.made, func(x *RecomputedDirectory) bool { return len(x.Findings) > 0 }) ||
		slices.ContainsFunc(g.disabled, func(id proofs.SegmentID) bool { return !g.excuses(id) })
}

// excuses reports whether an entry says why the ledger shows nothing of a segment.
func (g *remadeGroup) excuses(id proofs.SegmentID) bool { return g.by.disables() || g.by.erases(id) }
