package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/client/query"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
)

// A found is what can be found of an event: its payload, opened, as far as it
// is there.
type found struct {
	index    uint64
	leaf     proofs.Leaf
	stream   *stream
	settings *streamSettings // that it was written under
	part     proofs.Part
}

// toFind opens an entry. It is nil where there is nothing to find: it is no
// event, or its payload is closed, or damaged.
func (l *Ledger) toFind(ctx context.Context, index uint64) (*found, error) {
	e, err := l.stored(ctx, index)
	if err == nil && e.leaf.Kind != proofs.Event {
		return nil, nil
	}
	var d *proofs.Disclosure
	if err == nil {
		d, err = l.openPayload(ctx, e)
	}
	switch {
	case errors.Is(err, errDestroyed):
		return nil, nil
	case isDamage(err):
		l.log.Error("an entry cannot be read, and is not found", slog.Uint64("entry", index), slog.String("error", err.Error()))
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	part, err := d.Payload()
	if err != nil {
		return nil, nil // its first part is erased
	}
	s, known := l.state.stream(e.leaf.Stream)
	if !known {
		return nil, fmt.Errorf("entry %d: there is no stream %d", index, e.leaf.Stream)
	}
	return &found{index, e.leaf, s, s.at(index), part}, nil
}

// values returns the values of declared fields.
func (f *found) values() (list []search.Value, err error) {
	if client.IsJSON(f.part.MediaType) {
		values, err := f.settings.extractor.Extract(f.part.Data)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if len(f.part.Gaps) > 0 && string(v.Value) == "null" {
				continue // it may stand for what is erased
			}
			list = append(list, search.Value{Number: v.Number, Value: v.Value})
		}
	}
	for _, given := range f.part.Fields {
		if field, ok := f.settings.field(given.Name); ok {
			list = append(list, search.Value{Number: field.Number, Value: given.Value})
		}
	}
	return list, nil
}

// indexed returns what the index is to know of the event.
func (f *found) indexed() (doc search.Document, err error) {
	doc = search.Document{Index: f.index, Time: f.leaf.Time, Bucket: f.leaf.Bucket}
	if doc.Fields, err = f.values(); err != nil {
		return doc, fmt.Errorf("entry %d: %w", f.index, err)
	}
	if f.part.Source != "" {
		doc.Fields = append(doc.Fields, search.Value{Number: search.SourceField, Value: []byte(f.part.Source)})
	}
	words := query.Words
	if client.IsJSON(f.part.MediaType) {
		words = query.JSONWords
	}
	for _, word := range words(f.part.Data) {
		doc.Words = append(doc.Words, string(word))
	}
	return doc, nil
}

// document returns the event as queries see it.
func (f *found) document() (*query.Document, error) {
	values, err := f.values()
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", f.index, err)
	}
	d := &query.Document{
		Index: f.index, Time: f.leaf.Time, Stream: f.stream.now().Name, Source: f.part.Source,
		Fields: make(map[string][]string), Payload: f.part.Data,
	}
	for _, v := range values {
		name := f.stream.fieldName(v.Number)
		d.Fields[name] = append(d.Fields[name], string(v.Value))
	}
	return d, nil
}

// fieldName returns the name of a field that the stream declares, or once did.
func (s *stream) fieldName(number uint16) string {
	for _, h := range s.History {
		for _, f := range h.Fields {
			if f.Number == number {
				return f.Name
			}
		}
	}
	return ""
}
