package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// A column is what is printed of each event under one name.
type column struct {
	name   string
	values func(h *hit) []string // none: the event has nothing there
	field  bool                  // it is that of a declared field
}

// parseColumn returns the column of a name: of a JSON path, of what every event
// has, or else of a declared field. Fields called appender and payload are before
// what every event has.
func parseColumn(name string) (column, error) {
	if strings.HasPrefix(name, "$") {
		return pathColumn(name)
	}
	one := func(value func(h *hit) string) func(h *hit) []string {
		return func(h *hit) []string {
			if v := value(h); v != "" {
				return []string{v}
			}
			return nil
		}
	}
	field := func(h *hit) []string { return h.fields()[name] }
	orElse := func(value func(h *hit) string) func(h *hit) []string {
		return func(h *hit) []string {
			if h.declares(name) {
				return field(h)
			}
			return one(value)(h)
		}
	}
	switch name {
	case "":
		return column{}, command.Usage("a column has a name")
	case "index":
		return column{name: name, values: one((*hit).indexText)}, nil
	case "time":
		return column{name: name, values: one((*hit).timeText)}, nil
	case "stream":
		return column{name: name, values: one((*hit).streamText)}, nil
	case "source":
		return column{name: name, values: one(func(h *hit) string { return h.payload.Source })}, nil
	case "appender":
		return column{name: name, values: orElse(func(h *hit) string { return h.payload.Appender })}, nil
	case "payload":
		return column{name: name, values: orElse(func(h *hit) string { return string(h.payload.Data) })}, nil
	}
	return column{name: name, values: field, field: true}, nil
}

// pathColumn returns the column of a path into payloads that are JSON.
func pathColumn(path string) (column, error) {
	canonical, err := proofs.NormalizePath(path)
	if err != nil {
		return column{}, command.Usage("column: %w", err)
	}
	x, err := proofs.NewExtractor([]proofs.Field{{Number: 1, Name: "column", Path: canonical}})
	if err != nil {
		return column{}, command.Usage("column: %w", err)
	}
	return column{name: path, values: func(h *hit) (values []string) {
		for _, v := range h.extract(x) {
			values = append(values, string(v.Value))
		}
		return values
	}}, nil
}

// parseColumns returns the columns of names.
func parseColumns(names []string) (columns []column, err error) {
	for _, name := range names {
		c, err := parseColumn(name)
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// declaredColumns returns the columns of the fields that are declared for some
// events, in their order: those of the latest settings first.
func declaredColumns(hits []hit) (columns []column) {
	var seen []*declaration
	for i := range hits {
		if d := hits[i].declared; d != nil && !slices.Contains(seen, d) {
			seen = append(seen, d)
		}
	}
	slices.SortFunc(seen, func(a, b *declaration) int {
		return cmp.Or(cmp.Compare(a.stream, b.stream), cmp.Compare(b.index, a.index))
	})
	for _, d := range seen {
		for _, f := range d.fields {
			if !slices.ContainsFunc(columns, func(c column) bool { return c.name == f.Name }) {
				columns = append(columns, column{name: f.Name, field: true, values: func(h *hit) []string { return h.fields()[f.Name] }})
			}
		}
	}
	return columns
}

// columnless returns the names of columns, beside some that there are already, for which
// there is no column.
func columnless(omitted []string, columns, wanted []column) []string {
	for _, w := range wanted {
		same := func(c column) bool { return c.name == w.name }
		if !slices.ContainsFunc(columns, same) && !slices.Contains(omitted, w.name) {
			omitted = append(omitted, w.name)
		}
	}
	return omitted
}

// checkColumns refuses the column of a field that the stream of some events does not
// declare. Where it is not known what it declares, nothing is refused.
func checkColumns(columns []column, hits []hit) error {
	unknown := func(h hit) bool { return h.declared == nil }
	if slices.ContainsFunc(hits, unknown) {
		return nil
	}
	var names []string
	for _, c := range declaredColumns(hits) {
		names = append(names, c.name)
	}
	for _, c := range columns {
		if c.field && len(hits) > 0 && !slices.Contains(names, c.name) {
			return command.Hinted(command.Usage("column: the stream declares no field %q", c.name),
				"there are %s, and the paths of members, such as $.user.name", strings.Join(append(names, "index", "time", "stream", "source", "appender", "payload"), ", "))
		}
	}
	return nil
}
