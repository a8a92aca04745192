package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A hit is an event that a search found. What is printed of it was verified, but
// the name of its stream.
type hit struct {
	index uint64

	entry   *client.Entry   // nil: it was not read, or is not shown
	problem *client.Problem // why it is not shown
	view    client.View     // that shows it
	leaf    proofs.Leaf
	payload proofs.Part // what is shown of it, put together
	shown   bool        // something is
	receipt []byte      // nil: it was not asked for

	declared *declaration        // by its stream, when it was recorded; nil: not known
	values   map[string][]string // of its fields
}

// A hitReader reads the events that a search found, and verifies them.
type hitReader struct {
	log     *client.HTTP
	entries *entryReader
	known   map[uint64]*declaration // by the entry with the settings; nil: it is not shown
	hidden  []uint64                // the entries with settings that are not shown
}

// read reads events, at most [client.MaxRead], and returns them in the order of
// their indices that is given. Of the settings that their streams are said to have had,
// those that are not known are read in the same read, where there is room.
func (r *hitReader) read(ctx context.Context, indices, settings []uint64) ([]hit, error) {
	settings = slices.DeleteFunc(slices.Clone(settings), func(index uint64) bool {
		_, known := r.known[index]
		return known || slices.Contains(indices, index)
	})
	if len(indices)+len(settings) > client.MaxRead {
		settings = nil
	}
	byIndex, err := r.entriesAt(ctx, slices.Concat(indices, settings))
	if err != nil {
		return nil, err
	}
	if err := r.learn(ctx, settings, byIndex); err != nil {
		return nil, err
	}
	hits := make([]hit, len(indices))
	for i, index := range indices {
		e := byIndex[index]
		hits[i] = hit{index: index, entry: e.Entry, problem: e.Problem}
		if e.Entry == nil {
			continue
		}
		if err := r.verify(ctx, &hits[i]); err != nil {
			return nil, err
		}
	}
	return hits, nil
}

// entriesAt reads entries, which the ledger gives by rising index.
func (r *hitReader) entriesAt(ctx context.Context, indices []uint64) (map[uint64]client.ReadEntry, error) {
	rising := slices.Clone(indices)
	slices.Sort(rising)
	byIndex := make(map[uint64]client.ReadEntry, len(indices))
	for e, err := range r.log.Entries(ctx, proofs.RunsOf(slices.Compact(rising))) {
		if err != nil {
			return nil, err
		}
		byIndex[e.Index] = e
	}
	return byIndex, nil
}

// verify checks an event, and puts together what is shown of it.
func (r *hitReader) verify(ctx context.Context, h *hit) (err error) {
	if h.view, err = r.entries.check(ctx, h.entry); err != nil {
		return err
	}
	if h.leaf, err = proofs.ParseLeaf(h.entry.Leaf); err != nil {
		return fmt.Errorf("entry %d: %w", h.index, err)
	}
	if h.leaf.Kind != proofs.Event {
		return fmt.Errorf("%w: the ledger finds entry %d, which is no event", proofs.ErrNotVerified, h.index)
	}
	d := h.entry.Disclosure
	if d == nil || len(d.Parts) == 0 || !d.Parts[0].Shown() {
		return nil
	}
	if h.payload, err = d.Payload(); err != nil {
		return fmt.Errorf("entry %d: %w", h.index, err)
	}
	h.shown = true
	return nil
}

// fields returns the values of the declared fields of an event, by name.
func (h *hit) fields() map[string][]string {
	if h.values != nil || !h.shown || h.declared == nil {
		return h.values
	}
	h.values = make(map[string][]string)
	if client.IsJSON(h.payload.MediaType) {
		names := make(map[uint16]string)
		for _, f := range h.declared.fields {
			names[f.Number] = f.Name
		}
		for _, v := range h.extract(h.declared.extractor) {
			h.values[names[v.Number]] = append(h.values[names[v.Number]], string(v.Value))
		}
	}
	for _, given := range h.payload.Fields {
		h.values[given.Name] = append(h.values[given.Name], string(given.Value))
	}
	return h.values
}

// extract returns values in the payload. Where something of it is erased null may
// stand for that, and is none.
func (h *hit) extract(x *proofs.Extractor) []proofs.FieldValue {
	if !client.IsJSON(h.payload.MediaType) {
		return nil
	}
	values, err := x.Extract(h.payload.Data)
	if err != nil {
		return nil
	}
	if len(h.payload.Gaps) > 0 {
		values = slices.DeleteFunc(values, func(v proofs.FieldValue) bool { return string(v.Value) == "null" })
	}
	return values
}

// declares reports whether the stream of an event declares a field.
func (h *hit) declares(name string) bool {
	return h.declared != nil && slices.ContainsFunc(h.declared.fields, func(f proofs.Field) bool { return f.Name == name })
}

func (h *hit) indexText() string { return strconv.FormatUint(h.index, 10) }

// timeText returns the ledger's time of an event; empty: it was not read.
func (h *hit) timeText() string {
	if h.entry == nil {
		return ""
	}
	return formatMicros(h.leaf.Time)
}

// streamText returns the name of an event's stream; empty: it was not read.
func (h *hit) streamText() string {
	if h.entry == nil {
		return ""
	}
	return h.entry.Stream
}

// missing says why an event is not shown; empty: it is.
func (h *hit) missing() string {
	switch {
	case h.problem != nil:
		return h.problem.Error()
	case h.entry != nil && !h.shown:
		return "payload erased"
	}
	return ""
}
