package audit

import (
	"context"

	"github.com/cairnlog/cairn/proofs"
)

// A ledger that is judged while it lives goes on closing what is due. Then
// something is gone of which the checkpoint that is judged by knows nothing.
// Whatever is gone was announced in a published entry before, so the newest
// checkpoint tells: the auditor that reads on takes over what it says, and what
// is gone is judged once more.

// readNewest returns what the log says up to the newest published checkpoint.
func (a *auditor) readNewest(ctx context.Context) (*history, error) {
	if a.newest == nil {
		a.newest = a.readsOn()
	}
	err := a.newest.readOn(ctx)
	a.report.Summary.ReadOn = max(a.newest.head.Size, a.head.Size) - a.head.Size
	return &a.newest.history, err
}

// readsOn returns an auditor that goes on with what this one knows. What it
// finds wrong is added to the findings of this one.
func (a *auditor) readsOn() *auditor {
	own := *a.ledger
	if a.o.Newest != nil {
		own.files = a.o.Newest
	}
	next := &auditor{ledger: &own, o: a.o, times: a.times, path: a.path}
	next.history = history{
		found: &a.found, origin: a.history.origin, time: a.history.time, closed: a.history.closed, unread: a.history.unread,
		sources: newSources(0), retention: a.history.retention.clone(), cosigned: next.cosigned, afterClose: a.history.afterClose,
	}
	return next
}

// readOn takes over what the entries say up to the newest published
// checkpoint, if that extends what is known. Where it can't be told, or there
// is nothing new, nothing changes.
func (a *auditor) readOn(ctx context.Context) error {
	v, _, _, err := a.readSigned(ctx, CheckpointFile)
	if err != nil || !v.QuorumMet || v.Checkpoint.Origin != a.head.Origin || v.Checkpoint.Size <= a.head.Size {
		return err
	}
	reader := proofs.NewReader(v.Checkpoint, a.files)
	root, err := proofs.Root(ctx, a.head.Size, reader)
	switch {
	case wrong(err):
		return nil
	case err != nil:
		return err
	case root != a.head.Root:
		a.history.found.add(Finding{Kind: CheckpointFork, Index: NoIndex, Path: CheckpointFile,
			Detail: "While the ledger was judged it published a checkpoint that is not of the same history: the log has signed two histories."})
		return nil
	}
	chunks, err := chunksFrom(ctx, reader, a.head.Size)
	if wrong(err) {
		return nil
	}
	if err != nil {
		return err
	}
	a.head, a.reader = v.Checkpoint, reader
	for _, c := range chunks {
		a.history.found.add(c.facts.found...)
		if err := a.history.take(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// chunksFrom returns what the entries of a tree say, from one on.
func chunksFrom(ctx context.Context, reader *proofs.Reader, from uint64) (chunks []*chunk, err error) {
	size := reader.Checkpoint().Size
	for start := from; start < size; {
		b, _ := proofs.BundleIn(size, start/proofs.TileWidth)
		c := &chunk{job: job{bundle: b, skip: int(start % proofs.TileWidth)}}
		entries, believed := make([][]byte, b.Width), make([]bool, b.Width)
		end := c.first() + uint64(b.Width)
		for leaf, err := range reader.Leaves(ctx, start, end) {
			if err != nil {
				return nil, err
			}
			entries[start%proofs.TileWidth], believed[start%proofs.TileWidth] = leaf, true
			start++
		}
		c.readLeaves(entries, believed)
		chunks = append(chunks, c)
	}
	return chunks, nil
}
