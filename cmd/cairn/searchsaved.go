package main

import (
	"strings"

	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A savedLine is a saved query as JSON.
type savedLine struct {
	Name  string `json:"name"`
	Query string `json:"query"`
}

// searchSaved saves a query, forgets one, or lists them.
func (p *program) searchSaved(args []string, o searchFlags) error {
	s, err := p.savedQueries()
	if err != nil {
		return err
	}
	if o.save != "" {
		return p.saveQuery(s, o.save, args)
	}
	if len(args) > 0 {
		return command.Usage("a query is given to be searched for, or with --save NAME to be saved")
	}
	if o.forget != "" {
		return s.forget(o.forget)
	}
	return p.listQueries(s, o.json)
}

// saveQuery saves what is a query, with those that it names in it.
func (p *program) saveQuery(s savedQueries, name string, args []string) error {
	text, err := s.expand(strings.TrimSpace(strings.Join(args, " ")))
	if err != nil {
		return err
	}
	if text == "" {
		return command.Usage("which query? Give it behind --save %s", name)
	}
	if strings.ContainsAny(text, "\r\n") {
		return command.Usage("a saved query is one line")
	}
	if _, err := query.Parse(text, p.clock()); err != nil {
		return queryError(err)
	}
	before, err := s.save(name, text)
	if err == nil && before != "" && before != text {
		p.Say("@%s was: %s", name, before)
	}
	return err
}

func (p *program) listQueries(s savedQueries, asJSON bool) error {
	names, err := s.names()
	if err != nil {
		return err
	}
	t := command.NewTable(p.Stdout)
	for _, name := range names {
		text, err := s.load(name)
		if err != nil {
			return err
		}
		if asJSON {
			err = p.printJSON(formatJSON(savedLine{name, text}, ""))
		} else {
			t.Row("@"+name, text)
		}
		if err != nil {
			return err
		}
	}
	return t.Flush()
}
