package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// Journal runs the suite for a journal.
func Journal(t *testing.T, maker Maker[storage.Journal]) {
	t.Run("append, replay and drop", func(t *testing.T) { testJournal(t, maker(t, nil)) })
	t.Run("records of many sizes", func(t *testing.T) { testJournalSizes(t, maker(t, nil)) })
	t.Run("appends and replays at once", func(t *testing.T) { testJournalConcurrency(t, maker(t, nil)) })
	runHistories(t, maker, func() history[storage.Journal] { return &journalHistory{} })
}

func testJournal(t *testing.T, s Subject[storage.Journal]) {
	ctx, j := t.Context(), s.open(t)
	wantReplay(t, j, 0)
	_, err := j.Append(ctx, nil)
	wantErr(t, "append nothing", err, storage.ErrInvalid)
	_, err = j.Append(ctx, make([]byte, storage.MaxJournalRecord+1))
	wantErr(t, "append too much", err, storage.ErrInvalid)
	record := []byte("a")
	for want, text := range []string{"a", "b", "c"} {
		record[0] = text[0] // the caller's slice is the caller's
		got, err := j.Append(ctx, record)
		if err != nil || got != uint64(want) {
			t.Fatalf("Append = %d, %v, want %d", got, err, want)
		}
	}
	wantReplay(t, j, 0, "a", "b", "c")
	wantReplay(t, j, 1, "b", "c")
	wantReplay(t, j, 3)
	nothing := func(uint64, []byte) error { return nil }
	wantErr(t, "replay beyond the end", j.Replay(ctx, 4, nothing), storage.ErrNotFound)
	wantErr(t, "drop beyond the end", j.Drop(ctx, 4), storage.ErrInvalid)
	stop := errors.New("stop")
	if err := j.Replay(ctx, 0, func(uint64, []byte) error { return stop }); err != stop {
		t.Errorf("Replay = %v, want the error of fn as it is", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = j.Append(cancelled, []byte("x"))
	wantErr(t, "a cancelled append", err, context.Canceled)
	wantErr(t, "a cancelled replay", j.Replay(cancelled, 0, nothing), context.Canceled)

	j = s.reopen(t)
	wantReplay(t, j, 0, "a", "b", "c")
	must(t, "drop", j.Drop(ctx, 3))
	must(t, "drop again", j.Drop(ctx, 1))
	j = s.reopen(t)
	if first, next := j.Bounds(); next != 3 || first > 3 {
		t.Errorf("bounds = [%d, %d), want [≤3, 3)", first, next)
	}
	got, err := j.Append(ctx, []byte("d"))
	if err != nil || got != 3 {
		t.Errorf("Append after everything was dropped = %d, %v, want 3", got, err)
	}
	wantReplay(t, j, 3, "d")
	if first, _ := j.Bounds(); first > 0 {
		wantErr(t, "replay what was dropped", j.Replay(ctx, first-1, nothing), storage.ErrNotFound)
	}
}

// wantReplay replays from that position and compares.
func wantReplay(t *testing.T, j storage.Journal, from uint64, want ...string) {
	t.Helper()
	position := from
	err := j.Replay(t.Context(), from, func(got uint64, record []byte) error {
		i := int(got - from)
		if got != position || i >= len(want) || string(record) != want[i] {
			t.Errorf("replayed %.20q at %d, want %.20q at %d", record, got, want, position)
		}
		position++
		return nil
	})
	must(t, "replay", err)
	if n := int(position - from); n != len(want) {
		t.Errorf("replayed %d records, want %d", n, len(want))
	}
}

func testJournalSizes(t *testing.T, s Subject[storage.Journal]) {
	j := s.open(t)
	var want []string
	for _, size := range []int{1, 100, 511, 512, 513, 4000, 4095, 4096, 4097, 8192, 1 << 16, 1 << 20, 5 << 20, 1, 3, 1 << 12} {
		for _, fill := range []byte{0, 'x'} {
			record := bytes.Repeat([]byte{fill}, size)
			_, err := j.Append(t.Context(), record)
			must(t, "append", err)
			want = append(want, string(record))
		}
	}
	wantReplay(t, j, 0, want...)
	j = s.reopen(t)
	wantReplay(t, j, 0, want...)
	wantReplay(t, j, 7, want[7:]...)
}

func testJournalConcurrency(t *testing.T, s Subject[storage.Journal]) {
	const workers, each = 6, 30
	j := s.open(t)
	var mu sync.Mutex
	records := make([]string, workers*each)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				text := fmt.Sprintf("%d of %d", i, w)
				position, err := j.Append(t.Context(), []byte(text))
				mu.Lock()
				if err != nil || position >= workers*each || records[position] != "" {
					t.Errorf("Append = %d, %v", position, err)
				} else {
					records[position] = text
				}
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			next := uint64(0)
			err := j.Replay(t.Context(), 0, func(position uint64, _ []byte) error {
				if position != next {
					t.Errorf("replayed %d, want %d", position, next)
				}
				next++
				return nil
			})
			wantErr(t, "replay", err, nil)
		}
	})
	wg.Wait()
	wantReplay(t, j, 0, records...)
	wantReplay(t, s.reopen(t), 0, records...)
}

// A journalHistory appends and drops at random.
type journalHistory struct {
	records [][]byte // all that were ever acknowledged, from 0
	dropped uint64   // the highest position that a Drop was given
	first   uint64   // what the store said last
	doubt   []byte   // the append that may have happened
}

func (h *journalHistory) step(t *testing.T, j storage.Journal, rng *rand.Rand) error {
	if rng.IntN(5) == 0 {
		return h.drop(t, j, uint64(rng.IntN(len(h.records)+1)))
	}
	record := someBytes(rng, 7000)
	position, err := j.Append(t.Context(), record)
	if err != nil && !refused(err) {
		h.doubt = record
		return err
	}
	if err == nil {
		if position != uint64(len(h.records)) {
			t.Errorf("Append = %d, want %d", position, len(h.records))
		}
		h.records = append(h.records, record)
	}
	return nil
}

func (h *journalHistory) drop(t *testing.T, j storage.Journal, before uint64) error {
	err := j.Drop(t.Context(), before)
	if err == nil || !refused(err) {
		h.dropped = max(h.dropped, before)
	}
	if err == nil || refused(err) {
		h.first, _ = j.Bounds()
		return nil
	}
	return err
}

func (h *journalHistory) settle(t *testing.T, j storage.Journal) error {
	first, next := j.Bounds()
	if h.doubt != nil && next == uint64(len(h.records))+1 {
		h.records = append(h.records, h.doubt)
	}
	h.doubt, h.first = nil, first
	h.check(t, j)
	return nil
}

func (h *journalHistory) check(t *testing.T, j storage.Journal) {
	first, next := j.Bounds()
	if first != h.first || first > h.dropped || next != uint64(len(h.records)) {
		t.Errorf("bounds = [%d, %d), want [%d ≤ %d, %d)", first, next, h.first, h.dropped, len(h.records))
		return
	}
	var want []string
	for _, record := range h.records[first:] {
		want = append(want, string(record))
	}
	wantReplay(t, j, first, want...)
}

func (h *journalHistory) probe(j storage.Journal) []error {
	_, err := j.Append(context.Background(), []byte("x"))
	err2 := j.Replay(context.Background(), h.first, func(uint64, []byte) error { return nil })
	return []error{err, err2}
}
