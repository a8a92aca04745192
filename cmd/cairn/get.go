package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

const allParts = -1

type getFlags struct {
	json     bool
	raw      bool
	settings bool
	part     int
	out      string
}

func (p *program) getCommand() *cobra.Command {
	var o getFlags
	c := &cobra.Command{
		Use:   "get INDEX...",
		Short: "Read entries, and verify them before they are printed",
		Long: `get reads an entry and prints its payload byte for byte, after it has checked that
the entry is in the ledger and that the payload is the one that was recorded. On a
terminal the payload is escaped, unless --raw is given.

An event that was sealed in parts, by whom they concern, is put together again. Where a
part is erased, null stands for each of its values, and get says how many there are.

With --json it prints the entry with its receipt and all that "cairn verify" needs to
check it without the ledger, a line for each entry.`,
		Example: `  cairn get 13
  cairn get 13 -o event.json
  cairn get --json --settings 13 14 15 > entries.json; cairn verify entries.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.get(c.Context(), args, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.json, "json", false, "print entries with their proofs, a line of JSON each")
	f.BoolVar(&o.raw, "raw", false, "do not escape the payload on a terminal")
	f.BoolVar(&o.settings, "settings", false, "with --json: add the entries that say how the tags were made")
	f.IntVar(&o.part, "part", allParts, "`NUMBER` of one part of a payload in several, as it was sealed; -1: the event")
	p.reasonFlag(f)
	f.StringVarP(&o.out, "output", "o", "", "`FILE` to write, instead of the standard output")
	return c
}

func (p *program) get(ctx context.Context, args []string, o getFlags) error {
	if len(args) > 1 && !o.json {
		return command.Usage("several entries are printed with --json only")
	}
	if o.settings && !o.json {
		return command.Usage("--settings is for --json")
	}
	indices := make([]uint64, len(args))
	for i, arg := range args {
		var err error
		if indices[i], err = parseIndex(arg); err != nil {
			return err
		}
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	v, err := p.verifier(ctx, s)
	if err != nil {
		return err
	}
	r := &entryReader{log: s.log, verifier: v}
	if o.json {
		return p.printEntries(ctx, r, indices, o)
	}
	e, _, err := r.entry(ctx, indices[0])
	if err != nil {
		return err
	}
	return p.printPayload(e, o)
}

// printEntries prints entries with all that verify needs: each on a line as
// soon as it is there, or all to a file.
func (p *program) printEntries(ctx context.Context, r *entryReader, indices []uint64, o getFlags) error {
	toFile := o.out != "" && o.out != "-"
	var lines []byte
	var refused []error
	for _, index := range indices {
		e, err := r.proven(ctx, index, o.settings)
		if len(indices) > 1 && isOfOne(err) {
			refused = append(refused, err) // the others can be there
			continue
		}
		if err != nil {
			return errors.Join(append(refused, err)...)
		}
		line, err := formatJSON(e, "")
		if toFile && err == nil {
			lines = append(lines, line...)
		} else if err := p.printJSON(line, err); err != nil {
			return err
		}
	}
	if toFile {
		refused = append(refused, p.output(o.out, lines))
	}
	return errors.Join(refused...)
}

// isOfOne reports whether an error says of one entry that it is not shown.
func isOfOne(err error) bool {
	var p *client.Problem
	if !errors.As(err, &p) {
		return false
	}
	switch p.Code() {
	case client.Gone, client.Disabled, client.Forbidden, client.NoSuchEntry, client.NotYetPublished:
		return true
	}
	return false
}

// printPayload prints the payload of an entry, or one part of it.
func (p *program) printPayload(e *entryFile, o getFlags) error {
	if e.Disclosure == nil || len(e.Disclosure.Parts) == 0 {
		return fmt.Errorf("%w: entry %d has no payload", errNo, e.Index)
	}
	data, err := p.partOf(e, o.part)
	if err != nil {
		return err
	}
	if (o.out == "" || o.out == "-") && p.terminal(p.Stdout) && !o.raw {
		_, err := fmt.Fprintln(p.Stdout, command.EscapeText(string(data)))
		return err
	}
	return p.output(o.out, data)
}

// partOf returns the data of one part of a payload, or of all that are shown
// put together, and says what is missing.
func (p *program) partOf(e *entryFile, number int) ([]byte, error) {
	parts := e.Disclosure.Parts
	shown := number
	if number == allParts {
		shown = 0
	}
	switch {
	case shown < 0 || shown >= len(parts):
		return nil, fmt.Errorf("%w: entry %d has no part %d", errNo, e.Index, number)
	case !parts[shown].Shown():
		return nil, fmt.Errorf("%w: part %d of entry %d is not shown: it was erased, or you may not read it", errNo, shown, e.Index)
	case number != allParts:
		p.Say("entry %d has %d parts, this is number %d", e.Index, len(parts), number)
		return parts[number].Data, nil
	}
	payload, err := e.Disclosure.Payload()
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Index, err)
	}
	if erased := erasedFrom(e.Disclosure, payload); erased != nil {
		p.Say("entry %d: %s%s", e.Index, erased, seeReasons(e.Reasons))
	}
	return payload.Data, nil
}

// An entryReader reads entries and verifies them.
type entryReader struct {
	log      client.Log
	verifier *client.Verifier
}

// entry returns an entry that is in the ledger and holds what was recorded,
// and the view that shows it.
func (r *entryReader) entry(ctx context.Context, index uint64) (*entryFile, client.View, error) {
	e, err := r.log.Entry(ctx, index)
	if err != nil {
		return nil, client.View{}, err
	}
	if e.Index != index {
		return nil, client.View{}, fmt.Errorf("%w: the ledger gives entry %d for entry %d", proofs.ErrNotVerified, e.Index, index)
	}
	view, err := r.check(ctx, e)
	if err != nil {
		return nil, client.View{}, err
	}
	return &entryFile{Index: e.Index, Leaf: e.Leaf, Stream: e.Stream, Disclosure: e.Disclosure, Reasons: e.Reasons, FieldKeys: e.FieldKeys}, view, nil
}

// proven returns an entry with its receipt and, if it shall be, the entries
// that say how its tags were made.
func (r *entryReader) proven(ctx context.Context, index uint64, context bool) (*entryFile, error) {
	e, view, err := r.entry(ctx, index)
	if err != nil {
		return nil, err
	}
	if e.Receipt, err = makeReceipt(ctx, view, index, e.Leaf); err != nil || !context {
		return e, err
	}
	e.Context, err = r.context(ctx, view, e)
	return e, err
}

// check verifies an entry that the ledger gave.
func (r *entryReader) check(ctx context.Context, e *client.Entry) (client.View, error) {
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return client.View{}, fmt.Errorf("entry %d: %w", e.Index, err)
	}
	if e.Disclosure != nil {
		if err := e.Disclosure.Check(leaf); err != nil {
			return client.View{}, fmt.Errorf("entry %d: %w", e.Index, err)
		}
	}
	view, err := r.verifier.CheckEntry(ctx, e.Index, e.Leaf)
	if errors.Is(err, client.ErrNotCovered) {
		return view, command.Hinted(err, "ask again in a moment")
	}
	return view, err
}

// context returns the entries that say how the tags of an entry were made:
// the last settings of its stream before it, and those that opened its
// bucket. It looks for them from the entry backwards.
func (r *entryReader) context(ctx context.Context, view client.View, e *entryFile) ([]entryFile, error) {
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil || leaf.Kind != proofs.Event {
		return nil, err
	}
	find := contextFinder{leaf: leaf, reader: view.Reader}
	indices, err := find.backwards(ctx, e.Index)
	if err != nil {
		return nil, err
	}
	var entries []entryFile
	for _, index := range indices {
		c, err := r.proven(ctx, index, false)
		if err != nil {
			return nil, fmt.Errorf("entry %d says how the tags of entry %d were made: %w", index, e.Index, err)
		}
		entries = append(entries, *c)
	}
	return entries, nil
}
