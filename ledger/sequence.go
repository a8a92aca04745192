package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A sequencer fixes the order of entries: it is one goroutine, and the only
// one that appends to the journal. All that it knows it has from the journal
// and from what follows it.
type sequencer struct {
	l      *Ledger
	next   uint64        // the index of the next entry
	last   uint64        // the time of the last entry
	leaves []proofs.Leaf // of the batch that is being made
	recent recentKeys
}

// run makes batches of what waits until the queue is closed.
func (s *sequencer) run(ctx context.Context) {
	defer close(s.l.toIntegrate)
	for requests := s.l.queue.take(s.l.cfg.Limits.Batch); requests != nil; requests = s.l.queue.take(s.l.cfg.Limits.Batch) {
		err := s.sequence(ctx, requests)
		if err != nil {
			s.l.stop(err)
		}
		for _, r := range requests {
			if r.err == nil {
				r.err = err
			}
			close(r.done)
		}
	}
}

// sequence makes one batch durable and hands it on.
func (s *sequencer) sequence(ctx context.Context, requests []*request) error {
	if _, stopped := s.l.progress.snapshot(); stopped != nil {
		return stopped
	}
	clock := s.l.cfg.Clock()
	if err := s.checkClock(clock); err != nil {
		for _, r := range requests {
			r.err = err
		}
		return nil
	}
	b := &batch{first: s.next}
	fresh, err := s.decide(ctx, b, requests, clock)
	if err != nil {
		return err
	}
	if len(b.entries) == 0 {
		return nil
	}
	// The journal comes first: nobody hears of an index, and nothing that
	// follows begins, before the batch would survive a crash (law 1).
	if b.position, err = s.l.cfg.Journal.Append(ctx, formatBatch(b)); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	s.next = b.end()
	s.l.pending.add(b)
	for i, leaf := range s.leaves {
		if err := s.l.retain.Apply(b.first+uint64(i), leaf); err != nil {
			return err
		}
		if err := s.l.directories.applied(b.first+uint64(i), leaf); err != nil {
			return err
		}
	}
	for _, a := range fresh {
		if a.sequenced != nil {
			a.sequenced(a.index)
		}
	}
	s.l.directories.feed(fresh, b.end())
	s.recent.trim(s.l.indexed.Load())
	s.l.metrics.sequenced(b)
	s.l.progress.update(func(p *progress) { p.sizes.Sequenced = b.end() })
	s.l.toIntegrate <- b
	return nil
}

// checkClock returns a problem where the clock's time cannot be an entry's: it
// would stay in the log, and no later entry could have an earlier one.
func (s *sequencer) checkClock(clock time.Time) error {
	if behind := time.UnixMicro(int64(s.last)).Sub(clock); behind > maxSkew {
		p := client.NewProblem(client.Unavailable, fmt.Sprintf("the ledger's clock is %v behind its last entry", behind.Truncate(time.Second)), "set the clock right")
		p.RetryAfter = time.Second
		return p
	}
	return s.l.checkClock(clock)
}

// decide gives every event that is new its index, time and leaf.
func (s *sequencer) decide(ctx context.Context, b *batch, requests []*request, clock time.Time) (fresh []*admission, err error) {
	now := max(uint64(clock.UnixMicro()), s.last)
	s.leaves = s.leaves[:0]
	twins := make(map[streamKey]*admission)
	if err := s.direct(ctx, b, now); err != nil { // before anything that follows from what is there
		return nil, err
	}
	for _, r := range requests {
		if r.change != nil {
			r.admissions, r.err = r.change(now)
		} else if s.stale(r) {
			r.err = errStale
		}
		if r.err != nil {
			continue
		}
		for _, a := range r.admissions {
			if a.problem != nil {
				continue
			}
			isNew, err := s.isNew(ctx, a, twins)
			if err != nil {
				return nil, err
			}
			if !isNew {
				continue
			}
			if err := s.place(ctx, b, a, now); err != nil {
				return nil, err
			}
			r.batch = b
			fresh = append(fresh, a)
			s.remember(b, a, twins)
		}
		if err := s.recordConflicts(ctx, b, r, now); err != nil {
			return nil, err
		}
	}
	s.last = now
	return fresh, nil
}

// stale reports whether what an entry was admitted under holds no more: the
// settings of an event's stream have changed, its bucket takes nothing more or
// is of a class that is too short for it now, or the keys of a subject are about to be destroyed. What changes these is a
// batch of its own, so that all of it is known here.
func (s *sequencer) stale(r *request) bool {
	if r.acts != nil && !s.l.retain.Takes(r.acts.Number) {
		return true
	}
	var judged *admission // the one before
	for _, a := range r.admissions {
		if a.problem != nil {
			continue
		}
		if judged == nil || a.leaf.Bucket != judged.leaf.Bucket {
			if a.leaf.Bucket > 0 && (!s.l.retain.Takes(a.leaf.Bucket) || s.l.tooShort(a.leaf)) {
				return true
			}
		}
		if stream, ok := s.l.state.stream(a.leaf.Stream); judged == nil && ok && a.leaf.Kind == proofs.Event && stream.now().Since != a.since {
			return true // all of a request are of one stream
		}
		for _, ref := range a.refs {
			if !s.l.keys.takes(a.leaf.Stream, ref) {
				return true
			}
		}
		judged = a
	}
	return false
}

// direct adds a directory to the batch if this is the place of one. A batch has
// at most as many entries as a segment, so that the vault gets all of the segment
// meanwhile that it is of.
func (s *sequencer) direct(ctx context.Context, b *batch, now uint64) error {
	segment, ok := s.l.directories.place(b.end())
	if !ok {
		return nil
	}
	a, err := s.l.directories.entry(ctx, segment)
	if err != nil {
		return fmt.Errorf("directory of segment %d: %w", segment, err)
	}
	return s.add(b, a, now)
}

// place adds a new entry to the batch, behind a directory if one belongs there.
func (s *sequencer) place(ctx context.Context, b *batch, a *admission, now uint64) error {
	if err := s.direct(ctx, b, now); err != nil {
		return err
	}
	return s.add(b, a, now)
}

// add makes the leaf of a new entry and adds it to the batch.
func (s *sequencer) add(b *batch, a *admission, now uint64) (err error) {
	a.index, a.leaf.Time = b.end(), now
	if a.leafBytes, err = proofs.FormatLeaf(a.leaf); err != nil {
		return fmt.Errorf("entry %d: %w", a.index, err)
	}
	b.entries = append(b.entries, batchEntry{bucket: a.leaf.Bucket, leaf: a.leafBytes, record: a.record})
	s.leaves = append(s.leaves, a.leaf)
	return nil
}

// remember adds the keys of a new entry to the batch, so that a repeat is
// recognised in it and from the index later.
func (s *sequencer) remember(b *batch, a *admission, twins map[streamKey]*admission) {
	entry := &b.entries[len(b.entries)-1]
	for _, d := range a.dedup {
		entry.rows = append(entry.rows, indexKey{bucket: a.leaf.Bucket, key: a.keys.row(d)})
		k := streamKey{a.leaf.Stream, d}
		twins[k] = a
		s.recent.add(k, a.index)
	}
}

// isNew decides whether an event was recorded before. If it was, with the
// same content, the admission becomes that entry; with another, a conflict.
//
// Admission has looked into the index, which covers what was integrated then.
// What came later is among the recent keys, so that the one goroutine that all
// entries pass need not search.
func (s *sequencer) isNew(ctx context.Context, a *admission, twins map[streamKey]*admission) (bool, error) {
	for _, d := range a.dedup {
		k := streamKey{a.leaf.Stream, d}
		if twin := twins[k]; twin != nil {
			a.repeat(twin.index, twin.leafBytes, twin.disclosure, a.repeats(twin.said))
			return false, nil
		}
		if index, ok := s.recent.keys[k]; ok {
			return false, s.l.repeat(ctx, a, index)
		}
	}
	if a.indexed < s.recent.from && len(a.dedup) > 0 { // it waited for long
		if err := s.l.find(ctx, a); err != nil {
			return false, err
		}
	}
	if a.found {
		return false, s.l.repeat(ctx, a, a.foundAt)
	}
	return true, nil
}

// find looks an event up in the deduplication index, in every bucket of its
// stream.
func (l *Ledger) find(ctx context.Context, a *admission) error {
	a.indexed = l.indexed.Load() // before the look: what comes later is recent
	for _, d := range a.dedup {
		for _, b := range l.state.bucketsOf(a.leaf.Stream) {
			keys, err := l.keys.bucket(b.Path)
			if errors.Is(err, errDestroyed) {
				continue
			}
			if err != nil {
				return err
			}
			a.foundAt, a.found, err = l.cfg.Index.Lookup(ctx, b.Number, keys.row(d))
			if errors.Is(err, storage.ErrFailed) {
				l.stop(fmt.Errorf("index: %w", err)) // it stays so until it is opened again
			}
			if err != nil {
				return fmt.Errorf("index: %w", err)
			}
			if a.found {
				return nil
			}
		}
	}
	return nil
}

// submit hands a request to the sequencer and waits until it is sequenced.
func (l *Ledger) submit(ctx context.Context, r *request) error {
	if err := l.queue.put(r); err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
