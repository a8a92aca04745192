package audit

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func count(n int, end error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		if end != nil {
			yield(0, end)
		}
	}
}

// Whichever job takes longest, the results come in the order of the jobs.
func TestOrderedKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []int
		start := time.Now()
		err := ordered(t.Context(), 3, count(100, nil), func(_ context.Context, i int) (int, error) {
			time.Sleep(time.Duration(i*7%5) * time.Second)
			return i * i, nil
		}, func(r int) error { got = append(got, r); return nil })
		var want []int
		for i := range 100 {
			want = append(want, i*i)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
		if d := time.Since(start); d > 100*time.Second {
			t.Errorf("three workers took %v for 200 seconds of work", d)
		}
	})
}

// The first error in the order of the jobs ends it, wherever it is from, and
// nothing behind it reaches the sink.
func TestOrderedReturnsTheFirstError(t *testing.T) {
	bad, worse := errors.New("bad"), errors.New("worse")
	for _, tt := range []struct {
		name       string
		jobs       int
		end        error
		work, sink func(i int) error
		want       error
		sunk       int
	}{
		{"of the jobs", 20, bad, nil, nil, bad, 20},
		{"of the first job", 0, bad, nil, nil, bad, 0},
		{"of the work", 100, worse, func(i int) error { return at(i, 30, bad) }, nil, bad, 30},
		{"of two works", 100, nil, func(i int) error { return errors.Join(at(i, 30, bad), at(i, 31, worse)) }, nil, bad, 30},
		{"of the sink", 100, worse, func(i int) error { return at(i, 31, worse) }, func(i int) error { return at(i, 30, bad) }, bad, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sunk := 0
			err := ordered(t.Context(), 4, count(tt.jobs, tt.end), func(_ context.Context, i int) (int, error) {
				if tt.work != nil {
					return i, tt.work(i)
				}
				return i, nil
			}, func(i int) error {
				if tt.sink != nil && tt.sink(i) != nil {
					return tt.sink(i)
				}
				sunk++
				return nil
			})
			if !errors.Is(err, tt.want) || errors.Is(err, worse) || sunk != tt.sunk {
				t.Errorf("got %v after %d, want %v after %d", err, sunk, tt.want, tt.sunk)
			}
		})
	}
}

func at(i, where int, err error) error {
	if i == where {
		return err
	}
	return nil
}

func TestOrderedEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var done atomic.Int32
	err := ordered(ctx, 2, count(1<<30, nil), func(context.Context, int) (int, error) { return 0, nil }, func(int) error {
		if done.Add(1) == 50 {
			cancel()
		}
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || done.Load() != 50 {
		t.Errorf("got %v after %d", err, done.Load())
	}
}

// No more than four jobs a worker wait for their turn.
func TestOrderedIsBounded(t *testing.T) {
	var ahead, most atomic.Int32
	err := ordered(t.Context(), 2, count(1000, nil), func(context.Context, int) (int, error) {
		n := ahead.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		return 0, nil
	}, func(int) error { ahead.Add(-1); return nil })
	if err != nil || most.Load() > 2*4+2+1 {
		t.Errorf("%d jobs were ahead, %v", most.Load(), err)
	}
}
