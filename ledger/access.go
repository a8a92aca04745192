package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// Entry reads an entry and opens its payload.
func (s *Session) Entry(ctx context.Context, index uint64) (*client.Entry, error) {
	kind, about, err := s.l.about(ctx, index)
	if err != nil {
		return nil, err // nothing was there to be read
	}
	act := s.caller.act(proofs.ActRead)
	act.Stream, act.Entries = about, []proofs.Run{{First: index, Last: index}}
	var e *client.Entry
	if err = s.mayRead(kind, about); err == nil {
		if e, err = s.l.entry(ctx, index); err == nil {
			act.Results = 1
		}
	}
	if err := s.answered(ctx, act, err); err != nil {
		return nil, err
	}
	return e, nil
}

// mayRead returns the problem that the caller may not read what is about a
// stream, or must say why.
func (s *Session) mayRead(kind proofs.Kind, stream string) error {
	if !s.may(kind, stream) {
		return client.NewProblem(client.Forbidden, "this identity may not read what is about "+aboutName(stream), "")
	}
	settings, ok := s.l.state.streamNamed(stream)
	if ok && kind == proofs.Event && settings.Body.Reason && s.caller.Because == "" {
		return client.NewProblem(client.ReasonNeeded, "whoever reads the stream "+stream+" must say why", "state a reason, with --reason or the header Cairn-Reason; it is recorded")
	}
	return nil
}

func aboutName(stream string) string {
	if stream == "" {
		return "the ledger itself"
	}
	return "the stream " + stream
}

// Tail yields the published events of streams that the caller may read, as
// they are published, until the context ends; see [client.Log]. Events whose
// payload is gone or disabled are passed over.
func (s *Session) Tail(ctx context.Context, q client.TailQuery) iter.Seq2[*client.Entry, error] {
	return s.Follow(ctx, q, func(uint64) {})
}

// Follow is Tail, and calls passed with each index behind which there is
// nothing more for this caller up to what it is handed next: from there the
// tail can be resumed.
func (s *Session) Follow(ctx context.Context, q client.TailQuery, passed func(next uint64)) iter.Seq2[*client.Entry, error] {
	return func(yield func(*client.Entry, error) bool) {
		t, err := s.tailing(ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		for from := q.From; ; {
			var published uint64
			err := s.l.progress.wait(ctx, func(p *progress) bool { published = p.sizes.Published; return published > from })
			if err != nil {
				if ctx.Err() == nil {
					yield(nil, s.l.asProblem(err))
				}
				return
			}
			end := min(published, from-from%proofs.TileWidth+proofs.TileWidth)
			if !t.followRun(ctx, from, end, passed, yield) {
				return
			}
			from = end
		}
	}
}

// MayTail returns why the caller may not tail what a query asks for, or why it is
// no query, which is recorded; nil where it may.
func (s *Session) MayTail(ctx context.Context, q client.TailQuery) error {
	_, err := s.tailing(ctx, q)
	return err
}

// A tailing is a tail, as the ledger understands what it asks for.
type tailing struct {
	*Session
	stream string  // empty: all that the caller may read
	query  *lookup // nil: every event
}

// tailing reads what a tail asks for.
func (s *Session) tailing(ctx context.Context, q client.TailQuery) (t tailing, err error) {
	t = tailing{Session: s, stream: q.Stream}
	if q.Query != "" {
		t.query, err = s.lookup(q.Query, q.Stream)
	} else if q.Stream != "" {
		err = s.mayRead(proofs.Event, q.Stream)
	}
	if err == nil {
		return t, nil
	}
	act := s.caller.act(proofs.ActTail)
	act.Stream = q.Stream
	return t, s.answered(ctx, act, err)
}

// followRun yields what is for the caller of the entries [from, end), and
// reports whether the tail goes on. That it is handed over is one act for each
// stream that any of it is of.
func (t tailing) followRun(ctx context.Context, from, end uint64, passed func(uint64), yield func(*client.Entry, error) bool) bool {
	found, err := t.wanted(ctx, from, end)
	if acts := t.acts(found); err == nil {
		err = t.answeredAll(ctx, acts)
	} else if len(acts) > 0 {
		err = t.answered(ctx, acts[len(acts)-1], err) // the last of them is what the caller may not read
	}
	if err != nil {
		yield(nil, err)
		return false
	}
	for _, index := range found.indices {
		passed(index)
		e, err := t.l.entry(ctx, index)
		if gone := (*client.Problem)(nil); errors.As(err, &gone) && (gone.Code() == client.Gone || gone.Code() == client.Disabled) {
			continue
		}
		if !yield(e, err) || err != nil {
			return false
		}
	}
	passed(end)
	return true
}

// acts returns the acts by which entries are handed over.
func (t tailing) acts(found handover) []proofs.Act {
	acts := t.actsAbout(proofs.ActTail, found)
	for i := range acts {
		if t.query != nil {
			acts[i].Query = t.query.recorded()
		}
	}
	return acts
}

// wanted returns the events of [from, end) that the tail hands over. Nothing is
// opened, unless there is a query to judge by it. The last one before an error is
// what the caller may not read.
func (t tailing) wanted(ctx context.Context, from, end uint64) (found handover, err error) {
	leaves, err := t.l.leaves(ctx, from, end)
	if err != nil {
		return found, err
	}
	for i, b := range leaves {
		index := from + uint64(i)
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return handover{}, fmt.Errorf("entry %d: %w", index, err)
		}
		name := t.l.streamName(leaf.Stream)
		if leaf.Kind != proofs.Event || !t.may(leaf.Kind, name) || t.stream != "" && t.stream != name || t.query != nil && !t.query.mayFit(name) {
			continue
		}
		if err := t.mayRead(leaf.Kind, name); err != nil {
			return handover{[]uint64{index}, []string{name}}, err
		}
		if t.query != nil {
			if fits, err := t.query.fits(ctx, index); err != nil {
				return handover{}, err
			} else if !fits {
				continue
			}
		}
		found.add(index, name)
	}
	return found, nil
}

// A handover is entries that are handed over together, rising, each with the name
// of the stream that it is about.
type handover struct {
	indices []uint64
	about   []string
}

func (h *handover) add(index uint64, about string) {
	h.indices, h.about = append(h.indices, index), append(h.about, about)
}

// actsAbout returns the acts by which entries are handed over: one for each
// stream that any of them is about, so that the history of a stream has it.
func (s *Session) actsAbout(what string, h handover) (acts []proofs.Act) {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(h.about))) {
		var indices []uint64
		for i, index := range h.indices {
			if h.about[i] == name {
				indices = append(indices, index)
			}
		}
		act := s.caller.act(what)
		act.Stream, act.Entries, act.Results = name, proofs.RunsOf(indices), uint64(len(indices))
		acts = append(acts, act)
	}
	return acts
}

// SealedRecords yields the sealed record of each of a bundle's entries, in their
// order and one at a time: nil where an entry has none or it is gone, which is
// for auditors to find. An error that matches [storage.ErrCorrupt] is about the
// one record: the bytes that are stored are not those that were. Any other is
// the last, and matches fs.ErrNotExist where the bundle is not published.
//
// It is an export, and recorded before anything is yielded.
func (s *Session) SealedRecords(ctx context.Context, b proofs.Bundle) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		sizes, _ := s.l.progress.snapshot()
		if !inTree(b, sizes.Published) {
			yield(nil, fmt.Errorf("vault bundle %d: %w", b.Index, fs.ErrNotExist))
			return
		}
		start, end := b.Index*proofs.TileWidth, b.Index*proofs.TileWidth+uint64(b.Width)
		act := s.caller.act(proofs.ActExport)
		act.Entries, act.Results = []proofs.Run{{First: start, Last: end - 1}}, uint64(b.Width)
		if err := s.answered(ctx, act, nil); err != nil {
			yield(nil, err)
			return
		}
		s.l.sealedRecords(ctx, start, end, yield)
	}
}
