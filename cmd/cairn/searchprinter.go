package main

import (
	"fmt"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A hitPrinter prints the events that a search found.
type hitPrinter interface {
	print(hits []hit) error // in their order; may be called often, and may keep nothing back
}

// hitPrinter returns what prints events as the flags ask. Several says that they
// can be of several streams.
func (o *searchFlags) hitPrinter(out outlet, several bool) (hitPrinter, error) {
	columns, err := parseColumns(o.columns)
	switch {
	case err != nil:
		return nil, err
	case o.json && o.proofs:
		return jsonPrinter{out: out, receipts: o.receipts}, nil
	case o.csv:
		return &csvPrinter{out: out, columns: columns, chosen: len(columns) > 0, indices: !o.proofs, several: several}, nil
	case !o.proofs:
		return indexPrinter{out: out, json: o.json}, nil
	case o.inColumns(out):
		return &tablePrinter{out: out, columns: columns, chosen: len(columns) > 0, several: several}, nil
	}
	return linePrinter{out}, nil
}

// inColumns reports whether events are printed in columns, for which it has to be
// known what their streams declare.
func (o *searchFlags) inColumns(out outlet) bool {
	return o.proofs && !o.json && (o.csv || o.table || out.terminal || len(o.columns) > 0)
}

// An indexPrinter prints an index on a line.
type indexPrinter struct {
	out  outlet
	json bool
}

func (o indexPrinter) print(hits []hit) error {
	format := "%d\n"
	if o.json {
		format = "{\"index\":%d}\n"
	}
	for _, h := range hits {
		if _, err := fmt.Fprintf(o.out, format, h.index); err != nil {
			return err
		}
	}
	return nil
}

// A linePrinter prints events as tail does.
type linePrinter struct{ out outlet }

func (o linePrinter) print(hits []hit) error {
	for i := range hits {
		h := &hits[i]
		text := fmt.Sprintf("%d  (%s)", h.index, command.Escape(h.missing()))
		if h.entry != nil {
			line, err := describeEntry(h.entry)
			if err != nil {
				return err
			}
			text = line.text()
		}
		if _, err := fmt.Fprintln(o.out, text); err != nil {
			return err
		}
	}
	return nil
}

// A jsonPrinter prints events as get --json does.
type jsonPrinter struct {
	out      outlet
	receipts bool
}

func (o jsonPrinter) print(hits []hit) error {
	for i := range hits {
		line, err := formatJSON(o.entryFile(&hits[i]), "")
		if err != nil {
			return err
		}
		if o.out.terminal {
			line = []byte(command.EscapeText(string(line)))
		}
		if _, err := o.out.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func (o jsonPrinter) entryFile(h *hit) entryFile {
	if h.entry == nil {
		return entryFile{Index: h.index, Problem: h.problem}
	}
	return entryFile{
		Index: h.index, Leaf: h.entry.Leaf, Stream: h.entry.Stream, Disclosure: h.entry.Disclosure,
		Reasons: h.entry.Reasons, FieldKeys: h.entry.FieldKeys, Receipt: h.receipt,
	}
}
