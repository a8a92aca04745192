package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client"
)

func (l *Ledger) append(ctx context.Context, caller Caller, stream string, events []client.Event, wait client.State) ([]client.Appended, error) {
	switch {
	case !wait.Reached(client.Sequenced):
		return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("there is no state %q to wait for", wait), "wait for sequenced, integrated or witnessed")
	case len(events) == 0:
		return nil, client.NewProblem(client.BadRequest, "there is no event", "")
	case len(events) > l.cfg.Limits.Batch:
		return nil, client.NewProblem(client.TooLarge, fmt.Sprintf("%d events at once are more than %d", len(events), l.cfg.Limits.Batch), "send them in smaller batches")
	}
	if err := caller.check(); err != nil {
		return nil, err
	}
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	r, err := l.sequence(ctx, caller, stream, events)
	if err != nil {
		return nil, l.asProblem(err)
	}
	l.await(ctx, r.admissions, wait)
	return l.results(context.WithoutCancel(ctx), r)
}

// sequence admits events and has them sequenced, once more when the stream's
// settings changed in between: an entry has the tags that the settings before
// it declare. What concerns a subject waits while that one's erasure is being
// announced.
func (l *Ledger) sequence(ctx context.Context, caller Caller, stream string, events []client.Event) (*request, error) {
	for {
		acts, _, err := l.accessBucket(ctx)
		if err != nil {
			return nil, err
		}
		admissions, err := l.admitAll(ctx, caller.Name, stream, events)
		if errors.Is(err, errPaused) {
			if err := l.keys.wait(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		r := newRequest(admissions)
		r.caller, r.stream, r.acts = caller, stream, acts
		if err := l.submit(ctx, r); !errors.Is(err, errStale) {
			return r, err
		}
	}
}

// errStale means that a stream's settings changed after events were admitted.
var errStale = errors.New("the stream's settings have changed")

// notWitnessed is the state of an entry that no receipt was made for.
func notWitnessed(s client.State) client.State {
	if s == client.Witnessed {
		return client.Integrated
	}
	return s
}

// ready waits until the ledger takes entries.
func (l *Ledger) ready(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := l.progress.wait(wait, func(p *progress) bool { return p.cleared && p.stopped == nil })
	if err != nil && wait.Err() != nil && ctx.Err() == nil {
		p := client.NewProblem(client.Unavailable, "the ledger still waits for its witnesses after the start", "see which witness does not answer with: cairnd status")
		p.RetryAfter = 5 * time.Second
		return p
	}
	if err != nil {
		return l.asProblem(err)
	}
	if err := l.checkClock(l.cfg.Clock()); err != nil {
		// It may have been set only now: the witnesses' answer decides.
		_ = l.progress.wait(wait, func(p *progress) bool { return !p.recheck })
		if err := l.checkClock(l.cfg.Clock()); err != nil {
			return err
		}
	}
	if err := l.progress.wait(wait, func(p *progress) bool { return p.begun && p.stopped == nil }); err != nil {
		return l.asProblem(err)
	}
	return nil
}

// await waits until all new entries have reached a state, or the context ends.
func (l *Ledger) await(ctx context.Context, admissions []*admission, state client.State) {
	size := uint64(0)
	for _, a := range admissions {
		if a.problem == nil {
			size = max(size, a.index+1)
		}
	}
	// Whatever ends the wait, each result says which state was reached.
	_ = l.progress.wait(ctx, func(p *progress) bool { return p.size(state) >= size })
}

// results says of each event what became of it.
func (l *Ledger) results(ctx context.Context, r *request) ([]client.Appended, error) {
	out := make([]client.Appended, len(r.admissions))
	receipts := l.newReceipts()
	for i, a := range r.admissions {
		if a.problem != nil {
			l.metrics.refuse(a.problem)
			out[i].Err = a.problem
			continue
		}
		out[i] = client.Appended{Index: a.index, State: l.progress.stateOf(a.index), Duplicate: a.duplicate, Uncompared: a.uncompared, Leaf: a.leafBytes, Disclosure: a.disclosure}
		var err error
		switch {
		case out[i].State == client.Witnessed && a.index < receipts.under.size():
			out[i].Receipt, err = receipts.receipt(ctx, a.index, a.leafBytes)
		case a.duplicate: // of another batch, which may be long gone from here
			out[i].State = notWitnessed(out[i].State)
			alone := &batch{first: a.index, entries: []batchEntry{{leaf: a.leafBytes}}}
			out[i].Promise, err = l.promise(alone, a.index, out[i].State)
		default:
			out[i].State = notWitnessed(out[i].State)
			out[i].Promise, err = l.promise(r.batch, a.index, out[i].State)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
