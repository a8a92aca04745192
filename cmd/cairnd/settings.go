package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	c.AddCommand(p.streamAddCommand(), p.streamSetCommand(), p.streamListCommand())
	p.remoteFlags(c)
	return c
}

// streamFlags are the settings of a stream as flags.
type streamFlags struct {
	class            string
	fields, subjects []string
	closed, none     bool
	reason, split    bool
}

func (o *streamFlags) define(f *pflag.FlagSet) {
	f.StringVar(&o.class, "class", "", "retention class of its entries (default \"standard\")")
	f.StringArrayVar(&o.fields, "field", nil, "declare a field: NAME=PATH[,about=FIELD] (repeat)")
	f.StringArrayVar(&o.subjects, "subject", nil, "declare a field whose values name data subjects: NAME=PATH[,about=FIELD] (repeat)")
	f.BoolVar(&o.split, "split", false, "seal events in parts, so that each subject closes only what concerns it")
	f.BoolVar(&o.reason, "reason-needed", false, "demand a reason of whoever reads its entries")
	f.BoolVar(&o.closed, "closed", false, "take no more entries")
}

// apply changes the settings that flags were given for.
func (o *streamFlags) apply(s *ledger.StreamConfig, given func(flag string) bool) error {
	if given("class") {
		s.Class = o.class
	}
	if given("closed") {
		s.Closed = o.closed
	}
	if given("split") {
		s.Split = o.split
	}
	if given("reason-needed") {
		s.Reason = o.reason
	}
	declares := given("field") || given("subject")
	if declares && o.none {
		return command.Usage("--no-fields cannot be with --field or --subject")
	}
	if declares || o.none {
		s.Fields = []ledger.FieldConfig{}
	}
	for i, list := range [][]string{o.fields, o.subjects} {
		for _, text := range list {
			f, err := parseField(text)
			if err != nil {
				return err
			}
			f.Subject = i == 1
			s.Fields = append(s.Fields, f)
		}
	}
	return checkSplit(s)
}

// checkSplit refuses parts without anybody to divide them by. The server would
// too, but tells a custodian first that such a change is not for custodians;
// to give up fields and parts together is.
func checkSplit(s *ledger.StreamConfig) error {
	if !s.Split || slices.ContainsFunc(s.Fields, func(f ledger.FieldConfig) bool { return f.Subject }) {
		return nil
	}
	return command.Hinted(command.Usage("stream %s seals events in parts, by the people whom their fields name, and then no field of the stream names any", s.Name),
		"declare one with: --subject NAME=PATH; or have events sealed whole, with: --split=false")
}

// parseField reads NAME=PATH[,about=FIELD]. A path can have any characters in
// quotes and brackets, and a name of a field has none of those.
func parseField(text string) (ledger.FieldConfig, error) {
	name, path, ok := strings.Cut(text, "=")
	if !ok {
		return ledger.FieldConfig{}, command.Usage("%q is not NAME=PATH", text)
	}
	f := ledger.FieldConfig{Name: name, Path: path}
	const about = ",about="
	if i := strings.LastIndex(path, about); i >= 0 && !strings.ContainsAny(path[i+len(about):], `'"]`) {
		f.Path, f.About = path[:i], path[i+len(about):]
		if f.About == "" {
			return f, command.Usage("%q does not say which field it is about", text)
		}
	}
	return f, nil
}

const howFieldsAreGiven = `

A field is given as NAME=PATH, where PATH is a JSON path such as
$.userIdentity.arn, or short userIdentity.arn. With ,about=FIELD behind it, its
values concern those whom that field names in the same event.

An event can be read until one of the subjects that it concerns is erased. With
--split it is sealed in parts, and then loses only the values that name the one
who was erased, or that are about a field that does.`

func (p *program) streamAddCommand() *cobra.Command {
	var o streamFlags
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a stream",
		Long:  "Add a stream." + howFieldsAreGiven,
		Example: `  cairnd stream add cloud --field action=eventName --subject actor=userIdentity.arn --class standard
  cairnd stream add mail --split --subject from=sender.id --subject to=receivers[*].id --field name=sender.name,about=from`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s := ledger.StreamConfig{Name: args[0], Fields: []ledger.FieldConfig{}}
			if err := o.apply(&s, c.Flags().Changed); err != nil {
				return err
			}
			a, err := p.reach()
			if err != nil {
				return err
			}
			changed, err := a.addStream(c.Context(), s)
			if err != nil {
				return err
			}
			return p.tellChanged(changed, "stream "+s.Name+" is added")
		},
	}
	o.define(c.Flags())
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) streamSetCommand() *cobra.Command {
	var o streamFlags
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Change a stream from here on",
		Long: `Change a stream from here on. What no flag is given for stays as it is; fields
that are given take the place of all that were declared.

Where two custodians are needed, what takes something from the stream is only
requested: that it keeps entries for less time, can be read without a reason, seals
events no more in parts, or declares a field no more.` + howFieldsAreGiven,
		Example: "  cairnd stream set cloud --class seven-years --reason 'ticket 42'\n  cairnd stream set cloud --closed",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := p.reach()
			if err != nil {
				return err
			}
			s, err := a.stream(c.Context(), args[0])
			if err != nil {
				return err
			}
			if err := o.apply(&s, c.Flags().Changed); err != nil {
				return err
			}
			changed, err := a.setStream(c.Context(), s)
			if err != nil {
				return err
			}
			return p.tellChanged(changed, "stream "+s.Name+" is set")
		},
	}
	o.define(c.Flags())
	c.Flags().BoolVar(&o.none, "no-fields", false, "declare no field any more")
	p.reasonFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) streamListCommand() *cobra.Command {
	return listCommand(p, "List the streams", "  cairnd stream list", listing[ledger.StreamConfig]{
		ask:  (*admin).streams,
		head: []string{"STREAM", "CLASS", "TAKES", "REASON", "FIELDS"},
		row: func(s ledger.StreamConfig) []string {
			reason := "-"
			if s.Reason {
				reason = "needed"
			}
			return []string{s.Name, s.Class, describeTaken(s), reason, strings.Join(describeFields(s.Fields), " ")}
		},
	})
}

// describeTaken says what a stream takes.
func describeTaken(s ledger.StreamConfig) string {
	switch {
	case s.Closed:
		return "nothing"
	case s.Split:
		return "entries in parts"
	}
	return "entries"
}

// describeStream says how a stream is, or is to be.
func describeStream(s ledger.StreamConfig) string {
	out := []string{"class " + s.Class, "takes " + describeTaken(s)}
	if s.Reason {
		out = append(out, "a reason is needed")
	}
	fields := "no fields"
	if len(s.Fields) > 0 {
		fields = "fields " + strings.Join(describeFields(s.Fields), " ")
	}
	return s.Name + ": " + strings.Join(append(out, fields), ", ")
}

func describeFields(fields []ledger.FieldConfig) []string {
	var out []string
	for _, f := range fields {
		s := f.Name + "=" + f.Path
		var is []string
		if f.Subject {
			is = append(is, "subject")
		}
		if f.About != "" {
			is = append(is, "about "+f.About)
		}
		if is != nil {
			s += " (" + strings.Join(is, ", ") + ")"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
