package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/proofs"
)

// An opening is the payloads of a sample while they are opened.
type opening struct {
	*auditor
	*Sampling
	draw   *draw
	tried  map[uint64]opened // by index; of streams that may be read
	sample []candidate

	mu        sync.Mutex
	forbidden map[uint32]bool // streams
	read      map[uint32]bool // streams of which something opened
}

// An opened is what was seen when a payload was opened.
type opened struct {
	candidate
	kind   FindingKind // empty: it opened
	detail string      // with the kind: what is wrong, behind "Entry 7 should open, and "
	err    error       // ErrForbidden, ErrDisabled with the kind, or ErrNotShown
}

// openSample opens the payloads of the sample.
func (a *auditor) openSample(ctx context.Context) error {
	if a.o.Sample == nil {
		return nil
	}
	if a.history.unread > 0 {
		a.notJudged("whether payloads open: %d entries could not be read, and they may say what is closed.", a.history.unread)
		return nil
	}
	d, unread, err := a.candidates(ctx)
	if err != nil {
		return err
	}
	if unread > 0 {
		a.notJudged("whether the payloads of %d bundles open: their files are missing or damaged.", unread)
	}
	o := &opening{auditor: a, Sampling: a.o.Sample, draw: d, tried: map[uint64]opened{}, forbidden: map[uint32]bool{}, read: map[uint32]bool{}}
	if err := o.openAll(ctx); err != nil {
		return err
	}
	excused, err := o.judgeGone(ctx)
	if err != nil {
		return err
	}
	o.conclude(excused)
	return nil
}

// openAll opens the sample. If a stream may not be read, others take the place
// of its entries. Of a stream of which something opens, all may be read.
func (o *opening) openAll(ctx context.Context) error {
	for {
		o.sample, _ = o.draw.drawn(o.forbidden)
		before := maps.Clone(o.forbidden)
		err := ordered(ctx, o.workers(), o.untried(), o.open, func(x opened) error {
			if !errors.Is(x.err, ErrForbidden) {
				o.tried[x.index] = x
			}
			return nil
		})
		maps.DeleteFunc(o.forbidden, func(stream uint32, _ bool) bool { return o.read[stream] })
		if err != nil || maps.Equal(o.forbidden, before) {
			return err
		}
	}
}

func (o *opening) workers() int {
	if o.Sampling.Workers > 0 {
		return o.Sampling.Workers
	}
	return o.o.Workers
}

// untried yields what is to be opened.
func (o *opening) untried() iter.Seq2[candidate, error] {
	var todo []candidate
	for _, c := range o.sample {
		if _, done := o.tried[c.index]; !done {
			todo = append(todo, c)
		}
	}
	return func(yield func(candidate, error) bool) {
		for i, c := range todo {
			if o.o.Progress != nil && i%16 == 0 {
				o.o.Progress(Progress{Entries: uint64(i), Total: uint64(len(todo)), Opened: true})
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// open opens one payload and checks it.
func (o *opening) open(ctx context.Context, c candidate) (opened, error) {
	x := opened{candidate: c, err: ErrForbidden}
	if o.isForbidden(c.stream, false) {
		return x, nil
	}
	d, err := o.Sampling.Open(ctx, c.index)
	switch {
	case errors.Is(err, ErrForbidden) && o.isRead(c.stream, false):
		x.err, x.kind, x.detail = nil, PayloadUnopened, "it may not be read, though others of its stream may"
		return x, nil
	case errors.Is(err, ErrForbidden):
		o.isForbidden(c.stream, true)
		return x, nil
	case errors.Is(err, ErrNotShown):
		x.err = ErrNotShown
		return x, nil
	case errors.Is(err, ErrGone):
		x.err, x.kind, x.detail = nil, PayloadMissing, "its payload is gone: no published entry says why"
		return x, nil
	case errors.Is(err, ErrDisabled):
		x.err, x.kind, x.detail = ErrDisabled, PayloadUnopened, "the ledger does not show it because of an erasure: no published entry approves one"
		return x, nil
	case errors.Is(err, ErrUnopened):
		x.err, x.kind, x.detail = nil, PayloadUnopened, fmt.Sprintf("it can't be opened: %v", err)
		return x, nil
	case err != nil:
		return x, fmt.Errorf("entry %d: %w", c.index, err)
	}
	x.err = nil
	leaf, err := o.reader.Leaf(ctx, c.index)
	if err != nil {
		return x, err
	}
	if x.kind, x.detail = judgeOpened(leaf, d); x.kind == "" {
		o.isRead(c.stream, true)
	}
	return x, nil
}

// isForbidden reports whether a stream may not be read, or says so.
func (o *opening) isForbidden(stream uint32, now bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now {
		o.forbidden[stream] = true
	}
	return o.forbidden[stream]
}

// isRead reports whether something of a stream has opened, or says so.
func (o *opening) isRead(stream uint32, now bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now {
		o.read[stream] = true
	}
	return o.read[stream]
}

// judgeOpened returns what is wrong with a payload that was opened.
func judgeOpened(b []byte, d *proofs.Disclosure) (kind FindingKind, detail string) {
	if d == nil {
		return PayloadUnopened, "nothing of it is shown"
	}
	leaf, err := proofs.ParseLeaf(b)
	if err == nil {
		err = d.Check(leaf)
	}
	hidden := func(p proofs.DisclosedPart) bool { return !p.Shown() }
	hiddenTags := func(t proofs.DisclosedTags) bool { return !t.Shown() }
	switch {
	case err != nil:
		return PayloadAltered, fmt.Sprintf("what is shown of it is not what was recorded: %v", why(err))
	case slices.ContainsFunc(d.Parts, hidden), slices.ContainsFunc(d.Tags, hiddenTags):
		return PayloadMissing, "a part of it is gone: no published entry says why"
	}
	return "", ""
}

// An excuse is why a payload that should open did not, and no fault.
type excuse uint8

const (
	none     excuse = iota
	closed          // for a published reason, since the checkpoint that is judged by
	disabled        // by an erasure that is approved and not done, as the ledger says
)

// judgeGone judges what is gone or disabled by the newest checkpoint. It
// returns what is excused.
func (o *opening) judgeGone(ctx context.Context) (excused map[uint64]excuse, err error) {
	excused = map[uint64]excuse{}
	for gone := o.unexcused(excused); len(gone) > 0; {
		h, err := o.readNewest(ctx)
		if err != nil {
			return nil, err
		}
		s, streams := sweep{next: h.concerns()}, h.streamKeepers()
		for _, c := range gone {
			f := fate{index: c.index, bucket: h.buckets[c.bucket], named: namedBy(s.at(c.index, c.index+1), c)}
			switch isDisabled := errors.Is(o.tried[c.index].err, ErrDisabled); {
			case !f.opens(streams):
				excused[c.index] = closed
			case isDisabled && h.disables():
				excused[c.index] = disabled
			case isDisabled: // it may have been taken back
				if o.tried[c.index], err = o.open(ctx, c); err != nil {
					return nil, err
				}
			}
		}
		if gone = o.unexcused(excused); len(gone) > 0 && !o.waits(ctx) {
			return excused, ctx.Err()
		}
	}
	return excused, nil
}

// unexcused returns what is gone or disabled, but for what is excused.
func (o *opening) unexcused(excused map[uint64]excuse) (list []candidate) {
	for _, c := range o.sample {
		x := o.tried[c.index]
		if (x.kind == PayloadMissing || errors.Is(x.err, ErrDisabled)) && excused[c.index] == none {
			list = append(list, c)
		}
	}
	return list
}

// disables reports whether an erasure is approved and not done: what it will
// close is not shown.
func (r *retention) disables() bool {
	for _, x := range r.requests {
		if x.kind == proofs.Erasure && x.approval > 0 && x.pending() {
			return true
		}
	}
	return false
}

// namedBy returns what names an event.
func namedBy(concerns []concern, c candidate) (n named) {
	for _, by := range concerns {
		switch {
		case by.erasure == nil:
			n.keepers = append(n.keepers, by.keeper)
		case by.erasure.stream == c.stream:
			n.erasures = append(n.erasures, by.erasure)
		}
	}
	return n
}

// conclude reports what did not open, and counts.
func (o *opening) conclude(excused map[uint64]excuse) {
	sample, all := o.draw.drawn(o.forbidden)
	s := &Sample{Seed: o.Seed, ShouldOpen: all, Sampled: uint64(len(sample))}
	for _, c := range sample {
		if o.Count > 0 {
			s.Entries = append(s.Entries, c.index)
		}
		switch x := o.tried[c.index]; {
		case excused[c.index] == closed:
			s.Closed++
		case excused[c.index] == disabled:
			s.Disabled++
		case x.err != nil && x.kind == "":
			s.NotShown++
		case x.kind != "":
			o.found.add(Finding{Kind: x.kind, Index: int64(c.index), Detail: fmt.Sprintf("Entry %d should open, and %s.", c.index, x.detail)})
		default:
			s.Opened++
		}
	}
	if s.Opened+s.Closed == s.Sampled {
		s.WouldShow = wouldShow(all, s.Opened)
	}
	for _, n := range slices.Sorted(maps.Keys(o.forbidden)) {
		s.ForbiddenStreams = append(s.ForbiddenStreams, n)
		s.ForbiddenEntries += o.draw.streams[n].all
	}
	o.report.Summary.Sample = s
}
