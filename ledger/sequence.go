package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A sequencer fixes the order of entries: it is one goroutine, and the only
// one that appends to the journal. All that it knows it has from the journal
// and from what follows it.
type sequencer struct {
	l    *Ledger
	next uint64 // the index of the next entry
	last uint64 // the time of the last entry
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
	b := &batch{first: s.next}
	fresh, err := s.decide(ctx, b, requests)
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
	for _, a := range fresh {
		if a.sequenced != nil {
			a.sequenced(a.index)
		}
	}
	s.l.metrics.sequenced(b)
	s.l.progress.update(func(p *progress) { p.sizes.Sequenced = b.end() })
	s.l.toIntegrate <- b
	return nil
}

// decide gives every event that is new its index, time and leaf.
func (s *sequencer) decide(ctx context.Context, b *batch, requests []*request) (fresh []*admission, err error) {
	now := max(uint64(s.l.cfg.Clock().UnixMicro()), s.last)
	batchKeys := make(map[indexKey]*admission)
	for _, r := range requests {
		if r.change != nil {
			if r.admissions, r.err = r.change(); r.err != nil {
				continue
			}
		}
		for _, a := range r.admissions {
			if a.problem != nil {
				continue
			}
			isNew, err := s.isNew(ctx, a, batchKeys)
			if err != nil {
				return nil, err
			}
			if !isNew {
				continue
			}
			if err := s.place(b, a, now); err != nil {
				return nil, err
			}
			r.batch = b
			fresh = append(fresh, a)
			s.remember(b, a, batchKeys)
		}
	}
	s.last = now
	return fresh, nil
}

// place makes the leaf of a new entry and adds it to the batch.
func (s *sequencer) place(b *batch, a *admission, now uint64) (err error) {
	a.index, a.leaf.Time = b.end(), now
	if a.leafBytes, err = proofs.FormatLeaf(a.leaf); err != nil {
		return fmt.Errorf("entry %d: %w", a.index, err)
	}
	b.entries = append(b.entries, batchEntry{bucket: a.leaf.Bucket, leaf: a.leafBytes, record: a.record})
	return nil
}

// remember adds the keys of a new entry to the batch, so that a repeat is
// recognised in it and from the index later.
func (s *sequencer) remember(b *batch, a *admission, batchKeys map[indexKey]*admission) {
	if len(a.dedup) == 0 {
		return
	}
	entry := &b.entries[len(b.entries)-1]
	for _, d := range a.dedup {
		row := indexKey{bucket: a.leaf.Bucket, key: a.keys.row(d)}
		entry.rows = append(entry.rows, row)
		batchKeys[row] = a
	}
}

// isNew decides whether an event was recorded before. If it was, with the
// same content, the admission becomes that entry; with another, a conflict.
func (s *sequencer) isNew(ctx context.Context, a *admission, batchKeys map[indexKey]*admission) (bool, error) {
	for _, d := range a.dedup {
		for _, b := range s.l.state.bucketsOf(a.leaf.Stream) {
			keys, err := s.l.keys.bucket(b.Path)
			if errors.Is(err, errDestroyed) {
				continue
			}
			if err != nil {
				return false, err
			}
			row := indexKey{bucket: b.Number, key: keys.row(d)}
			if twin := batchKeys[row]; twin != nil {
				a.repeat(twin.index, twin.leafBytes, twin.disclosure, sameEvent(twin.event, a.event))
				return false, nil
			}
			index, found, err := s.l.lookup(ctx, row)
			if err != nil {
				return false, err
			}
			if found {
				return false, s.l.repeat(ctx, a, index)
			}
		}
	}
	return true, nil
}

// repeat makes the admission the entry that is there already.
func (a *admission) repeat(index uint64, leaf []byte, d *proofs.Disclosure, same bool) {
	if !same {
		p := client.NewProblem(client.Conflict, fmt.Sprintf("entry %d has the same idempotency key or sequence number and another content", index),
			"if this is another event give it a key of its own; if it was changed on the way, look at the entry")
		p.Index = index
		a.problem = p
		return
	}
	a.index, a.leafBytes, a.disclosure, a.duplicate = index, leaf, d, true
}

func sameEvent(x, y *client.Event) bool {
	return string(x.Data) == string(y.Data) && mediaTypeOf(x) == mediaTypeOf(y)
}

// repeat compares an event with the entry at an index.
func (l *Ledger) repeat(ctx context.Context, a *admission, index uint64) error {
	leaf, disclosure, err := l.disclose(ctx, index)
	if errors.Is(err, errDestroyed) {
		// The content is gone, so nothing can be compared: it is recognised.
		a.repeat(index, leaf, nil, true)
		return nil
	}
	if err != nil {
		return fmt.Errorf("entry %d, to compare a repeat with: %w", index, err)
	}
	part, err := disclosure.Parts[0].Part()
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	old := client.Event{Data: part.Data, MediaType: part.MediaType}
	disclosure.Parts[0].Data = nil
	a.repeat(index, leaf, disclosure, sameEvent(&old, a.event))
	return nil
}

// lookup finds an entry by a deduplication key: in the batches that are not
// yet in the index, or in the index.
func (l *Ledger) lookup(ctx context.Context, row indexKey) (index uint64, found bool, err error) {
	if index, found = l.pending.lookup(row); found {
		return index, true, nil
	}
	index, found, err = l.cfg.Index.Lookup(ctx, row.bucket, row.key)
	if err != nil {
		return 0, false, fmt.Errorf("index: %w", err)
	}
	return index, found, nil
}

// pendingBatches are the batches that are in the journal and not yet in tree,
// vault and index. They are read from here until then.
type pendingBatches struct {
	mu      sync.RWMutex
	batches []*batch // in order
	rows    map[indexKey]uint64
}

func (p *pendingBatches) add(b *batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batches = append(p.batches, b)
	for i, e := range b.entries {
		for _, row := range e.rows {
			p.rows[row] = b.first + uint64(i)
		}
	}
}

// remove forgets the batches below an index: they can be read elsewhere now.
func (p *pendingBatches) remove(below uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.batches) > 0 && p.batches[0].end() <= below {
		for _, e := range p.batches[0].entries {
			for _, row := range e.rows {
				delete(p.rows, row)
			}
		}
		p.batches = p.batches[1:]
	}
}

func (p *pendingBatches) lookup(row indexKey) (uint64, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	index, ok := p.rows[row]
	return index, ok
}

// entry returns an entry of a pending batch.
func (p *pendingBatches) entry(index uint64) (batchEntry, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, b := range p.batches {
		if index >= b.first && index < b.end() {
			return b.entries[index-b.first], true
		}
	}
	return batchEntry{}, false
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
