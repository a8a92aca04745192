package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// defaultStream is the stream that every ledger has.
const defaultStream = "default"

// parseQuery reads the query that a command's arguments are, with the saved
// queries that they name.
func (p *program) parseQuery(args []string) (*query.Query, error) {
	text := strings.Join(args, " ")
	if strings.Contains(text, "@") {
		saved, err := p.savedQueries()
		if err != nil {
			return nil, err
		}
		if text, err = saved.expand(text); err != nil {
			return nil, err
		}
	}
	q, err := query.Parse(text, p.clock())
	if err != nil {
		return nil, queryError(err)
	}
	return q, nil
}

// A completeQuestion is what search is to prove, and what it is to judge here on the
// events of which that is proven: what is an answer fits both.
type completeQuestion struct {
	client.CompleteQuery
	rest  query.Expr   // [query.All]: there is none
	query *query.Query // as it was written, for errors about it
	named bool         // the stream was
}

func (q completeQuestion) hasRest() bool { return !isAll(q.rest) }

// refused adds to a refusal which stream was asked about, where nobody named one.
func (q completeQuestion) refused(err error) error {
	var p *client.Problem
	if q.named || !errors.As(err, &p) || p.Code() != client.BadRequest {
		return err
	}
	return command.Hinted(err, "--complete asks about the stream %s where none is named: name another with --stream NAME", q.Stream)
}

func isAll(e query.Expr) bool {
	_, is := e.(query.All)
	return is
}

// askedFor reads what search is to prove from its arguments and flags, and the rest.
func (p *program) askedFor(args []string, o searchFlags) (asked completeQuestion, err error) {
	q, err := p.parseQuery(args)
	if err != nil {
		return asked, err
	}
	provable, rest, err := query.Split(q)
	if err != nil {
		return asked, queryError(err)
	}
	provable, rest = withinBounds(provable, rest)
	asked.query, asked.rest, asked.named = q, rest, o.stream != "" || provable.Stream != ""
	asked.CompleteQuery = client.CompleteQuery{Stream: first(o.stream, provable.Stream, defaultStream), First: max(provable.First, o.first), Now: o.now}
	if o.stream != "" && provable.Stream != "" && o.stream != provable.Stream {
		return asked, command.Usage("the query asks for the stream %s, and --stream is %s", provable.Stream, o.stream)
	}
	if provable.Last < math.MaxUint64 {
		asked.End = provable.Last + 1
	}
	asked.End = least(asked.End, o.end)
	between, err := p.timesOf(o.since, o.until)
	if err != nil {
		return asked, err
	}
	if between.until == math.MaxUint64 {
		between.until = 0
	}
	asked.From, asked.Until = max(provable.From, between.since), least(provable.Until, between.until)
	if asked.End > 0 && asked.First >= asked.End || asked.Until > 0 && asked.From >= asked.Until {
		return asked, command.Usage("the range ends before it begins")
	}
	asked.Fields = askedValues(provable.Fields)
	for _, fields := range provable.Any {
		asked.Any = append(asked.Any, askedValues(fields))
	}
	terms := asked.Terms()
	if values := len(slices.Concat(terms...)); len(terms) > proofs.MaxTerms || values > proofs.MaxSearchValues {
		return asked, command.Usage("the query has %d conditions with %d values, and at most %d with %d can be proven at once", len(terms), values, proofs.MaxTerms, proofs.MaxSearchValues)
	}
	return asked, nil
}

// withinBounds leaves to the rest what is more than can be proven at once: the longest
// lists of alternatives first. One condition stays.
func withinBounds(p query.Provable, rest query.Expr) (query.Provable, query.Expr) {
	p.Fields, p.Any = slices.Clone(p.Fields), slices.Clone(p.Any)
	for {
		terms := len(p.Fields) + len(p.Any)
		if values := len(p.Fields) + len(slices.Concat(p.Any...)); terms == 1 || terms <= proofs.MaxTerms && values <= proofs.MaxSearchValues {
			return p, rest
		}
		if len(p.Any) == 0 {
			last := len(p.Fields) - 1
			rest, p.Fields = query.Conjunction(p.Fields[last], rest), p.Fields[:last]
			continue
		}
		longest := slices.MaxFunc(p.Any, func(a, b []query.Field) int { return cmp.Compare(len(a), len(b)) })
		var either query.Or
		for _, f := range longest {
			either.List = append(either.List, f)
		}
		rest = query.Conjunction(either, rest)
		p.Any = slices.DeleteFunc(p.Any, func(fields []query.Field) bool { return slices.Equal(fields, longest) })
	}
}

func askedValues(fields []query.Field) (values []client.FieldValue) {
	for _, f := range fields {
		values = append(values, client.FieldValue{Name: f.Name, Value: f.Value})
	}
	return values
}

// queryError is wrong usage, line for line: the mark stands below its place.
func queryError(err error) error {
	text, hint, _ := strings.Cut(err.Error(), "\nhint: ")
	var lines []error
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, command.Hinted(command.Usage("%s", line), "%s", hint))
	}
	return errors.Join(lines...)
}

// A lineError is a line of what a ledger says is wrong with a query.
type lineError struct {
	line    string
	problem *client.Problem
}

func (e lineError) Error() string { return e.line }
func (e lineError) Unwrap() error { return e.problem }

// refusedQuery says line for line what a ledger finds wrong with a query, and any
// other error as it is.
func refusedQuery(err error) error {
	var p *client.Problem
	if !errors.As(err, &p) || p.Code() != client.BadRequest || !strings.Contains(p.Detail, "\n") {
		return err
	}
	var lines []error
	for line := range strings.SplitSeq(p.Detail, "\n") {
		lines = append(lines, lineError{line, p})
	}
	return errors.Join(lines...)
}

// least returns the lower of two bounds, of which 0 is none.
func least(a, b uint64) uint64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// isOf checks that an answer is to what was asked, and goes as far: that the
// settings in the proof give the stream, and the fields by their numbers, the names
// that were asked for.
func (a *searchAnswer) isOf(asked client.CompleteQuery) error {
	q := a.proof.Query
	end := asked.End
	if end == 0 {
		end = math.MaxUint64
	}
	if q.First != asked.First || q.End != end || q.From != asked.From || q.Until != asked.Until {
		return fmt.Errorf("%w: another range of entries or of time", proofs.ErrNotVerified)
	}
	if v := a.verdict; v.More && (asked.Now || v.Stop < proofs.DirectoriesAt(v.Checkpoint.Size)*proofs.SegmentSize) {
		return fmt.Errorf("%w: it stops at entry %d, before all was looked through", proofs.ErrNotVerified, v.Stop)
	}
	if a.stream != asked.Stream {
		return fmt.Errorf("%w: stream %d is not said to be %.80q", proofs.ErrNotVerified, q.Stream, asked.Stream)
	}
	terms := asked.Terms()
	if len(q.Terms) != len(terms) {
		return fmt.Errorf("%w: %d conditions instead of %d", proofs.ErrNotVerified, len(q.Terms), len(terms))
	}
	for i, values := range terms {
		if got := len(q.Terms[i].Values); got != len(values) {
			return fmt.Errorf("%w: %d values instead of %d", proofs.ErrNotVerified, got, len(values))
		}
		for j, f := range values {
			if err := a.isValue(q.Terms[i].Values[j], f); err != nil {
				return err
			}
		}
	}
	return nil
}

// isValue checks that a value that a proof is about is one that was asked for.
func (a *searchAnswer) isValue(v proofs.SearchValue, asked client.FieldValue) error {
	if !bytes.Equal(v.Value, []byte(asked.Value)) {
		return fmt.Errorf("%w: another value than %.80q", proofs.ErrNotVerified, asked.Value)
	}
	for _, number := range v.Numbers {
		if !slices.Contains(a.names[number], asked.Name) {
			return fmt.Errorf("%w: field %d is not said to be %.80q", proofs.ErrNotVerified, number, asked.Name)
		}
	}
	if missing := a.missing(v.Numbers, asked.Name); missing > 0 {
		return fmt.Errorf("%w: field %d, which is said to be %.80q too, is left out", proofs.ErrNotVerified, missing, asked.Name)
	}
	return nil
}

// missing returns a number of a field that has had a name, as the proof says, and
// is not among some; 0: there is none.
func (a *searchAnswer) missing(numbers []uint16, name string) uint16 {
	for number, names := range a.names {
		if slices.Contains(names, name) && !slices.Contains(numbers, number) {
			return number
		}
	}
	return 0
}
