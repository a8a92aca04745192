package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// maxBatchBytes bounds the events of one batch together: servers take requests
// of 16 MiB at least, or one event if that is larger.
const maxBatchBytes = 8 << 20

// An appender sends events in batches, in their order, and checks every
// answer before it counts.
type appender struct {
	p        *program
	o        appendFlags
	log      client.Log
	verifier *client.Verifier
	maker    *eventMaker
	resume   *resume // nil: not asked for
	progress *progress

	batch  []client.Event
	wheres []string

	number  uint64 // of the next event that is read
	counts  struct{ appended, repeats, refused, unchecked, late uint64 }
	refusal error // the first event that was refused
}

// all reads and sends all events.
func (a *appender) all(ctx context.Context, inputs iter.Seq2[input, error]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := newIntake(ctx, inputs, a.o.batch, maxBatchBytes)
	for {
		batch, err := q.take(ctx)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		if err := a.gather(batch); err != nil {
			// What comes before is sent, so that it can be told what is not.
			return errors.Join(a.send(ctx), err)
		}
		if err := a.send(ctx); err != nil {
			return err
		}
	}
	if a.resume != nil {
		return a.resume.end(a.number)
	}
	return nil
}

// gather makes events of inputs. It passes over those that are recorded.
func (a *appender) gather(inputs []input) error {
	for _, in := range inputs {
		number := a.number
		a.number++
		if a.resume != nil {
			if skip, err := a.resume.skip(number, in.data); err != nil {
				return err
			} else if skip {
				continue
			}
		}
		e, err := a.maker.event(number, in.data)
		if err != nil {
			return fmt.Errorf("%s: %w", in.where, err)
		}
		a.batch, a.wheres = append(a.batch, e), append(a.wheres, in.where)
	}
	return nil
}

// send sends the batch and takes the answers.
func (a *appender) send(ctx context.Context) error {
	if len(a.batch) == 0 {
		return nil
	}
	if a.resume != nil {
		// The name of the run is durable before any event goes out under it:
		// else nobody could send the event again without recording it twice.
		if err := a.resume.save(); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, a.o.timeout)
	defer cancel()
	results, err := a.log.Append(wait, a.o.stream, a.batch, client.State(a.o.wait))
	if err != nil {
		return a.undecided(err)
	}
	for i, r := range results {
		if err := a.take(ctx, a.wheres[i], a.batch[i], r); err != nil {
			return fmt.Errorf("%s: %w", a.wheres[i], err)
		}
	}
	if a.resume != nil {
		a.resume.take(a.batch)
		if err := a.resume.save(); err != nil {
			return err
		}
	}
	a.progress.show(a.number, 0)
	a.batch, a.wheres = a.batch[:0], a.wheres[:0]
	return nil
}

// undecided says how to send a batch again, of which nothing is known.
func (a *appender) undecided(err error) error {
	var problem *client.Problem
	known := errors.As(err, &problem) && problem.Code() != client.Undecided && problem.Code() != client.Internal
	random := a.resume == nil && a.o.key == "" && a.o.fields == "" && a.o.source == ""
	switch {
	case known || !random:
		return err
	case len(a.batch) == 1:
		return command.Hinted(err, "it is not known whether the event is recorded; it can be sent again safely with --idempotency-key %s", a.batch[0].IdempotencyKey)
	}
	return command.Hinted(err, "it is not known whether the last %d events are recorded; with keys of their own, or --resume, they could be sent again safely", len(a.batch))
}

const maxRefusals = 20 // that are told one by one

// take checks the answer about one event and reports it.
func (a *appender) take(ctx context.Context, where string, e client.Event, r client.Appended) error {
	if r.Err != nil {
		if a.counts.refused++; a.refusal == nil {
			a.refusal = r.Err
		}
		if a.counts.refused <= maxRefusals {
			a.p.Say("%s: %v", where, r.Err)
		}
		return a.report(r)
	}
	err := a.verifier.CheckAppended(ctx, e, r)
	switch {
	case err == nil:
	case statusOf(err) == command.No:
		return err
	default:
		a.counts.unchecked++
		a.p.Say("%s: it could not be checked: %v", where, err)
		return a.report(r)
	}
	if r.Duplicate {
		a.counts.repeats++
	} else {
		a.counts.appended++
	}
	if !r.State.Reached(client.State(a.o.wait)) {
		a.counts.late++
	}
	if a.o.receipts != "" && r.Receipt != nil {
		// Not synced: cairn prove receipt makes it again.
		if err := command.PlaceFile(a.o.receipts, receiptPath(a.o.receipts, r.Index), r.Receipt, publicMode, false); err != nil {
			return err
		}
	}
	return a.report(r)
}

// report prints what became of an event.
func (a *appender) report(r client.Appended) error {
	if a.o.json {
		return json.NewEncoder(a.p.Stdout).Encode(entryFile{
			Index: r.Index, Leaf: r.Leaf, State: r.State, Duplicate: r.Duplicate,
			Disclosure: r.Disclosure, Receipt: r.Receipt, Promise: r.Promise, Problem: r.Err,
		})
	}
	if r.Err != nil {
		return nil
	}
	line := fmt.Sprintf("%d  %s", r.Index, r.State)
	if r.Duplicate {
		line += "  (was there)"
	}
	_, err := fmt.Fprintln(a.p.Stdout, line)
	return err
}

// summary says what became of all events, and is the answer of the command.
func (a *appender) summary() error {
	c := a.counts
	all := c.appended + c.repeats + c.refused + c.unchecked
	if all > 1 {
		a.p.Say("%d events recorded, %d were there already, %d refused", c.appended, c.repeats, c.refused)
	}
	switch {
	case c.refused > 0:
		return fmt.Errorf("%w: %d of %d events refused: %w", errNo, c.refused, all, a.refusal)
	case c.unchecked > 0:
		return fmt.Errorf("%d of %d events could not be checked", c.unchecked, all)
	case c.late > 0:
		return command.Hinted(fmt.Errorf("recorded, but %d of %d events not yet %s", c.late, all, a.o.wait),
			"the log has promised them; ask for their receipts later with: cairn prove receipt")
	}
	return nil
}
