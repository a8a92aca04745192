package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
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

// readTogether is how many entries the ledger is asked for at once, which is one
// read in its history.
const readTogether = 64

// together yields the indices of runs in groups that are read at once.
func together(runs []proofs.Run) iter.Seq[[]uint64] {
	return func(yield func([]uint64) bool) {
		var group []uint64
		for index := range proofs.IndicesOf(runs) {
			if group = append(group, index); len(group) == readTogether {
				if !yield(group) {
					return
				}
				group = nil
			}
		}
		if len(group) > 0 {
			yield(group)
		}
	}
}

// entries returns entries with what one may read of them, and the word for what
// is missing. The ledger is asked once.
func (m *evidenceMaker) entries(ctx context.Context, indices []uint64) (list []*evidence.Entry, err error) {
	var ask []proofs.Run
	leaves := make(map[uint64]proofs.Leaf)
	for _, index := range indices {
		e, leaf, err := m.public(ctx, index)
		if err != nil {
			return nil, err
		}
		nothing := &proofs.Disclosure{ID: make([]byte, len(proofs.EntryID{}))}
		switch {
		case leaf.Bucket == 0 && nothing.Check(leaf) == nil: // it opens to nothing, so there is nothing to ask for
			e.Disclosure = nothing
		case m.isForbidden(subject{kind: leaf.Kind, stream: leaf.Stream}):
			e.Missing = evidence.Forbidden
		default:
			ask = proofs.AppendIndex(ask, index)
			leaves[index] = leaf
		}
		list = append(list, e)
	}
	if len(ask) == 0 {
		return list, nil
	}
	at := 0
	for got, err := range m.log.Entries(ctx, ask) {
		if err != nil {
			return nil, err
		}
		for list[at].Index != got.Index {
			at++
		}
		if err := m.take(list[at], leaves[got.Index], got); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// open asks the ledger for what it shows of an entry.
func (m *evidenceMaker) open(ctx context.Context, e *evidence.Entry, leaf proofs.Leaf) error {
	got := client.ReadEntry{Index: e.Index}
	var err error
	if got.Entry, err = m.log.Entry(ctx, e.Index); errors.As(err, &got.Problem) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.Index, err)
	}
	return m.take(e, leaf, got)
}

// take adds to an entry what the ledger shows of it, and checks that.
func (m *evidenceMaker) take(e *evidence.Entry, leaf proofs.Leaf, read client.ReadEntry) error {
	if p := read.Problem; p != nil {
		switch p.Code() {
		case client.Forbidden:
			e.Missing = evidence.Forbidden
			// What a setting is about is not in the leaf's stream: each is asked for.
			if leaf.Kind != proofs.Settings {
				m.forbid(subject{kind: leaf.Kind, stream: leaf.Stream})
			}
			return nil
		case client.Disabled:
			e.Missing = evidence.Disabled
			return nil
		case client.Gone:
			e.Missing = evidence.Gone
			return m.closedBefore(e.Index, p.Reasons)
		}
		return fmt.Errorf("entry %d: %w", e.Index, p)
	}
	got := read.Entry
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
