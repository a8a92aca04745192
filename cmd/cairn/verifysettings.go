package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
)

// parseStreams reads the settings of streams that are given to be believed: of
// one as its settings entry seals them, or of all as the ledger lists them, which
// says more of each and leaves out the numbers of the fields. Those are 0 then.
func parseStreams(b []byte) (streams []proofs.StreamSettings, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: stream settings: %v", proofs.ErrMalformed, err)
		}
	}()
	if err := proofs.CheckJSON(b); err != nil {
		return nil, err
	}
	if isList(b) {
		err = json.Unmarshal(b, &streams)
	} else {
		streams = make([]proofs.StreamSettings, 1)
		err = json.Unmarshal(b, &streams[0])
	}
	if err != nil {
		return nil, err
	}
	for _, s := range streams {
		if s.Name == "" {
			return nil, errors.New("one has no name")
		}
		fields := slices.Clone(s.Fields)
		if !haveNumbers(fields) {
			for i := range fields {
				fields[i].Number = uint16(i + 1)
			}
		}
		if err := proofs.ValidateFields(fields); err != nil {
			return nil, fmt.Errorf("stream %q: %w", s.Name, err)
		}
	}
	return streams, nil
}

// isList reports whether JSON is an array.
func isList(b []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("[")) }

// haveNumbers reports whether any field has a number.
func haveNumbers(fields []proofs.Field) bool {
	return slices.ContainsFunc(fields, func(f proofs.Field) bool { return f.Number != 0 })
}

// hintSettings says where the settings are that an entry was recorded under.
const hintSettings = "a list of streams says what holds now; what an entry was recorded under is printed by: cairn get --json --settings %d"

// usedSettings are those that the tags of an entry are computed again by.
type usedSettings struct {
	name   string // for people
	fields []proofs.Field
	ofNow  bool // they come from a list, and may not be those that the entry was recorded under

	stream *proofs.StreamBody // what else they say; nil: not known
}

// settingsFor returns the settings for an entry; nil: there are none.
func (c *tagContext) settingsFor(e *entryFile, leaf proofs.Leaf) (*usedSettings, error) {
	switch {
	case c.settings != nil && c.stream != leaf.Stream:
		return nil, command.Usage("the settings are of stream %d, and the entry is of stream %d", c.stream, leaf.Stream)
	case c.settings != nil:
		return &usedSettings{name: fmt.Sprintf("the settings of stream %q in entry %d", c.settings.Name, *c.set), fields: c.settings.Fields, stream: c.body}, nil
	case !c.isGiven:
		return nil, nil
	}
	s, err := c.givenFor(e)
	if err != nil {
		return nil, err
	}
	used := &usedSettings{name: fmt.Sprintf("the settings of stream %q as they were given", s.Name), fields: s.Fields}
	if len(s.Fields) > 0 && !haveNumbers(s.Fields) {
		used.fields, err = numberFields(s, e)
		used.ofNow = true
	}
	return used, err
}

// givenFor returns of the settings that were given those of the stream that an
// entry's file says it is of.
func (c *tagContext) givenFor(e *entryFile) (s proofs.StreamSettings, err error) {
	var names []string
	found := 0
	for _, given := range c.given {
		names = append(names, fmt.Sprintf("%q", given.Name))
		if given.Name == e.Stream || e.Stream == "" && len(c.given) == 1 {
			s = given
			found++
		}
	}
	switch {
	case found == 1:
		return s, nil
	case found > 1:
		return s, command.Usage("--settings has stream %q twice", e.Stream)
	case e.Stream == "":
		return s, command.Usage("the file does not say which stream entry %d is of: give the settings of that one alone with --settings", e.Index)
	case len(names) == 0:
		return s, command.Usage("--settings has no stream %q, and no other", e.Stream)
	}
	return s, command.Usage("--settings has no stream %q: it has %s", e.Stream, strings.Join(names, ", "))
}

// numberFields gives the fields of a list their numbers. The entry has a key of
// each field that its stream declared when it was recorded, by number, and
// lists have fields in the order of their numbers.
func numberFields(s proofs.StreamSettings, e *entryFile) ([]proofs.Field, error) {
	numbers := slices.Sorted(maps.Keys(e.FieldKeys))
	switch len(numbers) {
	case 0:
		return nil, command.Hinted(fmt.Errorf("entry %d: the file has no field keys", e.Index), "cairn get --json prints the entry with them")
	case len(s.Fields):
	default:
		return nil, command.Hinted(command.Usage("stream %q declares %d fields in --settings, and %d at entry %d",
			s.Name, len(s.Fields), len(numbers), e.Index), hintSettings, e.Index)
	}
	fields := slices.Clone(s.Fields)
	for i, number := range numbers {
		fields[i].Number = number
	}
	if err := proofs.ValidateFields(fields); err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Index, err)
	}
	return fields, nil
}
