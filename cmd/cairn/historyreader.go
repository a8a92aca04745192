package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A historyReader reads acts page by page and verifies each: that its entry is
// in the ledger, and records this act and no other.
type historyReader struct {
	log      *client.HTTP
	verifier *client.Verifier
	query    client.HistoryQuery // of the entries from From to Before
	since    uint64              // microseconds since 1970
	until    uint64
	limit    int           // acts; 0: all
	complete bool          // compare what is shown with the tree
	patience time.Duration // how long an act may wait for a checkpoint that covers it

	next    uint64 // the entries before it were looked at
	more    uint64 // the index of the first act beyond the limit; 0: there is none
	missed  uint64 // entries that record acts and were not shown
	missing uint64 // the index of the first of them
	pruned  uint64 // entries of which nobody can tell whether they do
}

const (
	// historyWindow is how many entries one page is looked for in, so that no
	// request takes long.
	historyWindow = 1 << 20

	// maxUnpublished bounds what a server says that it has beyond the last
	// checkpoint.
	maxUnpublished = historyWindow
)

// bound decides which entries are looked at: those within the times, up to what
// the ledger has now.
func (r *historyReader) bound(ctx context.Context, s *source, between times) error {
	view, err := r.verifier.Update(ctx)
	if err != nil {
		return err
	}
	size := view.Checkpoint.Size
	r.query.Before = size
	// What is on its way to the next checkpoint is waited for.
	if says, err := readInfo(ctx, s); err != nil {
		return err
	} else if says != nil {
		r.query.Before = max(size, min(says.Sizes.Sequenced, size+maxUnpublished))
	}
	r.since, r.until = between.since, between.until
	if r.since > 0 {
		first, err := firstAt(ctx, view.Reader, size, r.since)
		if err != nil {
			return err
		}
		r.query.From = max(r.query.From, first)
	}
	if r.until < math.MaxUint64 {
		first, err := firstAt(ctx, view.Reader, size, r.until)
		if err != nil {
			return err
		}
		if first < size {
			r.query.Before = first
		}
	}
	r.next = r.query.From
	return nil
}

// acts yields the acts that the query selects, the oldest first.
func (r *historyReader) acts(ctx context.Context) iter.Seq2[client.RecordedAct, error] {
	return func(yield func(client.RecordedAct, error) bool) {
		count := 0
		for r.next < r.query.Before && r.more == 0 {
			page, err := r.page(ctx, count)
			for _, act := range page {
				if r.limit > 0 && count == r.limit {
					r.more = act.Index
					break
				}
				if count++; !yield(act, nil) {
					return
				}
			}
			if err != nil {
				yield(client.RecordedAct{}, err)
				return
			}
		}
	}
}

// page returns the acts of the next page that the query selects. Those before
// an error are good.
func (r *historyReader) page(ctx context.Context, count int) (acts []client.RecordedAct, err error) {
	q := client.HistoryQuery{From: r.next, Limit: client.MaxHistory}
	q.Before = min(r.query.Before, q.From+historyWindow)
	if !r.complete {
		q.Entry, q.Stream, q.Who, q.What = r.query.Entry, r.query.Stream, r.query.Who, r.query.What
		if r.limit > 0 {
			q.Limit = min(q.Limit, r.limit-count+1) // one tells whether there are more
		}
	}
	h, err := r.log.History(ctx, q)
	if err != nil {
		return nil, err
	}
	end, err := endOf(q, h)
	if err != nil {
		return nil, err
	}
	for _, act := range h.Acts {
		if err := r.check(ctx, act); err != nil {
			return acts, err
		}
		if r.query.Selects(act) && r.since <= act.Time && act.Time < r.until {
			acts = append(acts, act)
		}
	}
	if r.complete {
		err = r.compare(ctx, q.From, end, h.Acts)
	}
	r.next = end
	return acts, err
}

// endOf returns the index before which a page has everything. Acts that are not
// in the order and range that was asked for are refused: what is shown twice
// or skipped would go unnoticed.
func endOf(q client.HistoryQuery, h client.History) (uint64, error) {
	end, next := q.Before, q.From
	if h.Next != nil {
		end = *h.Next
	}
	for _, act := range h.Acts {
		if act.Index < next || act.Index >= end {
			return 0, fmt.Errorf("%w: the ledger gives entry %d in a page of the entries %d to %d, at the wrong place", proofs.ErrNotVerified, act.Index, q.From, end-1)
		}
		next = act.Index + 1
	}
	if end <= q.From || end > q.Before {
		return 0, fmt.Errorf("%w: the ledger's next page begins with entry %d, which is not behind this one", proofs.ErrNotVerified, end)
	}
	return end, nil
}

// check verifies an act. One that no checkpoint covers yet is waited for.
func (r *historyReader) check(ctx context.Context, act client.RecordedAct) error {
	if _, err := r.covering(ctx, act.Index); err != nil {
		return err
	}
	_, err := r.verifier.CheckAct(ctx, act)
	return err
}

// coverPause is how long to wait before a checkpoint is asked for again.
const coverPause = 50 * time.Millisecond

// covering returns a view whose tree has an entry, and waits for it.
func (r *historyReader) covering(ctx context.Context, index uint64) (client.View, error) {
	for end := time.Now().Add(r.patience); ; {
		view, err := r.verifier.Covering(ctx, index)
		if !errors.Is(err, client.ErrNotCovered) {
			return view, err
		}
		if time.Now().After(end) {
			return view, command.Hinted(err, "ask again in a moment; if it stays so the witnesses do not answer the ledger")
		}
		select {
		case <-time.After(coverPause):
		case <-ctx.Done():
			return view, ctx.Err()
		}
	}
}

// compare counts the entries from start to end that record acts, as their kinds
// in the tree say, and are not shown.
func (r *historyReader) compare(ctx context.Context, start, end uint64, shown []client.RecordedAct) error {
	view, err := r.covering(ctx, end-1)
	if err != nil {
		return err
	}
	for from := range bundlesFrom(start, end) {
		to := min(end, from-from%proofs.TileWidth+proofs.TileWidth)
		n := 0
		for n < len(shown) && shown[n].Index < to {
			n++
		}
		err := r.compareBundle(ctx, view, from, to, shown[:n])
		if errors.Is(err, errPruned) {
			r.pruned += to - from
			err = nil
		}
		if err != nil {
			return err
		}
		shown = shown[n:]
	}
	return nil
}

// compareBundle is compare for entries of one bundle.
func (r *historyReader) compareBundle(ctx context.Context, view client.View, start, end uint64, shown []client.RecordedAct) error {
	index := start
	for b, err := range view.Reader.Leaves(ctx, start, end) {
		if err != nil {
			return err
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		switch {
		case len(shown) > 0 && shown[0].Index == index:
			shown = shown[1:]
		case leaf.Kind == proofs.Access, leaf.Kind == proofs.Administration:
			if r.missed++; r.missed == 1 {
				r.missing = index
			}
		}
		index++
	}
	return nil
}

// covered says which entries were looked at.
func (r *historyReader) covered() string {
	return fmt.Sprintf("%d to %d", r.query.From, r.next-1)
}
