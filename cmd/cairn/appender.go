package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// maxBatchBytes bounds the events of one batch together: servers take requests
// of 16 MiB at least, or one event if that is larger.
const maxBatchBytes = 8 << 20

// maxFlightBytes bounds the events that are under way together: beyond it no
// batch is sent.
const maxFlightBytes = 64 << 20

// An appender sends events in batches, several at once, and checks every
// answer before it counts. One goroutine does everything but the requests: it
// takes the answers in the order of the events, so that what it prints and
// remembers is about the events before some number, without a gap.
type appender struct {
	p        *program
	o        appendFlags
	log      client.Log
	verifier *client.Verifier
	maker    *eventMaker
	resume   *resume // nil: not asked for
	progress *progress

	number  uint64    // of the next event that is read
	flights []*flight // under way, the first events first
	bytes   int       // of the events in them

	counts  struct{ appended, repeats, refused, unchecked, late uint64 }
	open    bool           // an event of those told is not recorded as it was asked for, or not known to be
	refusal error          // the first event that was refused
	failure error          // the first batch that failed: nothing is sent after it
	unknown []client.Event // of batches of which nothing is known
}

// all reads and sends all events. After an error, or when the context ends, no
// more are sent, and those that are under way are waited for.
func (a *appender) all(ctx context.Context, inputs iter.Seq2[input, error]) error {
	ctx, cancel := context.WithCancel(ctx)
	var flying sync.WaitGroup
	defer flying.Wait()
	defer cancel()
	q := newIntake(ctx, inputs, a.o.batch, maxBatchBytes)
	interrupted := ctx.Done()
	var unread error // why events were not read
	for reading := true; reading || len(a.flights) > 0; {
		var ready, landed <-chan struct{}
		if reading && len(a.flights) < a.o.inFlight && a.bytes < maxFlightBytes {
			ready = q.ready
		}
		if len(a.flights) > 0 {
			landed = a.flights[0].done
		}
		select {
		case <-interrupted:
			if interrupted = nil; reading {
				reading, unread = false, ctx.Err()
			}
		case <-landed:
			a.land()
			reading = reading && a.failure == nil
		case <-ready:
			inputs, ended, err := q.take()
			f, wrong := a.gather(inputs)
			if wrong != nil {
				err = wrong // what comes before is sent, so that it can be told what is not
			}
			reading, unread = !ended && err == nil, err
			if err := a.launch(ctx, &flying, f); err != nil {
				return err
			}
		}
	}
	if a.resume != nil && a.failure == nil && unread == nil {
		return a.resume.end(a.number)
	}
	return errors.Join(a.sendAgain(a.failure), unread)
}

// gather makes events of inputs. It passes over those that are recorded.
func (a *appender) gather(inputs []input) (*flight, error) {
	f := &flight{done: make(chan struct{})}
	for _, in := range inputs {
		number := a.number
		a.number++
		if a.resume != nil {
			if skip, err := a.resume.skip(number, in.data); err != nil {
				return f, err
			} else if skip {
				continue
			}
		}
		e, err := a.maker.event(number, in.data)
		if err != nil {
			return f, fmt.Errorf("%s: %w", in.where, err)
		}
		f.add(e, in.where)
		f.end = a.number
	}
	return f, nil
}

// launch sends a batch, unless nothing is in it.
func (a *appender) launch(ctx context.Context, flying *sync.WaitGroup, f *flight) error {
	if len(f.events) == 0 {
		return nil
	}
	if a.resume != nil {
		// The name of the run is durable before any event goes out under it:
		// else nobody could send the event again without recording it twice.
		if err := a.resume.begin(); err != nil {
			return err
		}
	}
	a.flights = append(a.flights, f)
	a.bytes += f.bytes
	flying.Go(func() { f.fly(ctx, a) })
	return nil
}

// land takes the answers to the batch that was sent first. All of them are
// told, also those behind one that is wrong: the events may be recorded.
func (a *appender) land() {
	f := a.flights[0]
	a.flights = slices.Delete(a.flights, 0, 1)
	a.bytes -= f.bytes
	err := f.err
	if isUnknown(err) {
		a.unknown = append(a.unknown, f.events...)
	}
	closed := 0 // events before the first that is open
	a.open = a.open || err != nil
	for i, check := range f.checks {
		done, wrong := a.take(f.wheres[i], f.results[i], check)
		if wrong != nil && err == nil {
			err = fmt.Errorf("%s: %w", f.wheres[i], wrong)
		}
		if a.open = a.open || !done || wrong != nil; !a.open {
			closed++
		}
	}
	// What is open is sent again the next time, with all that comes after it.
	if a.resume != nil && closed > 0 {
		if wrong := a.resume.take(f.events[:closed]); wrong != nil {
			a.open, err = true, cmp.Or(err, wrong)
		}
	}
	if a.failure == nil {
		a.failure = err
	}
	a.progress.show(f.end, 0)
}

// isUnknown reports whether an error of a batch leaves open whether its
// events are recorded.
func isUnknown(err error) bool {
	var problem *client.Problem
	return err != nil && (!errors.As(err, &problem) || problem.Code() == client.Undecided || problem.Code() == client.Internal)
}

// sendAgain says how to send events again of which nothing is known.
func (a *appender) sendAgain(err error) error {
	random := a.resume == nil && a.o.key == "" && a.o.fields == "" && a.o.source == ""
	switch {
	case !random || len(a.unknown) == 0:
		return err
	case len(a.unknown) == 1:
		return command.Hinted(err, "it is not known whether the event is recorded; it can be sent again safely with --idempotency-key %s", a.unknown[0].IdempotencyKey)
	}
	return command.Hinted(err, "it is not known whether %d events are recorded; with keys of their own, or --resume, they could be sent again safely", len(a.unknown))
}
