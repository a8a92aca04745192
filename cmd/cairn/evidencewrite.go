package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// verified writes a file and judges it on its way, as whoever gets it will.
func (m *evidenceMaker) verified(w io.Writer, write func(io.Writer) error) (*evidence.Report, error) {
	r, judged := io.Pipe()
	type outcome struct {
		report *evidence.Report
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		report, err := evidence.Verify(r, evidence.Options{Policy: m.files.policy})
		r.CloseWithError(err)
		done <- outcome{report, err}
	}()
	out := bufio.NewWriterSize(io.MultiWriter(w, judged), 1<<16)
	err := errors.Join(write(out), out.Flush())
	judged.CloseWithError(err)
	o := <-done
	if err == nil {
		err = o.err
	}
	return o.report, err
}

// write writes the file. The lines of the entries were put by.
func (m *evidenceMaker) write(ctx context.Context, w io.Writer, put io.Reader) error {
	out, err := evidence.NewWriter(w, evidence.Header{
		Origin: m.view.Checkpoint.Origin, Selection: m.selection(), Policy: string(proofs.FormatPolicy(m.files.policy)),
	})
	if err != nil {
		return err
	}
	if err := m.writeCheckpoints(ctx, out); err != nil {
		return err
	}
	if err := m.searches.write(out); err != nil {
		return err
	}
	for _, index := range slices.Sorted(maps.Keys(m.context)) {
		e, err := m.contextEntry(ctx, index)
		if err == nil {
			err = out.Context(*e)
		}
		if err != nil {
			return err
		}
	}
	lines := bufio.NewReaderSize(put, 1<<16)
	for range proofs.CountEntries(m.chosen) {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		l, err := evidence.ParseLine(line)
		if err != nil {
			return err
		}
		l.Entry.Because = m.because[l.Entry.Index]
		if err := out.Entry(*l.Entry); err != nil {
			return err
		}
	}
	return out.Close()
}

// writeCheckpoints writes the checkpoints that place the entries in time, are
// named by reasons, or are those of searches, and last the one that all entries are
// proven under.
func (m *evidenceMaker) writeCheckpoints(ctx context.Context, out *evidence.Writer) error {
	last := uint64(0)
	write := func(size uint64, note []byte) (err error) {
		c := evidence.Checkpoint{Note: string(note)}
		if last > 0 {
			if c.Consistency, err = proofs.ProveConsistency(ctx, last, size, m.view.Reader); err != nil {
				return err
			}
		}
		last = size
		return out.Checkpoint(c)
	}
	searched := m.searches.checkpoints()
	fetch := func(ctx context.Context, size uint64) ([]byte, error) {
		if _, kept := slices.BinarySearch(m.kept, size); !kept {
			return searched[size], nil
		}
		path := audit.CheckpointPath(size)
		note, err := m.files.files.ReadFile(ctx, path)
		if err == nil {
			err = m.files.checkKept(ctx, size, note)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return note, nil
	}
	sizes := m.checkpointSizes()
	next := 0
	err := inOrder(ctx, m.workers, slices.Values(sizes), fetch, func(note []byte) error {
		next++
		return write(sizes[next-1], note)
	})
	if err != nil {
		return err
	}
	return write(m.view.Checkpoint.Size, m.view.Signed)
}

// maxTelling is how many checkpoints are there for their time at most.
const maxTelling = 1000

// checkpointSizes returns the sizes of the checkpoints that the file has before
// the last one: kept ones, and those of searches.
func (m *evidenceMaker) checkpointSizes() []uint64 {
	telling := m.tellingSizes()
	m.told = min(len(telling), maxTelling)
	if m.untold = len(telling) - m.told; m.untold > 0 {
		thinned := make([]uint64, maxTelling)
		for i := range thinned { // the first, the last, and those between
			thinned[i] = telling[i*(len(telling)-1)/(maxTelling-1)]
		}
		telling = thinned
	}
	for _, ref := range m.refs {
		if _, kept := slices.BinarySearch(m.kept, ref.Size); kept && ref.Size < m.view.Checkpoint.Size {
			telling = append(telling, ref.Size)
		}
	}
	for size := range m.searches.checkpoints() {
		if size < m.view.Checkpoint.Size {
			telling = append(telling, size)
		}
	}
	slices.Sort(telling)
	return slices.Compact(telling)
}

// tellingSizes returns the sizes of all kept checkpoints that say when an entry
// was made: of each run those within it, the one before and the one behind.
func (m *evidenceMaker) tellingSizes() (sizes []uint64) {
	for _, r := range m.chosen {
		first, _ := slices.BinarySearch(m.kept, r.First+1)
		behind, _ := slices.BinarySearch(m.kept, r.Last+1)
		sizes = append(sizes, m.kept[max(first-1, 0):min(behind+1, len(m.kept))]...)
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	return slices.DeleteFunc(sizes, func(size uint64) bool { return size == 0 || size >= m.view.Checkpoint.Size })
}
