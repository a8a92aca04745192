package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A choice says which entries evidence is made of: those of some runs of
// indices, of every kind; or events alone, where it names a stream or a time.
type choice struct {
	runs    []proofs.Run // rising, as few as can be; nil: of the whole ledger
	stream  string       // empty: of every stream
	subject string       // of the stream; empty: whomever they concern
	where   []client.FieldValue
	between times
	timed   bool // a time was given
}

// chosen reads what to choose from the arguments and flags of export.
func (p *program) chosen(args []string, o exportFlags) (c choice, err error) {
	c.stream, c.subject, c.timed = o.stream, o.subject, o.since != "" || o.until != ""
	if c.where, err = parseWhere(o.where); err != nil {
		return c, err
	}
	if c.looks() && c.stream == "" {
		return c, command.Usage("--where and --subject are about the fields of one stream: give --stream")
	}
	if c.between, err = p.timesOf(o.since, o.until); err != nil {
		return c, err
	}
	for _, arg := range args {
		run, err := parseRun(arg)
		if err != nil {
			return c, err
		}
		c.runs = append(c.runs, run)
	}
	if c.isNone() && o.searches == nil {
		return c, command.Usage("which entries? Give indices, ranges such as 100..199, --stream, --since, --until or --search")
	}
	c.runs = proofs.JoinRuns(c.runs)
	return c, nil
}

// parseWhere reads values of declared fields: NAME=VALUE each.
func parseWhere(args []string) (where []client.FieldValue, err error) {
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, command.Usage("--where %s: give the name of a declared field, = and its value", arg)
		}
		if slices.ContainsFunc(where, func(f client.FieldValue) bool { return f.Name == name }) {
			return nil, command.Usage("--where %s is there twice: an event that has both values has neither", name)
		}
		where = append(where, client.FieldValue{Name: name, Value: value})
	}
	return where, nil
}

// parseRun reads an index, or the first and the last of a range.
func parseRun(arg string) (r proofs.Run, err error) {
	first, last, isRange := strings.Cut(arg, "..")
	if r.First, err = parseIndex(first); err != nil {
		return r, err
	}
	if r.Last = r.First; isRange {
		if r.Last, err = parseIndex(last); err != nil {
			return r, err
		}
	}
	if r.Last < r.First {
		return r, command.Usage("%s: a range goes from its first entry to its last", arg)
	}
	return r, nil
}

// events reports whether it is events alone.
func (c choice) events() bool { return c.stream != "" || c.timed }

// isNone reports whether nothing is chosen.
func (c choice) isNone() bool { return c.runs == nil && !c.events() }

// looks reports whether events are chosen by what is sealed: the ledger finds
// them.
func (c choice) looks() bool { return c.subject != "" || len(c.where) > 0 }

// bound returns where the entries begin and end that may be chosen, in a tree
// of a size.
func (c choice) bound(ctx context.Context, r *proofs.Reader, size uint64) (from, end uint64, err error) {
	end = size
	if n := len(c.runs); n > 0 {
		from = c.runs[0].First
		if last := c.runs[n-1].Last; last >= size {
			return 0, 0, command.Hinted(fmt.Errorf("%w: there is no entry %d: the latest checkpoint has %d", errNo, last, size), "if it was appended a moment ago, ask again in a moment")
		} else {
			end = last + 1
		}
	}
	if c.between.since > 0 {
		first, err := firstAt(ctx, r, size, c.between.since)
		if err != nil {
			return 0, 0, err
		}
		from = max(from, first)
	}
	if c.between.until < math.MaxUint64 {
		first, err := firstAt(ctx, r, size, c.between.until)
		if err != nil {
			return 0, 0, err
		}
		end = min(end, first)
	}
	return from, end, nil
}

// has reports whether an entry is in the runs.
func (c choice) has(index uint64) bool {
	return c.runs == nil || proofs.InRuns(c.runs, index)
}

// maxRunsTold is how many runs are told in words.
const maxRunsTold = 100

// String returns the choice in words.
func (c choice) String() string {
	var words []string
	for _, r := range c.runs[:min(len(c.runs), maxRunsTold)] {
		words = append(words, formatRun(r))
	}
	said := "entries " + strings.Join(words, ", ")
	if len(c.runs) > maxRunsTold {
		said += fmt.Sprintf(" and %d more runs", len(c.runs)-maxRunsTold)
	}
	switch {
	case c.events() && c.runs == nil:
		said = "events"
	case c.events():
		said = "events among the " + said
	}
	if c.stream != "" {
		said += " of the stream " + c.stream
	}
	if c.subject != "" {
		said += fmt.Sprintf(" about %q", c.subject)
	}
	for _, f := range c.where {
		said += fmt.Sprintf(" with %s=%q", f.Name, f.Value)
	}
	if c.between.since > 0 {
		said += " from " + formatTime(c.between.since) + " on"
	}
	if c.between.until < math.MaxUint64 {
		said += " before " + formatTime(c.between.until)
	}
	return said
}

// shortened returns a text in some bytes at most.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	const more = "…"
	return strings.ToValidUTF8(text[:most-len(more)], "") + more
}

func formatRun(r proofs.Run) string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d..%d", r.First, r.Last)
}

// formatTime writes microseconds since 1970, as they are given to --since.
func formatTime(micros uint64) string {
	return time.UnixMicro(int64(micros)).UTC().Format(time.RFC3339Nano)
}
