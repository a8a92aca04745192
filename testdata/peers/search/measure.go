package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cairnlog/cairn/ledger/search/searchtest"
)

// errWrong says that a peer's answer is not the true one.
var errWrong = errors.New("wrong answer")

// A plan is what is measured, of every peer the same.
type plan struct {
	source
	queries  []Query
	answers  [][]uint64
	batch    int           // documents that are made durable together
	patience time.Duration // for the queries of one kind; then the rest of them are left out
}

// A figure is what was measured of a peer.
type figure struct {
	Peer      string
	Documents int
	Adding    time.Duration // in Add
	CPU       time.Duration // while documents were made and added
	Settling  time.Duration
	Size      int64 // bytes at rest
	Memory    int64 // bytes resident, the larger of before and after the queries
	Latencies map[Kind][]time.Duration
}

// measure opens a peer in an empty directory, fills and asks it.
func measure(ctx context.Context, p Peer, plan plan, dir string) (f figure, err error) {
	x, err := p.Open(dir, plan.declared)
	if err != nil {
		return figure{}, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	f = figure{Peer: p.Name, Documents: plan.n, Latencies: map[Kind][]time.Duration{}}
	before, err := used(x)
	if err != nil {
		return figure{}, err
	}
	if err := f.fill(ctx, x, plan); err != nil {
		return figure{}, err
	}
	after, err := used(x)
	if err != nil {
		return figure{}, err
	}
	f.CPU = after.CPU - before.CPU
	start := time.Now()
	if err := x.Settle(); err != nil {
		return figure{}, err
	}
	f.Settling = time.Since(start)
	if err := f.ask(ctx, x, plan); err != nil {
		return figure{}, err
	}
	asked, err := used(x)
	if err != nil {
		return figure{}, err
	}
	f.Memory = max(after.Memory, asked.Memory)
	f.Size, err = x.Size()
	return f, err
}

// fill adds all documents.
func (f *figure) fill(ctx context.Context, x Index, plan plan) error {
	var batch []searchtest.Document
	add := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		err := x.Add(batch)
		f.Adding += time.Since(start)
		batch = batch[:0]
		return err
	}
	for d, err := range plan.all() {
		if err != nil {
			return err
		}
		if batch = append(batch, d); len(batch) == plan.batch {
			if err := add(); err != nil {
				return err
			}
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return add()
}

// ask asks every query once, kind by kind.
func (f *figure) ask(ctx context.Context, x Index, plan plan) error {
	spent := map[Kind]time.Duration{}
	for i, q := range plan.queries {
		if spent[q.Kind] > plan.patience {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		got, err := x.Query(q)
		took := time.Since(start)
		if err != nil {
			return fmt.Errorf("%+v: %w", q, err)
		}
		if !slices.Equal(got, plan.answers[i]) {
			return fmt.Errorf("%w: %+v: %v, but the documents say %v", errWrong, q, got, plan.answers[i])
		}
		spent[q.Kind] += took
		f.Latencies[q.Kind] = append(f.Latencies[q.Kind], took)
	}
	return nil
}

// percentile returns the smallest duration that p percent of them don't exceed.
func percentile(durations []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[(len(sorted)*p+99)/100-1]
}
