package ledger

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

// AddStream adds a stream and returns the index of its settings entry.
func (s *Session) AddStream(ctx context.Context, c StreamConfig) (uint64, error) {
	s.l.settings.Lock()
	defer s.l.settings.Unlock()
	if err := checkName("stream", c.Name); err != nil {
		return 0, err
	}
	if _, ok := s.l.state.streamNamed(c.Name); ok {
		return 0, client.NewProblem(client.AlreadyExists, fmt.Sprintf("there is a stream %q", c.Name), "change it with: cairnd stream set "+c.Name)
	}
	number, err := s.l.state.nextStream()
	if err != nil {
		return 0, err
	}
	x, err := c.settings(s.l, &stream{Number: number})
	if err != nil {
		return 0, err
	}
	x.what = proofs.ActStreamAdd
	return s.l.setSettings(ctx, x, x.act(s.caller))
}

// SetStream replaces the settings of a stream from here on. Entries that are
// there keep theirs. Where two custodians are needed, to take something from
// the stream (see [proofs.StreamBody.Weakens]) is only requested, and the index
// is that of the request; else it is that of the settings entry.
func (s *Session) SetStream(ctx context.Context, c StreamConfig) (index uint64, requested bool, err error) {
	return s.set(ctx, c)
}

func (c StreamConfig) setting(l *Ledger) (*setting, error) {
	old, ok := l.state.streamNamed(c.Name)
	if !ok {
		return nil, client.NewProblem(client.NoSuchStream, fmt.Sprintf("there is no stream %q", c.Name), "add it with: cairnd stream add "+c.Name)
	}
	stream, _ := l.state.stream(old.Body.Stream)
	return c.settings(l, stream)
}

// settings returns what the config says of a stream, which has its number.
func (c StreamConfig) settings(l *Ledger, stream *stream) (*setting, error) {
	if c.Class == "" {
		c.Class = DefaultClass
	}
	class, ok := l.state.classNamed(c.Class)
	if !ok || class.Body.Class == accessClass {
		return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("there is no retention class %q for streams", c.Class), "add it with: cairnd retention add "+c.Class)
	}
	if err := c.checkSubjects(); err != nil {
		return nil, err
	}
	fields, err := numberFields(c.Fields, stream.History)
	if err != nil {
		return nil, err
	}
	if _, err := proofs.NewExtractor(fields); err != nil {
		return nil, client.NewProblem(client.BadRequest, err.Error(), "")
	}
	names := proofs.StreamSettings{Name: c.Name, Fields: fields}
	if names.Fields == nil {
		names.Fields = []proofs.Field{}
	}
	x := &setting{what: proofs.ActStreamSet, name: c.Name, config: c, names: names}
	x.body.Stream = &proofs.StreamBody{
		Stream: stream.Number, Class: class.Body.Class, Closed: c.Closed, Reason: c.Reason, Split: c.Split, Fields: names.Body(),
	}
	if len(stream.History) > 0 {
		x.since = stream.now().Since
	}
	return x, nil
}

// numberFields gives each field its number: the one it always had, if the
// stream ever declared it in the same way, or the next. Reserved names only a
// stream may use that has had such a field.
func numberFields(fields []FieldConfig, history []streamSettings) ([]proofs.Field, error) {
	known, last := make(map[FieldConfig]uint16), uint16(0)
	named := make(map[string]bool)
	for _, h := range history {
		for _, f := range h.Fields {
			named[f.Name] = true
			known[FieldConfig{Name: f.Name, Path: f.Path, Subject: f.Subject, About: f.About}] = f.Number
			last = max(last, f.Number)
		}
	}
	var out []proofs.Field
	for _, f := range fields {
		if query.Reserved(f.Name) && !named[f.Name] {
			return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("no field can be called %s: it is a word of the language in which entries are searched", f.Name), "choose another name")
		}
		if f.Path != "" { // without a path its values come beside the data only
			path, err := proofs.NormalizePath(f.Path)
			if err != nil {
				return nil, client.NewProblem(client.BadRequest, fmt.Sprintf("field %q: %v", f.Name, err), "a path looks like $.userIdentity.arn")
			}
			f.Path = path
		}
		number, ok := known[f]
		if !ok {
			if last == math.MaxUint16 {
				return nil, client.NewProblem(client.Invalid, fmt.Sprintf("the stream has declared %d fields, and can declare no more", last), "add another stream")
			}
			last++
			number, known[f] = last, last
		}
		out = append(out, proofs.Field{Number: number, Name: f.Name, Path: f.Path, Subject: f.Subject, About: f.About})
	}
	slices.SortFunc(out, func(a, b proofs.Field) int { return int(a.Number) - int(b.Number) })
	return out, nil
}

// noStream returns the problem that there is no stream of a name.
func noStream(name string) error {
	return client.NewProblem(client.NoSuchStream, fmt.Sprintf("there is no stream %q", name), "see which there are with: cairnd stream list")
}
