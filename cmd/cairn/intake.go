package main

import (
	"context"
	"iter"
	"sync"
)

// An intake reads inputs while others are sent: what has come meanwhile is
// the next batch. So a file is sent in large batches, and events that trickle
// in are sent as they come.
type intake struct {
	max      int // inputs that wait at most, and
	maxBytes int // bytes, if it is more than one
	ready    chan struct{}
	space    chan struct{}

	mu      sync.Mutex
	waiting []input
	bytes   int
	ended   bool
	err     error // why it ended before the inputs did
}

// newIntake begins to read. Reading ends with the inputs or with the context;
// but nothing ends a read of the standard input that waits, except the
// program's end.
func newIntake(ctx context.Context, inputs iter.Seq2[input, error], max, maxBytes int) *intake {
	q := &intake{max: max, maxBytes: maxBytes, ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
	go func() {
		for in, err := range inputs {
			if err != nil || !q.put(ctx, in) {
				q.end(err)
				return
			}
		}
		q.end(nil)
	}()
	return q
}

// put adds an input, and waits for space before. It returns false when the
// context ends.
func (q *intake) put(ctx context.Context, in input) bool {
	q.mu.Lock()
	for len(q.waiting) > 0 && (len(q.waiting) >= q.max || q.bytes+len(in.data) > q.maxBytes) {
		q.mu.Unlock()
		select {
		case <-q.space:
		case <-ctx.Done():
			return false
		}
		q.mu.Lock()
	}
	q.waiting = append(q.waiting, in)
	q.bytes += len(in.data)
	q.mu.Unlock()
	wake(q.ready)
	return true
}

func (q *intake) end(err error) {
	q.mu.Lock()
	q.ended, q.err = true, err
	q.mu.Unlock()
	wake(q.ready)
}

// take returns all inputs that wait, after ready said that there are some or
// no more will come. With the last it returns that they ended, and why if
// that is not their end.
func (q *intake) take() (batch []input, ended bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, q.waiting, q.bytes = q.waiting, nil, 0
	wake(q.space)
	return batch, q.ended, q.err
}

// wake wakes whoever waits on c, now or next.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
