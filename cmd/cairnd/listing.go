package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A listing is what a command lists of what the server keeps.
type listing[T any] struct {
	ask  func(*admin, context.Context) ([]T, error)
	head []string
	row  func(T) []string
}

// listCommand returns a command that prints a listing: a table with a row for
// each, or JSON.
func listCommand[T any](p *program, short, example string, l listing[T]) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   short,
		Example: example,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, all, err := look(c.Context(), p, l.ask)
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(all)
			}
			t := command.NewTable(p.Stdout)
			t.Row(l.head...)
			for _, one := range all {
				t.Row(l.row(one)...)
			}
			return t.Flush()
		},
	}
	p.jsonFlag(c)
	return c
}
