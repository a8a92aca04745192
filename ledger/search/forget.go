package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// Forget takes away every file and outline that has one of these entries, which rise, and
// all keys of what was taken away before: it writes the index under another
// generation, after which the key of the one before may be destroyed. What it
// took away is then Missing. If an entry is in the open segment, Next falls to
// that segment's first entry.
//
// Queries that begin after it find nothing of these entries, also if it fails;
// then it is to be repeated. The caller sees to it that what it adds or builds
// from then on says nothing of them that it must not.
func (x *Index) Forget(ctx context.Context, entries []proofs.Run, generation uint64) error {
	x.write.Lock()
	defer x.write.Unlock()
	t, err := x.taking(ctx, generation)
	if err != nil {
		return fmt.Errorf("index: forget: %w", err)
	}
	for _, of := range x.now.Load().files {
		for _, f := range of {
			if f.hasAny(entries) {
				t.take(f)
				t.reg.missing[f.FileID] = true
			}
		}
	}
	for _, o := range x.now.Load().outlines {
		if o.hasAny(entries) {
			t.takeOutline(o)
		}
	}
	for _, o := range x.open {
		if o.hasAny(entries) {
			x.reopen()
			break
		}
	}
	if err := x.takeAway(t); err != nil {
		return fmt.Errorf("index: forget: %w", err)
	}
	return nil
}

// Drop takes away all that is of these buckets, to which no document will ever
// be added again, and what is Missing of them, in the way of Forget.
func (x *Index) Drop(ctx context.Context, buckets []uint32, generation uint64) error {
	x.write.Lock()
	defer x.write.Unlock()
	t, err := x.taking(ctx, generation)
	if err != nil {
		return fmt.Errorf("index: drop: %w", err)
	}
	for id, o := range x.now.Load().outlines {
		if slices.Contains(buckets, id.Bucket) {
			t.takeOutline(o)
		}
	}
	for _, bucket := range buckets {
		for _, f := range x.now.Load().files[bucket] {
			t.take(f)
		}
		x.discardOpen(x.open[bucket])
		delete(x.open, bucket)
	}
	maps.DeleteFunc(t.reg.missing, func(id FileID, _ bool) bool { return slices.Contains(buckets, id.Bucket) })
	if err := x.takeAway(t); err != nil {
		return fmt.Errorf("index: drop: %w", err)
	}
	return nil
}

// A taking is what is being taken away.
type taking struct {
	reg   *register // without it
	leave []*file
}

func (x *Index) taking(ctx context.Context, generation uint64) (*taking, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if errors.Is(x.failed, storage.ErrClosed) {
		return nil, x.failed
	}
	if generation < x.reg.generation {
		return nil, fmt.Errorf("%w: generation %d, after %d", ErrInvalid, generation, x.reg.generation)
	}
	t := &taking{reg: x.reg.clone()}
	t.reg.generation = generation
	return t, nil
}

func (t *taking) take(f *file) {
	delete(t.reg.files, f.FileID)
	t.leave = append(t.leave, f)
}

func (t *taking) takeOutline(o *Outline) {
	delete(t.reg.outlines, o.FileID)
	t.leave = append(t.leave, o.file)
}

// takeAway takes files away in memory first, and then at rest. It writes the
// register also where it is of no other files, for the sake of its generation.
func (x *Index) takeAway(t *taking) error {
	x.forgets++
	x.reg.files, x.reg.outlines, x.reg.missing = t.reg.files, t.reg.outlines, t.reg.missing
	x.show()
	for _, f := range t.leave {
		x.discard(f)
	}
	if x.failed != nil {
		return x.failed
	}
	if err := x.save(t.reg); err != nil {
		return err
	}
	return x.removeGarbage()
}

// hasAny reports whether a file may have one of the entries.
func (f *file) hasAny(entries []proofs.Run) bool {
	near := func(r proofs.Run) bool { return r.Last >= f.First && r.First < f.End }
	if !slices.ContainsFunc(entries, near) {
		return false
	}
	all, err := f.all()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(entries, func(r proofs.Run) bool {
		if !near(r) {
			return false
		}
		start := max(r.First, f.First) - f.First
		return all.countIn(int(start), int(min(r.Last-f.First, uint64(f.span()-1)))+1) > 0
	})
}

func (o opened) hasAny(entries []proofs.Run) bool {
	return slices.ContainsFunc(o.aside, func(f *file) bool { return f.hasAny(entries) }) ||
		slices.ContainsFunc(o.positions, func(p uint16) bool { return proofs.InRuns(entries, o.id.First+uint64(p)) })
}
