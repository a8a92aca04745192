package main

import (
	"context"
	"errors"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A flight is a batch of events that is under way to the ledger.
type flight struct {
	events []client.Event
	wheres []string // where each event comes from
	bytes  int      // of the events
	end    uint64   // number of the event behind the last

	// What came of it, once done is closed.
	done    chan struct{}
	results []client.Appended
	checks  []error // of the results that are no refusals
	err     error   // nothing is known of any event
}

func (f *flight) add(e client.Event, where string) {
	f.events, f.wheres = append(f.events, e), append(f.wheres, where)
	f.bytes += len(e.Data)
}

// errInterrupted stands for why an answer was not checked after somebody ended
// the command.
var errInterrupted = errors.New("interrupted")

// errLost stands for why an answer was not checked after the ledger could not
// be asked for one before it in the batch.
var errLost = errors.New("the ledger could not be asked any more")

// fly sends the events and checks the answer.
func (f *flight) fly(ctx context.Context, a *appender) {
	defer close(f.done)
	wait, cancel := context.WithTimeout(ctx, a.o.timeout)
	defer cancel()
	if f.results, f.err = a.log.Append(wait, a.o.stream, f.events, client.State(a.o.wait)); f.err != nil {
		return
	}
	f.checks = make([]error, len(f.results))
	asking, stop := context.WithCancel(ctx)
	defer stop()
	lost := false // it may be gone, and each event would wait for it
	for i, r := range f.results {
		if r.Err != nil {
			continue
		}
		settled, err := a.check(asking, f.events[i], r)
		switch {
		case err == nil:
			f.results[i] = settled
		case statusOf(err) == command.No:
		case ctx.Err() != nil:
			err = errInterrupted
		case lost && errors.Is(err, context.Canceled):
			err = errLost
		case client.CheckAppended(f.events[i], r) == nil && !errors.Is(err, client.ErrNotCovered):
			lost = true
			stop()
		}
		f.checks[i] = err
	}
}

// check checks an answer and returns what of it was checked.
func (a *appender) check(ctx context.Context, e client.Event, r client.Appended) (client.Appended, error) {
	if err := a.verifier.CheckAppended(ctx, e, r); err != nil {
		return r, err
	}
	return a.settle(ctx, r)
}

// settle leaves in an answer only what was checked of receipt and promise, and
// where that is neither makes a receipt if one is wanted: the ledger gives none
// of an entry that is witnessed before anybody waits for that.
func (a *appender) settle(ctx context.Context, r client.Appended) (client.Appended, error) {
	if r.State == client.Witnessed {
		r.Promise = nil
	} else {
		r.Receipt = nil
	}
	if r.Receipt != nil || r.Promise != nil || a.o.receipts == "" {
		return r, nil
	}
	view, err := a.verifier.CheckEntry(ctx, r.Index, r.Leaf)
	if err != nil {
		return r, err
	}
	r.Receipt, err = makeReceipt(ctx, view, r.Index, r.Leaf)
	return r, err
}
