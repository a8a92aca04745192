package main

import (
	"context"
	"time"

	"github.com/cairnlog/cairn/client"
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

// fly sends the events and checks the answer.
func (f *flight) fly(ctx context.Context, log client.Log, v *client.Verifier, stream string, state client.State, timeout time.Duration) {
	defer close(f.done)
	wait, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if f.results, f.err = log.Append(wait, stream, f.events, state); f.err != nil {
		return
	}
	f.checks = make([]error, len(f.results))
	for i, r := range f.results {
		if r.Err == nil {
			f.checks[i] = v.CheckAppended(ctx, f.events[i], r)
		}
	}
}
