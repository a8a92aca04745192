package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

func (p *program) streamCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "stream",
		Short: "Add, change and list streams",
		Long: `A stream is a sequence of events that are treated alike. Its settings say which
fields of an event are declared, so that they can be searched exactly and provably, which of
them name data subjects, and how long entries are kept.

Every change is an entry of the log. Entries that are there keep the settings
that they were recorded under.`,
	}
	c.AddCommand(
		p.streamSetCommand("add", "Add a stream", (*admin).addStream),
		p.streamSetCommand("set", "Change a stream from here on", (*admin).setStream),
		p.streamListCommand())
	return c
}

func (p *program) streamSetCommand(use, short string, act func(*admin, context.Context, ledger.StreamConfig) error) *cobra.Command {
	var class string
	var fields, subjects []string
	var closed bool
	c := &cobra.Command{
		Use:   use + " NAME",
		Short: short,
		Long: short + `.

A field is given as NAME=PATH, where PATH is a JSON path such as
$.userIdentity.arn, or short userIdentity.arn.`,
		Example: fmt.Sprintf("  cairnd stream %s cloud --field action=eventName --subject actor=userIdentity.arn --class standard", use),
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s := ledger.StreamConfig{Name: args[0], Class: class, Closed: closed, Fields: []ledger.FieldConfig{}}
			for i, list := range [][]string{fields, subjects} {
				for _, f := range list {
					name, path, ok := strings.Cut(f, "=")
					if !ok {
						return command.Usage("%q is not NAME=PATH", f)
					}
					s.Fields = append(s.Fields, ledger.FieldConfig{Name: name, Path: path, Subject: i == 1})
				}
			}
			a, err := p.dial()
			if err != nil {
				return err
			}
			if err := act(a, c.Context(), s); err != nil {
				return err
			}
			p.Say("stream %s is set", s.Name)
			return nil
		},
	}
	c.Flags().StringVar(&class, "class", "", "retention class of its entries (default \"standard\")")
	c.Flags().StringArrayVar(&fields, "field", nil, "declare a field: NAME=PATH (repeat)")
	c.Flags().StringArrayVar(&subjects, "subject", nil, "declare a field whose values name data subjects: NAME=PATH (repeat)")
	c.Flags().BoolVar(&closed, "closed", false, "take no more entries")
	return c
}

func (p *program) streamListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the streams",
		Example: "  cairnd stream list",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := p.dial()
			if err != nil {
				return err
			}
			streams, err := a.streams(c.Context())
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(streams)
			}
			t := command.NewTable(p.Stdout)
			t.Row("STREAM", "CLASS", "FIELDS")
			for _, s := range streams {
				t.Row(s.Name, s.Class, strings.Join(describeFields(s.Fields), " "))
			}
			return t.Flush()
		},
	}
	p.jsonFlag(c)
	return c
}

func describeFields(fields []ledger.FieldConfig) []string {
	var out []string
	for _, f := range fields {
		s := f.Name + "=" + f.Path
		if f.Subject {
			s += " (subject)"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func (p *program) retentionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "retention",
		Short: "Add and list retention classes",
		Long: `A retention class says how long entries are kept. Entries of a class and a
period share a bucket, whose keys end together.`,
	}
	var class ledger.ClassConfig
	add := &cobra.Command{
		Use:     "add NAME",
		Short:   "Add a retention class",
		Example: "  cairnd retention add seven-years --days 2557 --period month",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			class.Name = args[0]
			a, err := p.dial()
			if err != nil {
				return err
			}
			if err := a.addClass(c.Context(), class); err != nil {
				return err
			}
			p.Say("retention class %s is added", class.Name)
			return nil
		},
	}
	add.Flags().Uint32Var(&class.Days, "days", 0, "how long entries are kept; 0: for ever")
	add.Flags().StringVar(&class.Period, "period", "month", "how long one bucket takes entries: day or month")
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the retention classes",
		Example: "  cairnd retention list",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := p.dial()
			if err != nil {
				return err
			}
			classes, err := a.classes(c.Context())
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(classes)
			}
			t := command.NewTable(p.Stdout)
			t.Row("CLASS", "DAYS", "PERIOD")
			for _, k := range classes {
				days := "for ever"
				if k.Days > 0 {
					days = fmt.Sprint(k.Days)
				}
				t.Row(k.Name, days, k.Period)
			}
			return t.Flush()
		},
	}
	p.jsonFlag(list)
	c.AddCommand(add, list)
	return c
}
