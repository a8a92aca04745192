package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// An evidenceMaker makes a file of evidence, in this order: it reads leaves and
// chooses; reads the chosen entries, which the ledger records, and puts them by;
// finds out why something of them is gone; and writes the file, which is
// verified as it is written, and has its name once it is whole.
type evidenceMaker struct {
	p        *program
	log      *client.HTTP
	files    *exporter // for checkpoints
	view     client.View
	choice   choice
	searches evidenceSearches // proven
	kept     keptSizes
	workers  int

	scan    *leafScan
	found   []proofs.Run // by the ledger, of the choice; nil: it was not asked
	chosen  []proofs.Run
	context map[uint64]bool            // entries
	because map[uint64][]uint64        // by entry that lacks something
	refs    []proofs.CheckpointRef     // that reasons name
	gone    []goneEntry                // that lack something
	opened  map[uint64]*evidence.Entry // settings entries that were read

	mu        sync.Mutex
	forbidden map[subject]bool // what one may not read

	told, untold int // checkpoints that are in the file for their time, and that are not
	unnamed      int // streams whose settings one may not read

	unsearched []proofs.Run // which the ledger could not look at
	disabled   []uint64     // entries for whose sake it did not look at some
}

// A goneEntry is one of which something is gone.
type goneEntry struct {
	index uint64
	leaf  proofs.Leaf
}

// A subject is what the right to read is about: events of a stream, or
// control entries of a kind.
type subject struct {
	kind   proofs.Kind
	stream uint32
}

func (m *evidenceMaker) run(ctx context.Context, path string) (report *evidence.Report, err error) {
	m.context, m.because, m.opened = make(map[uint64]bool), make(map[uint64][]uint64), make(map[uint64]*evidence.Entry)
	m.forbidden = make(map[subject]bool)
	if err := m.choose(ctx); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	put, err := os.CreateTemp(dir, ".cairn-entries-") // which nobody else may read
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, put.Close(), os.Remove(put.Name())) }()
	if err := m.read(ctx, put); err != nil {
		return nil, err
	}
	if err := m.explain(ctx); err != nil {
		return nil, err
	}
	if _, err := put.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	err = command.PlaceWritten(dir, path, privateMode, true, func(w io.Writer) (err error) {
		report, err = m.verified(w, func(w io.Writer) error { return m.write(ctx, w, put) })
		return err
	})
	if err == nil {
		err = command.SyncDir(dir)
	}
	return report, err
}

// choose decides which entries the file has: those that are chosen, and what
// searches found.
func (m *evidenceMaker) choose(ctx context.Context) error {
	g := m.p.progress("read leaves")
	defer g.end()
	m.scan = &leafScan{reader: m.view.Reader, collector: evidence.NewCollector(), workers: m.workers, say: m.p.Say,
		show: func(done uint64) { g.show(done, 0) }}
	if !m.choice.isNone() {
		if err := m.chooseOthers(ctx); err != nil {
			return err
		}
	}
	hits := m.searches.hits()
	if len(hits) == 0 {
		return nil
	}
	m.chosen = proofs.JoinRuns(append(slices.Clone(m.chosen), hits...))
	return m.scan.to(ctx, m.chosen[len(m.chosen)-1].Last+1)
}

// chooseOthers decides which entries are chosen without a proof.
func (m *evidenceMaker) chooseOthers(ctx context.Context) error {
	if m.choice.looks() {
		if err := m.find(ctx); err != nil {
			return err
		}
	}
	from, end, err := m.choice.bound(ctx, m.view.Reader, m.view.Checkpoint.Size)
	if err != nil {
		return err
	}
	if !m.choice.events() {
		m.chosen = m.choice.runs
		return m.scan.to(ctx, end)
	}
	events := make(map[uint32][]proofs.Run) // by stream, or all together
	m.scan.each = func(index uint64, leaf proofs.Leaf) {
		if index < from || leaf.Kind != proofs.Event || !m.choice.has(index) || m.found != nil && !proofs.InRuns(m.found, index) {
			return
		}
		stream := leaf.Stream
		if m.choice.stream == "" {
			stream = 0
		}
		events[stream] = proofs.AppendIndex(events[stream], index)
	}
	if err := m.scan.to(ctx, max(from, end)); err != nil {
		return err
	}
	m.scan.each = nil
	if m.chosen = events[0]; m.choice.stream != "" {
		number, err := m.streamNamed(ctx, slices.Sorted(maps.Keys(events)))
		if err != nil {
			return err
		}
		m.chosen = events[number]
	}
	if len(m.chosen) == 0 {
		return fmt.Errorf("%w: there are no %v", errNo, m.choice)
	}
	return nil
}

// streamNamed returns which of some streams has the chosen name, by their
// settings: 0 if none has that may be read.
func (m *evidenceMaker) streamNamed(ctx context.Context, numbers []uint32) (uint32, error) {
	for _, number := range numbers {
		index, ok := m.scan.collector.Settings(number, m.scan.next)
		if !ok {
			continue
		}
		e, err := m.settings(ctx, index)
		if err != nil {
			return 0, err
		}
		if name, err := streamName(e); err != nil || name == m.choice.stream {
			return number, err
		}
	}
	return 0, fmt.Errorf("%w: there are no %v that you may read", errNo, m.choice)
}

// streamName returns the name of the stream that an entry sets; empty if the
// entry does not show it.
func streamName(e *evidence.Entry) (string, error) {
	if e.Disclosure == nil {
		return "", nil
	}
	leaf, err := proofs.ParseLeaf(e.Leaf)
	if err != nil {
		return "", err
	}
	body, err := proofs.ParseSettings(leaf.Control)
	if err != nil || body.Stream == nil {
		return "", err
	}
	part, err := e.Disclosure.Payload()
	if err != nil {
		return "", err
	}
	s, err := proofs.CheckStreamSettings(part.Data, *body.Stream)
	return s.Name, err
}

// read reads the chosen entries and puts them by, a line each.
func (m *evidenceMaker) read(ctx context.Context, put io.Writer) error {
	g, done, total := m.p.progress("read entries"), uint64(0), proofs.CountEntries(m.chosen)
	defer g.end()
	out := bufio.NewWriterSize(put, 1<<16)
	putBy := func(e *evidence.Entry) error {
		done++
		g.show(done, total)
		leaf, err := proofs.ParseLeaf(e.Leaf)
		if err != nil {
			return err
		}
		for _, index := range m.scan.collector.Context(e.Index, leaf) {
			m.context[index] = true
		}
		if e.Missing == evidence.Gone {
			m.gone = append(m.gone, goneEntry{e.Index, leaf})
		}
		line, err := evidence.FormatLine(evidence.Line{Entry: e})
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
		_, err = out.Write(line)
		return err
	}
	err := inOrder(ctx, m.workers, together(m.chosen), m.entries, func(group []*evidence.Entry) error {
		for _, e := range group {
			if err := putBy(e); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, out.Flush())
}

// explain finds the reasons for what is gone: anywhere up to the checkpoint.
func (m *evidenceMaker) explain(ctx context.Context) error {
	if len(m.gone) == 0 {
		return nil
	}
	g := m.p.progress("read leaves")
	defer g.end()
	if err := m.scan.to(ctx, m.view.Checkpoint.Size); err != nil {
		return err
	}
	c := m.scan.collector
	for _, e := range m.gone {
		because := c.Because(e.index, e.leaf)
		m.because[e.index] = because
		behind, refs := c.Behind(because)
		for _, index := range behind {
			m.context[index] = true
		}
		m.refs = append(m.refs, refs...)
	}
	return nil
}
