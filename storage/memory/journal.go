package memory

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/cairnlog/cairn/storage"
)

// Journal returns the journal of that name.
func (w *World) Journal(name string) storage.Journal {
	return open(w, "journal", name, func(s state) *journal { return &journal{state: s} })
}

type journal struct {
	state
	first   uint64
	records [][]byte // from first on
	dropped [][]byte // by the last Drop, before first: a power cut may bring them back
}

func (j *journal) clone(s state, keep func(int) int) store {
	// A restart keeps the drop; a power cut may undo the last part of it.
	back := len(j.dropped) - keep(len(j.dropped))
	return &journal{
		state:   s,
		first:   j.first - uint64(back),
		records: slices.Concat(j.dropped[len(j.dropped)-back:], j.records),
	}
}

func (j *journal) Append(ctx context.Context, record []byte) (uint64, error) {
	if len(record) < 1 || len(record) > storage.MaxJournalRecord {
		return 0, fmt.Errorf("journal record: %d bytes: %w", len(record), storage.ErrInvalid)
	}
	if err := j.begin(ctx); err != nil {
		return 0, err
	}
	defer j.world.mu.Unlock()
	position := j.next()
	err := j.step("append", func(whole bool) {
		if whole {
			j.records = append(j.records, bytes.Clone(record))
		}
	})
	if err != nil {
		return 0, err
	}
	return position, nil
}

func (j *journal) Replay(ctx context.Context, from uint64, fn func(uint64, []byte) error) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	first, next := j.first, j.next()
	records := j.records[:len(j.records):len(j.records)]
	j.world.mu.Unlock()
	if from < first || from > next {
		return fmt.Errorf("journal position %d of [%d, %d): %w", from, first, next, storage.ErrNotFound)
	}
	for i, record := range records[from-first:] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(from+uint64(i), bytes.Clone(record)); err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) Drop(ctx context.Context, before uint64) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	defer j.world.mu.Unlock()
	if before > j.next() {
		return fmt.Errorf("journal drop before %d of [%d, %d): %w", before, j.first, j.next(), storage.ErrInvalid)
	}
	if before <= j.first {
		return nil
	}
	return j.step("drop", func(whole bool) {
		n := before - j.first
		if !whole {
			n /= 2
		}
		j.dropped, j.records = j.records[:n:n], slices.Clone(j.records[n:])
		j.first += n
	})
}

func (j *journal) Bounds() (first, next uint64) {
	j.world.mu.Lock()
	defer j.world.mu.Unlock()
	return j.first, j.next()
}

func (j *journal) next() uint64 { return j.first + uint64(len(j.records)) }
