package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
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

	view client.View // of the checkpoint that the receipts have in common
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
			f.checks[i] = f.check(ctx, v, f.events[i], r)
		}
	}
}

// check checks what [client.Verifier.CheckAppended] does. But the checkpoint
// that all receipts of an answer have is compared with what was believed once
// for all: the answer to another batch may have a larger one, and come first.
func (f *flight) check(ctx context.Context, v *client.Verifier, e client.Event, r client.Appended) error {
	receipt, err := proofs.ParseReceipt(r.Receipt)
	if err != nil || r.State != client.Witnessed || receipt.Index != r.Index {
		return v.CheckAppended(ctx, e, r)
	}
	if err := client.CheckAppended(e, r); err != nil {
		return err
	}
	if f.view.Reader == nil || string(f.view.Signed) != string(receipt.Checkpoint) {
		if f.view, err = v.Believe(ctx, receipt.Checkpoint); err != nil {
			return fmt.Errorf("receipt of entry %d: %w", r.Index, err)
		}
	}
	c := f.view.Checkpoint
	if err := proofs.CheckInclusion(r.Index, c.Size, proofs.LeafHash(r.Leaf), receipt.Proof, c.Root); err != nil {
		return fmt.Errorf("receipt of entry %d: %w", r.Index, err)
	}
	return nil
}
