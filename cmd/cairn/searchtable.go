package main

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A tablePrinter prints events in columns, which are as wide as the first events
// need them. Where lines have a bound, what is longer than its column is cut.
type tablePrinter struct {
	out     outlet
	columns []column
	widths  []int
	chosen  bool // the columns were asked for
	several bool // streams
	begun   bool

	omitted []string // fields that have values, and no column
}

func (o *tablePrinter) leftOut() []string { return o.omitted }

const (
	columnGap    = 2
	maxTableCell = 40 // characters of a cell, where lines have a bound
	minTableCell = 8  // below which a column is not worth its room
)

func (o *tablePrinter) print(hits []hit) error {
	var b bytes.Buffer
	if !o.begun && len(hits) > 0 {
		if err := o.begin(hits); err != nil {
			return err
		}
		var names []string
		for i, c := range o.columns {
			names = append(names, o.cut(c.title(), i))
		}
		o.row(&b, names, "")
	}
	if !o.chosen {
		o.omitted = columnless(o.omitted, o.columns, withValues(hits))
	}
	for i := range hits {
		h := &hits[i]
		o.row(&b, o.cells(h), h.note())
	}
	_, err := o.out.Write(b.Bytes())
	return err
}

// note says what of an event is not shown; empty: nothing.
func (h *hit) note() string {
	why := h.missing()
	if why == "" && h.entry.Disclosure != nil {
		if erased := erasedFrom(h.entry.Disclosure, h.payload); erased != nil {
			why = erased.String()
		}
	}
	if why == "" {
		return ""
	}
	return "(" + command.Escape(why) + ")"
}

// title returns what stands above a column.
func (c column) title() string {
	if strings.HasPrefix(c.name, "$") {
		return c.name
	}
	return strings.ToUpper(c.name)
}

// cells returns what is printed of an event, in one line each: of one that is not
// shown its index, wherever that belongs.
func (o *tablePrinter) cells(h *hit) (cells []string) {
	if h.entry == nil {
		return []string{h.indexText()}
	}
	for i, c := range o.columns {
		text := command.Escape(c.text(h))
		if c.name != "index" { // which can be longer than the first ones are
			text = o.cut(text, i)
		}
		cells = append(cells, text)
	}
	return cells
}

// text returns the values of an event in a column, as one text.
func (c column) text(h *hit) string {
	if c.name == "time" && h.entry != nil {
		return formatSeconds(h.leaf.Time / 1e6)
	}
	return strings.Join(c.values(h), ", ")
}

// row writes a line, and behind its last cell a note, which is not cut.
func (o *tablePrinter) row(b *bytes.Buffer, cells []string, note string) {
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	var line []string
	for i, cell := range cells {
		line = append(line, pad(cell, o.widths[i]))
	}
	if note != "" {
		line = append(line, note)
	}
	b.WriteString(strings.TrimRight(strings.Join(line, strings.Repeat(" ", columnGap)), " ") + "\n")
}

// begin chooses the columns and their widths by the first events.
func (o *tablePrinter) begin(hits []hit) error {
	o.begun = true
	if o.chosen {
		for _, c := range o.columns {
			o.widths = append(o.widths, o.widthOf(c, hits))
		}
		if o.several { // another one can declare a field
			return nil
		}
		return checkColumns(o.columns, hits)
	}
	names := []string{"index", "time"}
	if o.several {
		names = append(names, "stream")
	}
	all, err := parseColumns(names)
	if err != nil {
		return err
	}
	declared := withValues(hits)
	if len(declared) == 0 {
		if declared, err = parseColumns([]string{"payload"}); err != nil {
			return err
		}
	}
	for _, c := range all {
		o.add(c, o.widthOf(c, hits))
	}
	o.fit(declared, hits)
	return nil
}

// withValues returns the columns of declared fields that some events have values of.
func withValues(hits []hit) []column {
	return slices.DeleteFunc(declaredColumns(hits), func(c column) bool {
		for i := range hits {
			if len(c.values(&hits[i])) > 0 {
				return false
			}
		}
		return true
	})
}

func (o *tablePrinter) add(c column, width int) {
	o.columns, o.widths = append(o.columns, c), append(o.widths, width)
}

// widthOf returns how wide a column has to be for its title and some events.
func (o *tablePrinter) widthOf(c column, hits []hit) int {
	width := utf8.RuneCountInString(c.title())
	for i := range hits {
		width = max(width, utf8.RuneCountInString(command.Escape(c.text(&hits[i]))))
	}
	if o.out.width > 0 && c.name != "payload" {
		width = min(width, max(maxTableCell, utf8.RuneCountInString(c.title())))
	}
	return width
}

// fit adds the columns that there is room for, in their order. The last one may be
// cut.
func (o *tablePrinter) fit(columns []column, hits []hit) {
	used := 0
	for _, w := range o.widths {
		used += w + columnGap
	}
	for i, c := range columns {
		width := o.widthOf(c, hits)
		if o.out.width > 0 {
			room := o.out.width - used
			if room < min(width, minTableCell) && i > 0 {
				return
			}
			width = min(width, max(room, minTableCell))
		}
		o.add(c, width)
		used += width + columnGap
	}
}

// pad adds spaces to a text up to a width in characters.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// cut returns what there is room for of a text in a column: where it is cut, the last
// character says so.
func (o *tablePrinter) cut(text string, column int) string {
	width := o.widths[column]
	if o.out.width == 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}
