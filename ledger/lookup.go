package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/proofs"
)

// A lookup is a question as the ledger understands it: what is looked for, and
// in which streams. What the caller may not read is no part of it.
type lookup struct {
	s       *Session
	expr    query.Expr
	pinned  bool              // nothing of another stream fits
	streams []*streamSettings // in the order of their numbers
}

// lookup reads a question about a stream, or about all that the caller may read
// if it names none.
func (s *Session) lookup(text, stream string) (*lookup, error) {
	q, err := query.Parse(text, s.l.cfg.Clock())
	if err != nil {
		return nil, badQuery(err)
	}
	k := &lookup{s: s, expr: q.Expr}
	names, pinned := streamsOf(q.Expr)
	if stream != "" {
		names, pinned = []string{stream}, true
	}
	if k.pinned = pinned; !pinned {
		names = s.readable()
	}
	if err := k.choose(names); err != nil {
		return nil, err
	}
	if err := query.CheckFields(q, k.fieldNames()); err != nil {
		return nil, badQuery(err)
	}
	return k, nil
}

// badQuery returns the problem that a query is no query.
func badQuery(err error) error {
	var bad *query.Error
	if !errors.As(err, &bad) {
		return err
	}
	hint := bad.Hint
	bad.Hint = "" // or it would be said twice
	return client.NewProblem(client.BadRequest, bad.Error(), hint)
}

// streamsOf returns the names of the streams that all entries are of which fit
// an expression; ok is false where it says nothing of that.
func streamsOf(e query.Expr) (names []string, ok bool) {
	switch e := e.(type) {
	case query.Stream:
		return []string{e.Name}, true
	case query.And:
		for _, part := range e.List {
			if some, pinned := streamsOf(part); pinned && !ok {
				names, ok = some, true
			} else if pinned {
				names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(some, n) })
			}
		}
	case query.Or:
		for _, part := range e.List {
			some, pinned := streamsOf(part)
			if !pinned {
				return nil, false
			}
			names = append(names, some...)
		}
		return slices.Compact(slices.Sorted(slices.Values(names))), true
	}
	return names, ok
}

// readable returns the names of the streams that the caller may read.
func (s *Session) readable() (names []string) {
	for _, stream := range s.l.state.streamList() {
		if name := stream.now().Name; s.may(proofs.Event, name) {
			names = append(names, name)
		}
	}
	return names
}

// choose chooses the streams that are searched.
func (k *lookup) choose(names []string) error {
	for _, name := range names {
		var p *client.Problem
		if err := k.s.mayRead(proofs.Event, name); errors.As(err, &p) {
			if !k.pinned && p.Code() == client.ReasonNeeded {
				p.Hint = "name the streams to search, as in stream:NAME, or state a reason, with --reason or the header Cairn-Reason; it is recorded"
			}
			return p
		} else if err != nil {
			return err
		}
		settings, ok := k.s.l.state.streamNamed(name)
		if !ok {
			return noStream(name)
		}
		k.streams = append(k.streams, settings)
	}
	slices.SortFunc(k.streams, func(a, b *streamSettings) int { return cmp.Compare(a.Body.Stream, b.Body.Stream) })
	return nil
}

// names returns the names of the streams that are searched.
func (k *lookup) names() []string {
	names := make([]string, 0, len(k.streams))
	for _, settings := range k.streams {
		names = append(names, settings.Name)
	}
	return names
}

// about returns the stream that the question is about: none if it is about
// several.
func (k *lookup) about() string {
	if len(k.streams) == 1 {
		return k.streams[0].Name
	}
	return ""
}

// fieldNames returns the names of all fields that the streams declare or once
// declared.
func (k *lookup) fieldNames() (names []string) {
	for _, settings := range k.streams {
		s, _ := k.s.l.state.stream(settings.Body.Stream)
		for _, h := range s.History {
			for _, f := range h.Fields {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// recorded returns what of the question is recorded: nothing that may name
// somebody, for no erasure would close it. These are words, values of fields that
// name data subjects, and values at paths.
func (k *lookup) recorded() string {
	const hidden = "…"
	return query.Format(query.Map(k.expr, func(e query.Expr) query.Expr {
		switch e := e.(type) {
		case query.Word:
			e.Text = hidden
			return e
		case query.Phrase:
			return query.Phrase{Words: []string{hidden, hidden}, Prefix: e.Prefix}
		case query.Field:
			if e.Value != "" && k.mayName(e) {
				e.Value = hidden
			}
			return e
		}
		return e
	}))
}

// mayName reports whether the values of a field may name data subjects.
func (k *lookup) mayName(f query.Field) bool {
	return f.Path != "" || slices.ContainsFunc(k.streams, func(s *streamSettings) bool {
		return len(k.s.l.fieldNumbers(s.Body.Stream, f.Name)) > 0 && k.s.l.namesSubjects(s.Name, f.Name)
	})
}

// act returns the act that the question is.
func (k *lookup) act() proofs.Act {
	act := k.s.caller.act(proofs.ActSearch)
	act.Stream, act.Query = k.about(), k.recorded()
	return act
}

// mayFit reports whether anything of a stream can fit.
func (k *lookup) mayFit(stream string) bool {
	return !k.pinned || slices.ContainsFunc(k.streams, func(s *streamSettings) bool { return s.Name == stream })
}

// fits reports whether an entry fits, by its payload.
func (k *lookup) fits(ctx context.Context, index uint64) (bool, error) {
	e, err := k.s.l.toFind(ctx, index)
	if e == nil || err != nil {
		return false, err
	}
	d, err := e.document()
	return err == nil && query.Match(k.expr, d), err
}
