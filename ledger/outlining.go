package ledger

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
)

// An outliner keeps outlines of the rows of all directories in the search index,
// so that no proof waits for rows to be made again. It works while the index has
// little else to do, and looks through all segments again where keys were
// destroyed, directories made anew, the index opened, or an outline was found to be
// wrong. What it cannot make stays without. It rests as the indexer does where
// entries come meanwhile.
type outliner struct {
	l            *Ledger
	seen         outlinesSeen
	small, large uint64       // of the segments below them it has seen to those
	lost         atomic.Int64 // how often an outline was found to be wrong
}

// outlinesSeen is when the outliner looked through the segments.
type outlinesSeen struct {
	index     *search.Index
	forgotten uint64
	amended   uint64
	lost      int64
}

// run makes outlines until the context ends.
func (o *outliner) run(ctx context.Context) {
	if o.l.cfg.Search == nil {
		return
	}
	for {
		var id proofs.SegmentID
		err := o.l.progress.wait(ctx, func(p *progress) (due bool) {
			x := o.l.indexer.view()
			if x == nil || p.sizes.Published > x.Next()+indexTurn || len(x.Missing()) > 0 {
				return false
			}
			id, due = o.due(x)
			return due
		})
		if err != nil {
			return
		}
		started, before := time.Now(), o.l.indexer.sequenced()
		err = o.outline(ctx, o.seen.index, id)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			o.l.log.Warn("the search index has no outline of a directory: proofs take longer there", slog.String("segment", id.String()), slog.String("error", err.Error()))
		}
		if id.Large {
			o.large++
		} else {
			o.small++
		}
		if o.l.indexer.sequenced() > before {
			o.l.indexer.rest(ctx, indexRest*time.Since(started), func(*progress) bool { return false })
		}
	}
}

// due returns the first segment that is to be seen to: the small ones only where
// there is no large one yet.
func (o *outliner) due(x *search.Index) (id proofs.SegmentID, ok bool) {
	list := o.l.directories.committed()
	seen := outlinesSeen{x, o.l.keys.forgotten(), list.amended, o.lost.Load()}
	if seen != o.seen {
		o.seen, o.small, o.large = seen, 0, 0
	}
	if o.large < uint64(len(list.large)) {
		return proofs.SegmentID{Large: true, Number: o.large}, true
	}
	o.small = max(o.small, o.large*proofs.LargeSegments)
	return proofs.SegmentID{Number: o.small}, o.small < uint64(len(list.small))
}

// outline makes the outlines of a segment that the index lacks.
func (o *outliner) outline(ctx context.Context, x *search.Index, id proofs.SegmentID) error {
	d := o.l.directories
	list := d.committed()
	hash, _ := list.of(id)
	head, err := d.head(ctx, hash)
	if err != nil || !o.lacks(x, head) {
		return err
	}
	forgot := o.l.keys.forgotten()
	all, err := d.rows(ctx, id, unreadOf(head))
	if err != nil {
		return err
	}
	var rows []*proofs.DirectoryRows
	for _, r := range all.rows {
		for _, b := range head.Buckets {
			if b.Bucket == r.Bucket && b.Rows == r.Hash() {
				rows = append(rows, r)
			}
		}
	}
	if len(rows) == 0 {
		return nil // the directory is being made anew
	}
	in := o.l.indexer
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.view() != x || o.l.keys.forgotten() != forgot {
		return nil // all is looked through again
	}
	err = x.PutOutlines(ctx, id, rows)
	if errors.Is(err, search.ErrFailed) {
		err = errors.Join(err, in.giveUp())
		o.l.progress.update(func(*progress) {}) // it is to be opened again
	}
	return err
}

// lacks reports whether there is no outline of a bucket that has not expired.
func (o *outliner) lacks(x *search.Index, head proofs.DirectoryHead) bool {
	for _, b := range head.Buckets {
		if x.Outline(head.Segment, b.Bucket, b.Rows) != nil {
			continue
		}
		bucket, ok := o.l.state.bucketNumbered(b.Bucket)
		if !ok {
			continue
		}
		if _, err := o.l.keys.bucket(bucket.Path); !errors.Is(err, errDestroyed) {
			return true
		}
	}
	return false
}

// again has all segments looked through again: an outline was found to be wrong.
func (o *outliner) again() {
	o.lost.Add(1)
	o.l.progress.update(func(*progress) {}) // there is something to do
}
