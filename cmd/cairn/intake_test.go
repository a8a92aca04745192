package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// numbered yields inputs of a size, and then an error if it is not nil.
func numbered(n, size int, end error, asked func(i int)) func(func(input, error) bool) {
	return func(yield func(input, error) bool) {
		for i := range n {
			asked(i)
			if !yield(input{data: make([]byte, size), where: fmt.Sprint(i)}, nil) {
				return
			}
		}
		if end != nil {
			yield(input{}, end)
		}
	}
}

func TestIntakeGathersWhatComesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		read := 0
		q := newIntake(t.Context(), numbered(10, 3, broken, func(i int) { read = i + 1 }), 4, 100)
		var sizes []int
		next := 0
		for {
			synctest.Wait() // what can be read is read
			if read > next+5 {
				t.Errorf("%d inputs are read while %d were taken, want 4 and the one in hand at most", read, next)
			}
			batch, err := q.take(t.Context())
			if len(batch) == 0 {
				if !errors.Is(err, broken) {
					t.Errorf("at the end: got error %v, want %v", err, broken)
				}
				break
			}
			for _, in := range batch {
				if in.where != fmt.Sprint(next) {
					t.Errorf("got input %s, want %d", in.where, next)
				}
				next++
			}
			sizes = append(sizes, len(batch))
		}
		if fmt.Sprint(sizes) != "[4 4 2]" {
			t.Errorf("got batches of %v, want [4 4 2]", sizes)
		}
	})
}

func TestIntakeBoundsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newIntake(t.Context(), numbered(3, 70, nil, func(int) {}), 10, 100)
		for i := range 3 {
			synctest.Wait()
			if batch, err := q.take(t.Context()); len(batch) != 1 || err != nil {
				t.Errorf("batch %d: got %d inputs and error %v, want 1: two are too large together", i, len(batch), err)
			}
		}
		if batch, err := q.take(t.Context()); batch != nil || err != nil {
			t.Errorf("at the end: got %d inputs and error %v, want none", len(batch), err)
		}
	})
}

func TestIntakeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		never := make(chan struct{})
		q := newIntake(ctx, numbered(1, 1, nil, func(int) { <-never }), 10, 100)
		cancel()
		if _, err := q.take(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("while the input is silent: got error %v, want context.Canceled", err)
		}
		close(never) // the one thing that ends such a read
	})
}
