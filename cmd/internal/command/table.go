package command

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A Table prints aligned columns for people. Cells are escaped.
type Table struct{ w *tabwriter.Writer }

// NewTable returns a table without rows. It is printed by Flush.
func NewTable(w io.Writer) Table {
	return Table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

// Row adds a row.
func (t Table) Row(cells ...string) {
	for i, c := range cells {
		cells[i] = Escape(c)
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// Flush prints the rows.
func (t Table) Flush() error { return t.w.Flush() }
