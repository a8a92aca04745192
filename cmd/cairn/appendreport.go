package main

import (
	"fmt"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

const maxTold = 20 // events that are told one by one, of those refused and of those unchecked

// take counts the answer about one event and what came of its check, and
// reports it. It returns whether the event is recorded as it was asked for.
func (a *appender) take(where string, r client.Appended, check error) (done bool, err error) {
	switch {
	case r.Err != nil && !isRefusal(r.Err):
		return false, r.Err
	case r.Err != nil:
		if a.counts.refused++; a.refusal == nil {
			a.refusal = r.Err
		}
		if a.counts.refused <= maxTold {
			a.p.Say("%s: %v", where, r.Err)
		}
		return false, a.report(r, "")
	case check != nil && statusOf(check) == command.No:
		return false, check
	case check != nil:
		if a.counts.unchecked++; a.counts.unchecked <= maxTold && check != errInterrupted && check != errLost {
			a.p.Say("%s: it could not be checked: %v", where, check)
		}
		return false, a.report(r, check.Error())
	}
	if r.Duplicate {
		a.counts.repeats++
	} else {
		a.counts.appended++
	}
	if done = r.State.Reached(client.State(a.o.wait)); !done {
		a.counts.late++
	}
	if a.o.receipts != "" {
		if err := a.keep(r); err != nil {
			return false, err
		}
	}
	return done, a.report(r, "")
}

// keep writes the receipt of an event, or the promise of one that has none.
func (a *appender) keep(r client.Appended) error {
	dir := a.o.receipts
	if r.Receipt != nil {
		// Not synced: cairn prove receipt makes it again.
		return command.PlaceFile(dir, receiptPath(dir, r.Index), r.Receipt, publicMode, false)
	}
	file, err := client.FormatPromisedEntry(client.PromisedEntry{Index: r.Index, Leaf: r.Leaf, Promise: *r.Promise})
	if err != nil {
		return err
	}
	// Synced: nobody else has it, and it is told only once it is durable.
	return command.WriteFile(fmt.Sprintf("%s/%d%s", dir, r.Index, promiseSuffix), file, publicMode)
}

// report prints what became of an event, or what the ledger said of one that
// could not be checked.
func (a *appender) report(r client.Appended, unchecked string) error {
	if a.o.json {
		return a.p.printJSON(formatJSON(entryFile{
			Index: r.Index, Leaf: r.Leaf, State: r.State, Duplicate: r.Duplicate, Unchecked: unchecked,
			Uncompared: r.Uncompared, Disclosure: r.Disclosure, Receipt: r.Receipt, Promise: r.Promise, Problem: r.Err,
		}, ""))
	}
	if r.Err != nil {
		return nil
	}
	line := fmt.Sprintf("%d  %s", r.Index, r.State)
	if unchecked != "" {
		line = fmt.Sprintf("%d  unchecked", r.Index)
	}
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
		talk := fmt.Sprintf("%d events recorded, %d were there already, %d refused", c.appended, c.repeats, c.refused)
		if c.unchecked > 0 {
			talk += fmt.Sprintf(", %d could not be checked", c.unchecked)
		}
		a.p.Say("%s", talk)
	}
	switch {
	case c.refused > 0:
		return fmt.Errorf("%w: %d of %d events refused: %w", errNo, c.refused, all, a.refusal)
	case c.unchecked > 0:
		return fmt.Errorf("%d of %d events could not be checked", c.unchecked, all)
	case c.late > 0:
		return command.Hinted(fmt.Errorf("recorded, but %d of %d events not yet %s", c.late, all, a.o.wait), "%s", a.promised())
	}
	return nil
}

// promised says what there is of events that the log has promised.
func (a *appender) promised() string {
	const later = "ask for their receipts later with: cairn prove receipt"
	switch {
	case a.o.receipts != "":
		return fmt.Sprintf("the log's promises are in %s, and cairn verify --url tells whether it keeps them; %s", a.o.receipts, later)
	case a.o.json:
		return "the log's promises are in what was printed, and cairn verify --url tells whether it keeps them; " + later
	}
	return "the log has promised them, and with --receipts or --json its promises are kept; " + later
}
