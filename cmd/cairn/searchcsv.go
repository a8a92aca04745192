package main

import (
	"bytes"
	"regexp"
	"strings"
)

// A csvPrinter prints events as RFC 4180 has it, under a line with the names of
// the columns.
type csvPrinter struct {
	out     outlet
	columns []column
	chosen  bool // the columns were asked for
	indices bool // there is nothing else
	several bool // streams
	begun   bool

	omitted []string // fields of later events that there are no columns of
}

func (o *csvPrinter) leftOut() []string { return o.omitted }

func (o *csvPrinter) print(hits []hit) error {
	var b bytes.Buffer
	if !o.begun {
		if err := o.begin(hits); err != nil {
			return err
		}
		var names []string
		for _, c := range o.columns {
			names = append(names, c.name)
		}
		o.row(&b, names)
	}
	if !o.chosen {
		o.omitted = columnless(o.omitted, o.columns, declaredColumns(hits))
	}
	for i := range hits {
		var cells []string
		for _, c := range o.columns {
			cells = append(cells, strings.Join(c.values(&hits[i]), ", "))
		}
		o.row(&b, cells)
	}
	_, err := o.out.Write(b.Bytes())
	return err
}

// begin chooses the columns: where none are asked for, all fields that are declared
// for the first events or, where there are none, their payloads.
func (o *csvPrinter) begin(hits []hit) error {
	o.begun = true
	switch {
	case o.chosen && o.several:
		return nil // another stream can declare a field
	case o.chosen:
		return checkColumns(o.columns, hits)
	}
	names := []string{"index"}
	if !o.indices {
		names = append(names, "time")
		if o.several {
			names = append(names, "stream")
		}
	}
	columns, err := parseColumns(names)
	if err != nil {
		return err
	}
	declared := declaredColumns(hits)
	if len(declared) == 0 && !o.indices {
		if declared, err = parseColumns([]string{"payload"}); err != nil {
			return err
		}
	}
	o.columns = append(columns, declared...)
	return nil
}

// row writes a line.
func (o *csvPrinter) row(b *bytes.Buffer, cells []string) {
	for i, cell := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(formatCell(o.out.safe(cell)))
	}
	b.WriteString("\r\n")
}

// plainNumber is what begins like a formula and is none.
var plainNumber = regexp.MustCompile(`^-(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// formatCell returns a cell of comma-separated values. One that a spreadsheet would
// take for a formula begins with an apostrophe, as OWASP has it, and whatever some
// program might take for the end of a cell is in quotes.
func formatCell(text string) string {
	if text != "" && strings.ContainsAny(text[:1], "=+-@\t\r\n") && !plainNumber.MatchString(text) || hasWideSign(text) {
		text = "'" + text
	}
	if strings.ContainsAny(text, ",;|\t\"'\r\n") || strings.TrimSpace(text) != text {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

// hasWideSign reports whether a text begins with a sign of a formula as East Asian
// scripts have it, which some spreadsheets heed.
func hasWideSign(text string) bool {
	for _, sign := range []string{"＝", "＋", "－", "＠"} {
		if strings.HasPrefix(text, sign) {
			return true
		}
	}
	return false
}
