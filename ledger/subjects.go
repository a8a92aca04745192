package ledger

import (
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
)

// checkSubjects checks what the settings of a stream say of whom its events
// concern.
func (c StreamConfig) checkSubjects() error {
	if c.Split && !slices.ContainsFunc(c.Fields, func(f FieldConfig) bool { return f.Subject }) {
		return client.NewProblem(client.BadRequest, "events are divided by the people whom their fields name, and no field of the stream names any", "declare one with: --subject NAME=PATH")
	}
	for _, f := range c.Fields {
		if f.About == "" {
			continue
		}
		i := slices.IndexFunc(c.Fields, func(o FieldConfig) bool { return o.Name == f.About })
		switch {
		case f.About == f.Name:
			return client.NewProblem(client.BadRequest, fmt.Sprintf("field %q is about itself", f.Name), "the values of a field that names people concern them anyway")
		case i < 0:
			return client.NewProblem(client.BadRequest, fmt.Sprintf("field %q is about %q, which the stream does not declare", f.Name, f.About), "declare it with: --subject "+f.About+"=PATH")
		case !c.Fields[i].Subject:
			return client.NewProblem(client.BadRequest, fmt.Sprintf("field %q is about %q, whose values do not name people", f.Name, f.About), "declare it with: --subject "+f.About+"="+c.Fields[i].Path)
		}
	}
	return nil
}
