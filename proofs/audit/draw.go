package audit

import (
	"cmp"
	"container/heap"
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// A candidate is an event that should open.
type candidate struct {
	rank, index    uint64
	stream, bucket uint32
}

func compareRanks(a, b candidate) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.index, b.index))
}

// A draw is the candidates of each stream with the lowest ranks: of each as
// many as may be drawn, since it is not known yet which may be read.
type draw struct {
	max     int // 0: all
	streams map[uint32]*ranked
}

// ranked are the candidates of a stream, the one with the highest rank first as
// in a heap.
type ranked struct {
	kept []candidate
	all  uint64
}

func (r *ranked) Len() int           { return len(r.kept) }
func (r *ranked) Less(i, j int) bool { return compareRanks(r.kept[i], r.kept[j]) > 0 }
func (r *ranked) Swap(i, j int)      { r.kept[i], r.kept[j] = r.kept[j], r.kept[i] }
func (r *ranked) Push(x any)         { r.kept = append(r.kept, x.(candidate)) }
func (r *ranked) Pop() any {
	last := r.kept[len(r.kept)-1]
	r.kept = r.kept[:len(r.kept)-1]
	return last
}

func (d *draw) add(c candidate) {
	r := d.streams[c.stream]
	if r == nil {
		r = &ranked{}
		d.streams[c.stream] = r
	}
	r.all++
	switch {
	case d.max == 0:
		r.kept = append(r.kept, c)
	case len(r.kept) < d.max:
		heap.Push(r, c)
	case compareRanks(c, r.kept[0]) < 0:
		r.kept[0] = c
		heap.Fix(r, 0)
	}
}

// drawn returns the sample without some streams, by index, and how many events
// it was drawn from.
func (d *draw) drawn(without map[uint32]bool) (sample []candidate, all uint64) {
	for _, n := range slices.Sorted(maps.Keys(d.streams)) {
		if !without[n] {
			sample = append(sample, d.streams[n].kept...)
			all += d.streams[n].all
		}
	}
	if d.max > 0 && len(sample) > d.max {
		slices.SortFunc(sample, compareRanks)
		sample = sample[:d.max]
	}
	slices.SortFunc(sample, func(a, b candidate) int { return cmp.Compare(a.index, b.index) })
	return sample, all
}

// candidates gathers the events that should open. It returns how many bundles
// could not be read.
func (a *auditor) candidates(ctx context.Context) (d *draw, unread int, err error) {
	d = &draw{max: a.o.Sample.Count, streams: map[uint32]*ranked{}}
	streams := a.history.streamKeepers()
	work := func(ctx context.Context, j vaultJob) ([]candidate, error) { return a.candidatesIn(ctx, j, streams) }
	err = ordered(ctx, a.o.Workers, a.everyBundle(), work, func(list []candidate) error {
		if list == nil {
			unread++
		}
		for _, c := range list {
			d.add(c)
		}
		return nil
	})
	return d, unread, err
}

// everyBundle yields the bundles with what concerns their entries.
func (a *auditor) everyBundle() iter.Seq2[vaultJob, error] {
	return func(yield func(vaultJob, error) bool) {
		s := sweep{next: a.history.concerns()}
		for b, ok := proofs.BundleIn(a.head.Size, 0); ok; b, ok = proofs.BundleIn(a.head.Size, b.Index+1) {
			first := b.Index * proofs.TileWidth
			if !yield(vaultJob{bundle: b, concerns: s.at(first, first+uint64(b.Width))}, nil) {
				return
			}
		}
	}
}

// candidatesIn returns the events of a bundle that should open; nil where its
// entries are not those that were signed.
func (a *auditor) candidatesIn(ctx context.Context, j vaultJob, streams map[uint32][]keeper) ([]candidate, error) {
	if j.bundle.PrunedAt(a.history.pruning.minimum) {
		return []candidate{}, nil // all of it is closed
	}
	v := &vaultChunk{vaultJob: j, history: &a.history, runs: map[oddKind]*odd{}}
	for b, err := range a.reader.Leaves(ctx, v.first(), v.first()+uint64(j.bundle.Width)) {
		if wrong(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		leaf, err := proofs.ParseLeaf(b)
		v.leaves = append(v.leaves, vaultLeaf{leaf, err == nil})
	}
	v.nameEntries()
	list := []candidate{}
	for i, leaf := range v.leaves {
		index := v.first() + uint64(i)
		if f := v.fate(i); leaf.known && leaf.Kind == proofs.Event && leaf.Bucket > 0 && f.opens(streams) {
			list = append(list, candidate{a.o.Sample.rank(a.head.Root, index), index, leaf.Stream, leaf.Bucket})
		}
	}
	return list, nil
}
