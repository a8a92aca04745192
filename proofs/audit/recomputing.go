package audit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A Recomputing says which directories to make again, of the tags that a ledger
// shows: whether they hold just these the entries alone don't tell.
//
// Of the directories that there are the sample is the [Recomputing.Count] with
// the lowest ranks, and with each of a large segment those of the small ones in
// it. The rank of one is the SHA-256 of
//
//	"cairn/v1 audit directories\n" ‖ root of the checkpoint ‖ SegmentID ([proofs.SegmentID]) ‖ seed
//
// as a [Sampling] has it.
type Recomputing struct {
	Count int    // how many; 0: all
	Seed  string // any bytes

	// Show returns what the ledger shows of a segment, with its rows where they are
	// asked for. It is called by [Recomputing.Workers] goroutines at once. An error
	// that matches [ErrDisabled] is found wrong unless an erasure is approved or
	// announced and not done, one that matches [ErrNotShown], [proofs.ErrMalformed] or
	// [proofs.ErrNotVerified] always; any other ends the run.
	Show    func(ctx context.Context, id proofs.SegmentID, rows bool) (ShownDirectory, error)
	Workers int // 0: one a processor
}

const recomputingLabel = "cairn/v1 audit directories\n"

func (r *Recomputing) rank(root proofs.Hash, id proofs.SegmentID) (h proofs.Hash) {
	b := append([]byte(recomputingLabel), root[:]...)
	large := byte(0)
	if id.Large {
		large = 1
	}
	b = binary.BigEndian.AppendUint64(append(b, large), id.Number)
	return sha256.Sum256(append(b, r.Seed...))
}

// A recomputing is the directories of a sample while they are made again.
type recomputing struct {
	*auditor
	*Recomputing
	outcome *Recomputed
	told    int // sentences about what was not judged
}

// recompute makes the directories of the sample again.
func (a *auditor) recompute(ctx context.Context) error {
	if a.o.Directories == nil {
		return nil
	}
	if a.history.unread > 0 {
		a.notJudged("whether directories are right: %d entries could not be read, and they may say what is closed.", a.history.unread)
		return nil
	}
	r := &recomputing{auditor: a, Recomputing: a.o.Directories, outcome: &Recomputed{Seed: a.o.Directories.Seed}}
	if r.Count == 0 {
		r.outcome.Seed = ""
	}
	a.report.Summary.Recomputed = r.outcome
	if a.history.directories.lost > 0 {
		return nil // which is said already
	}
	groups := r.draw()
	workers := r.Recomputing.Workers
	if workers <= 0 {
		workers = a.o.Workers
	}
	work := func(ctx context.Context, g segmentGroup) (remadeGroup, error) {
		return r.remake(ctx, &a.history.retention, g)
	}
	err := ordered(ctx, workers, r.each(groups), work, func(g remadeGroup) error { return r.take(ctx, g) })
	slices.SortFunc(a.report.Directories, func(a, b proofs.MadeDirectory) int {
		return cmp.Or(cmp.Compare(a.Segment.Size(), b.Segment.Size()), cmp.Compare(a.Segment.Number, b.Segment.Number))
	})
	return err
}

// A segmentGroup is segments that are made again together: all of a large one, or
// some of the small ones in it.
type segmentGroup struct {
	number uint64
	small  []uint64 // rising
	large  bool
}

// draw returns the sample, in groups.
func (r *recomputing) draw() (groups []segmentGroup) {
	var all []proofs.SegmentID
	for n := range r.history.directories.small.hashes {
		all = append(all, proofs.SegmentID{Number: uint64(n)})
	}
	for n := range r.history.directories.large.hashes {
		all = append(all, proofs.SegmentID{Large: true, Number: uint64(n)})
	}
	r.outcome.Directories = uint64(len(all))
	if r.Count > 0 && r.Count < len(all) {
		ranks := make(map[proofs.SegmentID]proofs.Hash, len(all))
		for _, id := range all {
			ranks[id] = r.rank(r.head.Root, id)
		}
		slices.SortFunc(all, func(a, b proofs.SegmentID) int {
			x, y := ranks[a], ranks[b]
			return slices.Compare(x[:], y[:])
		})
		all = all[:r.Count]
	}
	return groupsOf(all)
}

// groupsOf returns segments in groups.
func groupsOf(all []proofs.SegmentID) (groups []segmentGroup) {
	drawn := make(map[uint64]*segmentGroup)
	for _, id := range all {
		number := id.First() / proofs.SegmentID{Large: true}.Size()
		g := drawn[number]
		if g == nil {
			g = &segmentGroup{number: number}
			drawn[number] = g
		}
		if g.large = g.large || id.Large; !id.Large {
			g.small = append(g.small, id.Number)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(drawn)) {
		g := drawn[number]
		if g.large {
			g.small = nil
			for i := range uint64(proofs.LargeSegments) {
				g.small = append(g.small, number*proofs.LargeSegments+i)
			}
		}
		slices.Sort(g.small)
		groups = append(groups, *g)
	}
	return groups
}

// each yields the groups, and says how far it has come.
func (r *recomputing) each(groups []segmentGroup) iter.Seq2[segmentGroup, error] {
	total := 0
	for _, g := range groups {
		total += len(g.small)
	}
	return func(yield func(segmentGroup, error) bool) {
		done := 0
		for _, g := range groups {
			if r.o.Progress != nil {
				r.o.Progress(Progress{Entries: uint64(done), Total: uint64(total), Made: true})
			}
			done += len(g.small)
			if !yield(g, nil) {
				return
			}
		}
	}
}
