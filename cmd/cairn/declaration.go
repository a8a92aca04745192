package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// A declaration is what a stream declares in a settings entry.
type declaration struct {
	index     uint64 // of the entry
	stream    uint32
	fields    []proofs.Field
	extractor *proofs.Extractor
}

// declare finds what the streams of events declared when these were recorded, in
// the entries with their settings.
func (r *hitReader) declare(ctx context.Context, hits []hit) error {
	var unknown []uint64
	for _, h := range hits {
		if h.entry == nil || h.entry.Settings == 0 {
			continue
		}
		if _, ok := r.known[h.entry.Settings]; !ok && !slices.Contains(unknown, h.entry.Settings) {
			unknown = append(unknown, h.entry.Settings)
		}
	}
	if len(unknown) > 0 {
		byIndex, err := r.entriesAt(ctx, unknown)
		if err != nil {
			return err
		}
		if err := r.learn(ctx, unknown, byIndex); err != nil {
			return err
		}
	}
	for i := range hits {
		h := &hits[i]
		if h.entry == nil {
			continue
		}
		d := r.known[h.entry.Settings]
		if d != nil && (d.stream != h.leaf.Stream || h.entry.Settings >= h.index) {
			return fmt.Errorf("%w: entry %d has not the settings of entry %d", proofs.ErrNotVerified, h.entry.Settings, h.index)
		}
		h.declared = d
	}
	return nil
}

// learn takes what settings entries, which were read, declare.
func (r *hitReader) learn(ctx context.Context, indices []uint64, byIndex map[uint64]client.ReadEntry) (err error) {
	for _, index := range indices {
		e := byIndex[index].Entry
		r.known[index] = nil
		if e == nil {
			r.hidden = append(r.hidden, index)
			continue
		}
		if _, err := r.entries.check(ctx, e); err != nil {
			return err
		}
		if r.known[index], err = declarationIn(e); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

var errNoSettings = errors.New("no settings of a stream")

// declarationIn returns what a settings entry, which was verified, declares; nil
// where that is not shown.
func declarationIn(e *client.Entry) (*declaration, error) {
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return nil, err
	}
	if leaf.Kind != proofs.Settings {
		return nil, fmt.Errorf("%w: %w", proofs.ErrNotVerified, errNoSettings)
	}
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		return nil, err
	}
	if body.Stream == nil {
		return nil, fmt.Errorf("%w: %w", proofs.ErrNotVerified, errNoSettings)
	}
	if e.Disclosure == nil || len(e.Disclosure.Parts) == 0 || !e.Disclosure.Parts[0].Shown() {
		return nil, nil
	}
	part, err := e.Disclosure.Parts[0].Part()
	if err != nil {
		return nil, err
	}
	settings, err := proofs.CheckStreamSettings(part.Data, *body.Stream)
	if err != nil {
		return nil, err
	}
	x, err := proofs.NewExtractor(settings.Fields)
	return &declaration{e.Index, body.Stream.Stream, settings.Fields, x}, err
}
