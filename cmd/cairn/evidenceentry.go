package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// public returns an entry as everybody sees it, with its proof.
func (m *evidenceMaker) public(ctx context.Context, index uint64) (*evidence.Entry, proofs.Leaf, error) {
	b, err := publicLeaf(ctx, m.view, m.log, index)
	if err != nil {
		return nil, proofs.Leaf{}, err
	}
	leaf, err := proofs.ParseLeaf(b)
	if err != nil {
		return nil, leaf, fmt.Errorf("entry %d: %w", index, err)
	}
	proof, err := proofs.ProveInclusion(ctx, index, m.view.Checkpoint.Size, m.view.Reader)
	return &evidence.Entry{Index: index, Leaf: b, Proof: proof}, leaf, err
}

// entry returns an entry with what one may read of it, and the word for what
// is missing.
func (m *evidenceMaker) entry(ctx context.Context, index uint64) (*evidence.Entry, error) {
	e, leaf, err := m.public(ctx, index)
	if err != nil {
		return nil, err
	}
	about := subject{kind: leaf.Kind, stream: leaf.Stream}
	nothing := &proofs.Disclosure{ID: make([]byte, len(proofs.EntryID{}))}
	switch {
	case leaf.Bucket == 0 && nothing.Check(leaf) == nil: // it opens to nothing, so there is nothing to ask for
		e.Disclosure = nothing
	case m.isForbidden(about):
		e.Missing = evidence.Forbidden
	default:
		err = m.open(ctx, e, leaf)
	}
	// What a setting is about is not in the leaf's stream: each is asked for.
	if e.Missing == evidence.Forbidden && leaf.Kind != proofs.Settings {
		m.forbid(about)
	}
	return e, err
}

// open asks the ledger for what it shows of an entry, and checks it.
func (m *evidenceMaker) open(ctx context.Context, e *evidence.Entry, leaf proofs.Leaf) error {
	got, err := m.log.Entry(ctx, e.Index)
	var p *client.Problem
	if errors.As(err, &p) {
		switch p.Code() {
		case client.Forbidden:
			e.Missing = evidence.Forbidden
			return nil
		case client.Gone:
			e.Missing = evidence.Gone
			return m.closedBefore(e.Index, p.Reasons)
		}
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	if got.Index != e.Index || !bytes.Equal(got.Leaf, e.Leaf) || got.Disclosure == nil {
		return fmt.Errorf("%w: entry %d: what the ledger gives is not the entry in its tree", proofs.ErrNotVerified, e.Index)
	}
	if err := got.Disclosure.Check(leaf); err != nil {
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	e.Disclosure = got.Disclosure
	for _, number := range slices.Sorted(maps.Keys(got.FieldKeys)) {
		e.FieldKeys = append(e.FieldKeys, evidence.FieldKey{Field: number, Key: got.FieldKeys[number]})
	}
	if hidesSome(got.Disclosure) {
		e.Missing = evidence.Gone
		return m.closedBefore(e.Index, got.Reasons)
	}
	return nil
}

// closedBefore returns an error where the reasons that the ledger names are
// newer than the checkpoint that the file is made under.
func (m *evidenceMaker) closedBefore(index uint64, reasons []uint64) error {
	if n := len(reasons); n > 0 && reasons[0] >= m.view.Checkpoint.Size {
		return command.Hinted(fmt.Errorf("entry %d was closed a moment ago, by entry %d", index, reasons[0]), "run it again")
	}
	return nil
}

// hidesSome reports whether not all parts and tags are shown.
func hidesSome(d *proofs.Disclosure) bool {
	return slices.ContainsFunc(d.Parts, func(p proofs.DisclosedPart) bool { return !p.Shown() }) ||
		slices.ContainsFunc(d.Tags, func(t proofs.DisclosedTags) bool { return !t.Shown() })
}

func (m *evidenceMaker) isForbidden(s subject) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forbidden[s]
}

// forbid remembers what is not to be asked for again: each refusal is recorded.
func (m *evidenceMaker) forbid(s subject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forbidden[s] = true
}

// settings returns a settings entry as context, with its names if one may read
// them.
func (m *evidenceMaker) settings(ctx context.Context, index uint64) (*evidence.Entry, error) {
	if e := m.opened[index]; e != nil {
		return e, nil
	}
	e, leaf, err := m.public(ctx, index)
	if err != nil {
		return nil, err
	}
	if err := m.open(ctx, e, leaf); err != nil {
		return nil, err
	}
	if e.Missing != "" {
		e.Disclosure = nil
	}
	e.Missing, e.FieldKeys = "", nil
	m.opened[index] = e
	return e, nil
}

// contextEntry returns an entry of the context. Only the names of streams are
// asked for: all else is in the clear.
func (m *evidenceMaker) contextEntry(ctx context.Context, index uint64) (*evidence.Entry, error) {
	e, leaf, err := m.public(ctx, index)
	if err != nil || leaf.Kind != proofs.Settings {
		return e, err
	}
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	if body.Stream == nil {
		return e, nil
	}
	if e, err = m.settings(ctx, index); err == nil && e.Disclosure == nil {
		m.unnamed++
	}
	return e, err
}
